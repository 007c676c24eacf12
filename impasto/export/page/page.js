"use strict";
// What the visitor does, and what is shown. A painter comes from gpu.js or cpu.js; pictures are painted whole, a camera's frames in a
// size that the machine keeps up with.

const $ = id => document.getElementById(id), asked = new URLSearchParams(location.search);
const HEIGHTS = [720, 540, 432, 360, 288, 216, 144], FIRST = 360, FPS = 24;  // a camera's frames; how many a second `auto` wants
const network = opened(LOOK), before = $("before").getContext("2d"), after = $("after").getContext("2d");
const sheet = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
let painter, cpu, say, picture, video, turn = 0, figures, noted = "";

// ---- words

function speak(language) {
  say = WORDS[language];
  document.documentElement.lang = language;
  for (const each of document.querySelectorAll("[data-t]")) each.textContent = say[each.dataset.t];
  for (const each of document.querySelectorAll("[data-label]")) each.ariaLabel = say[each.dataset.label];
  $("title").textContent = document.title = LOOK.title;
  $("language").textContent = say.other;
  $("origin").textContent = say.origin({ ...LOOK, megabytes: (LOOK.weights.length * 0.75 / 1e6).toFixed(2) });
  offer();
  tell(figures);
  note(noted);
}

function offer() {  // what depends on whether the camera runs
  const held = $("size").value || "auto", sizes = [["auto", video ? say.auto : say.own], ...HEIGHTS.map(height => [height, `${height}p`])];
  $("size").replaceChildren(...sizes.map(([value, text]) => new Option(text, value)));
  $("size").value = held;
  $("camera").textContent = video ? say.stop : say.camera;
  $("camera").ariaPressed = Boolean(video);
}

function tell(told) {
  figures = told;
  const smaller = told?.whole && say.smaller(told.whole);
  $("figures").textContent = told ? [say[told.kind](told), smaller].filter(Boolean).join(" · ") : say.opening;
}

function note(word) {
  noted = word;
  $("note").textContent = word && say[word];
}

// ---- painting

async function take(kind) {
  const gpu = kind !== "cpu" && await gpuPainter(network).catch(() => null);
  if (kind === "gpu" && !gpu) note("noGpu");
  painter = gpu || (cpu ??= cpuPainter(network));
}

async function painted(pixels) {
  try {
    return await painter.paint(pixels);
  } catch (fault) {
    if (painter === cpu) throw fault;
    console.error(fault);
    note("lost");
    await take("cpu");
    return painter.paint(pixels);
  }
}

const again = () => video ? follow() : paintPicture();

function pixelsOf(source, width, height) {
  [sheet.canvas.width, sheet.canvas.height] = [width, height];
  sheet.drawImage(source, 0, 0, width, height);
  return sheet.getImageData(0, 0, width, height);
}

function show(pixels, done) {
  for (const [context, image] of [[before, pixels], [after, done]]) {
    const { canvas } = context;
    if (canvas.width !== image.width || canvas.height !== image.height) [canvas.width, canvas.height] = [image.width, image.height];
    context.putImageData(image, 0, 0);
  }
}

async function paintPicture() {
  const mine = ++turn, { width, height } = picture, wanted = Number($("size").value) / height || 1;
  const scale = Math.min(1, wanted, painter.longest / Math.max(width, height));
  const pixels = pixelsOf(picture, ...[width, height].map(side => Math.max(32, Math.round(side * scale))));
  document.body.dataset.state = "painting";
  const began = performance.now(), done = await painted(pixels), ms = Math.round(performance.now() - began);
  if (mine !== turn) return;
  show(pixels, done);
  const whole = scale < 1 && { width, height };
  tell({ kind: "picture", on: painter.name, width: pixels.width, height: pixels.height, ms, whole });
  document.body.dataset.state = "painted";
}

// ---- the camera

async function film() {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 }, height: { ideal: 720 } } });
    video = Object.assign(document.createElement("video"), { srcObject: stream, muted: true, playsInline: true });
    await video.play();
  } catch { video = undefined; note("noCamera"); return; }
  note("");
  offer();
  follow();
}

