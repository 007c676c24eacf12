// Curves of a training: each figure over the steps, what was held out first. Every point pale, the mean of its neighbourhood strong.
import { h } from "./element.js";

const WIDTH = 300, HEIGHT = 84, BINS = 60, POINTS = 300, MOST = 10;
const SVG = "http://www.w3.org/2000/svg";

export function drawCurves(place, lines) {
  const found = new Map();
  for (const line of lines) {
    for (const [name, value] of Object.entries(line)) {
      if (["step", "seconds", "event"].includes(name) || !Number.isFinite(value)) continue;
      if (!found.has(name)) found.set(name, []);
      found.get(name).push([line.step, value]);
    }
  }
  const rank = name => (name.startsWith("held/") ? 0 : name.startsWith("judged/") ? 1 : 2);
  const names = [...found.keys()].sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
  place.replaceChildren(...names.map(name => figure(name, found.get(name))));
}

function figure(name, points) {
  const values = points.map(([, y]) => y), low = Math.min(...values), high = Math.max(...values) > low ? Math.max(...values) : low + 1e-9;
  const first = points[0][0], last = Math.max(first + 1, points.at(-1)[0]);
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  const line = (some, kind) => {
    const path = document.createElementNS(SVG, "path");
    const at = ([x, y]) => `${((x - first) / (last - first) * WIDTH).toFixed(1)} ${(3 + (high - y) / (high - low) * (HEIGHT - 6)).toFixed(1)}`;
    path.setAttribute("d", `M${some.map(at).join("L")}${some.length === 1 ? "h2" : ""}`);
    path.setAttribute("class", kind);
    drawing.append(path);
  };
  line(points.filter((_, index) => index % Math.ceil(points.length / POINTS) === 0), "raw");
  line(means(points), "mean");
  return h("figure", {}, drawing, h("figcaption", {}, h("span", {}, name), h("b", {}, points.at(-1)[1].toPrecision(4))));
}

function means(points) {
  const size = Math.ceil(points.length / BINS), found = [];
  for (let at = 0; at < points.length; at += size) {
    const some = points.slice(at, at + size), mean = index => some.reduce((sum, point) => sum + point[index], 0) / some.length;
    found.push([mean(0), mean(1)]);
  }
  return found;
}
