// Language, light and dark, keys; and what is shown first.
function remember(key, value) {
  try { localStorage.setItem(`dubgate.${key}`, value); } catch { /* a page that may keep nothing still works */ }
}
function remembered(key) {
  try { return localStorage.getItem(`dubgate.${key}`); } catch { return null; }
}

function setLanguage(lang) {
  root.lang = root.dataset.lang = lang;
  for (const button of document.querySelectorAll("[data-set-lang]")) button.setAttribute("aria-pressed", String(button.dataset.setLang === lang));
  for (const said of document.querySelectorAll("[data-en]")) {
    if (said.tagName === "INPUT") said.placeholder = said.dataset[lang];
    else said.textContent = said.dataset[lang];
  }
  for (const told of document.querySelectorAll("[data-label-ja]")) told.setAttribute("aria-label", lang === "ja" ? told.dataset.labelJa : told.dataset.labelEn);
  refreshSound();
}
for (const button of document.querySelectorAll("[data-set-lang]")) button.addEventListener("click", () => { setLanguage(button.dataset.setLang); remember("lang", button.dataset.setLang); });

const darkBySystem = matchMedia("(prefers-color-scheme: dark)");
function setTheme(theme) {
  if (theme) root.dataset.theme = theme;
  readColours();
  refreshSound();
}
byId("theme").addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : darkBySystem.matches;
  setTheme(dark ? "light" : "dark");
  remember("theme", root.dataset.theme);
});
darkBySystem.addEventListener("change", () => setTheme(null));

document.addEventListener("click", (e) => {
  const place = e.target.closest("[data-at]");
  if (!place) return;
  const t = Number(place.dataset.at);
  const k = place.dataset.line === undefined ? lineAt(t) : lines.findIndex((line) => line.key === place.dataset.line);
  if (k !== null && k >= 0) choose(k);
  else setView(t - 8, t + 8);
  byId("time-h").scrollIntoView({ block: "start" });
});
for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => zoomTo(button.dataset.zoom));
function zoomTo(what) {
  if (what === "in") zoom(0.5);
  else if (what === "out") zoom(2);
  else if (what === "all") setView(0, data.duration_s);
  else if (selected.k !== null) setView(lines[selected.k].window[0] - 1, lines[selected.k].window[1] + 1);
}

const ACTIONS = {
  j: () => stepFlagged(1), k: () => stepFlagged(-1), n: () => step(1, false), p: () => step(-1, false),
  " ": togglePlay, o: () => chooseTrack("original"), d: () => chooseTrack("dub"), b: () => chooseTrack("both"), l: toggleLoop,
  "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: () => setView(0, data.duration_s),
  "/": () => byId("search").focus(), "?": () => byId("help").showModal(),
};
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || !byId("keys-on").checked || byId("help").open) return;
  if (e.target.closest("input, select, textarea")) return void (e.key === "Escape" && e.target.blur());
  if (e.key === " " && e.target.closest("button, summary, a")) return;
  const action = ACTIONS[e.key.length === 1 ? e.key.toLowerCase() : e.key];
  if (!action) return;
  e.preventDefault();
  action();
});
byId("keys").addEventListener("click", () => byId("help").showModal());

// Paper is light, and shows what is folded away; all of it at once, since printing does not wait.
const beforePaper = {};
addEventListener("beforeprint", () => {
  beforePaper.theme = root.dataset.theme;
  beforePaper.folded = [...document.querySelectorAll("details:not([open])")];
  for (const folded of beforePaper.folded) folded.open = true;
  root.dataset.theme = "light";
  readColours();
  drawOverview();
  drawMain();
});
addEventListener("afterprint", () => {
  for (const folded of beforePaper.folded || []) folded.open = false;
  if (beforePaper.theme) root.dataset.theme = beforePaper.theme;
  else delete root.dataset.theme;
  setTheme(null);
});
addEventListener("resize", refreshSound);

const firstFlagged = lines.findIndex(isFlagged);
readColours();
setTheme(remembered("theme"));
setLanguage(remembered("lang") || root.dataset.lang);
if (firstFlagged >= 0 && lines.length > 40) filter.flagged = true;
applyFilter();
if (data.duration_s > 150 && lines.length) {
  const at = lines[Math.max(0, firstFlagged)].at[0];
  setView(at - 20, at + 40);
}
if (lines.length) choose(Math.max(0, firstFlagged), { scroll: false });
else detail.classList.add("hidden");
