// Keyframes: take a frame out, paint it elsewhere, drop it back; a few of them teach the look of the whole shot.
import { desk } from "../desk.js";
import { dropPlace, h, Part, trying } from "../element.js";
import { frameUrl, pictures, RANKS } from "../pictures.js";
import { service } from "../service.js";
import { stock } from "../stock.js";
import { t } from "../words.js";

const pad = frame => String(frame).padStart(4, "0");

export class KeyFrames extends Part {
  static hears = ["shot", "shots"];

  constructor(stage) {
    super();
    this.stage = stage;
  }

  build() {
    this.take = h("button", { type: "button", onclick: trying(() => this.#save()) }, t("exportFrame"));
    this.list = h("ul.thumbs", { "aria-label": t("keys") });
    this.minutes = h("input", { type: "number", min: 0.1, max: 600, step: "any", value: 10 });
    this.learn = h("button.main", { type: "button", onclick: trying(() => this.submit()) }, t("learn"));
    this.append(h("p.hint", {}, t("keysHint")), this.take);
    if (service.may("artist")) {
      this.append(dropPlace(t("dropKeys"), trying(files => this.#bring(files)), "image/*,.exr,.tif,.tiff,.dpx"), this.list,
        h("label.row", {}, h("span", {}, t("minutes")), this.minutes), this.learn);
    }
  }

  get keys() { return stock.kept("key").filter(shot => shot.state === "ready" && shot.name.split(" ")[1] === desk.shot); }

  refresh() {
    const info = this.stage.info, ready = Boolean(info?.width);
    this.take.hidden = !ready;
    this.learn.disabled = !ready || !this.keys.length;
    this.list.replaceChildren(...this.keys.map(key => {
      const frame = Number(key.name.split(" ")[2]), image = h("img", { alt: "" });
      pictures.show(image, frameUrl(key.reference, null, 160), RANKS.strip).catch(() => {});
      return h("li", {}, h("button", { type: "button", onclick: () => desk.set({ frame }) }, image, h("span", {}, String(frame))),
        h("button.icon.remove", { type: "button", title: t("remove"), "aria-label": `${t("remove")} ${frame}`, onclick: trying(() => remove(key)) }, "×"));
    }));
  }

  // The frame with every pixel, its number in its name.
  async #save() {
    const blob = await pictures.blob(frameUrl(`shot:${desk.shot}`, desk.frame, 0), RANKS.stage), href = URL.createObjectURL(blob);
    h("a", { href, download: `${stock.shots.get(desk.shot).name.replace(/\.\w+$/, "")}.${pad(desk.frame)}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  }

  // A painted frame's number is the last one in its name; without one it is the frame that is looked at.
  async #bring(files) {
    const { info } = this.stage;
    if (!info) throw new Error(t("chooseShot"));
    for (const file of files) {
      const frame = Number(/(\d+)\D*$/.exec(file.name.replace(/\.\w+$/, ""))?.[1] ?? desk.frame);
      if (frame < info.first || frame > info.last) throw new Error(t("noSuchFrame", file.name, info.first, info.last));
      for (const old of this.keys.filter(key => Number(key.name.split(" ")[2]) === frame)) await remove(old);
      const named = new File([file], `key.${pad(frame)}.${file.name.split(".").pop()}`);
      const shot = stock.keep("shots", await service.upload([named], { name: `key: ${desk.shot} ${frame}` }));
      if (shot.state !== "ready") throw new Error(`${file.name}: ${shot.fault}`);
    }
  }

  async submit() {
    const shot = stock.shots.get(desk.shot), stem = shot.name.replace(/\.\w+$/, "").replace(/[^\w-]+/g, "-").replace(/^[-_]+/, "").toLowerCase();
    const references = this.keys.map(key => key.reference);
    const order = { job: "learn", references, shot: shot.reference, out: `${stem || "shot"}-painted.style`, minutes: Number(this.minutes.value) };
    const job = stock.keep("jobs", await service.submit(order, `${t("keys")}: ${shot.name}`));
    desk.set({ panel: "learn", learning: job.id });
  }
}

async function remove(key) {
  await service.ask(`/shots/${key.id}`, { method: "DELETE" });
  stock.keep("shots", { id: key.id, state: "deleted" });
}

customElements.define("key-frames", KeyFrames);
