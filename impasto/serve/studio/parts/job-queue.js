// The queue: what is rendered, learnt and checked, how far it is, and what came of it.
import { desk } from "../desk.js";
import { h, Part, trying } from "../element.js";
import { frameUrl, pictures, previewUrl, RANKS } from "../pictures.js";
import { download, framesOf, paintingOf, shotOf } from "../results.js";
import { service } from "../service.js";
import { stock } from "../stock.js";
import { duration, t } from "../words.js";

const MOST_SHOWN = 60, THUMB = 200;
const OPEN = ["running", "queued", "paused"];

export class JobQueue extends Part {
  static hears = ["jobs", "shots", "tray", "result", "learning"];

  constructor(reports) {
    super();
    this.reports = reports;
  }

  build() {
    this.toggle = h("button.quiet.fold", { type: "button", onclick: () => desk.set({ tray: !desk.tray }) });
    this.list = h("ul", { "aria-label": t("queue") });
    this.append(this.toggle, this.list);
  }

  refresh() {
    const jobs = [...stock.jobs.values()], open = jobs.filter(job => OPEN.includes(job.state));
    const running = open.filter(job => job.state === "running").length;
    this.toggle.textContent = `${desk.tray ? "▾" : "▴"} ${t("queue")} · ${t("jobsOpen", running, open.length - running)}`;
    this.toggle.setAttribute("aria-expanded", desk.tray);
    this.list.hidden = !desk.tray || !jobs.length;
    if (this.list.hidden) return;
    const order = job => OPEN.includes(job.state) ? OPEN.indexOf(job.state) : OPEN.length;
    const shown = jobs.sort((a, b) => order(a) - order(b) || b.created - a.created).slice(0, MOST_SHOWN);
    const cards = new Map([...this.list.children].map(card => [card.dataset.id, card]));
    const wanted = shown.map(job => this.#card(job, cards.get(job.id)));
    if (wanted.some((card, index) => card !== this.list.children[index]) || wanted.length !== this.list.children.length) this.list.replaceChildren(...wanted);
  }

  // A card is made anew when its state changes; what moves in it moves.
  #card(job, old) {
    const card = old?.dataset.state === job.state ? old : this.#newCard(job);
    const { done = 0, total = 0 } = job.progress;
    card.querySelector("small").textContent = told(job);
    card.querySelector("small").title = job.fault || job.progress.note || "";
    const bar = card.querySelector("progress");
    if (bar && total) bar.value = done / total; else bar?.removeAttribute("value");
    card.classList.toggle("chosen", job.id === desk.result || job.id === desk.learning && desk.panel === "learn");
    return card;
  }

  #newCard(job) {
    const image = h("img", { alt: "" }), url = thumb(job);
    if (url) pictures.show(image, url, RANKS.wall).catch(() => {});
    const bar = job.state === "running" ? h("progress", { max: 1, "aria-label": job.title }) : null;
    const card = h("li", {}, image, h("div", {}, h("strong", { title: job.title }, job.title), h("small"), bar, h("div.acts", {}, ...this.#acts(job))));
    Object.assign(card.dataset, { id: job.id, state: job.state });
    return card;
  }

  #acts(job) {
    const mine = service.may("admin") || (service.may("artist") && job.owner === service.who.name);
    const act = (words, action) => h("button.quiet", { type: "button", onclick: trying(action) }, t(words));
    const order = name => act(name, async () => stock.keep("jobs", await service.json(`/jobs/${job.id}/${name}`, { method: "POST" })));
    const acts = [];
    if (paintingOf(job)) acts.push(act("view", () => view(job)), act("download", () => download(job)));
    if (paintingOf(job) && shotOf(job) && service.may("artist")) acts.push(act("check", () => check(job)));
    if (job.state === "done" && job.job === "evaluate") acts.push(act("report", () => this.reports.open(job, "report.html")));
    if (job.job === "learn") acts.push(act("watch", () => desk.set({ panel: "learn", learning: job.id })));
    if (mine && job.state === "running") acts.push(order("pause"), order("cancel"));
    if (mine && job.state === "queued") acts.push(act("first", () => raise(job)), order("cancel"));
    if (mine && job.state === "paused") acts.push(order("resume"), order("cancel"));
    if (mine && ["failed", "cancelled"].includes(job.state)) acts.push(order("retry"));
    if (job.attempt) acts.push(h("a.quiet", { href: service.url(`/jobs/${job.id}/log`), target: "_blank", rel: "noopener" }, t("log")));
    if (mine && !OPEN.includes(job.state)) acts.push(act("remove", () => remove(job)));
    return acts;
  }
}

// One line about a job: how far, how fast, how much longer; or how it ended.
function told(job) {
  const { stage = "", done = 0, total = 0, rate = 0, seconds_left: left, unit = "frame" } = job.progress;
  if (job.state !== "running") return job.fault ? `${t(job.state)}: ${job.fault}` : job.state === "done" ? `${t("done")} · ${duration(job.ended - job.begun)}` : t(job.state);
  if (!total) return stage || t("starting");
  return [`${done} / ${total}`, rate ? t("perSecond", rate.toFixed(rate < 10 ? 1 : 0), unit) : stage, left === null || left === undefined ? "" : t("left", duration(left))].filter(Boolean).join(" · ");
}

function thumb(job) {
  const painting = paintingOf(job), shot = shotOf(job), [first, last] = framesOf(job), middle = Math.floor((first + last) / 2);
  if (painting) return frameUrl(painting.reference, painting.numbered ? middle : null, THUMB);
  const { style, strength, scale, keep_colour, references } = job.asked;
  if (job.job === "render" && shot?.state === "ready") return previewUrl(shot.reference, middle, THUMB, JSON.parse(JSON.stringify({ style, strength, scale, keep_colour })));
  const of = shot ?? stock.of(references?.[0]);
  return of?.state === "ready" ? frameUrl(of.reference, null, THUMB) : null;
}

// Put a result on the stage, beside its source.
function view(job) {
  const shot = shotOf(job), [first, last] = framesOf(job);
  if (!shot) throw new Error(t("sourceGone"));
  if (desk.shot !== shot.id) desk.choose(shot);
  desk.set({ result: job.id, frame: Math.min(last, Math.max(first, desk.frame)), ...(job.asked.frames ? { from: first, to: last } : {}) });
}

async function check(job) {
  const frames = job.asked.frames ? { frames: job.asked.frames } : {};
  const order = { job: "evaluate", source: shotOf(job).reference, output: paintingOf(job).reference, report: "report.html", ...frames };
  stock.keep("jobs", await service.submit(order, `${t("check")}: ${job.title}`));
}

async function raise(job) {
  const most = Math.max(...[...stock.jobs.values()].filter(each => each.state === "queued").map(each => each.priority));
  stock.keep("jobs", await service.json(`/jobs/${job.id}`, { method: "PATCH", body: { priority: Math.min(100, most + 1) } }));
}

async function remove(job) {
  await service.ask(`/jobs/${job.id}`, { method: "DELETE" });
  stock.keep("jobs", { id: job.id, state: "deleted" });
  if (desk.result === job.id) desk.set({ result: "" });
}

customElements.define("job-queue", JobQueue);
