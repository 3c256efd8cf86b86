// The data of the page, and elements that say a thing in both languages.
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const { lines, findings } = data;
const root = document.documentElement;
root.classList.add("scripted");

const OUTCOMES = {
  block: ["block", "不可", "✕"], hold: ["hold", "保留", "!"], unknown: ["not known", "判定不能", "?"],
  warn: ["note", "注意", "i"], waived: ["waived", "容認", "~"], pass: ["passed", "合格", "✓"],
  not_applicable: ["not asked", "対象外", "–"],
};
const RANK = ["not_applicable", "pass", "waived", "warn", "unknown", "hold", "block"];
const isFlagged = (line) => RANK.indexOf(line.outcome) > 2;

// An element with children; strings become text, never markup.
function el(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  return made;
}

function both(en, ja) {
  const made = document.createDocumentFragment();
  // Where nobody wrote it in Japanese, the Japanese page shows the English, marked as English.
  made.append(el("span", { class: "t", lang: "en" }, en), el("span", { class: "t", lang: "ja" }, ja || el("span", { lang: "en" }, en)));
  return made;
}

// The name that a screen reader says, in the language of the page; setLanguage says it again.
function named(en, ja) {
  return { "aria-label": root.dataset.lang === "ja" ? ja : en, "data-label-en": en, "data-label-ja": ja };
}

function icon(outcome) {
  return el("span", { class: "icon", "aria-hidden": "true" }, OUTCOMES[outcome][2]);
}

function tag(outcome) {
  return el("span", { class: `tag ${outcome}` }, icon(outcome), both(OUTCOMES[outcome][0], OUTCOMES[outcome][1]));
}

// SMPTE ST 12-1: the label of the frame on screen at a time of the programme.
function timecode(seconds) {
  const [num, den] = data.clock.rate;
  const nominal = Math.round(num / den);
  let frame = data.clock.start + Math.floor((Math.round(seconds * 1e6) * num) / den / 1e6 + 0.001);
  const dropped = (minutes) => (data.clock.drop ? (nominal / 15) * (minutes - Math.floor(minutes / 10)) : 0);
  const day = nominal * 86400 - dropped(1440);
  frame = ((frame % day) + day) % day;
  if (data.clock.drop) {
    const drop = nominal / 15, minute = 60 * nominal - drop;
    const tens = Math.floor(frame / (10 * minute + drop)), rest = frame % (10 * minute + drop);
    frame += drop * (9 * tens + Math.floor(Math.max(0, rest - drop) / minute));
  }
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  const s = Math.floor(frame / nominal);
  return `${two(s / 3600)}:${two((s / 60) % 60)}:${two(s % 60)}${data.clock.drop ? ";" : ":"}${two(frame % nominal)}`;
}

const colours = {};
function readColours() {
  const style = getComputedStyle(root);
  for (const name of ["ground", "card", "edge", "edge2", "ink", "soft", "block", "hold", "unknown", "warn", "pass", "waived", "none", "original", "dub", "original-t", "dub-t", "head", "focus", "sel"]) {
    colours[name] = style.getPropertyValue(`--${name}`).trim();
  }
  colours.not_applicable = colours.none;
}
