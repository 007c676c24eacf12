// A matte painted by hand on the stage: red is where the look is laid on. It is as large as the shot and holds for all its frames.
import { desk } from "../desk.js";
import { dropPlace, h, Part, trying } from "../element.js";
import { service } from "../service.js";
import { stock } from "../stock.js";
import { t } from "../words.js";

const RED = "rgb(255 60 40)";

export class MatteEasel extends Part {
  static hears = ["panel", "shot", "shots"];
  #strokes = [];      // { erase, size, points }, in pixels of the shot
  #sheet = h("canvas");
  #at = null;

  constructor(stage) {
    super();
    this.stage = stage;
  }

  build() {
    this.size = h("input", { type: "range", min: 0.5, max: 30, step: 0.5, value: 6 });
    this.erase = h("input", { type: "checkbox" });
    const act = (words, onclick) => h("button", { type: "button", onclick: trying(onclick) }, t(words));
    this.save = act("useMatte", () => this.#use());
    this.save.classList.add("main");
    this.acts = h("div.row", {}, act("undo", () => this.#redraw(this.#strokes.slice(0, -1))), act("clear", () => this.#redraw([])), this.save);
    this.append(
      h("p.hint", {}, t("matteHint")), h("label.row.slider", {}, h("span", {}, t("brush")), this.size, h("output")),
      h("label.row", {}, h("span", {}, t("erase")), this.erase), this.acts,
      dropPlace(t("dropMatte"), trying(files => this.#bring(files))));
  }

  refresh(changed) {
    const here = desk.panel === "mattes" && Boolean(this.stage.info?.width);
    this.stage.tool = here ? this : null;
    this.stage.classList.toggle("painting", here);
    for (const button of this.acts.children) button.disabled = !here;
    if (changed.has("shot") || !this.#sheet.width) this.#redraw([]);
    this.stage.draw();
  }

  // ---- what the stage calls

  down(point, event) {
    this.#strokes.push({ erase: this.erase.checked || event.altKey || event.shiftKey, size: this.#width, points: [] });
    this.move(point, event, true);
  }

  move({ x, y }, event, held) {
    const { width, height } = this.stage.info;
    this.#at = { x: x * width, y: y * height };
    if (held && this.#strokes.length) {
      const stroke = this.#strokes.at(-1);
      stroke.points.push(this.#at);
      this.#lay(stroke, stroke.points.slice(-2));
    }
    this.stage.draw();
  }

  up() {}

  draw(pen, place) {
    pen.save();
    pen.globalAlpha = 0.5;
    pen.drawImage(this.#sheet, place.x, place.y, place.width, place.height);
    pen.globalAlpha = 1;
    if (this.#at) {
      pen.strokeStyle = "white";
      pen.beginPath();
      pen.arc(place.x + this.#at.x * place.scale, place.y + this.#at.y * place.scale, this.#width / 2 * place.scale, 0, 7);
      pen.stroke();
    }
    pen.restore();
  }

  // ---- the sheet

  get #width() { return Number(this.size.value) / 100 * this.stage.info.width; }

  #lay(stroke, points) {
    const pen = this.#sheet.getContext("2d");
    Object.assign(pen, { lineCap: "round", lineJoin: "round", lineWidth: stroke.size, strokeStyle: RED });
    pen.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    pen.beginPath();
    points.forEach(({ x, y }, index) => (index ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    if (points.length === 1) pen.lineTo(points[0].x + 0.01, points[0].y);
    pen.stroke();
  }

  #redraw(strokes) {
    const { width = 0, height = 0 } = this.stage.info ?? {};
    Object.assign(this.#sheet, { width, height });
    this.#strokes = strokes;
    if (width) for (const stroke of strokes) this.#lay(stroke, stroke.points);
    this.stage.draw();
  }

  // White on black, as a picture in the store; and the look goes there.
  async #use() {
    const sheet = h("canvas", { width: this.#sheet.width, height: this.#sheet.height }), pen = sheet.getContext("2d");
    pen.drawImage(this.#sheet, 0, 0);
    for (const [how, colour] of [["source-in", "white"], ["destination-over", "black"]]) {
      pen.globalCompositeOperation = how;
      pen.fillStyle = colour;
      pen.fillRect(0, 0, sheet.width, sheet.height);
    }
    const blob = await new Promise(done => sheet.toBlob(done, "image/png"));
    const count = stock.kept("matte").filter(shot => shot.name.includes(desk.shot)).length + 1;
    await this.#bring([new File([blob], "matte.png")], t("paintedMatte", count));
  }

  // A matte that was made elsewhere: a picture, a movie, or all pictures of a sequence. It belongs to the shot that is looked at.
  async #bring(files, name = files[0].name) {
    if (!desk.shot) throw new Error(t("chooseShot"));
    const shot = stock.keep("shots", await service.upload(files, { name: `matte: ${desk.shot} ${name}` }));
    if (shot.state !== "ready") throw new Error(`${name}: ${shot.fault}`);
    desk.set({ matte: shot.reference, panel: "looks", result: "" });
  }
}

customElements.define("matte-easel", MatteEasel);
