"use strict";
(() => {
  const page = document.documentElement, find = (what, within = document) => within.querySelector(what);

  // ---- language and light: what the reader's machine prefers, until a button is pressed
  const speak = (language) => {
    page.dataset.language = page.lang = language;
    find("#language").textContent = language === "zh" ? "English" : "中文";
  };
  const asked = new URLSearchParams(location.hash.slice(1));
  speak(asked.get("lang") || ((navigator.language || "").startsWith("zh") ? "zh" : "en"));
  if (asked.get("light")) page.dataset.light = asked.get("light");
  find("#language").onclick = () => speak(page.dataset.language === "zh" ? "en" : "zh");
  find("#light").onclick = () => {
    const dark = page.dataset.light ? page.dataset.light === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    page.dataset.light = dark ? "light" : "dark";
  };

  // ---- curves: one cross over all of them, at the frame under the pointer
  const curves = JSON.parse((find("#values") || { textContent: "[]" }).textContent);
  const drawings = curves.length ? [...document.querySelectorAll("svg.curve")] : [], told = [...document.querySelectorAll(".now")];
  const x = (box, place, count) => box.left + (place / Math.max(1, count - 1)) * (box.right - box.left);
  const y = (box, value) => 10 + ((box.high - value) / (box.high - box.low)) * (168 - 10 - 22);
  const dot = (circle, box, at, value) => {
    circle.toggleAttribute("hidden", value === null || value === undefined);
    if (value === null || value === undefined) return;
    circle.setAttribute("cx", at);
    circle.setAttribute("cy", y(box, value));
  };
  const point = (frame) => curves.forEach((curve, number) => {
    const place = curve.frames.indexOf(frame), cross = find(".cross", drawings[number]);
    cross.toggleAttribute("hidden", place < 0);
    told[number].textContent = "";
    if (place < 0) return;
    const at = x(curve.box, place, curve.frames.length), ours = curve.ours[place], theirs = curve.theirs[place];
    find("line", cross).setAttribute("x1", at);
    find("line", cross).setAttribute("x2", at);
    dot(find(".ours", cross), curve.box, at, ours);
    dot(find(".theirs", cross), curve.box, at, theirs);
    const say = (value) => (value === null || value === undefined ? "–" : value.toFixed(curve.decimals));
    told[number].textContent = `${frame}: ${say(ours)}` + (theirs === null || theirs === undefined ? "" : ` / ${say(theirs)}`);
  });
  drawings.forEach((drawing, number) => {
    drawing.addEventListener("pointermove", (event) => {
      const { box, frames } = curves[number], seen = drawing.getBoundingClientRect();
      const across = ((event.clientX - seen.left) / seen.width) * box.width;
      const place = Math.round(((across - box.left) / (box.right - box.left)) * (frames.length - 1));
      point(frames[Math.min(frames.length - 1, Math.max(0, place))]);
    });
    drawing.addEventListener("pointerleave", () => point(null));
  });

  // ---- wipe
  const wipe = find(".wipe");
  if (wipe) {
    find("input", wipe).oninput = (event) => wipe.style.setProperty("--at", event.target.value + "%");
    const left = find("#left"), right = find("#right"), shown = find("#shown");
    if (left) { // of a comparison: any two versions of a frame
      const rows = [...document.querySelectorAll(".columns .tiles")];
      const show = () => [["#wipe-source", left], ["#wipe-output", right]].forEach(([picture, chosen]) => {
        find(picture).src = find(`figure:nth-child(${chosen.selectedIndex + 1}) img`, rows[shown.selectedIndex]).src;
      });
      [left, right, shown].forEach((chosen) => (chosen.onchange = show));
      left.selectedIndex = 1;
      right.selectedIndex = 2;
      show();
    }
    document.querySelectorAll(".worst").forEach((row) => (row.onclick = () => {
      const [source, output] = row.querySelectorAll(".tiles img");
      find("#wipe-source").src = source.src;
      find("#wipe-output").src = output.src;
      find("#wipe-frame").textContent = row.dataset.frame;
      wipe.scrollIntoView({ behavior: "smooth", block: "center" });
    }));
  }
})();
