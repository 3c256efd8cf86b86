"use strict";
// Passkeys. A form with data-passkey does one ceremony: its answer goes into the form's field `answer`, then it is sent.
const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

function say(form, key) {
  const place = form.querySelector("[role=alert]");
  if (place) { place.textContent = form.dataset[key] || form.dataset.failed; place.hidden = false; place.focus(); }
}

// What DSSE signs: the statement that stands on this page, with its lengths.
async function challengeOfShown(element) {
  const payload = new TextEncoder().encode(element.textContent);
  const kind = "application/vnd.in-toto+json";
  const head = new TextEncoder().encode(`DSSEv1 ${kind.length} ${kind} ${payload.length} `);
  const whole = new Uint8Array(head.length + payload.length);
  whole.set(head); whole.set(payload, head.length);
  return base64url(await crypto.subtle.digest("SHA-256", whole));
}

const described = (list) => (list || []).map((c) => ({ ...c, id: bytes(c.id) }));

async function create(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: described(options.excludeCredentials) };
  const made = await navigator.credentials.create({ publicKey });
  const response = { attestationObject: base64url(made.response.attestationObject),
    clientDataJSON: base64url(made.response.clientDataJSON), transports: made.response.getTransports() };
  return { id: made.id, rawId: base64url(made.rawId), type: made.type, response, clientExtensionResults: {} };
}

async function get(options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: described(options.allowCredentials) };
  const said = await navigator.credentials.get({ publicKey });
  const response = { authenticatorData: base64url(said.response.authenticatorData),
    clientDataJSON: base64url(said.response.clientDataJSON), signature: base64url(said.response.signature),
    userHandle: said.response.userHandle ? base64url(said.response.userHandle) : null };
  return { id: said.id, rawId: base64url(said.rawId), type: said.type, response, clientExtensionResults: {} };
}

async function ceremony(form) {
  const options = JSON.parse(form.dataset.options);
  const shown = form.dataset.shown && document.getElementById(form.dataset.shown);
  if (shown && (await challengeOfShown(shown)) !== options.challenge) { say(form, "differs"); return false; }
  const answer = form.dataset.passkey === "create" ? await create(options) : await get(options);
  form.elements.answer.value = JSON.stringify(answer);
  return true;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  let done = false;
  form.addEventListener("submit", (event) => {
    if (done) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    if (!window.PublicKeyCredential) { say(form, "missing"); button.disabled = false; return; }
    ceremony(form)
      .then((good) => { button.disabled = false; if (good) { done = true; form.requestSubmit(); } })
      .catch(() => { say(form, "failed"); button.disabled = false; });
  });
}

// Deadlines stand in UTC, as they count; beside them what the visitor's own clock shows then.
for (const time of document.querySelectorAll("time[data-own]")) {
  const then = new Date(time.dateTime);
  if (Number.isNaN(then.getTime()) || then.getTimezoneOffset() === 0) continue;
  const clock = then.getDate() === then.getUTCDate() ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" };
  const lang = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang; // days before months, as elsewhere
  const shown = new Intl.DateTimeFormat(lang, clock).format(then);
  const own = document.createElement("span");
  own.className = "own";
  own.textContent = ` (${time.dataset.own}: ${shown})`;
  time.append(own);
}

// A form that was sent is not sent again by a second click; the server counts it once in any case.
for (const form of document.querySelectorAll("form[method=post]:not([data-passkey])")) {
  form.addEventListener("submit", () => setTimeout(() => form.querySelectorAll("button").forEach((b) => (b.disabled = true))));
}

// Short excerpts: one player for the page; a second press stops it.
const player = new Audio();
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-excerpt]");
  if (!button) return;
  const url = button.dataset.excerpt;
  if (!player.paused && player.src.endsWith(url)) { player.pause(); return; }
  player.src = url;
  player.play().catch(() => {});
});
document.querySelectorAll("button[data-print]").forEach((b) => b.addEventListener("click", () => window.print()));
document.querySelectorAll("[data-needs-script]").forEach((e) => { e.hidden = false; });
