// What is chosen: it lies on the desk, and is still there after a reload.
const PLACE = "impasto.desk";
const START = {
  shot: "", frame: null, from: null, to: null,             // what is looked at, and which part of it is rendered
  look: "great-wave", with: "", share: 0.5, tier: "live",  // looks
  strength: 1, scale: 1, keepColour: 0,
  matte: "", invert: false, feather: 0,                    // shot:ID, skin or nothing
  view: "wipe", wipe: 0.5, result: "",                     // how it is compared; a job whose painting is shown in place of the preview
  panel: "looks", references: [], learning: "", format: "mp4",
  width: 1280, theme: "dark", language: "", tray: true,
};

class Desk extends EventTarget {
  constructor() {
    super();
    let kept = {};
    try { kept = JSON.parse(localStorage.getItem(PLACE)) ?? {}; } catch { /* what cannot be read is begun anew */ }
    for (const [name, value] of Object.entries(START)) this[name] = typeof kept[name] === typeof value || value === null ? kept[name] ?? value : value;
  }

  // Lay something else on the desk; whoever hears of it is told once.
  set(changes) {
    const changed = new Set(Object.keys(changes).filter(name => this[name] !== changes[name]));
    if (!changed.size) return;
    Object.assign(this, changes);
    localStorage.setItem(PLACE, JSON.stringify(Object.fromEntries(Object.keys(START).map(name => [name, this[name]]))));
    this.dispatchEvent(new CustomEvent("change", { detail: changed }));
  }

  // Another shot: what belongs to one shot alone goes.
  choose(shot) {
    this.set({ shot: shot.id, frame: middle(shot.info), from: null, to: null, result: "", matte: this.matte === "skin" ? "skin" : "" });
  }

  // The fields of a render that the desk asks for, as a job or a preview takes them.
  get fields() {
    return { style: this.#styles, tier: this.tier, strength: String(this.strength), scale: this.scale, keep_colour: this.keepColour };
  }

  get #styles() {
    if (this.matte) {
      const over = `${this.look}@${this.matte}${this.invert ? ",invert" : ""}${this.feather ? `,feather=${this.feather}` : ""}`;
      return this.with ? [this.with, over] : [over];
    }
    if (!this.with || this.with === this.look || !this.share) return [this.look];
    return this.share === 1 ? [this.with] : [`${this.look}:${round(1 - this.share)}`, `${this.with}:${round(this.share)}`];
  }
}

const round = value => Number(value.toFixed(3));
export const middle = info => info.first + Math.floor((info.frames - 1) / 2);
export const KNOBS = ["look", "with", "share", "tier", "strength", "scale", "keepColour", "matte", "invert", "feather"];
export const desk = new Desk();
