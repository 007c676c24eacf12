// The filmstrip: thumbnails of the shot, a playhead to scrub with, the part that is rendered, and what plays it.
import { desk } from "../desk.js";
import { h, Part } from "../element.js";
import { frameUrl, pictures, RANKS } from "../pictures.js";
import { stock } from "../stock.js";
import { t } from "../words.js";

const THUMB = 160;

export class FrameStrip extends Part {
  static hears = ["shot", "shots", "frame", "from", "to"];

  constructor(stage) {
    super();
    this.stage = stage;
  }

  build() {
    const button = (sign, words, onclick) => h("button.icon", { type: "button", title: t(words), "aria-label": t(words), onclick }, sign);
    this.run = button("▶", "play", () => this.toggle());
    this.number = h("input", { type: "number", "aria-label": t("frame"), onchange: () => this.go(Number(this.number.value)) });
    this.told = h("span.what");
    this.whole = h("button.quiet", { type: "button", onclick: () => desk.set({ from: null, to: null }) }, t("wholeShot"));
    this.band = h("div.band");
    this.head = h("div.head");
    this.span = h("div.part");
    this.strip = h("div.film", { tabIndex: 0, role: "slider", "aria-label": t("frame") }, this.band, this.span, this.head);
    this.append(
      h("div.tools", {}, button("‹", "previous", () => this.step(-1)), this.run, button("›", "next", () => this.step(1)), this.number, this.told,
        h("button.quiet", { type: "button", title: "I", onclick: () => this.mark("from") }, t("setIn")),
        h("button.quiet", { type: "button", title: "O", onclick: () => this.mark("to") }, t("setOut")), this.whole),
      this.strip);
    this.stage.addEventListener("playing", () => { this.run.textContent = this.stage.playing ? "❚❚" : "▶"; });
    this.strip.addEventListener("pointerdown", event => { this.strip.setPointerCapture(event.pointerId); this.stage.stop(); this.#scrub(event); });
    this.strip.addEventListener("pointermove", event => { if (this.strip.hasPointerCapture(event.pointerId)) this.#scrub(event); });
    this.strip.addEventListener("keydown", event => {
      const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -1e9, End: 1e9 }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      this.step(step);
    });
    new ResizeObserver(() => this.#fill()).observe(this.strip);
  }

  get info() { return this.stage.info; }
  toggle() { if (this.stage.playing) this.stage.stop(); else this.stage.play(); }
  step(count) { this.stage.stop(); this.go(desk.frame + count); }
  go(frame) { if (this.info) desk.set({ frame: Math.min(this.info.last, Math.max(this.info.first, frame || 0)) }); }

  // Where the part that is rendered begins or ends; the other end gives way.
  mark(end) {
    if (!this.info) return;
    const other = end === "from" ? "to" : "from", crossed = desk[other] !== null && (end === "from" ? desk.frame > desk.to : desk.frame < desk.from);
    desk.set({ [end]: desk.frame, ...(crossed ? { [other]: null } : {}) });
  }

  refresh(changed) {
    const info = this.info;
    this.hidden = !info || !(info.frames > 1);
    if (this.hidden) return;
    if (changed.has("shot") || changed.has("shots")) this.#fill();
    const at = frame => `${info.last === info.first ? 50 : 100 * (frame - info.first) / (info.last - info.first)}%`;
    this.head.style.setProperty("--at", at(desk.frame));
    this.span.style.setProperty("--from", at(desk.from ?? info.first));
    this.span.style.setProperty("--to", at(desk.to ?? info.last));
    this.span.hidden = this.whole.hidden = desk.from === null && desk.to === null;
    Object.assign(this.number, { min: info.first, max: info.last, value: desk.frame });
    this.told.textContent = `${info.first}–${info.last} · ${info.fps} fps · ${info.width}×${info.height}`;
    for (const [name, value] of [["valuemin", info.first], ["valuemax", info.last], ["valuenow", desk.frame]]) this.strip.setAttribute(`aria-${name}`, value);
  }

  // As many thumbnails as there is room for; none is asked for twice.
  #fill() {
    const info = this.info, width = this.strip.clientWidth;
    if (!info || info.frames < 2 || !width) return;
    const each = Math.max(40, this.strip.clientHeight * info.width / info.height), count = Math.max(2, Math.min(info.frames, Math.ceil(width / each)));
    const key = `${desk.shot} ${count}`;
    if (this.band.dataset.key === key) return;
    this.band.dataset.key = key;
    this.#gone?.abort();
    this.#gone = new AbortController();
    const reference = stock.shots.get(desk.shot).reference;
    this.band.replaceChildren(...Array.from({ length: count }, (_, index) => {
      const image = h("img", { alt: "", draggable: false }), frame = Math.round(info.first + (index + 0.5) / count * (info.last - info.first));
      pictures.show(image, frameUrl(reference, frame, THUMB), RANKS.strip, this.#gone.signal).catch(() => {});
      return image;
    }));
  }

  #scrub(event) {
    const box = this.strip.getBoundingClientRect(), { first, last } = this.info;
    this.go(Math.round(first + Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * (last - first)));
  }

  #gone;
}

customElements.define("frame-strip", FrameStrip);
