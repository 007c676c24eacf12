// The stage: the source and its painting, compared in several ways, zoomed to pixels, played in sync.
import { desk, KNOBS } from "../desk.js";
import { h, Part, trying } from "../element.js";
import { frameUrl, pictures, previewUrl, RANKS } from "../pictures.js";
import { framesOf, paintingOf } from "../results.js";
import { stock } from "../stock.js";
import { t } from "../words.js";

const VIEWS = ["painted", "source", "wipe", "beside", "difference"];
const MOST_ZOOM = 32, GAP = 12, READ_AHEAD = 12, GAIN = 2;  // how strongly a difference is shown
const PAINTING = new Set([...KNOBS, "shot", "frame", "result", "width", "looks", "jobs"]);

export class PictureStage extends Part {
  static hears = [...PAINTING, "view", "wipe", "shots", "from", "to"];
  view = { zoom: 0, x: 0.5, y: 0.5 };  // zoom 0: all of it; x and y: which point of the picture is in the middle
  tool = null;                         // what takes the pointer in place of panning, and draws over the picture
  #shown = {};                         // source and painted: { url, bitmap }
  #wanted = {};
  #busy = new Set();

  build() {
    this.canvas = h("canvas", { tabIndex: 0, role: "img" });
    this.pen = this.canvas.getContext("2d", { alpha: false });
    this.note = h("p.note", { role: "status" });
    this.pixel = h("output.pixel");
    this.views = h("div.segments", { role: "group", "aria-label": t("compare") }, ...VIEWS.map((name, index) =>
      h("button", { type: "button", value: name, title: `${t(name)} (${index + 1})`, onclick: () => desk.set({ view: name }) }, t(name))));
    this.zooms = h("div.segments", { role: "group", "aria-label": t("zoom") },
      h("button", { type: "button", title: `${t("fit")} (F)`, onclick: () => this.zoomTo(0) }, t("fit")),
      h("button", { type: "button", title: "1:1 (Z)", onclick: () => this.zoomTo(1) }, "1:1"),
      h("button", { type: "button", title: "4:1", onclick: () => this.zoomTo(4) }, "4:1"));
    this.what = h("span.what");
    this.back = h("button.quiet", { type: "button", onclick: () => desk.set({ result: "" }) }, t("backToPreview"));
    this.handle = h("button.handle", { type: "button", role: "slider", "aria-label": t("wipe"), "aria-valuemin": 0, "aria-valuemax": 100 });
    this.empty = h("p.begin", {}, t("begin"));
    this.append(h("div.tools", {}, this.views, this.zooms, this.what, this.back), h("div.screen", {}, this.canvas, this.empty, this.handle, this.pixel, this.note));
    this.screen = this.canvas.parentElement;
    this.#listen();
    new ResizeObserver(() => { this.#load(); this.draw(); }).observe(this.screen);
  }

  refresh(changed) {
    for (const button of this.views.children) button.setAttribute("aria-pressed", button.value === desk.view);
    this.back.hidden = !desk.result;
    this.empty.hidden = Boolean(this.shot);
    const result = desk.result && stock.jobs.get(desk.result);
    this.what.textContent = result ? t("resultOf", result.title) : "";
    if (changed.has("looks")) pictures.forget();
    if ([...changed].some(name => PAINTING.has(name) || name === "shots")) this.#load();
    this.draw();
  }

  get shot() { return stock.shots.get(desk.shot); }
  get info() { return this.shot?.state === "ready" ? this.shot.info : null; }

  // Which url shows the source, and which the painting, of a frame; a zoom to pixels asks for every pixel.
  urls(frame = desk.frame) {
    if (!this.info?.width || frame === null) return {};
    const width = this.#width, of = this.shot.reference, result = desk.result && stock.jobs.get(desk.result);
    const painted = result ? resultUrl(result, frame, width) : previewUrl(of, frame, width);
    return { source: frameUrl(of, frame, width), ...(painted ? { painted } : {}) };
  }

  // How wide a picture is wanted; 0: as it is.
  get #width() {
    const close = this.view.zoom && this.view.zoom * this.info.width > desk.width;
    return close || this.info.width <= desk.width ? 0 : desk.width;
  }

  // Ask for what is to be seen: one picture of a side at a time, and then the newest wish, so a slider asks for no more than is made.
  #load() {
    const urls = this.urls();
    for (const side of ["source", "painted"]) {
      this.#wanted[side] = urls[side];
      if (!urls[side]) this.#hang(side, null);
      else if (!this.#busy.has(side)) this.#fetch(side);
    }
  }

  async #fetch(side) {
    const [url, shot] = [this.#wanted[side], desk.shot];
    if (this.#shown[side]?.url === url) return this.#settle();
    this.#busy.add(side);
    const later = setTimeout(() => this.classList.add("busy"), 250);
    try {
      const bitmap = await pictures.bitmap(url, RANKS.stage);
      if (shot === desk.shot && this.#wanted[side]) this.#hang(side, { url, bitmap });
      this.note.textContent = "";
    } catch (error) {
      if (url === this.#wanted[side]) this.note.textContent = error.message;
    }
    clearTimeout(later);
    this.#busy.delete(side);
    if (this.#wanted[side] && this.#wanted[side] !== url) this.#fetch(side);
    else this.#settle();
  }

  #settle() { if (!this.#busy.size) this.classList.remove("busy"); }

  // Put a picture up, or none.
  #hang(side, shown) {
    this.#shown[side]?.bitmap.close();
    this.#shown[side] = shown;
    this.draw();
  }

  // ---- drawing

  get #panes() {
    const { clientWidth: width, clientHeight: height } = this.screen;
    if (desk.view !== "beside" || !this.info) return [{ x: 0, y: 0, width, height, side: desk.view === "source" ? "source" : "painted" }];
    const wide = width / height > this.info.width / this.info.height;
    const size = wide ? { width: (width - GAP) / 2, height } : { width, height: (height - GAP) / 2 };
    return [{ x: 0, y: 0, ...size, side: "source" }, { x: wide ? size.width + GAP : 0, y: wide ? 0 : size.height + GAP, ...size, side: "painted" }];
  }

  // CSS pixels for a pixel of the picture.
  #scale(pane = this.#panes[0]) {
    if (this.view.zoom) return this.view.zoom / devicePixelRatio;
    return Math.max(1e-6, Math.min(pane.width / this.info.width, pane.height / this.info.height));
  }

  // Where the picture lies in a pane.
  place(pane = this.#panes[0]) {
    const scale = this.#scale(pane), [x, y] = this.view.zoom ? [this.view.x, this.view.y] : [0.5, 0.5];
    return {
      scale, x: pane.x + pane.width / 2 - x * this.info.width * scale, y: pane.y + pane.height / 2 - y * this.info.height * scale,
      width: this.info.width * scale, height: this.info.height * scale,
    };
  }

  draw() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => { this.#due = false; this.#draw(); });
  }

  #draw() {
    const { clientWidth: width, clientHeight: height } = this.screen, ratio = devicePixelRatio, { pen, canvas } = this;
    if (!width || !height) return;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.fillStyle = getComputedStyle(this.screen).getPropertyValue("--stage");
    pen.fillRect(0, 0, width, height);
    this.handle.hidden = desk.view !== "wipe" || !this.info?.width;
    if (!this.info?.width) return;
    pen.imageSmoothingEnabled = this.#scale() * ratio < 2;
    pen.imageSmoothingQuality = "high";
    for (const pane of this.#panes) this.#drawPane(pane);
    this.tool?.draw(pen, this.place(this.#panes.at(-1)));
    canvas.setAttribute("aria-label", `${this.shot.name}, ${t("frame")} ${desk.frame}, ${t(desk.view)}`);
  }

  #drawPane(pane) {
    const { pen } = this, place = this.place(pane);
    pen.save();
    pen.beginPath();
    pen.rect(pane.x, pane.y, pane.width, pane.height);
    pen.clip();
    this.#lay(pane.side, place);
    if (desk.view === "wipe") {
      const x = Math.min(Math.max(place.x + desk.wipe * place.width, 0), pane.width);
      pen.beginPath();
      pen.rect(0, 0, x, pane.height);
      pen.clip();
      this.#lay("source", place);
      this.handle.style.setProperty("--x", `${x}px`);
      this.handle.setAttribute("aria-valuenow", Math.round(desk.wipe * 100));
    } else if (desk.view === "difference" && this.#shown.painted && this.#shown.source) {
      pen.globalCompositeOperation = "difference";
      this.#lay("source", place);
      pen.globalCompositeOperation = "color-dodge";  // divides by what is left of white
      pen.fillStyle = `rgb(${Array(3).fill(Math.round(255 - 255 / GAIN)).join(" ")})`;
      pen.fillRect(place.x, place.y, place.width, place.height);
    }
    pen.restore();
  }

  #lay(side, place) {
    const shown = this.#shown[side] ?? (this.#wanted[side] ? this.#shown.source : null);  // not painted yet: the source is better than nothing
    if (shown) this.pen.drawImage(shown.bitmap, place.x, place.y, place.width, place.height);
  }

  // ---- pointer and wheel

  zoomTo(zoom, x = 0.5, y = 0.5) {
    this.view = { zoom, x: zoom ? x : 0.5, y: zoom ? y : 0.5 };
    this.#load();
    this.draw();
  }

  // The point of the picture under the pointer, from 0 to 1.
  pointAt(event) {
    const box = this.canvas.getBoundingClientRect(), [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const pane = this.#panes.find(each => x >= each.x && x < each.x + each.width && y >= each.y && y < each.y + each.height) ?? this.#panes[0];
    const place = this.place(pane);
    return { x: (x - place.x) / place.width, y: (y - place.y) / place.height, pane };
  }

  #listen() {
    const { canvas, handle } = this;
    canvas.addEventListener("wheel", event => {
      if (!this.info) return;
      event.preventDefault();
      const before = this.pointAt(event), fit = this.#scale({ ...this.#panes[0] }) * devicePixelRatio;
      const zoom = Math.min(MOST_ZOOM, (this.view.zoom || fit) * 2 ** (-event.deltaY / 240));
      const whole = Math.min(this.#panes[0].width / this.info.width, this.#panes[0].height / this.info.height) * devicePixelRatio;
      if (zoom <= whole) return this.zoomTo(0);
      this.view = { ...(this.view.zoom ? this.view : { x: 0.5, y: 0.5 }), zoom };
      const after = this.pointAt(event);
      this.zoomTo(zoom, this.view.x + before.x - after.x, this.view.y + before.y - after.y);
    }, { passive: false });
    canvas.addEventListener("dblclick", event => {
      const { x, y } = this.pointAt(event);
      this.zoomTo(this.view.zoom ? 0 : 2, x, y);
    });
    canvas.addEventListener("pointerdown", event => {
      if (!this.info || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      this.#held = { x: event.clientX, y: event.clientY };
      this.tool?.down(this.pointAt(event), event);
    });
    canvas.addEventListener("pointermove", event => {
      if (!this.info) return;
      this.#readPixel(event);
      if (this.tool) this.tool.move(this.pointAt(event), event, Boolean(this.#held));
      else if (this.#held) this.#pan(event);
    });
    const let_go = event => { if (this.#held) this.tool?.up(event); this.#held = null; };
    canvas.addEventListener("pointerup", let_go);
    canvas.addEventListener("pointercancel", let_go);
    canvas.addEventListener("pointerleave", () => { this.pixel.textContent = ""; });
    handle.addEventListener("pointerdown", event => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", event => {
      if (handle.hasPointerCapture(event.pointerId)) desk.set({ wipe: Math.min(1, Math.max(0, this.pointAt(event).x)) });
    });
    handle.addEventListener("keydown", event => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      desk.set({ wipe: Math.min(1, Math.max(0, desk.wipe + step)) });
    });
  }

  #pan(event) {
    if (!this.view.zoom) return;
    const place = this.place();
    const x = this.view.x - (event.clientX - this.#held.x) / place.width, y = this.view.y - (event.clientY - this.#held.y) / place.height;
    this.#held = { x: event.clientX, y: event.clientY };
    this.zoomTo(this.view.zoom, Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y)));
  }

  // What the pixel under the pointer is, in the source and in the painting.
  #readPixel(event) {
    const { x, y } = this.pointAt(event);
    if (x < 0 || y < 0 || x >= 1 || y >= 1) { this.pixel.textContent = ""; return; }
    const colour = side => {
      const bitmap = this.#shown[side]?.bitmap;
      if (!bitmap) return "–";
      PROBE.drawImage(bitmap, Math.floor(x * bitmap.width), Math.floor(y * bitmap.height), 1, 1, 0, 0, 1, 1);
      return [...PROBE.getImageData(0, 0, 1, 1).data.slice(0, 3)].join(" ");
    };
    this.pixel.textContent = `${Math.floor(x * this.info.width)}, ${Math.floor(y * this.info.height)}   ${colour("source")} → ${colour("painted")}`;
  }

  #held = null;
  #due = false;

  // ---- playing: a frame is shown when both sides of it are there, so they are never apart

  get playing() { return this.#playing; }

  get range() {
    const { first, last } = this.info;
    return [Math.max(first, desk.from ?? first), Math.min(last, desk.to ?? last)];
  }

  play = trying(async () => {
    if (this.#playing || !this.info || this.info.frames < 2) { this.#playing = false; return; }
    this.#playing = true;
    this.dispatchEvent(new Event("playing"));
    const pace = 1000 / (this.info.fps || 24);
    let [due, frame] = [performance.now(), desk.frame];
    try {
      while (this.#playing && this.isConnected && this.info) {
        const [from, to] = this.range, after = count => from + (frame - from + count) % (to - from + 1);
        for (let ahead = 1; ahead <= Math.min(READ_AHEAD, to - from); ahead += 1) this.#fetchAhead(after(ahead));
        frame = after(1);
        await Promise.all(Object.values(this.urls(frame)).map(url => pictures.blob(url, RANKS.play)));
        due = Math.max(due + pace, performance.now());
        await new Promise(done => setTimeout(done, due - performance.now()));
        if (this.#playing) await this.#showTogether(frame);
      }
    } finally {
      this.#playing = false;
      this.dispatchEvent(new Event("playing"));
    }
  });

  #fetchAhead(frame) {
    for (const url of Object.values(this.urls(frame))) if (!pictures.has(url)) pictures.blob(url, RANKS.play).catch(() => {});
  }

  async #showTogether(frame) {
    const urls = this.urls(frame), sides = Object.keys(urls);
    const bitmaps = await Promise.all(sides.map(side => pictures.bitmap(urls[side], RANKS.play)));
    for (const [index, side] of sides.entries()) {
      this.#wanted[side] = urls[side];
      this.#hang(side, { url: urls[side], bitmap: bitmaps[index] });
    }
    desk.set({ frame });
  }

  stop() { this.#playing = false; }
  #playing = false;
}

const PROBE = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

// A result's frame that shows a frame of the shot: a movie counts its own frames from 1, a sequence keeps the shot's numbers.
function resultUrl(job, frame, width) {
  const painting = paintingOf(job), [first, last] = framesOf(job);
  if (!painting || frame < first || frame > last) return undefined;
  return frameUrl(painting.reference, painting.numbered ? frame : painting.movie ? frame - first + 1 : null, width);
}

customElements.define("picture-stage", PictureStage);
