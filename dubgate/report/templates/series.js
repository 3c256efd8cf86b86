// Levels and pitch as bytes, with coarser copies so that drawing an hour costs no more than drawing a line.
const COARSER = 8;

function unpack(packed) {
  if (!packed) return null;
  const raw = atob(packed.bytes), bytes = new Uint8Array(raw.length);
  for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
  return { hop: packed.hop_s, bytes };
}

function withCoarser(series) {
  series.levels = [series.bytes];
  while (series.levels.at(-1).length > 4000) {
    const fine = series.levels.at(-1), coarse = new Uint8Array(Math.ceil(fine.length / COARSER));
    for (let k = 0; k < fine.length; k++) {
      const place = (k / COARSER) | 0;
      if (fine[k] > coarse[place]) coarse[place] = fine[k];
    }
    series.levels.push(coarse);
  }
  return series;
}

const tracks = {};
for (const name of ["original", "dub"]) {
  const told = data.tracks[name];
  tracks[name] = { ...told, energy: withCoarser(unpack(told.energy)), f0: unpack(told.f0) };
}

// What is drawn at full height: a level that both tracks pass in half a percent of their time only.
function fullHeightDb() {
  let top = -40;
  for (const name of ["original", "dub"]) {
    const bytes = tracks[name].energy.bytes, counts = new Uint32Array(256);
    for (const byte of bytes) counts[byte] += 1;
    let left = bytes.length * 0.005, byte = 255;
    while (byte > 0 && left >= counts[byte]) left -= counts[byte--];
    if (bytes.length) top = Math.max(top, byte / data.scale.a_db + data.scale.lowest_db);
  }
  return top;
}
const FULL_DB = fullHeightDb(), SHOWN_DB = 48;

// The loudest of a stretch, 0 to 1; between decibels (too even) and amplitude (too spiky) to the eye.
function loudest(energy, from, to) {
  let level = 0, hop = energy.hop;
  while (level + 1 < energy.levels.length && (to - from) / hop > 2 * COARSER) {
    level += 1;
    hop *= COARSER;
  }
  const values = energy.levels[level];
  const last = Math.min(values.length - 1, Math.max(Math.floor(from / hop), Math.ceil(to / hop) - 1));
  let top = 0;
  for (let k = Math.max(0, Math.floor(from / hop)); k <= last; k++) if (values[k] > top) top = values[k];
  const db = top / data.scale.a_db + data.scale.lowest_db;
  return Math.max(0, Math.min(1, (db - FULL_DB) / SHOWN_DB + 1)) ** 2;
}

const NO_PITCH = NaN;
function semitonesAt(f0, k) {
  const byte = f0.bytes[k];
  return byte ? (byte - 1) / data.scale.a_st : NO_PITCH;
}

// Semitones above the lowest, over which all pitch of the programme spreads, with a little room.
function pitchRange() {
  const counts = new Uint32Array(256);
  let n = 0;
  for (const name of ["original", "dub"]) {
    for (const byte of tracks[name].f0 ? tracks[name].f0.bytes : []) if (byte) { counts[byte] += 1; n += 1; }
  }
  if (!n) return null;
  const at = (share) => {
    let left = share * n, byte = 0;
    while (byte < 255 && left >= 0) left -= counts[++byte];
    return (byte - 1) / data.scale.a_st;
  };
  const low = at(0.01), high = at(0.99), room = Math.max(1.5, (8 - (high - low)) / 2);
  return [low - room, high + room];
}
const PITCH = pitchRange();

function medianPitch(f0, from, to) {
  if (!f0) return null;
  const found = [];
  for (let k = Math.max(0, Math.ceil(from / f0.hop)); k < Math.min(f0.bytes.length, to / f0.hop); k++) {
    if (f0.bytes[k]) found.push(semitonesAt(f0, k));
  }
  found.sort((a, b) => a - b);
  return found.length ? found[found.length >> 1] : null;
}

const hertz = (semitones) => data.scale.lowest_hz * 2 ** (semitones / 12);
const semitonesOf = (hz) => 12 * Math.log2(hz / data.scale.lowest_hz);

// Pitch as a line over [from, to]; unvoiced stretches part it. `x` and `y` place a time and a pitch.
function drawPitch(g, f0, from, to, x, y, colour, width, dashed) {
  if (!f0) return;
  const first = Math.max(0, Math.floor(from / f0.hop)), last = Math.min(f0.bytes.length - 1, Math.ceil(to / f0.hop));
  const step = Math.max(1, Math.floor((last - first) / (4 * Math.max(1, x(to) - x(from)))));
  g.save();
  g.strokeStyle = g.fillStyle = colour;
  g.lineWidth = width;
  g.lineJoin = g.lineCap = "round";
  if (dashed) g.setLineDash([1, 2.6]);
  if (step > 1) {
    for (let k = first; k <= last; k += step) if (f0.bytes[k]) g.fillRect(x(k * f0.hop) - 0.9, y(semitonesAt(f0, k)) - 0.9, 1.8, 1.8);
    g.restore();
    return;
  }
  g.beginPath();
  let before = NaN;
  for (let k = first; k <= last; k++) {
    const st = semitonesAt(f0, k);
    if (!Number.isNaN(st)) {
      const joined = !Number.isNaN(before) && Math.abs(st - before) < 5;
      g[joined ? "lineTo" : "moveTo"](x((k + 0.5) * f0.hop), y(st));
    }
    before = st;
  }
  g.stroke();
  g.restore();
}

// A level envelope from a base line: `grow` is the height of full scale, negative upwards.
function drawEnvelope(g, energy, from, to, left, right, base, grow, colour) {
  g.fillStyle = colour;
  const step = (to - from) / (right - left);
  for (let px = Math.floor(left); px < right; px++) {
    const start = from + (px - left) * step;
    if (start + step < 0) continue;
    const height = loudest(energy, start, start + step) * grow;
    if (height) g.fillRect(px, height < 0 ? base + height : base, 1, Math.abs(height));
  }
}

function sizeCanvas(canvas) {
  const scale = window.devicePixelRatio || 1, { clientWidth: w, clientHeight: h } = canvas;
  if (canvas.width !== Math.round(w * scale) || canvas.height !== Math.round(h * scale)) {
    canvas.width = Math.round(w * scale);
    canvas.height = Math.round(h * scale);
  }
  const g = canvas.getContext("2d");
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, w, h);
  g.font = "11px system-ui, sans-serif";
  return { g, w, h };
}
