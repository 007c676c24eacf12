// Learning: drop paintings, say for how long, and watch: curves, contact sheets, what is noticed; then hang the look on the wall.
import { desk } from "../desk.js";
import { dropPlace, h, Part, say, trying } from "../element.js";
import { frameUrl, pictures, RANKS } from "../pictures.js";
import { filesOf } from "../results.js";
import { service } from "../service.js";
import { stock } from "../stock.js";
import { drawCurves } from "../curves.js";
import { duration, t } from "../words.js";
import { fillSelect } from "./knob-board.js";

const BETWEEN_MS = 3000;

export class LearnDesk extends Part {
  static hears = ["jobs", "shots", "references", "learning", "panel", "shot"];

  constructor(stage, reports) {
    super();
    Object.assign(this, { stage, reports });
  }

  build() {
    this.thumbs = h("ul.thumbs", { "aria-label": t("references") });
    this.name = h("input", { type: "text", placeholder: t("lookName"), pattern: String.raw`[a-z0-9][a-z0-9\-]*`, spellcheck: false });
    this.minutes = h("input", { type: "number", min: 0.1, max: 6000, step: "any", value: 30 });
    this.tier = h("select", {}, new Option(t("fastAndFine"), "all"), new Option(t("fine"), "full"), new Option(t("fast"), "live"));
    this.onShot = h("input", { type: "checkbox", checked: true });
    this.go = h("button.main", { type: "button", onclick: trying(() => this.submit()) }, t("learn"));
    const row = (words, field) => h("label.row", {}, h("span", {}, t(words)), field);
    if (service.may("artist")) {
      this.append(h("p.hint", {}, t("learnHint")), dropPlace(t("dropPaintings"), trying(files => this.#bring(files))), this.thumbs,
        row("lookName", this.name), row("minutes", this.minutes), row("quality", this.tier), row("onShot", this.onShot), this.go);
    }
    this.which = h("select", { "aria-label": t("learning"), onchange: () => desk.set({ learning: this.which.value }) });
    this.told = h("p.hint", { role: "status" });
    this.sheet = h("img.sheet", { alt: t("sheet") });
    this.steps = h("input", { type: "range", "aria-label": t("sheet"), oninput: () => this.#showSheet() });
    this.curves = h("div.curves");
    this.install = h("button.main", { type: "button", onclick: trying(() => this.#install()) }, t("hang"));
    this.report = h("button.quiet", { type: "button", onclick: () => this.reports.open(this.job, this.reportFile) }, t("report"));
    this.view = h("section", {}, h("h2", {}, t("learning")), this.which, this.told, h("div.row", {}, this.install, this.report), this.sheet, this.steps, this.curves);
    this.append(this.view);
  }

  get jobs() { return [...stock.jobs.values()].filter(job => job.job === "learn").sort((a, b) => b.created - a.created); }
  get job() { return stock.jobs.get(desk.learning) ?? this.jobs[0]; }

  refresh(changed) {
    const references = desk.references.map(reference => stock.of(reference)).filter(Boolean);
    if (changed.has("references") || changed.has("shots")) this.thumbs.replaceChildren(...references.map(shot => this.#thumb(shot)));
    this.go.disabled = !references.length;
    this.onShot.disabled = !this.stage.info?.width;
    this.view.hidden = !this.job;
    if (!this.job) return;
    fillSelect(this.which, this.jobs.map(job => [job.id, job.title]), this.job.id);
    this.#tell();
    if (this.watched !== this.job.id) {
      Object.assign(this, { watched: this.job.id, lines: [], read: 0, sheets: [] });
      this.curves.replaceChildren();
      this.sheet.hidden = this.steps.hidden = this.report.hidden = true;
    }
    if (desk.panel === "learn") this.#lookSoon();
  }

  #tell() {
    const { state, progress, fault, result } = this.job, left = progress.seconds_left;
    this.told.textContent = fault || (state === "done" ? result.summary : [t(state), progress.stage, progress.note, left ? t("left", duration(left)) : ""].filter(Boolean).join(" · "));
    this.install.hidden = state !== "done" || !service.may("artist");
  }

  #thumb(shot) {
    const image = h("img", { alt: shot.name });
    if (shot.info.width) pictures.show(image, frameUrl(shot.reference, null, 160), RANKS.strip).catch(() => {});
    const remove = () => desk.set({ references: desk.references.filter(each => each !== shot.reference) });
    return h("li", {}, image, h("button.icon.remove", { type: "button", title: t("remove"), "aria-label": `${t("remove")} ${shot.name}`, onclick: remove }, "×"));
  }

  async #bring(files) {
    for (const file of files) {
      const shot = stock.keep("shots", await service.upload([file], { name: `reference: ${file.name}` }));
      if (shot.state !== "ready") throw new Error(`${file.name}: ${shot.fault}`);
      desk.set({ references: [...desk.references, shot.reference] });
      this.name.value ||= file.name.replace(/\.\w+$/, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
    }
  }

  async submit() {
    if (!this.name.value || !this.name.checkValidity()) { this.name.focus(); throw new Error(t("lookNameHelp")); }
    const onShot = this.onShot.checked && !this.onShot.disabled ? { shot: `shot:${desk.shot}` } : {};
    const order = { job: "learn", references: desk.references.filter(each => stock.of(each)), out: `${this.name.value}.style`, minutes: Number(this.minutes.value), tier: this.tier.value, ...onShot };
    const job = stock.keep("jobs", await service.submit(order, `${t("learn")}: ${this.name.value}`));
    desk.set({ learning: job.id });
  }

  async #install() {
    const { name } = await service.json("/looks", { method: "POST", body: { file: this.job.result.path } });
    desk.set({ look: name, panel: "looks", result: "" });
    say(t("lookInstalled", name), "good");
  }

  // ---- what the run leaves in its folder, looked at now and then

  #lookSoon() {
    if (this.timer) return;
    this.timer = setTimeout(async () => {
      this.timer = null;
      await this.#look().catch(() => {});
      if (desk.panel === "learn" && ["running", "queued"].includes(this.job?.state)) this.#lookSoon();
    }, this.lines?.length ? BETWEEN_MS : 0);
  }

  async #look() {
    const job = this.job, files = await filesOf(job);
    if (job !== this.job && job.id !== this.job?.id) return;
    const find = pattern => files.filter(file => pattern.test(file.name));
    this.sheets = find(/\.run\/\w+\/sheet-\d+\.png$/);
    this.reportFile = find(/\.run\/\w+\/report\.html$/).at(-1)?.name;
    this.report.hidden = !this.reportFile;
    const last = this.steps.value === this.steps.max;
    this.sheet.hidden = !this.sheets.length;
    this.steps.hidden = this.sheets.length < 2;
    this.steps.max = Math.max(0, this.sheets.length - 1);
    if (last) this.steps.value = this.steps.max;
    this.#showSheet();
    const curve = find(/\.run\/\w+\/curve\.jsonl$/).at(-1);
    if (curve) await this.#readCurve(curve);
  }

  // Only what is new; a run that was resumed may have taken lines back, and is read anew.
  async #readCurve(file) {
    if (file.name !== this.curveFile || file.bytes < this.read) Object.assign(this, { lines: [], read: 0, curveFile: file.name });
    if (file.bytes === this.read) return;
    const headers = { Range: `bytes=${this.read}-${file.bytes - 1}` };
    const text = await (await service.ask(`/jobs/${this.job.id}/results/${file.name}`, { headers })).text();
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    this.read += new Blob([whole]).size;
    this.lines.push(...whole.split("\n").filter(Boolean).map(line => JSON.parse(line)));
    drawCurves(this.curves, this.lines);
  }

  #showSheet() {
    const file = this.sheets[Number(this.steps.value)];
    if (!file) return;
    pictures.show(this.sheet, service.url(`/jobs/${this.job.id}/results/${file.name}`), RANKS.strip).catch(() => {});
    this.sheet.title = file.name.split("/").pop();
  }
}

customElements.define("learn-desk", LearnDesk);
