// The chosen line: what is wrong with it in a sentence, how it sounds, and the numbers behind.
const selected = { k: null };
const detail = byId("detail");

function choose(k, options = {}) {
  selected.k = k;
  loadLine(k);
  renderDetail();
  markRow(k, options.scroll !== false);
  showLine(lines[k]);
  if (options.toDetail && detail.getBoundingClientRect().bottom > innerHeight + 200) detail.scrollIntoView({ block: "start" });
}

function renderDetail() {
  const k = selected.k, line = lines[k];
  const told = [...line.own, ...line.touching].map((n) => findings[n]);
  told.sort((a, b) => RANK.indexOf(b.outcome) - RANK.indexOf(a.outcome));
  const canvas = el("canvas", { id: "figure", role: "img", ...named(`Level and pitch of line ${line.id}, original and dub`, `台詞${line.id}の音量と声の高さ（原音と吹替）`) });
  detail.replaceChildren(
    heading(line, k),
    line.text ? el("p", { class: "script", dir: "auto" }, line.text) : "",
    line.original_text ? el("p", { class: "heard", dir: "auto" }, line.original_text) : "",
    heardWords(line),
    controls(line),
    canvas,
    ...told.map(findingCard),
    line.n_passed ? el("p", { class: "passed" }, tag("pass"), both(` ${line.n_passed}${told.length ? " other" : ""} check${line.n_passed > 1 ? "s" : ""} of this line`, ` この台詞の${line.n_passed}項目`)) : "",
    numbers(line),
  );
  canvas.addEventListener("click", (e) => {
    const box = canvas.getBoundingClientRect(), inner = box.width - 52;
    playSound(((e.clientX - box.left - 44) / inner) * (line.window[1] - line.window[0]));
  });
  drawFigure(canvas, line);
}

function heading(line, k) {
  const step = (by) => el("button", { type: "button", "data-step": by, ...(by > 0 ? named("Next flagged line", "次の指摘箇所") : named("Previous flagged line", "前の指摘箇所")), onclick: () => { stepFlagged(by); detail.querySelector(`[data-step="${by}"]`).focus(); } }, by > 0 ? "↓" : "↑");
  const times = `${timecode(line.at[0])} – ${timecode(line.at[1])}`;
  const title = el("h3", {}, both(`Line ${line.id}`, `台詞 ${line.id}`), line.who ? ` · ${line.who}` : "");
  return el("div", { class: "top" },
    el("div", {}, title, el("div", { class: "small soft num" }, times, line.kind === "dialogue" ? "" : both(` · ${line.kind}`, ` · ${line.kind_ja}`)), tag(line.outcome)),
    el("div", { class: "no-print" }, step(-1), step(1)));
}

function heardWords(line) {
  if (line.heard === null) return "";
  return el("p", { class: "heard" }, both("heard: ", "聞こえた語: "), line.heard || both("nothing", "なし"));
}

function controls(line) {
  if (!hasSound()) {
    const why = data.why_no_sound || "", whyJa = data.why_no_sound_ja || why;
    return el("p", { class: "small soft player" }, both(`No sound of this line is in the report. ${why}`, `この台詞の音声はレポートに含まれていません。${whyJa}`));
  }
  const track = (name, en, ja) => el("button", { type: "button", "data-track": name, "aria-pressed": String(player.track === name), onclick: () => chooseTrack(name) }, both(en, ja));
  return el("div", { class: "player" },
    el("button", { type: "button", class: "play", id: "play", onclick: togglePlay }, both("▶ Play", "▶ 再生")),
    el("span", { class: "segment", role: "group", ...named("Track", "音声") }, track("original", "Original", "原音"), track("dub", "Dub", "吹替"), track("both", "Both", "同時")),
    el("button", { type: "button", id: "loop", "aria-pressed": String(player.looping), onclick: toggleLoop }, both("Loop", "繰り返し")),
    el("span", { class: "num small soft", id: "sound-time", "aria-live": "off" }));
}

function findingCard(f) {
  const row = (en, ja, ...value) => (value.some((v) => v) ? [el("dt", {}, both(en, ja)), el("dd", {}, ...value)] : []);
  return el("article", { class: `finding ${f.outcome}` },
    tag(f.outcome),
    el("p", { class: "say" }, both(f.en, f.ja)),
    el("dl", { class: "more" },
      ...(f.value ? row("measured", "測定値", both(f.value, f.value_ja)) : []),
      ...(f.bound ? row("wanted", "基準", both(f.bound, f.bound_ja)) : []),
      ...(f.why ? row(...(f.required ? ["required", "必要なこと"] : ["why", "理由"]), both(f.why, f.why_ja)) : []),
      ...(f.remedy ? row("do", "対処", both(f.remedy, f.remedy_ja)) : []),
      ...(f.who ? row("who can resolve it", "判断できる人", both(f.who, f.who_ja)) : []),
      ...(f.decided_by.length ? row("decided by", "決定の根拠", both(f.decided_by.join(", "), f.decided_by_ja.join("、"))) : []),
      ...row("rule", "規則", el("span", { class: "mono" }, f.rule), ` ${f.pack}${f.source ? ` · ${f.source}` : ""}`)));
}

function numbers(line) {
  const rows = line.measured.map(([name, value, why, valueJa, whyJa]) => {
    const metric = data.metrics[name] || { en: name, ja: name };
    return el("tr", {}, el("td", {}, both(metric.en, metric.ja)), el("td", { class: value ? "num" : "small soft" }, value ? both(value, valueJa) : both(`not measured: ${why}`, `測定不能: ${whyJa}`)));
  });
  if (!rows.length) return "";
  return el("details", {}, el("summary", { class: "small" }, both("All numbers of this line", "この台詞の測定値")), el("table", {}, el("tbody", {}, ...rows)));
}

function refreshSound() {
  const canvas = byId("figure");
  if (canvas && selected.k !== null) drawFigure(canvas, lines[selected.k]);
  for (const button of detail.querySelectorAll("[data-track]")) button.setAttribute("aria-pressed", String(button.dataset.track === player.track));
  const loop = byId("loop");
  if (loop) loop.setAttribute("aria-pressed", String(player.looping));
  const play = byId("play");
  if (play) play.replaceChildren(player.playing ? both("❚❚ Pause", "❚❚ 一時停止") : both("▶ Play", "▶ 再生"));
  const time = byId("sound-time");
  if (time) time.textContent = player.failed ? player.failed : soundTime() ? timecode(playhead()) : "";
  drawTimeline();
}
player.listeners.push(refreshSound);
