// The studio's page: who comes in gets a stage, a bin, a filmstrip, panels and the queue.
import { desk } from "./desk.js";
import { acceptDrops, h, say } from "./element.js";
import { FrameStrip } from "./parts/frame-strip.js";
import { JobQueue } from "./parts/job-queue.js";
import { KeyFrames } from "./parts/key-frames.js";
import { KnobBoard } from "./parts/knob-board.js";
import { LearnDesk } from "./parts/learn-desk.js";
import { LiveCamera } from "./parts/live-camera.js";
import { LogIn } from "./parts/log-in.js";
import { LookWall } from "./parts/look-wall.js";
import { MatteEasel } from "./parts/matte-easel.js";
import { PictureStage } from "./parts/picture-stage.js";
import { ReportSheet } from "./parts/report-sheet.js";
import { ShotBin, take } from "./parts/shot-bin.js";
import { StudioSettings } from "./parts/studio-settings.js";
import { service } from "./service.js";
import { stock } from "./stock.js";
import { t } from "./words.js";

const VIEWS = ["painted", "source", "wipe", "beside", "difference"];

async function begin() {
  dress();
  desk.addEventListener("change", ({ detail }) => { if (detail.has("theme")) dress(); });
  try {
    await service.enter();
  } catch (error) {
    document.body.append(new LogIn(), h("p", { id: "word", role: "status" }));
    if (error.status !== 401) say(error.message);
    return;
  }
  service.who.takesPaths = (await service.json("/about")).takes_paths;
  service.addEventListener("out", () => location.reload());
  lay();
  stock.start();
}

const dress = () => { document.documentElement.dataset.theme = desk.theme; };

function lay() {
  const stage = new PictureStage(), strip = new FrameStrip(stage), reports = new ReportSheet(), settings = new StudioSettings();
  const artist = service.may("artist");
  const panels = {
    looks: [new LookWall(stage), new KnobBoard(stage)],
    ...(artist ? { mattes: [new MatteEasel(stage)], keys: [new KeyFrames(stage)] } : {}),
    learn: [new LearnDesk(stage, reports)], live: [new LiveCamera(stage)],
  };
  const away = h("p.away", { role: "status", hidden: true }, t("away"));
  service.addEventListener("line", () => { away.hidden = !service.away; });
  document.body.dataset.role = service.who.role;
  document.body.append(
    h("header", {}, h("h1", {}, "impasto"), away, h("span.what", {}, service.who.name),
      h("button.icon", { type: "button", title: `${t("settings")} (?)`, "aria-label": t("settings"), onclick: settings.open }, "⚙")),
    new ShotBin(), h("main", {}, stage, strip), tabbed(panels), new JobQueue(reports),
    h("p", { id: "word", role: "status" }), reports, settings);
  if (artist) acceptDrops(document.body, take);
  else document.body.addEventListener("dragover", event => event.preventDefault());
  listenToKeys(stage, strip, settings);
}

// Panels of which one is seen. Arrow keys go from tab to tab.
function tabbed(panels) {
  const tabs = Object.keys(panels).map(name => h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => desk.set({ panel: name }) }, t(name)));
  const pages = Object.entries(panels).map(([name, parts]) => h("div.page", { id: `panel-${name}`, role: "tabpanel", "aria-labelledby": `tab-${name}` }, ...parts));
  const row = h("div.tabs", { role: "tablist", onkeydown: event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key], at = tabs.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.stopPropagation();
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
  } }, ...tabs);
  const show = () => {
    if (!panels[desk.panel]) desk.panel = "looks";
    tabs.forEach((tab, index) => {
      const chosen = tab.id === `tab-${desk.panel}`;
      tab.setAttribute("aria-selected", chosen);
      tab.tabIndex = chosen ? 0 : -1;
      pages[index].hidden = !chosen;
    });
  };
  desk.addEventListener("change", ({ detail }) => { if (detail.has("panel")) show(); });
  show();
  return h("aside", {}, row, ...pages);
}

function listenToKeys(stage, strip, settings) {
  const keys = {
    " ": () => strip.toggle(), ArrowLeft: () => strip.step(-1), ArrowRight: () => strip.step(1), f: () => stage.zoomTo(0), z: () => stage.zoomTo(1),
    i: () => strip.mark("from"), o: () => strip.mark("to"), "?": () => settings.open(),
    ...Object.fromEntries(VIEWS.map((name, index) => [String(index + 1), () => desk.set({ view: name })])),
  };
  document.addEventListener("keydown", event => {
    if (isMeantFor(event.target, event.key) || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
}

// Whether an element has a use of its own for a key: words are typed, sliders and choices go by arrows, buttons by the space bar.
function isMeantFor(element, key) {
  if (element.closest("dialog[open], select, input:not([type=range], [type=radio], [type=checkbox])")) return true;
  if (key.startsWith("Arrow")) return element.matches("input, [role=tab], [role=slider], li");
  return key === " " && element.matches("button, a, input[type=checkbox], li");
}

begin();
