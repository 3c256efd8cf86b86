// Original and dub of one line, side by side: one plays and the other waits at the same moment, or both play at once.
const player = { track: "dub", line: null, playing: false, looping: false, failed: "", turn: 0, listeners: [] };
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

const leading = () => (player.track === "both" ? "dub" : player.track);
const sounding = () => (player.track === "both" ? ["original", "dub"] : [player.track]);
// While a seek to the end is under way a sound has not "ended" yet, and playing from there is silence.
const atEnd = (sound) => sound.ended || sound.currentTime >= sound.duration - 0.02;
const hasSound = () => player.line !== null && clipOf(lines[player.line]) !== null;
const soundTime = () => sounds[leading()].currentTime || 0;
// The moment of the programme that is heard now.
const playhead = () => (player.line === null ? null : lines[player.line].window[0] + soundTime());

function tellPlayer() {
  for (const listener of player.listeners) listener();
}

function stopSound() {
  player.playing = false;
  player.turn += 1;
  sounds.original.pause();
  sounds.dub.pause();
  tellPlayer();
}

async function playSound(from) {
  if (!hasSound()) return;
  const at = from === undefined ? soundTime() : Math.max(0, from);
  for (const name of ["original", "dub"]) {
    if (!sounding().includes(name)) sounds[name].pause();
    else if (from !== undefined || player.track === "both") sounds[name].currentTime = at;
  }
  const turn = (player.turn += 1);
  player.playing = true;
  player.failed = "";
  tellPlayer();
  try {
    await Promise.all(sounding().map((name) => sounds[name].play()));
  } catch (error) {
    // A play that a later key ended before it began has not failed, and the later one's state is not its to change.
    if (turn !== player.turn) return;
    player.playing = false;
    player.failed = String(error.message || error);
    tellPlayer();
  }
  follow(turn);
}

function chooseTrack(name) {
  const at = soundTime(), was = player.playing;
  for (const sound of Object.values(sounds)) sound.pause();
  player.track = name;
  if (was) playSound(at);
  else if (hasSound()) for (const each of sounding()) sounds[each].currentTime = at;
  tellPlayer();
}

function togglePlay() {
  if (player.playing) stopSound();
  else playSound(atEnd(sounds[leading()]) ? 0 : soundTime());
}

function toggleLoop() {
  player.looping = !player.looping;
  tellPlayer();
}

function follow(turn) {
  if (!player.playing || turn !== player.turn) return;
  tellPlayer();
  requestAnimationFrame(() => follow(turn));
}
for (const name of ["original", "dub"]) {
  sounds[name].preload = "auto";
  sounds[name].addEventListener("ended", () => {
    if (leading() !== name || !player.playing) return;
    if (player.looping) playSound(0);
    else stopSound();
  });
}
