// The bin: shots and pictures to work on. Whatever is dropped here is uploaded; what was cut off goes on when it is dropped again.
import { desk } from "../desk.js";
import { dropPlace, h, Part, say, trying } from "../element.js";
import { frameUrl, pictures, RANKS } from "../pictures.js";
import { service } from "../service.js";
import { stock } from "../stock.js";
import { size, t } from "../words.js";

const STILL = /\.(png|jpe?g|tiff?|exr|dpx|webp|bmp|tga|hdr)$/i;
const UNDER_WAY = new Map();  // shot -> what stops its upload

export class ShotBin extends Part {
  static hears = ["shots", "shot"];

  build() {
    this.list = h("ul", { role: "listbox", "aria-label": t("shots") });
    this.append(h("h2", {}, t("shots")), this.list, service.may("artist") ? dropPlace(t("dropShot"), take) : "");
    if (service.who.takesPaths && service.may("artist")) this.append(this.#pathField());
  }

  refresh() {
    const rows = new Map([...this.list.children].map(row => [row.dataset.id, row]));
    this.list.replaceChildren(...stock.material.map(shot => this.#row(shot, rows.get(shot.id))));
  }

  #row(shot, old) {
    const row = old?.dataset.state === shot.state ? old : this.#newRow(shot);
    row.setAttribute("aria-selected", shot.id === desk.shot);
    row.querySelector("small").textContent = told(shot);
    const bar = row.querySelector("progress");
    if (bar) bar.value = received(shot) / shot.bytes;
    return row;
  }

  #newRow(shot) {
    const ready = shot.state === "ready", image = h("img", { alt: "" });
    if (ready && shot.info.width) pictures.show(image, frameUrl(shot.reference, null, 160), RANKS.strip).catch(() => {});
    const choose = () => { if (ready) desk.choose(shot); };
    const row = h("li", {
      role: "option", tabIndex: 0, onclick: choose, title: shot.name,
      onkeydown: event => {
        if (event.target !== row) return;
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(); }
        if (event.key === "Delete") remove(shot);
        const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling }[event.key];
        if (next) { event.preventDefault(); event.stopPropagation(); next.focus(); }
      },
    }, image, h("span.name", {}, shot.name), h("small"),
    shot.state === "receiving" ? h("progress", { max: 1, "aria-label": shot.name }) : null,
    service.may("artist") ? h("button.icon.remove", { type: "button", "aria-label": `${t("remove")} ${shot.name}`, title: t("remove"), onclick: event => { event.stopPropagation(); remove(shot); } }, "×") : null);
    Object.assign(row.dataset, { id: shot.id, state: shot.state });
    return row;
  }

  // Where the server was given folders, a shot is taken where it lies.
  #pathField() {
    const field = h("input", { type: "text", placeholder: t("orPath"), "aria-label": t("orPath"), spellcheck: false });
    return h("form", { onsubmit: trying(async event => {
      event.preventDefault();
      desk.choose(stock.keep("shots", await service.json("/shots", { method: "POST", body: { path: field.value.trim() } })));
      field.value = "";
    }) }, field);
  }
}

const received = shot => shot.files.reduce((sum, file) => sum + file.received, 0);

function told(shot) {
  if (shot.state === "broken") return shot.fault;
  if (shot.state === "ready") return shot.info.frames > 1 ? `${shot.info.width}×${shot.info.height} · ${t("frames", shot.info.frames)}` : `${shot.info.width ?? "–"}×${shot.info.height ?? "–"}`;
  return UNDER_WAY.has(shot.id) ? `${size(received(shot))} / ${size(shot.bytes)}` : t("dropAgain", Math.floor(100 * received(shot) / shot.bytes));
}

const remove = trying(async shot => {
  UNDER_WAY.get(shot.id)?.abort();
  await service.ask(`/shots/${shot.id}`, { method: "DELETE" });
  stock.keep("shots", { id: shot.id, state: "deleted" });
  if (shot.id === desk.shot) desk.set({ shot: "", frame: null, result: "" });
});

// Files become shots: numbered pictures of one name are a sequence, all else stands for itself; a style file becomes a look.
export async function take(files) {
  for (const group of shotsIn(files)) await trying(takeOne)(group);
}

async function takeOne(files) {
  if (files[0].name.endsWith(".style")) {
    const shot = await service.upload(files, { name: `look: ${files[0].name}` });
    const { name } = await service.json("/looks", { method: "POST", body: { file: shot.reference } });
    await service.ask(`/shots/${shot.id}`, { method: "DELETE" });  // the wall has a copy of it
    desk.set({ look: name, panel: "looks" });
    return say(t("lookInstalled", name), "good");
  }
  const sizes = files.map(file => file.size).join(), gone = new AbortController();
  const same = shot => shot.state === "receiving" && !UNDER_WAY.has(shot.id) && shot.name === files[0].name && shot.files.map(file => file.size).join() === sizes;
  const announce = { name: files[0].name, files: files.map(file => ({ name: file.name, size: file.size })) };
  const begun = [...stock.shots.values()].find(same) ?? await service.json("/shots", { method: "POST", body: announce });
  UNDER_WAY.set(begun.id, gone);
  stock.keep("shots", begun);
  try {
    const shot = stock.keep("shots", await service.upload(files, { unfinished: begun, signal: gone.signal }));
    if (shot.state === "broken") throw new Error(`${shot.name}: ${shot.fault}`);
    desk.choose(shot);
  } finally {
    UNDER_WAY.delete(begun.id);
  }
}

function shotsIn(files) {
  const groups = new Map();
  for (const file of files) {
    const numbered = STILL.test(file.name) && /\d(?=\.\w+$)/.test(file.name);
    const key = numbered ? file.name.replace(/\d+(?=\.\w+$)/, "#") : file.webkitRelativePath + file.name;
    groups.set(key, [...groups.get(key) ?? [], file]);
  }
  return [...groups.values()].map(group => group.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true })));
}

customElements.define("shot-bin", ShotBin);
