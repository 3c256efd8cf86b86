// Original and dub of one line, side by side: one plays, the other waits at the same moment.
const player = { track: "dub", line: null, playing: false, listeners: [] };
let clips = null;
const sounds = { original: new Audio(), dub: new Audio() };

function clipOf(line) {
  if (clips === null) {
    clips = JSON.parse(byId("clips").textContent);
    byId("clips").remove();
  }
  return Object.hasOwn(clips, line.key) ? clips[line.key] : null;
}

function loadLine(k) {
  stopSound();
  player.line = k;
  const clip = clipOf(lines[k]);
  for (const [place, name] of ["original", "dub"].entries()) {
    if (clip) sounds[name].src = clip[place];
    else sounds[name].removeAttribute("src");
  }
}

const hasSound = () => player.line !== null && clipOf(lines[player.line]) !== null;
const soundTime = () => sounds[player.track].currentTime || 0;
// The moment of the programme that is heard now.
const playhead = () => (player.line === null ? null : lines[player.line].window[0] + soundTime());

function tellPlayer() {
  for (const listener of player.listeners) listener();
}

function stopSound() {
  player.playing = false;
  sounds.original.pause();
  sounds.dub.pause();
  tellPlayer();
}

async function playSound(from) {
  if (!hasSound()) return;
  const sound = sounds[player.track];
  sounds[player.track === "dub" ? "original" : "dub"].pause();
  if (from !== undefined) sound.currentTime = Math.max(0, from);
  player.playing = true;
  tellPlayer();
  try {
    await sound.play();
  } catch (error) {
    player.playing = false;
    player.failed = String(error.message || error);
    tellPlayer();
  }
  follow();
}

function chooseTrack(name) {
  const at = soundTime(), was = player.playing;
  sounds[player.track].pause();
  player.track = name;
  if (was) playSound(at);
  else if (hasSound()) sounds[name].currentTime = at;
  tellPlayer();
}

function togglePlay() {
  if (player.playing) stopSound();
  else playSound(sounds[player.track].ended ? 0 : soundTime());
}

function follow() {
  if (!player.playing) return;
  tellPlayer();
  requestAnimationFrame(follow);
}
for (const name of ["original", "dub"]) {
  sounds[name].preload = "auto";
  sounds[name].addEventListener("ended", () => { if (player.track === name) stopSound(); });
}
