// Sliders, the second look, where the paint goes, and the button that renders.
import { desk } from "../desk.js";
import { h, Part, say, trying } from "../element.js";
import { service } from "../service.js";
import { stock } from "../stock.js";
import { t } from "../words.js";

const MOVIES = { mp4: { codec: "auto" }, prores: { codec: "prores" }, ffv1: { codec: "ffv1" } };
const SUFFIX = { mp4: "mp4", prores: "mov", ffv1: "mkv" };

export class KnobBoard extends Part {
  static hears = ["looks", "shot", "shots", "look", "with", "share", "tier", "strength", "scale", "keepColour", "matte", "invert", "feather", "format", "from", "to"];

  constructor(stage) {
    super();
    this.stage = stage;
  }

  build() {
    this.sliders = [
      slider("strength", 0, 1, 0.01), slider("scale", 0.25, 4, 0.05), slider("keepColour", 0, 1, 0.01), slider("share", 0, 1, 0.01),
      slider("feather", 0, 100, 1, value => `${value} px`),
    ];
    const [strength, scale, keep, share, feather] = this.sliders;
    this.with = h("select", { onchange: () => desk.set({ with: this.with.value, result: "" }) });
    this.withLabel = h("span");
    this.matte = h("select", { onchange: () => desk.set({ matte: this.matte.value, result: "" }) });
    this.invert = h("input", { type: "checkbox", onchange: () => desk.set({ invert: this.invert.checked, result: "" }) });
    this.invertRow = h("label.row", {}, h("span", {}, t("invert")), this.invert);
    this.tier = segments("tier", ["live", "auto"], ["fast", "fine"]);
    this.format = h("select", { "aria-label": t("format"), onchange: () => desk.set({ format: this.format.value }) });
    this.render = h("button.main", { type: "button", onclick: trying(() => this.submit()) }, t("render"));
    this.append(
      strength, scale, keep, h("label.row", {}, this.withLabel, this.with), share,
      h("label.row", {}, h("span", {}, t("matte")), this.matte), this.invertRow, feather,
      h("div.row", {}, h("span", {}, t("quality")), this.tier),
      service.may("artist") ? h("div.row.render", {}, this.format, this.render) : "");
  }

  refresh() {
    for (const each of this.sliders) each.follow();
    const looks = stock.looks.map(look => look.name), mattes = stock.kept("matte").filter(shot => shot.state === "ready" && shot.name.includes(desk.shot));
    fillSelect(this.with, [["", t("none")], ...looks.map(name => [name, stock.look(name).title || name])], desk.with);
    fillSelect(this.matte, [["", t("everywhere")], ["skin", t("skin")], ...mattes.map(shot => [shot.reference, shot.name.split(" ").slice(2).join(" ")])], desk.matte);
    this.withLabel.textContent = desk.matte ? t("outside") : t("mixWith");
    const [, , , share, feather] = this.sliders;
    share.hidden = !desk.with || Boolean(desk.matte);
    feather.hidden = this.invertRow.hidden = !desk.matte;
    this.invert.checked = desk.invert;
    this.tier.follow();
    const info = this.stage.info, kinds = info?.frames > 1 ? ["mp4", "prores", "ffv1", "png", "exr"] : ["png", "jpg", "exr", "tif"];
    fillSelect(this.format, kinds.map(kind => [kind, t(`format_${kind}`)]), kinds.includes(desk.format) ? desk.format : kinds[0]);
    this.render.disabled = !info?.width;
    this.render.textContent = desk.from === null && desk.to === null || !info ? t("render") : t("renderPart", ...this.stage.range);
  }

  // The render that the desk asks for.
  async submit() {
    const shot = stock.shots.get(desk.shot), format = this.format.value, many = shot.info.frames > 1, [from, to] = this.stage.range;
    const stem = `${shot.name.replace(/\.\w+$/, "").replace(/[^\w-]+/g, "_").replace(/^[-_]+/, "") || "shot"}_${desk.look}`;
    const out = MOVIES[format] ? `${stem}.${SUFFIX[format]}` : many ? `${stem}.####.${format}` : `${stem}.${format}`;
    const part = desk.from === null && desk.to === null ? {} : { frames: `${from}-${to}` };
    const job = { job: "render", inputs: [shot.reference], out, ...desk.fields, ...MOVIES[format], ...part };
    stock.keep("jobs", await service.submit(job, `${shot.name} · ${stock.look(desk.look)?.title || desk.look}`));
    desk.set({ tray: true });
    say(t("inQueue"), "good");
  }
}

// A slider of the desk. What is told beside it may be typed too; a double click brings it back to where it was at the start.
function slider(name, min, max, step, shown = value => value.toFixed(2)) {
  const start = { strength: 1, scale: 1, keepColour: 0, share: 0.5, feather: 0 }[name];
  const range = h("input", { type: "range", min, max, step, oninput: () => desk.set({ [name]: Number(range.value), result: "" }), ondblclick: () => desk.set({ [name]: start, result: "" }) });
  const told = h("output");
  const row = h("label.row.slider", { title: t(`${name}Help`) }, h("span", {}, t(name)), range, told);
  row.follow = () => { range.value = desk[name]; told.value = shown(desk[name]); };
  return row;
}

// A few choices beside each other.
function segments(name, values, words) {
  const group = h("div.segments", { role: "group", "aria-label": t(name) }, ...values.map((value, index) =>
    h("button", { type: "button", value, title: t(`${words[index]}Help`), onclick: () => desk.set({ [name]: value, result: "" }) }, t(words[index]))));
  group.follow = () => { for (const button of group.children) button.setAttribute("aria-pressed", button.value === desk[name]); };
  return group;
}

export function fillSelect(select, options, chosen) {
  const key = JSON.stringify(options);
  if (select.dataset.key !== key) select.replaceChildren(...options.map(([value, words]) => new Option(words, value)));
  select.dataset.key = key;
  select.value = chosen;
}

customElements.define("knob-board", KnobBoard);
