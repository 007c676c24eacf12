// What the server has: shots, looks, jobs. Read once, then kept as events tell; read anew when the server says so.
import { service } from "./service.js";

class Stock extends EventTarget {
  shots = new Map();
  jobs = new Map();
  looks = [];
  ready = false;
  #turn = Promise.resolve();  // one event after the other, so that no list overtakes what came after it
  #told = new Set();

  start() { service.listen((kind, data) => { this.#turn = this.#turn.then(() => this.#hear(kind, data)).catch(() => {}); }); }

  async #hear(kind, data) {
    if (kind === "reset") {
      const [shots, jobs] = [await service.list("/shots"), await service.list("/jobs", 400)];
      this.shots = new Map(shots.map(shot => [shot.id, shot]));
      this.jobs = new Map(jobs.map(job => [job.id, job]));
      await this.#readLooks();
      this.ready = true;
      ["shots", "jobs"].forEach(name => this.#tell(name));
    } else if (kind === "look") await this.#readLooks();
    else this.keep(`${kind}s`, data);
  }

  async #readLooks() {
    this.looks = (await service.json("/looks")).items.filter(look => !look.choices.startsWith("x"));  // those enlarge
    this.#tell("looks");
  }

  // A shot or a job as the server told it just now.
  keep(list, one) {
    if (one.state === "deleted") this[list].delete(one.id);
    else this[list].set(one.id, one);
    this.#tell(list);
    return one;
  }

  #tell(name) {
    this.#told.add(name);
    if (this.#told.size > 1) return;
    setTimeout(() => {
      const detail = this.#told;
      this.#told = new Set();
      this.dispatchEvent(new CustomEvent("change", { detail }));
    }, 30);
  }

  // Shots to look at; what was uploaded for another purpose bears its purpose before its name.
  get material() { return [...this.shots.values()].filter(shot => !PURPOSE.test(shot.name)).sort((a, b) => b.created - a.created); }
  kept(purpose) { return [...this.shots.values()].filter(shot => shot.name.startsWith(`${purpose}: `)).sort((a, b) => a.created - b.created); }
  look(name) { return this.looks.find(look => look.name === name); }
  of(reference) { return this.shots.get(reference?.split(":")[1]?.split("/")[0]); }
}

const PURPOSE = /^(matte|key|reference|look): /;
export const stock = new Stock();
