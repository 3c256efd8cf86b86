// The table of lines: sorts, filters, and is walked through with the keyboard.
const body = document.querySelector("#lines tbody");
const rows = [...body.rows];
const filter = { flagged: false, text: "", who: "", outcome: "" };
const folded = (text) => text.normalize("NFKC").toLowerCase();
const haystacks = lines.map((line) => folded([line.id, line.who, line.text, ...[...line.own, ...line.touching].flatMap((n) => [findings[n].en, findings[n].ja, findings[n].rule])].join(" ")));

function matches(k) {
  const line = lines[k];
  return (!filter.flagged || isFlagged(line)) && (!filter.who || line.who === filter.who)
    && (!filter.outcome || line.outcome === filter.outcome) && (!filter.text || haystacks[k].includes(filter.text));
}
function applyFilter() {
  let shown = 0;
  for (const row of rows) {
    const on = matches(Number(row.dataset.k));
    row.classList.toggle("hidden", !on);
    shown += on ? 1 : 0;
  }
  byId("none").classList.toggle("hidden", shown > 0);
  byId("flagged").setAttribute("aria-pressed", String(filter.flagged));
  byId("all").setAttribute("aria-pressed", String(!filter.flagged));
}

const KEYS = {
  start: (row) => Number(row.dataset.start),
  rank: (row) => Number(row.dataset.rank),
  late: (row) => (row.dataset.late === "" ? -Infinity : Math.abs(Number(row.dataset.late))),
  character: (row) => lines[row.dataset.k].who,
  text: (row) => lines[row.dataset.k].text,
};
function sortBy(button) {
  const head = button.closest("th"), key = KEYS[button.dataset.sort];
  const first = ["rank", "late"].includes(button.dataset.sort) ? "descending" : "ascending";
  const now = head.getAttribute("aria-sort");
  const order = now === null ? first : now === "ascending" ? "descending" : "ascending";
  for (const other of document.querySelectorAll("#lines th[aria-sort]")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  const sign = order === "ascending" ? 1 : -1;
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0);
  const keyed = rows.map((row) => [key(row), row]);
  keyed.sort((a, b) => sign * compare(a[0], b[0]) || a[1].dataset.k - b[1].dataset.k);
  body.append(...keyed.map((pair) => pair[1]));
}

function markRow(k, scroll) {
  for (const row of body.querySelectorAll("[aria-selected]")) row.removeAttribute("aria-selected");
  const row = rows[k];
  if (!matches(k)) {
    Object.assign(filter, { flagged: false, text: "", who: "", outcome: "" });
    byId("search").value = byId("who").value = byId("outcome").value = "";
    applyFilter();
  }
  row.setAttribute("aria-selected", "true");
  if (scroll && innerWidth > 1020) row.scrollIntoView({ block: "nearest" });
}

// The next line in the order of the table, flagged ones alone where asked; round at the ends.
function step(by, flaggedOnly) {
  const shown = [...body.rows].filter((row) => !row.classList.contains("hidden") && (!flaggedOnly || isFlagged(lines[row.dataset.k])));
  if (!shown.length) return;
  const all = [...body.rows], here = selected.k === null ? -1 : all.indexOf(rows[selected.k]);
  const places = shown.map((row) => all.indexOf(row));
  const next = by > 0 ? places.find((p) => p > here) ?? places[0] : places.findLast((p) => p < here) ?? places.at(-1);
  choose(Number(all[next].dataset.k));
}
const stepFlagged = (by) => {
  if (!lines.some((line) => isFlagged(line))) return;
  if (![...body.rows].some((row) => !row.classList.contains("hidden") && isFlagged(lines[row.dataset.k]))) {
    Object.assign(filter, { text: "", who: "", outcome: "" });
    applyFilter();
  }
  step(by, true);
};

body.addEventListener("click", (e) => {
  const row = e.target.closest("tr");
  if (row) choose(Number(row.dataset.k), { scroll: false, toDetail: true });
});
for (const button of document.querySelectorAll("#lines th button")) button.addEventListener("click", () => sortBy(button));
byId("flagged").addEventListener("click", () => { filter.flagged = true; applyFilter(); });
byId("all").addEventListener("click", () => { filter.flagged = false; applyFilter(); });
byId("search").addEventListener("input", (e) => { filter.text = folded(e.target.value.trim()); applyFilter(); });
byId("who").addEventListener("change", (e) => { filter.who = e.target.value; applyFilter(); });
byId("outcome").addEventListener("change", (e) => { filter.outcome = e.target.value; applyFilter(); });
for (const who of [...new Set(lines.map((line) => line.who))].filter(Boolean)) byId("who").append(el("option", { value: who }, who));
byId("n-flagged").textContent = String(lines.filter(isFlagged).length);
