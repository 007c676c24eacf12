// What came of a job, as far as a page can show it.
import { service } from "./service.js";
import { stock } from "./stock.js";

const MOVIE = /\.(mp4|mov|mkv|webm|mxf|avi)$/i;

// The painting of a render that is done: where it lies, and whether its frames bear the shot's numbers. Nothing: there is none to show.
export function paintingOf(job) {
  const path = job?.state === "done" && job.job === "render" && job.result.path;
  const file = path && path.slice(`job:${job.id}/`.length);
  if (!file) return null;
  const numbered = file.includes("#");
  return { reference: numbered ? `job:${job.id}` : path, numbered, movie: MOVIE.test(file) };
}

// The shot that a job is about.
export const shotOf = job => stock.of(job.asked.inputs?.[0] ?? job.asked.source ?? job.asked.shot);

// Which frames of its shot a render paints.
export function framesOf(job) {
  const info = shotOf(job)?.info ?? { first: 0, last: 0 }, asked = /^(\d+)-(\d+)$/.exec(job.asked.frames ?? "");
  return asked ? [Number(asked[1]), Number(asked[2])] : [info.first, info.last];
}

export const filesOf = async job => (await service.json(`/jobs/${job.id}/results`)).items;

// One file as it is, the whole result if it is several: what the browser is to save.
export async function download(job) {
  const files = (await filesOf(job)).filter(file => !file.name.includes(".run/"));
  const path = files.length === 1 ? `/results/${files[0].name.split("/").map(encodeURIComponent).join("/")}?download=true` : "/results.zip";
  const link = document.createElement("a");
  Object.assign(link, { href: service.url(`/jobs/${job.id}${path}`), download: files.length === 1 ? files[0].name : `${job.title}.zip` });
  link.click();
}
