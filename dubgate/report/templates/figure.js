// One line seen closely: the original's level above, the dub's below, both melodies, the words that were heard.
function drawFigure(canvas, line) {
  const { g, w, h } = sizeCanvas(canvas);
  const [from, to] = line.window, left = 44, right = w - 8;
  const x = (t) => left + ((t - from) / (to - from)) * (right - left);
  const middle = 54, reach = 44, top = 112, bottom = h - 28;
  drawSeconds(g, from, to, x, 0, h - 16, h);
  drawSlot(g, line, x, middle, reach);
  drawEnvelope(g, tracks.original.energy, from, to, left, right, middle - 1, -reach, colours.original);
  drawEnvelope(g, tracks.dub.energy, from, to, left, right, middle + 1, reach, colours.dub);
  label(g, 4, middle - reach / 2, "original", "原音", colours.original);
  label(g, 4, middle + reach / 2, "dub", "吹替", colours.dub);
  if (PITCH) drawMelodies(g, line, x, left, right, top, bottom);
  else label(g, left, (top + bottom) / 2, "no pitch was measured", "声の高さは測れませんでした", colours.soft);
  drawWords(g, line, x, right, h);
  drawHead(g, x, 0, h - 16, from, to);
}

function label(g, x, y, en, ja, colour) {
  g.fillStyle = colour;
  g.textBaseline = "middle";
  g.textAlign = "left";
  g.fillText(root.dataset.lang === "ja" ? ja : en, x, y);
}

function drawSeconds(g, from, to, x, y0, y1, h) {
  const step = [0.5, 1, 2, 5].find((s) => (to - from) / s < 9) || 10;
  g.textBaseline = "alphabetic";
  g.textAlign = "center";
  for (let t = Math.ceil(from / step) * step; t < to; t += step) {
    g.fillStyle = colours.edge;
    g.fillRect(x(t), y0, 1, y1 - y0);
    g.fillStyle = colours.soft;
    if (x(t) > 60 && x(t) < x(to) - 14) g.fillText(`${(t - from).toFixed(step < 1 ? 1 : 0)} s`, x(t), h - 4);
  }
}

function drawSlot(g, line, x, middle, reach) {
  g.fillStyle = colours["original-t"];
  g.fillRect(x(line.at[0]), middle - reach, x(line.at[1]) - x(line.at[0]), reach);
  const dub = line.dub || line.at;
  g.fillStyle = colours["dub-t"];
  g.fillRect(x(dub[0]), middle, x(dub[1]) - x(dub[0]), reach);
  g.fillStyle = colours.edge2;
  g.fillRect(x(line.window[0]), middle, x(line.window[1]) - x(line.window[0]), 1);
}

function drawMelodies(g, line, x, left, right, top, bottom) {
  const spans = [["original", line.at], ["dub", line.dub || line.at]];
  const middles = spans.map(([name, span]) => medianPitch(tracks[name].f0, ...span)).filter((m) => m !== null);
  const low = Math.min(...middles, Infinity), high = Math.max(...middles, -Infinity);
  const range = middles.length ? [low - 7, high + 7] : PITCH;
  const y = (st) => bottom - ((Math.max(range[0], Math.min(range[1], st)) - range[0]) / (range[1] - range[0])) * (bottom - top);
  const marks = drawHertz(g, range, y, left, right);
  drawPitch(g, tracks.original.f0, ...line.window, x, y, colours.original, 2, true);
  drawPitch(g, tracks.dub.f0, ...line.window, x, y, colours.dub, 2.2, false);
  drawMarks(g, marks, left);
}

function drawHertz(g, range, y, left, right) {
  let before = Infinity;
  const marks = [];
  for (const hz of [50, 60, 75, 100, 125, 150, 200, 250, 300, 400, 500]) {
    const st = semitonesOf(hz);
    if (st < range[0] + 0.5 || st > range[1] - 0.5 || before - y(st) < 15) continue;
    before = y(st);
    g.fillStyle = colours.edge;
    g.fillRect(left, y(st), right - left, 1);
    marks.push([hz, y(st)]);
  }
  return marks;
}

function drawMarks(g, marks, left) {
  g.textAlign = "right";
  g.textBaseline = "middle";
  for (const [hz, y] of marks) {
    g.fillStyle = colours.card;
    g.globalAlpha = 0.8;
    g.fillRect(left - 42, y - 8, 40, 16);
    g.globalAlpha = 1;
    g.fillStyle = colours.soft;
    g.fillText(`${hz} Hz`, left - 4, y);
  }
}

function drawWords(g, line, x, right, h) {
  g.textBaseline = "alphabetic";
  g.textAlign = "center";
  g.fillStyle = colours.ink;
  let free = 0;
  for (const [text, start, end] of line.words || []) {
    const middle = x((start + end) / 2), half = g.measureText(text).width / 2;
    if (middle - half < free || middle + half > right) continue;
    g.fillText(text, middle, h - 18);
    free = middle + half + 4;
  }
}

function drawHead(g, x, y0, y1, from, to) {
  const at = playhead();
  if (at === null || at < from || at > to || (!player.playing && !soundTime())) return;
  g.fillStyle = colours.head;
  g.fillRect(x(at) - 0.75, y0, 1.5, y1 - y0);
}
