// The service over HTTP: who we are, requests that wait for a server that is away, uploads that go on where they stopped, events.
const API = "/api/v1";
const PIECE = 4 * 2 ** 20;
const LONGEST_WAIT = 8000;

export class Refusal extends Error {
  constructor(status, detail, headers) {
    super(detail);
    Object.assign(this, { status, headers });
  }
}

class Service extends EventTarget {
  who = null;
  away = false;

  // Who we are: by the cookie, or by the token or ticket that the address brought along.
  async enter(token = "") {
    const brought = token || new URLSearchParams(location.hash.slice(1)).get("token");
    if (location.hash.includes("token=")) history.replaceState(null, "", location.pathname);
    if (brought) {
      try {
        this.who = await this.json("/session", { method: "POST", body: { token: brought } });
        return;
      } catch (error) { if (token || error.status !== 401) throw error; }  // a ticket is good once; the cookie may do
    }
    this.who = await this.json("/session");
  }

  async leave() {
    await this.ask("/session", { method: "DELETE" });
    location.reload();
  }

  may(role) { return ["viewer", "artist", "admin"].indexOf(this.who?.role) >= ["viewer", "artist", "admin"].indexOf(role); }

  async json(path, options) { return (await this.ask(path, options)).json(); }

  // One request. While the server cannot be reached it is repeated, where doing it twice does no harm.
  async ask(path, { method = "GET", body, headers = {}, signal, again = ["GET", "HEAD"].includes(method) } = {}) {
    const raw = body === undefined || body instanceof Blob;
    for (let wait = 500, refreshed = false; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
      const own = method === "GET" ? {} : { "X-CSRF-Token": this.who?.csrf ?? "", ...(raw ? {} : { "Content-Type": "application/json" }) };
      let answer;
      try {
        answer = await fetch(API + path, { method, body: raw ? body : JSON.stringify(body), headers: { ...own, ...headers }, signal });
      } catch (error) {
        if (error.name === "AbortError" || !again) throw error;
        this.#reached(false);
        await pause(wait, signal);
        continue;
      }
      this.#reached(true);
      if (answer.ok) return answer;
      const told = await this.#refusal(answer);
      if (answer.status === 403 && !refreshed && told.message.includes("X-CSRF-Token")) {  // the server has another token by now
        this.who = await this.json("/session");
        refreshed = true;
      } else if ((answer.status === 429 || answer.status === 503) && again) {
        await pause(1000 * (Number(answer.headers.get("retry-after")) || wait / 1000), signal);
      } else throw told;
    }
  }

  async #refusal(answer) {
    const told = await answer.json().catch(() => ({}));
    if (answer.status === 401 && this.who) this.dispatchEvent(new Event("out"));
    return new Refusal(answer.status, told.detail ?? answer.statusText, answer.headers);
  }

  #reached(now) {
    if (this.away !== now) return;
    this.away = !now;
    this.dispatchEvent(new Event("line"));
  }

  // All pages of a list, newest first, up to so many items.
  async list(path, most = 1000) {
    const items = [];
    for (let after = 0; after !== null && items.length < most;) {
      const page = await this.json(`${path}?limit=200${after ? `&after=${after}` : ""}`);
      items.push(...page.items);
      after = page.next;
    }
    return items;
  }

  // A job; repeated with one key, so that it is one job however often it has to be sent.
  submit(job, title) {
    const headers = { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` };
    return this.json(`/jobs?title=${encodeURIComponent(title)}`, { method: "POST", body: job, headers, again: true });
  }

  // Files as one shot; `unfinished` is one that was begun before. Goes on through broken lines and restarts.
  async upload(files, { name = "", unfinished = null, signal } = {}) {
    const announced = files.map(file => ({ name: file.name, size: file.size }));
    const shot = unfinished ?? await this.json("/shots", { method: "POST", body: { name: name || files[0].name, files: announced } });
    for (const [index, file] of files.entries()) await this.#send(shot.id, shot.files[index].name, file, signal);
    return this.json(`/shots/${shot.id}`);
  }

  async #send(shot, name, file, signal) {
    const path = `/shots/${shot}/files/${encodeURIComponent(name)}`;
    let offset = await this.#received(path, signal);
    for (let wait = 500; offset < file.size;) {
      try {
        const headers = { "Upload-Offset": String(offset), "Content-Type": "application/octet-stream" };
        const answer = await this.ask(path, { method: "PATCH", body: file.slice(offset, offset + PIECE), headers, signal });
        offset = Number(answer.headers.get("upload-offset"));
        wait = 500;
      } catch (error) {
        if (error.name === "AbortError" || ![undefined, 409, 429].includes(error.status)) throw error;
        if (error.status === undefined) this.#reached(false);
        await pause(wait, signal);
        wait = Math.min(2 * wait, LONGEST_WAIT);
        offset = await this.#received(path, signal);
      }
    }
  }

  async #received(path, signal) { return Number((await this.ask(path, { method: "HEAD", signal })).headers.get("upload-offset")); }

  // What happens, from now on; after a break from where it broke. The server says `reset` where it cannot know.
  listen(hear) {
    let last = "";
    const open = (wait = 500) => {
      const source = new EventSource(`${API}/events?after=${last}`);
      source.onopen = () => { wait = 500; this.#reached(true); };
      source.onerror = () => {
        this.#reached(false);
        if (source.readyState === EventSource.CLOSED) setTimeout(() => open(Math.min(2 * wait, LONGEST_WAIT)), wait);
      };
      for (const kind of ["job", "shot", "look", "reset"]) source.addEventListener(kind, event => {
        last = event.lastEventId;
        hear(kind, JSON.parse(event.data || "{}"));
      });
    };
    open();
  }

  url(path, query = {}) {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) for (const each of [value].flat()) words.append(name, each);
    return `${API}${path}${words.size ? `?${words}` : ""}`;
  }

  socket(path) { return new WebSocket(`${location.protocol.replace("http", "ws")}//${location.host}${API}${path}`); }
}

const pause = (ms, signal) => new Promise((done, failed) => {
  const stop = () => { clearTimeout(timer); failed(new DOMException("", "AbortError")); };
  const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); done(); }, ms);
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
});

export const service = new Service();