function halt() {
  if (!video) return;
  for (const track of video.srcObject.getTracks()) track.stop();
  video = undefined;
  turn++;
  offer();
}

function follow() {  // as many frames under way as the painter can do at once; a later one that is done first is shown, the earlier dropped
  const pace = { mine: ++turn, taken: 0, shown: 0, height: FIRST, ms: 0, times: [] };
  document.body.dataset.state = "moving";
  for (let i = 0; i < painter.atOnce; i++) frames(pace);
}

async function frames(pace) {
  while (pace.mine === turn) {
    await new Promise(next => video.requestVideoFrameCallback ? video.requestVideoFrameCallback(next) : requestAnimationFrame(next));
    if (pace.mine !== turn) return;
    const number = ++pace.taken, height = Number($("size").value) || pace.height;
    const pixels = pixelsOf(video, Math.round(height * video.videoWidth / video.videoHeight), height), began = performance.now();
    const done = await painted(pixels), now = performance.now();
    if (pace.mine !== turn || number < pace.shown) continue;
    pace.shown = number;
    show(pixels, done);
    keepPace(pace, pixels, now - began, now);
  }
}

function keepPace(pace, { width, height }, took, now) {
  pace.ms = pace.ms && pace.size === height ? 0.9 * pace.ms + 0.1 * took : took;
  pace.size = height;
  pace.times = [...pace.times.filter(time => time > now - 2000), now];
  const span = now - pace.times[0];
  if (span < 500) return;
  tell({ kind: "moving", on: painter.name, width, height, ms: Math.round(pace.ms), fps: Math.round((pace.times.length - 1) * 1000 / span) });
  if (span < 1500) return;
  const pixels = painter.atOnce * 1000 * width * height / pace.ms;  // a second; a larger size is taken where a third is to spare
  const fits = side => pixels >= FPS * side * side * width / height * (side > height ? 4 / 3 : 1);
  const next = HEIGHTS.find(fits) ?? HEIGHTS.at(-1);
  if (next !== pace.height) Object.assign(pace, { height: next, times: [] });
}

// ---- what the visitor does

async function read(file) {
  if (!file) return;
  try { picture = await createImageBitmap(file); } catch { note("unread"); return; }
  note("");
  halt();
  await paintPicture();
}

function save() {
  const whole = document.createElement("canvas").getContext("2d"), { width, height } = after.canvas;
  [whole.canvas.width, whole.canvas.height] = [width, height];
  whole.drawImage(before.canvas, 0, 0);
  whole.globalAlpha = $("strength").value / 100;
  whole.drawImage(after.canvas, 0, 0);
  whole.canvas.toBlob(blob => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${LOOK.name}.png` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }, "image/png");
}

$("wipe").oninput = () => $("stage").style.setProperty("--at", `${$("wipe").value}%`);
$("strength").oninput = () => {
  $("share").value = `${$("strength").value} %`;
  $("after").style.opacity = $("strength").value / 100;
};
$("choose").onclick = () => $("file").click();
$("file").onchange = () => read($("file").files[0]).then(() => { $("file").value = ""; });
$("camera").onclick = () => { if (video) { halt(); paintPicture(); } else film(); };
$("save").onclick = save;
$("size").onchange = () => video || paintPicture();
$("on").onchange = async () => { note(""); await take($("on").value); again(); };
$("language").onclick = () => speak(say === WORDS.en ? "zh" : "en");
for (const name of ["dragenter", "dragover", "dragleave", "drop"]) addEventListener(name, event => {
  event.preventDefault();
  document.body.classList.toggle("over", name === "dragenter" || name === "dragover");
});
addEventListener("drop", event => read(event.dataTransfer.files[0]));
addEventListener("paste", event => read(event.clipboardData.files[0]));

speak(asked.get("language") ?? (navigator.language.startsWith("zh") ? "zh" : "en"));
(async () => {
  if (["gpu", "cpu"].includes(asked.get("on"))) $("on").value = asked.get("on");
  const sample = Object.assign(new Image(), { src: SAMPLE });
  await Promise.all([take($("on").value), sample.decode()]);
  picture = await createImageBitmap(sample);
  await paintPicture();
})();
