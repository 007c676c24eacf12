// Settings of this page, what the server is, who did what, and the keys.
import { desk } from "../desk.js";
import { h, Part, trying } from "../element.js";
import { service } from "../service.js";
import { LANGUAGES, size, t, when } from "../words.js";
import { fillSelect } from "./knob-board.js";

const WIDTHS = [640, 960, 1280, 1920, 2560];
const KEYS = ["Space", "← →", "1 – 5", "F · Z", "I · O", "?"];

export class StudioSettings extends Part {
  static hears = ["theme", "language", "width"];

  build() {
    const select = chosen => h("select", { onchange: event => chosen(event.target.value) });
    this.language = select(language => { desk.set({ language }); location.reload(); });
    this.theme = select(theme => desk.set({ theme }));
    this.width = select(width => desk.set({ width: Number(width) }));
    this.about = h("dl");
    this.audit = h("table");
    const row = (words, field) => h("label.row", {}, h("span", {}, t(words)), field);
    this.dialog = h("dialog.settings", {},
      h("div.tools", {}, h("strong", {}, t("settings")), h("button.quiet", { type: "button", onclick: () => this.dialog.close() }, t("close"))),
      row("language", this.language), row("theme", this.theme), row("previewWidth", this.width),
      h("h2", {}, t("keyboard")), h("dl", {}, ...KEYS.flatMap((key, index) => [h("dt", {}, key), h("dd", {}, t("shortcuts")[index])])),
      h("h2", {}, t("server")), this.about, this.audit,
      h("button.quiet", { type: "button", onclick: trying(() => service.leave()) }, t("logOut")));
    this.append(this.dialog);
  }

  refresh() {
    fillSelect(this.language, [["", t("asSystem")], ...Object.entries(LANGUAGES)], desk.language);
    fillSelect(this.theme, ["dark", "light", "system"].map(name => [name, t(name)]), desk.theme);
    fillSelect(this.width, WIDTHS.map(width => [String(width), `${width} px`]), String(desk.width));
  }

  open = trying(async () => {
    this.dialog.showModal();
    const { version, workers, jobs, used_bytes: used, room_bytes: room } = await service.json("/about");
    const told = [["impasto", version], [t("who"), `${service.who.name} (${service.who.role})`], [t("workers"), workers],
      [t("jobs"), Object.entries(jobs).map(([state, count]) => `${t(state)} ${count}`).join(" · ") || "–"], [t("store"), t("storeTold", size(used), size(room))]];
    this.about.replaceChildren(...told.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]));
    if (!service.may("admin")) return;
    const { items } = await service.json("/audit?limit=20");
    this.audit.replaceChildren(h("caption", {}, t("audit")), ...items.map(line => h("tr", {},
      ...[when(line.at), line.who, line.action, line.target, line.status].map(cell => h("td", {}, String(cell))))));
  });
}

customElements.define("studio-settings", StudioSettings);
