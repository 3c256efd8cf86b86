"use strict";
(function () {
  const D = JSON.parse(document.getElementById("data").textContent);
  const $ = (s) => document.querySelector(s);
  const RANK = { block: 5, hold: 4, unknown: 3, warn: 2, waived: 1, pass: 0, not_applicable: -1 };
  const JA = { why: "理由", passed: "合格した項目と対象外の項目", timeline: "タイムライン", original: "原音", dub: "吹替", unmeasured: "未測定", hint: "行をクリック、j / k で次・前の指摘、o / d で再生、+ / − で拡大縮小", line: "台詞", lines: "台詞一覧", numbers: "測定値", how: "判定の方法" };
  const EN = {}; document.querySelectorAll("[data-t]").forEach((e) => { EN[e.dataset.t] = e.textContent; });
  let lang = "en", selected = null, zoom = 1, offset = 0, sortKey = "start", up = true;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const el = (tag, cls, text) => { const e = document.createElement(tag); if (cls) e.className = cls; if (text !== undefined) e.textContent = text; return e; };

  function findingNode(f) {
    const box = el("div", "finding " + f.outcome);
    box.append(el("span", "tag", f.outcome.replace("_", " ")));
    const say = el("p", "say", lang === "ja" ? f.ja : f.en); box.append(say);
    const facts = [f.when, f.value && f.bound ? f.value + " (wanted " + f.bound + ")" : f.value, f.remedy, f.who ? "→ " + f.who : ""].filter(Boolean).join(" · ");
    if (facts) box.append(el("p", "more", facts));
    if (f.why) box.append(el("p", "more", f.why + " · " + f.rule + " · " + f.source));
    if (f.line) { const b = el("button", "", f.line); b.addEventListener("click", () => select(f.line, true)); box.append(b); }
    return box;
  }
  function drawFindings() {
    const bad = D.findings.filter((f) => RANK[f.outcome] >= 2).sort((a, b) => RANK[b.outcome] - RANK[a.outcome]);
    const good = D.findings.filter((f) => RANK[f.outcome] < 2);
    const top = $("#findings"); top.replaceChildren(...bad.slice(0, 60).map(findingNode));
    if (!bad.length) top.append(el("p", "pass", lang === "ja" ? "問題は見つかりませんでした。" : "Nothing was found that fails."));
    if (bad.length > 60) top.append(el("p", "dim", "+ " + (bad.length - 60)));
    const rules = new Map(); good.forEach((f) => { const k = f.rule + " " + f.outcome; rules.set(k, { f, n: (rules.get(k) || { n: 0 }).n + 1 }); });
    $("#passed").replaceChildren(...[...rules.values()].map(({ f, n }) => { const p = el("p", f.outcome === "pass" ? "pass" : "dim"); p.textContent = f.rule + " ×" + n + ": " + (lang === "ja" ? f.ja : f.en); return p; }));
  }

  const C = $("#time"), X = C.getContext("2d");
  function fit() { const r = Math.min(2, window.devicePixelRatio || 1); C.width = C.clientWidth * r; C.height = 230 * r; C.style.height = "230px"; X.setTransform(r, 0, 0, r, 0, 0); }
  const span = () => D.duration / zoom;
  const x = (t) => ((t - offset) / span()) * C.clientWidth;
  function curve(series, hop, y0, h, lo, hi, color) {
    X.strokeStyle = color; X.lineWidth = 1.2; X.beginPath(); let pen = false;
    const a = Math.max(0, Math.floor(offset / hop)), b = Math.min(series.length, Math.ceil((offset + span()) / hop));
    const step = Math.max(1, Math.floor((b - a) / (C.clientWidth * 2)));
    for (let k = a; k < b; k += step) { const v = series[k]; if (v === null) { pen = false; continue; } const px = x(k * hop), py = y0 + h - ((v - lo) / (hi - lo)) * h; if (pen) X.lineTo(px, py); else X.moveTo(px, py); pen = true; }
    X.stroke();
  }
  function wave(series, hop, y0, h, color) {
    X.fillStyle = color; const W = C.clientWidth;
    for (let p = 0; p < W; p++) { const t = offset + (p / W) * span(), k = Math.floor(t / hop); if (k >= series.length) break; const k2 = Math.max(k + 1, Math.floor((offset + ((p + 1) / W) * span()) / hop)); let m = -90; for (let i = k; i < Math.min(k2, series.length); i++) if (series[i] > m) m = series[i]; const a = Math.max(0, (m + 70) / 60) * h / 2; X.fillRect(p, y0 + h / 2 - a, 1, 2 * a); }
  }
  function draw() {
    fit(); const W = C.clientWidth; X.clearRect(0, 0, W, 230); X.font = "11px system-ui";
    wave(D.original.energy, D.original.energy_hop, 18, 44, css("--orig")); wave(D.dub.energy, D.dub.energy_hop, 66, 44, css("--dub"));
    D.lines.forEach((l) => {
      const a = x(l.start), b = x(l.end); if (b < 0 || a > W) return;
      const color = l.rank >= 2 ? css("--" + l.outcome) : css("--edge");
      X.fillStyle = color; X.globalAlpha = l.rank >= 2 ? 0.9 : 0.7; X.fillRect(a, 114, Math.max(2, b - a - 1), 14); X.globalAlpha = 1;
      if (l.id === selected) { X.strokeStyle = css("--focus"); X.lineWidth = 2; X.strokeRect(a, 12, Math.max(3, b - a), 212); }
      if (b - a > 34) { X.fillStyle = l.rank >= 2 ? css("--card") : css("--dim"); X.fillText(l.id, a + 4, 125); }
    });
    curve(D.original.pitch, D.original.pitch_hop, 134, 86, D.low, D.high, css("--orig")); curve(D.dub.pitch, D.dub.pitch_hop, 134, 86, D.low, D.high, css("--dub"));
    X.fillStyle = css("--dim"); const every = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800].find((s) => (s / span()) * W > 70) || 3600;
    for (let t = Math.ceil(offset / every) * every; t < offset + span(); t += every) { X.fillText(Math.floor(t / 60) + ":" + String(Math.round(t % 60)).padStart(2, "0"), x(t) + 2, 10); X.fillRect(x(t), 0, 1, 6); }
  }
  C.addEventListener("click", (e) => { const t = offset + (e.offsetX / C.clientWidth) * span(); const l = D.lines.find((l) => t >= l.start && t <= l.end); if (l) select(l.id, false); });
  C.addEventListener("wheel", (e) => { if (!e.ctrlKey && Math.abs(e.deltaX) < Math.abs(e.deltaY)) return; e.preventDefault(); if (e.ctrlKey) zoomAt(e.deltaY < 0 ? 1.3 : 1 / 1.3); else offset += (e.deltaX / C.clientWidth) * span(); clamp(); draw(); }, { passive: false });
  function clamp() { zoom = Math.min(Math.max(1, D.duration / 2), Math.max(1, zoom)); offset = Math.max(0, Math.min(D.duration - span(), offset)); }
  function zoomAt(f) { const l = D.lines.find((l) => l.id === selected), mid = l ? (l.start + l.end) / 2 : offset + span() / 2; zoom *= f; clamp(); offset = mid - span() / 2; clamp(); draw(); }

  function select(id, scroll) {
    const l = D.lines.find((l) => l.id === id); if (!l) return; selected = id;
    if (l.start < offset || l.end > offset + span()) { offset = l.start - span() / 2; clamp(); }
    draw(); detail(l); rows();
    if (scroll) $("#detail").scrollIntoView({ block: "nearest" });
  }
  function detail(l) {
    const box = $("#detail"); box.replaceChildren();
    const head = el("div", ""); head.append(el("b", l.rank >= 2 ? l.outcome : "", l.id + (l.character ? " · " + l.character : "") + " · " + l.timecode)); box.append(head);
    if (l.text) box.append(el("p", "", l.text));
    const c = el("canvas"); c.id = "line"; c.setAttribute("role", "img"); c.setAttribute("aria-label", "Pitch of original and dub in this line"); box.append(c);
    const m = D.media[l.id];
    if (m) { const p = el("div", "players"); for (const track of ["original", "dub"]) if (m[track]) { const d = el("div"), a = el("audio"); a.controls = true; a.preload = "none"; a.src = m[track]; a.id = "play-" + track; const label = el("label", "", (lang === "ja" ? JA : EN)[track]); d.append(label, a); p.append(d); } box.append(p); }
    D.findings.filter((f) => f.line === l.id && RANK[f.outcome] >= 2).sort((a, b) => RANK[b.outcome] - RANK[a.outcome]).forEach((f) => box.append(findingNode(Object.assign({}, f, { line: null }))));
    if (l.rank < 2) box.append(el("p", "pass", lang === "ja" ? "この台詞に問題はありません。" : "Nothing fails in this line."));
    lineCanvas(c, l);
  }
  function lineCanvas(c, l) {
    const r = Math.min(2, window.devicePixelRatio || 1), W = c.clientWidth, H = 120; c.width = W * r; c.height = H * r; c.style.height = H + "px"; const g = c.getContext("2d"); g.scale(r, r);
    const a = Math.max(0, l.start - 0.5), b = l.end + 1;
    for (const [track, color] of [[D.original, css("--orig")], [D.dub, css("--dub")]]) {
      g.strokeStyle = color; g.lineWidth = 2; g.beginPath(); let pen = false;
      for (let k = Math.floor(a / track.pitch_hop); k < Math.min(track.pitch.length, b / track.pitch_hop); k++) { const v = track.pitch[k]; if (v === null) { pen = false; continue; } const px = ((k * track.pitch_hop - a) / (b - a)) * W, py = H - 8 - ((v - D.low) / (D.high - D.low)) * (H - 16); if (pen) g.lineTo(px, py); else g.moveTo(px, py); pen = true; }
      g.stroke();
    }
    g.fillStyle = css("--edge"); g.fillRect(((l.start - a) / (b - a)) * W, 0, 1, H); g.fillRect(((l.end - a) / (b - a)) * W, 0, 1, H);
  }

  function shown() {
    const q = $("#search").value.toLowerCase(), who = $("#who").value, state = $("#state").value;
    const list = D.lines.filter((l) => (!who || l.character === who) && (!state || l.outcome === state) && (!q || (l.id + " " + (l.character || "") + " " + l.text).toLowerCase().includes(q)));
    const key = (l) => (l[sortKey] === null || l[sortKey] === undefined ? -1e9 : l[sortKey]);
    return list.sort((a, b) => { const p = key(a), q2 = key(b); const c = p < q2 ? -1 : p > q2 ? 1 : 0; return up ? c : -c; });
  }
  function rows() {
    const body = $("#lines tbody"), parts = document.createDocumentFragment();
    shown().forEach((l) => {
      const tr = el("tr"); tr.tabIndex = 0; tr.dataset.id = l.id; tr.setAttribute("aria-selected", String(l.id === selected));
      const cells = [[l.id, ""], [l.timecode, "num"], [l.character || "", ""], [l.text, ""], [l.onset === null ? "–" : l.onset.toFixed(2) + " s", "num hide-small"], [l.heard === null ? "–" : Math.round(l.heard * 100) + " %", "num hide-small"], [l.outcome.replace("_", " "), l.outcome]];
      cells.forEach(([t, c]) => tr.append(el("td", c, t))); parts.append(tr);
    });
    body.replaceChildren(parts);
  }
  $("#lines tbody").addEventListener("click", (e) => { const tr = e.target.closest("tr"); if (tr) select(tr.dataset.id, true); });
  $("#lines tbody").addEventListener("keydown", (e) => { if (e.key === "Enter") { const tr = e.target.closest("tr"); if (tr) select(tr.dataset.id, true); } });
  document.querySelectorAll("#lines th button").forEach((b) => b.addEventListener("click", () => { up = sortKey === b.dataset.k ? !up : b.dataset.k !== "rank"; sortKey = b.dataset.k; rows(); }));
  ["#search", "#who", "#state"].forEach((s) => $(s).addEventListener("input", rows));
  function numbers() { $("#numbers tbody").replaceChildren(...D.measurements.map((m) => { const tr = el("tr"); tr.append(el("td", "", m.metric), el("td", "", m.of), el("td", m.value === null ? "unknown" : "num", m.shown), el("td", "dim", lang === "ja" ? m.ja : m.en)); return tr; })); }
  function step(by) { const bad = D.lines.filter((l) => l.rank >= 2); if (!bad.length) return; const k = bad.findIndex((l) => l.id === selected); select(bad[(k + by + bad.length) % bad.length].id, true); }
  function play(track) { const a = document.getElementById("play-" + track); if (!a) return; document.querySelectorAll("audio").forEach((o) => { if (o !== a) o.pause(); }); if (a.paused) a.play(); else a.pause(); }
  document.addEventListener("keydown", (e) => { if (/INPUT|SELECT|TEXTAREA/.test(e.target.tagName) || e.ctrlKey || e.metaKey || e.altKey) return; const act = { j: () => step(1), k: () => step(-1), o: () => play("original"), d: () => play("dub"), "+": () => zoomAt(1.6), "=": () => zoomAt(1.6), "-": () => zoomAt(1 / 1.6) }[e.key]; if (act) { e.preventDefault(); act(); } });
  function speak(to) { lang = to; document.documentElement.lang = to; $("#en").setAttribute("aria-pressed", String(to === "en")); $("#ja").setAttribute("aria-pressed", String(to === "ja")); document.querySelectorAll("[data-t]").forEach((e) => { e.textContent = to === "ja" ? JA[e.dataset.t] || EN[e.dataset.t] : EN[e.dataset.t]; }); drawFindings(); numbers(); const l = D.lines.find((l) => l.id === selected); if (l) detail(l); }
  $("#en").addEventListener("click", () => speak("en")); $("#ja").addEventListener("click", () => speak("ja"));
  const who = $("#who"); who.append(new Option("all characters", "")); [...new Set(D.lines.map((l) => l.character).filter(Boolean))].forEach((c) => who.append(new Option(c, c)));
  window.addEventListener("resize", () => { draw(); const l = D.lines.find((l) => l.id === selected); if (l) detail(l); });
  speak(D.lang); rows(); draw();
  const first = D.lines.find((l) => l.rank >= 3) || D.lines.find((l) => l.rank >= 2) || D.lines[0]; if (first) select(first.id, false);
})();
