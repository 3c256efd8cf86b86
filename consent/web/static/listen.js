"use strict";
// The listening page: two players that keep together, a timeline, lines that are loaded as they are needed, and keys.
const room = document.getElementById("room");
const players = { original: document.getElementById("play-original"), dub: document.getElementById("play-dub") };
const list = document.getElementById("lines");
let until = null;
let current = null;

const playing = () => Object.values(players).filter((p) => !p.paused);
const stop = () => { Object.values(players).forEach((p) => p.pause()); until = null; };

function play(which, start, end) {
  stop();
  const chosen = which === "both" ? [players.original, players.dub] : [players[which]];
  players.original.volume = which === "both" ? 0.35 : 1;
  for (const p of chosen) { if (start !== null) p.currentTime = Math.max(0, start); p.play().catch(() => {}); }
  until = end;
}

function line() { return current || list.querySelector(".line"); }

function hear(which) {
  const at = line();
  if (!at) { play(which, null, null); return; }
  play(which, Number(at.dataset.start) - 0.3, Number(at.dataset.end) + 0.6);
}

function choose(next) {
  if (!next) return;
  if (current) current.removeAttribute("aria-current");
  current = next;
  current.setAttribute("aria-current", "true");
  current.scrollIntoView({ block: "nearest" });
  const picture = current.querySelector("img[data-src]");
  if (picture) { picture.src = picture.dataset.src; picture.removeAttribute("data-src"); picture.hidden = false; }
  const place = document.getElementById("note-line");
  if (place) {
    place.value = current.dataset.line;
    document.getElementById("note-start").value = current.dataset.start;
    document.getElementById("note-end").value = current.dataset.end;
    document.getElementById("note-about").textContent = current.dataset.line;
  }
}

function step(by) {
  const all = [...list.querySelectorAll(".line")];
  const next = all[current ? all.indexOf(current) + by : 0];
  if (!next && by > 0) more(); else choose(next);
}

for (const p of Object.values(players)) {
  p.addEventListener("timeupdate", () => {
    if (until !== null && p.currentTime >= until) stop();
    const cursor = document.getElementById("cursor");
    const total = Number(room.dataset.duration) || 1;
    if (cursor && !p.paused) cursor.setAttribute("x", String((1000 * p.currentTime) / total));
  });
}

async function more() {
  const next = list.querySelector("[data-next]");
  if (!next) return;
  const url = next.dataset.next;
  next.remove();
  const answer = await fetch(url, { headers: { accept: "text/html" } });
  if (answer.ok) list.insertAdjacentHTML("beforeend", await answer.text());
}

async function timeline() {
  const place = document.getElementById("timeline");
  const answer = await fetch(place.dataset.src);
  if (!answer.ok) return;
  const total = Number(room.dataset.duration) || 1;
  const colours = { block: "#c2352f", hold: "#c98a12", unknown: "#c98a12", warn: "#d9b154" };
  for (const [start, end, outcome, id] of (await answer.json()).lines) {
    const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const bad = colours[outcome];
    const place_ = { x: (1000 * start) / total, width: Math.max(1.5, (1000 * (end - start)) / total), y: bad ? 6 : 26, height: bad ? 46 : 14 };
    for (const [name, value] of Object.entries(place_)) mark.setAttribute(name, String(value));
    mark.setAttribute("fill", bad || "#7f8fa3");
    mark.addEventListener("click", () => { choose(document.getElementById(`line-${id}`)); play("dub", start - 0.3, end + 0.6); });
    place.insertBefore(mark, document.getElementById("cursor"));
  }
}

list.addEventListener("click", (event) => {
  const found = event.target.closest(".line");
  const button = event.target.closest("button[data-hear]");
  if (event.target.closest("[data-more]")) { more(); return; }
  if (found && found !== current) choose(found);
  if (button) hear(button.dataset.hear);
});
document.querySelectorAll("button[data-hear-at]").forEach((b) => b.addEventListener("click", () => {
  const [which, start, end] = b.dataset.hearAt.split(" ");
  play(which, Number(start) - 0.3, Number(end) + 0.6);
}));
document.addEventListener("keydown", (event) => {
  if (!document.getElementById("keys").checked || event.target.closest("input:not([type=checkbox]), textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  const keys = { o: () => hear("original"), d: () => hear("dub"), b: () => hear("both"), j: () => step(1), k: () => step(-1),
    s: () => stop() };
  const does = keys[event.key.toLowerCase()];
  if (does) { event.preventDefault(); does(); }
});
// A stretch of lines at a time: the next one when the end of the list comes into sight.
list.addEventListener("scroll", () => { if (list.scrollTop + list.clientHeight > list.scrollHeight - 300) more(); });
more().then(() => timeline());
