// Pictures from the server, a few at a time, the most wanted first; those seen last are kept.
import { service } from "./service.js";
import { desk } from "./desk.js";

const AT_ONCE = 3;
const MOST_BYTES = 384 * 2 ** 20;
export const RANKS = { stage: 0, play: 1, strip: 2, wall: 3 };

class Pictures {
  #kept = new Map();     // url -> blob, the oldest first
  #waiting = [];
  #running = 0;
  #bytes = 0;

  has(url) { return this.#kept.has(url); }

  // The bytes of a picture.
  async blob(url, rank = RANKS.wall, signal) {
    const known = this.#kept.get(url);
    if (known) { this.#kept.delete(url); this.#kept.set(url, known); return known; }
    return new Promise((done, failed) => {
      const wanted = { url, rank, signal, done, failed };
      signal?.addEventListener("abort", () => {
        this.#waiting = this.#waiting.filter(each => each !== wanted);
        failed(new DOMException("", "AbortError"));
      }, { once: true });
      this.#waiting.push(wanted);
      this.#next();
    });
  }

  // The picture itself, to be drawn; whoever asks closes it.
  async bitmap(url, rank, signal) { return createImageBitmap(await this.blob(url, rank, signal)); }

  // An <img> shows it as soon as it is there.
  async show(image, url, rank, signal) {
    if (image.dataset.url === url) return;
    image.dataset.url = url;
    const blob = await this.blob(url, rank, signal);
    if (image.dataset.url !== url) return;
    if (image.src.startsWith("blob:")) URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(blob);
  }

  forget() { this.#kept.clear(); this.#bytes = 0; }

  async #next() {
    if (this.#running >= AT_ONCE || !this.#waiting.length) return;
    this.#waiting.sort((a, b) => a.rank - b.rank);
    const wanted = this.#waiting.shift();
    this.#running += 1;
    try {
      if (wanted.signal?.aborted) return;  // what is under way already is finished and kept: the server would paint it anyway
      const blob = this.#kept.get(wanted.url) ?? await (await service.ask(wanted.url.slice("/api/v1".length))).blob();
      this.#keep(wanted.url, blob);
      wanted.done(blob);
    } catch (error) {
      wanted.failed(error);
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }

  #keep(url, blob) {
    if (!this.#kept.has(url)) this.#bytes += blob.size;
    this.#kept.set(url, blob);
    for (const [oldest, held] of this.#kept) {
      if (this.#bytes <= MOST_BYTES) break;
      this.#kept.delete(oldest);
      this.#bytes -= held.size;
    }
  }
}

export const pictures = new Pictures();

// Where pictures lie: a frame as it is, a frame of a result, a frame through what is on the desk. Width 0: every pixel.
const kind = width => (width ? {} : { format: "png" });
export const frameUrl = (of, number, width) => service.url("/frames", { of, width, ...kind(width), ...(number === null ? {} : { number }) });
export const previewUrl = (of, frame, width, fields = desk.fields) => service.url("/previews", { of, frame, width, ...kind(width), ...fields });
