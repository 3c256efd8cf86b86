// The whole programme: an overview, and a window that zooms and moves; lines are coloured by outcome.
const view = { from: 0, to: data.duration_s, drawing: false };
const MIN_WINDOW_S = 2;
const over = byId("over"), main = byId("main");
const ROWS = { ruler: 18, original: [22, 76], lines: [82, 124], dub: [130, 184] };

function setView(from, to) {
  const length = Math.min(data.duration_s, Math.max(MIN_WINDOW_S, to - from));
  view.from = Math.max(0, Math.min(data.duration_s - length, from));
  view.to = view.from + length;
  drawTimeline();
}
function zoom(factor, around) {
  const at = around ?? (view.from + view.to) / 2;
  setView(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
function showLine(line) {
  if (line.window[0] >= view.from && line.window[1] <= view.to) return drawTimeline();
  const half = Math.max((view.to - view.from) / 2, 6), middle = (line.window[0] + line.window[1]) / 2;
  return setView(middle - half, middle + half);
}

function drawTimeline() {
  if (view.drawing) return;
  view.drawing = true;
  requestAnimationFrame(() => {
    view.drawing = false;
    drawOverview();
    drawMain();
  });
}

function drawOverview() {
  const { g, w, h } = sizeCanvas(over);
  const x = (t) => (t / data.duration_s) * w;
  g.fillStyle = colours.ground;
  g.fillRect(0, 0, w, h);
  drawEnvelope(g, tracks.dub.energy, 0, data.duration_s, 0, w, h - 2, -(h - 12), colours.edge2);
  for (const rank of RANK) {
    g.fillStyle = colours[rank];
    for (const line of lines) {
      if (line.outcome !== rank) continue;
      const flagged = isFlagged(line);
      g.fillRect(x(line.at[0]), 0, Math.max(flagged ? 2.5 : 1, x(line.at[1]) - x(line.at[0])), flagged ? 9 : 3);
    }
  }
  g.strokeStyle = colours.ink;
  g.lineWidth = 1.5;
  g.strokeRect(x(view.from) + 0.75, 0.75, Math.max(4, x(view.to) - x(view.from) - 1.5), h - 1.5);
  drawHead(g, x, 0, h, 0, data.duration_s);
}

function drawMain() {
  const { g, w, h } = sizeCanvas(main), { from, to } = view;
  const x = (t) => ((t - from) / (to - from)) * w;
  drawRuler(g, x, w, h);
  for (const name of ["original", "dub"]) {
    const [top, bottom] = ROWS[name], middle = (top + bottom) / 2;
    g.fillStyle = colours[`${name}-t`];
    for (const [a, b] of tracks[name].speech) if (b > from && a < to) g.fillRect(x(a), top, Math.max(1, x(b) - x(a)), bottom - top);
    drawEnvelope(g, tracks[name].energy, from, to, 0, w, middle, -(bottom - middle), colours[name]);
    drawEnvelope(g, tracks[name].energy, from, to, 0, w, middle, bottom - middle, colours[name]);
  }
  drawLines(g, x, w);
  drawPitchRow(g, x, w, h);
  g.font = "600 11px system-ui, sans-serif";
  badge(g, ROWS.original[0], "original", "原音", colours.original);
  badge(g, ROWS.dub[0], "dub", "吹替", colours.dub);
  drawHead(g, x, 0, h, from, to);
}

function badge(g, top, en, ja, colour) {
  const text = root.dataset.lang === "ja" ? ja : en;
  g.fillStyle = colours.card;
  g.globalAlpha = 0.85;
  g.fillRect(4, top + 2, g.measureText(text).width + 10, 17);
  g.globalAlpha = 1;
  label(g, 9, top + 11, en, ja, colour);
}

function drawRuler(g, x, w, h) {
  const span = view.to - view.from;
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600].find((s) => (s / span) * w > 100) || 7200;
  g.textAlign = "left";
  g.textBaseline = "middle";
  for (let t = Math.floor(view.from / step) * step; t < view.to; t += step) {
    g.fillStyle = colours.edge;
    g.fillRect(x(t), 0, 1, h);
    g.fillStyle = colours.soft;
    g.fillText(timecode(t), x(t) + 4, 9);
  }
}

function drawLines(g, x, w) {
  const [top, bottom] = ROWS.lines, half = (bottom - top) / 2;
  for (const [k, line] of lines.entries()) {
    if (line.at[1] < view.from - 5 || line.at[0] > view.to + 5) continue;
    const a = x(line.at[0]), width = Math.max(2, x(line.at[1]) - a), dub = line.dub || line.at;
    const b = x(dub[0]), dubWidth = Math.max(2, x(dub[1]) - b);
    g.fillStyle = colours[line.outcome];
    g.globalAlpha = line.dub ? 1 : 0.35;
    g.fillRect(b, top + half + 1, dubWidth, half - 1);
    g.globalAlpha = isFlagged(line) ? 0.55 : 0.4;
    g.fillRect(a, top, width, half - 1);
    g.globalAlpha = 1;
    if (k === selected.k) {
      g.strokeStyle = colours.focus;
      g.lineWidth = 2.5;
      g.strokeRect(Math.min(a, b) - 2, top - 3, Math.max(a + width, b + dubWidth) - Math.min(a, b) + 4, bottom - top + 6);
    }
    if (width > 46) clipText(g, `${line.id}  ${line.who}`, a + 5, top + half / 2, width - 8, colours.ink);
    if (dubWidth > 46) clipText(g, line.text, b + 5, top + half * 1.5 + 1, dubWidth - 8, colours.card);
  }
}

function clipText(g, text, x, y, width, colour) {
  g.save();
  g.beginPath();
  g.rect(x, y - 10, width, 20);
  g.clip();
  g.fillStyle = colour;
  g.textAlign = "left";
  g.textBaseline = "middle";
  g.fillText(text, x, y);
  g.restore();
}

function drawPitchRow(g, x, w, h) {
  const top = 196, bottom = h - 8;
  if (!PITCH) return label(g, 9, (top + bottom) / 2, `no pitch: ${tracks.dub.why_no_f0}`, `声の高さなし: ${tracks.dub.why_no_f0_ja}`, colours.soft);
  const y = (st) => bottom - ((Math.max(PITCH[0], Math.min(PITCH[1], st)) - PITCH[0]) / (PITCH[1] - PITCH[0])) * (bottom - top);
  const marks = drawHertz(g, PITCH, y, 0, w);
  drawPitch(g, tracks.original.f0, view.from, view.to, x, y, colours.original, 1.6, view.to - view.from < 40);
  drawPitch(g, tracks.dub.f0, view.from, view.to, x, y, colours.dub, 1.8, false);
  drawMarks(g, marks, 46);
  for (const [place, name] of ["original", "dub"].entries()) {
    const why = tracks[name].why_no_f0;
    if (why) label(g, 54, top + 14 * place, `no pitch of the ${name}: ${why}`, `${name === "dub" ? "吹替" : "原音"}の声の高さなし: ${tracks[name].why_no_f0_ja}`, colours.soft);
  }
  return undefined;
}

const timeUnder = (event) => {
  const box = main.getBoundingClientRect();
  return view.from + ((event.clientX - box.left) / box.width) * (view.to - view.from);
};
function lineAt(t) {
  const away = (line) => Math.min(...[line.at, line.dub || line.at].map(([a, b]) => Math.max(a - t, t - b, 0)));
  let best = null;
  for (const [k, line] of lines.entries()) if (away(line) < Math.min(0.4, best === null ? 9 : away(lines[best]))) best = k;
  return best;
}

const fingers = new Map();
let drag = null;
main.addEventListener("pointerdown", (e) => {
  fingers.set(e.pointerId, e.clientX);
  main.setPointerCapture(e.pointerId);
  drag = { x: e.clientX, from: view.from, to: view.to, moved: false, apart: apart() };
});
const apart = () => (fingers.size === 2 ? Math.abs([...fingers.values()][0] - [...fingers.values()][1]) : 0);
main.addEventListener("pointermove", (e) => {
  const t = timeUnder(e), k = lineAt(t);
  byId("under").textContent = timecode(t) + (k === null ? "" : `  ·  ${lines[k].id}  ${lines[k].who}`);
  if (!drag || !fingers.has(e.pointerId)) return;
  fingers.set(e.pointerId, e.clientX);
  const span = drag.to - drag.from;
  if (fingers.size === 2 && drag.apart) {
    const middle = (drag.from + drag.to) / 2, half = ((span / 2) * drag.apart) / Math.max(10, apart());
    drag.moved = true;
    return void setView(middle - half, middle + half);
  }
  if (Math.abs(e.clientX - drag.x) > 4) drag.moved = true;
  if (drag.moved) setView(drag.from - ((e.clientX - drag.x) / main.clientWidth) * span, drag.to - ((e.clientX - drag.x) / main.clientWidth) * span);
});
const lift = (e) => {
  if (drag && !drag.moved && e.type === "pointerup") {
    const k = lineAt(timeUnder(e));
    if (k !== null) choose(k);
  }
  fingers.delete(e.pointerId);
  drag = null;
};
main.addEventListener("pointerup", lift);
main.addEventListener("pointercancel", lift);
main.addEventListener("wheel", (e) => {
  const span = view.to - view.from;
  if (e.ctrlKey || e.metaKey) zoom(Math.exp(Math.max(-60, Math.min(60, e.deltaY)) / 160), timeUnder(e));
  else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) setView(view.from + ((e.deltaX || e.deltaY) / 900) * span, view.to + ((e.deltaX || e.deltaY) / 900) * span);
  else return;
  e.preventDefault();
}, { passive: false });
main.addEventListener("keydown", (e) => {
  const step = (view.to - view.from) / 5;
  if (e.key === "ArrowLeft") setView(view.from - step, view.to - step);
  else if (e.key === "ArrowRight") setView(view.from + step, view.to + step);
  else if (e.key === "Enter") { const k = lineAt((view.from + view.to) / 2); if (k !== null) choose(k); }
  else return;
  e.preventDefault();
});
const moveOver = (e) => {
  const box = over.getBoundingClientRect(), half = (view.to - view.from) / 2;
  const t = ((e.clientX - box.left) / box.width) * data.duration_s;
  setView(t - half, t + half);
};
over.addEventListener("pointerdown", (e) => { over.setPointerCapture(e.pointerId); moveOver(e); });
over.addEventListener("pointermove", (e) => { if (e.buttons) moveOver(e); });
