// The wall: every look on the chosen frame. One is chosen; a second one may be mixed in.
import { desk } from "../desk.js";
import { h, Part, say, trying } from "../element.js";
import { pictures, previewUrl, RANKS } from "../pictures.js";
import { service } from "../service.js";
import { stock } from "../stock.js";
import { t } from "../words.js";

const WIDTH = 320, SETTLED_MS = 200;

export class LookWall extends Part {
  static hears = ["looks", "shots", "shot", "frame", "look", "strength", "scale", "keepColour"];

  constructor(stage) {
    super();
    this.stage = stage;
  }

  build() {
    this.grid = h("div.wall", { role: "radiogroup", "aria-label": t("looks") });
    this.append(this.grid);
  }

  refresh(changed) {
    if (changed.has("looks")) this.#hang();
    if (changed.has("looks") && stock.looks.length && !stock.look(desk.look)) desk.set({ look: stock.looks[0].name });  // it was removed
    for (const input of this.grid.querySelectorAll("input")) input.checked = input.value === desk.look;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.#paint(), SETTLED_MS);  // scrubbing and sliding ask for nothing
  }

  #hang() {
    this.grid.replaceChildren(...stock.looks.map(look => {
      const remove = service.may("admin") && !look.shipped
        ? h("button.icon.remove", { type: "button", title: t("remove"), "aria-label": `${t("remove")} ${look.name}`, onclick: trying(() => this.#remove(look)) }, "×") : null;
      return h("label.tile", { title: `${look.name} · ${look.licence}` },
        h("input", { type: "radio", name: "look", value: look.name, onchange: () => desk.set({ look: look.name, result: "" }) }),
        h("img", { alt: "" }), h("span", {}, look.title || look.name), remove);
    }));
  }

  async #remove(look) {
    await service.ask(`/looks/${look.name}`, { method: "DELETE" });
    if (desk.look === look.name) desk.set({ look: stock.looks[0].name });
  }

  // The frame through every look; without a shot, what the look shows of itself.
  #paint() {
    this.#gone?.abort();
    this.#gone = new AbortController();
    const info = this.stage.info;
    for (const tile of this.grid.children) {
      const name = tile.querySelector("input").value, { strength, scale, keep_colour } = desk.fields;
      const url = info?.width
        ? previewUrl(`shot:${desk.shot}`, desk.frame, WIDTH, { style: [name], strength, scale, keep_colour })
        : service.url(`/looks/${name}/preview.png`);
      const image = tile.querySelector("img");
      pictures.show(image, url, RANKS.wall, this.#gone.signal).catch(error => {
        if (image.dataset.url === url) image.dataset.url = "";
        if (error.name !== "AbortError") say(error.message);
      });
    }
  }

  #gone;
}

customElements.define("look-wall", LookWall);
