// Elements in one line, and the base of every part of the page.
import { desk } from "./desk.js";
import { stock } from "./stock.js";

// An element: h("button.main", { type: "button", onclick }, "Render"). What an element has as a property is set, all else is an attribute.
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key in made && key !== "list" && key !== "form") made[key] = value;
    else if (value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined && child !== false));
  return made;
}

// A part is built once; `refresh` is called when something it hears of has changed: fields of the desk, lists of the stock.
export class Part extends HTMLElement {
  static hears = [];

  connectedCallback() {
    if (!this.#leave) this.build();
    this.#leave = new AbortController();
    const { signal } = this.#leave;
    const heard = ({ detail }) => { if (this.constructor.hears.some(name => detail.has(name))) this.refresh(detail); };
    desk.addEventListener("change", heard, { signal });
    stock.addEventListener("change", heard, { signal });
    this.refresh(new Set(this.constructor.hears));
  }

  disconnectedCallback() { this.#leave.abort(); }

  build() {}
  refresh() {}
  #leave;
}

// A place that takes what is dropped on it, or chosen by a click or a key. `take` gets files.
export function dropPlace(label, take, accept = "", multiple = true) {
  const input = h("input", { type: "file", accept, multiple, onchange: () => { take([...input.files]); input.value = ""; } });
  const place = h("label.drop", {}, input, h("span", {}, label));
  acceptDrops(place, take);
  return place;
}

export function acceptDrops(place, take) {
  place.addEventListener("dragover", event => { event.preventDefault(); event.stopPropagation(); place.classList.add("over"); });
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", async event => {
    event.preventDefault();
    event.stopPropagation();
    place.classList.remove("over");
    take(await filesIn(event.dataTransfer));
  });
}

// The files of a drop, those in folders too. Entries must be asked for before anything is awaited.
async function filesIn(transfer) {
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some(entry => entry.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.map(filesUnder))).flat();
}

async function filesUnder(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const reader = entry.createReader(), found = [];
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return (await Promise.all(found.filter(each => !each.name.startsWith(".")).map(filesUnder))).flat();
    found.push(...some);
  }
}

// One line at the foot of the page, for what went wrong or is done.
export function say(text, kind = "fault") {
  const line = document.getElementById("word");
  if (!line) return;
  line.replaceChildren(h("span", { className: kind }, text));
  clearTimeout(say.ends);
  say.ends = setTimeout(() => line.replaceChildren(), kind === "fault" ? 12000 : 5000);
}

// Carry out what a click asks for; what is refused is told in its own words.
export const trying = action => async event => {
  try {
    await action(event);
  } catch (error) {
    if (error.name !== "AbortError") say(error.message);
  }
};
