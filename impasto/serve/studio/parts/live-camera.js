// The camera, painted live in the look of the desk; a look that is chosen on the wall is taken up between two pictures.
import { desk, KNOBS } from "../desk.js";
import { h, Part, trying } from "../element.js";
import { service } from "../service.js";
import { t } from "../words.js";
import { fillSelect } from "./knob-board.js";

const WIDTHS = [320, 480, 640, 960, 1280], RATES = [5, 10, 15, 24, 30];

export class LiveCamera extends Part {
  static hears = [...KNOBS, "panel"];

  constructor(stage) {
    super();
    this.stage = stage;
  }

  build() {
    this.width = h("select");
    this.rate = h("select", { onchange: () => this.#order() });
    fillSelect(this.width, WIDTHS.map(width => [String(width), `${width} px`]), "480");
    fillSelect(this.rate, RATES.map(rate => [String(rate), `${rate} fps`]), "10");
    this.button = h("button.main", { type: "button", onclick: trying(() => (this.stream ? this.stop() : this.start())) }, t("startCamera"));
    this.figures = h("p.hint", { role: "status" });
    this.canvas = h("canvas.live", { hidden: true, role: "img", "aria-label": t("live") });
    this.own = h("video.own", { hidden: true, muted: true, playsInline: true });
    this.pen = this.canvas.getContext("2d");
    this.stage.screen.append(this.canvas, this.own);
    this.append(h("p.hint", {}, t("liveHint")), h("label.row", {}, h("span", {}, t("pictureWidth")), this.width), h("label.row", {}, h("span", {}, t("rate")), this.rate), this.button, this.figures);
  }

  refresh(changed) {
    if (changed.has("panel") && !["live", "looks"].includes(desk.panel)) this.stop();
    this.#order();
  }

  async start() {
    if (!navigator.mediaDevices) throw new Error(t("noCamera"));
    const width = Number(this.width.value);
    this.stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: width } } });
    this.own.srcObject = this.stream;
    await this.own.play();
    this.canvas.hidden = this.own.hidden = false;
    this.button.textContent = t("stopCamera");
    this.#connect();
    const sheet = new OffscreenCanvas(width, Math.round(width * this.own.videoHeight / this.own.videoWidth)), pen = sheet.getContext("2d");
    this.#send(sheet, pen);
  }

  stop() {
    this.stream?.getTracks().forEach(track => track.stop());
    this.stream = null;
    this.socket?.close();
    this.canvas.hidden = this.own.hidden = true;
    this.button.textContent = t("startCamera");
    this.figures.textContent = "";
  }

  // A picture goes out when the one before has come back: what waits in a line comes late.
  async #send(sheet, pen) {
    while (this.stream) {
      const began = performance.now();
      if (this.socket.readyState === WebSocket.OPEN && this.waiting < 2) {
        pen.drawImage(this.own, 0, 0, sheet.width, sheet.height);
        this.socket.send(await sheet.convertToBlob({ type: "image/jpeg", quality: 0.85 }));
        this.waiting += 1;
      }
      await new Promise(next => setTimeout(next, Math.max(5, 1000 / Number(this.rate.value) - performance.now() + began)));
    }
  }

  #connect(wait = 500) {
    this.waiting = 0;
    this.socket = service.socket("/live");
    this.socket.binaryType = "blob";
    this.socket.onopen = () => { wait = 500; this.#order(); };
    this.socket.onmessage = ({ data }) => (typeof data === "string" ? this.#told(JSON.parse(data)) : this.#show(data));
    this.socket.onclose = () => { if (this.stream) setTimeout(() => this.#connect(Math.min(2 * wait, 8000)), wait); };
  }

  // What of the desk a camera can have: no matte that lies in a file.
  #order() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    const { style, ...fields } = desk.fields, styles = desk.matte.startsWith("shot:") ? [desk.look] : style;
    this.socket.send(JSON.stringify({ style: styles, ...fields, fps: Number(this.rate.value) }));
  }

  async #show(jpeg) {
    this.waiting -= 1;
    const picture = await createImageBitmap(jpeg);
    if (this.canvas.width !== picture.width || this.canvas.height !== picture.height) [this.canvas.width, this.canvas.height] = [picture.width, picture.height];
    this.pen.drawImage(picture, 0, 0);
    picture.close();
    this.#times = [...this.#times.slice(-20), performance.now()];
  }

  #told(message) {
    if (message.fault) { this.waiting = 0; this.figures.textContent = message.fault; return; }
    if (!message.seconds) return;
    const fps = this.#times.length > 1 ? 1000 * (this.#times.length - 1) / (this.#times.at(-1) - this.#times[0]) : 0;
    this.figures.textContent = t("liveFigures", fps.toFixed(1), Math.round(message.seconds * 1000), Math.round(message.scale * 100));
  }

  #times = [];
}

customElements.define("live-camera", LiveCamera);
