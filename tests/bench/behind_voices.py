"""Who speaks and what plays in the scenes of `behind_scenes.py`: two splits that share no speaker, no text and no music.

DEVELOPMENT is what the search's bounds were chosen with (LibriSpeech, LJ Speech, the first German reader, the German dubs, flite's slt, rms and
awb) and what they may be changed with. HELD_OUT was in no scene that anybody looked at: measure with it, choose nothing with it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from dubgate.features import Floats

DEBIAN = Path(__file__).resolve().parents[2] / "out/debian"  # where Debian's packages are unpacked
RATE_HZ = 16_000
LEVEL = 0.05  # RMS where a voice speaks, -26 dBFS
PAUSE_S = 0.25  # between two utterances
LONGEST_S = 90.0
PACKAGES = (
    *(f"asterisk-core-sounds-{language}-g722" for language in ("en", "es", "fr", "it", "ru")),
    "extremetuxracer-data",
)
ENGLISH = (
    "The ferry was late again, and nobody on the quay could say why. She had counted eleven gulls before the first light came on. "
    "He kept the receipt in a tin box beneath the stairs, with forty others. What the mechanic heard was not the engine but the wind. "
    "Bring two onions, half a cabbage and whatever the neighbours will part with. They painted the door green because green was what they had."
)
_TEXTS = {
    "pl": "Wczoraj wieczorem padał deszcz i nikt nie wyszedł z domu. Pociąg do Krakowa odjeżdża z peronu trzeciego. "
    "Kupiłem chleb, masło i dwa kilogramy jabłek. Moja siostra uczy się grać na skrzypcach od siedmiu lat.",
    "ja": "きのうのよるはあめがふりました。わたしはえきまであるいていきました。このみせのパンはとてもおいしいです。"
    "あしたのあさはちじにあいましょう。ともだちがてがみをくれました。",
    "nl": "De trein naar Utrecht vertrekt van spoor negen. Gisteren heeft het de hele dag geregend. "
    "Mijn buurman repareert oude fietsen in zijn schuur. We hebben brood, kaas en appels gekocht op de markt.",
}


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """The voices [each shape=(n,), 16 kHz, LEVEL where it speaks] and the music [each shape=(2, n)] of a split."""

    voices: Mapping[str, Floats]
    music: Mapping[str, Floats]
    same: tuple[str, str]  # two recordings of one speaker
    seed: int
    small: bool  # whether rooms are drawn with even or odd numbers


def development(speech: Path, debian: Path) -> Material:
    readers = {folder.name: sorted(folder.glob("*.flac")) for folder in sorted((speech / "librispeech").iterdir())}
    first = readers.pop("1688")
    files = {
        **readers,
        "1688 a": first[:5],
        "1688 b": first[5:],
        "lj": sorted((speech / "ljspeech").glob("*.flac")),
        "german a": _german(speech, 1, 16),
        "german b": _german(speech, 21, 36),
        "german synthesis": [speech / "dubs/de_HW-TSC-Constrained.flac"],
    }
    voices = {name: _talker([_read(p) for p in paths]) for name, paths in files.items()}
    voices |= {v: _made("flite", "-voice", v, "-t", ENGLISH, "-o") for v in ("slt", "rms", "awb")}
    voices["espeak nl"] = _made("espeak-ng", "-v", "nl+m2", _TEXTS["nl"], "-w")
    return Material(voices, _music(debian, ("calmrace-ks", "spunkyrace-ks")), ("1688 a", "1688 b"), 1, True)


def held_out(speech: Path, debian: Path) -> Material:
    prompts = debian / "usr/share/asterisk/sounds"
    told = {
        "allison": "en_US_f_Allison",
        "allison in spanish": "es_MX_f_Allison",
        "june": "fr_CA_f_June",
        "carlo": "it_IT_m_Carlo",
        "russian": "ru_RU_f_IvrvoiceRU",
    }
    voices = {name: _talker(_prompts(prompts / folder)) for name, folder in told.items()}
    files = {
        "german c": _german(speech, 41, 51),
        "german d": _german(speech, 56, 101),
        "talk": [speech / "dubs/original_en.flac"],
        "spanish synthesis": [speech / "dubs/es_StrongBaseline.flac"],
        "french synthesis": [speech / "dubs/fr_APV-Unconstrained.flac"],
    }
    voices |= {name: _talker([_read(p) for p in paths]) for name, paths in files.items()}
    voices["kal16"] = _made("flite", "-voice", "kal16", "-t", ENGLISH, "-o")
    voices["ked"] = _made("text2wave", "-o", text=ENGLISH)
    voices["espeak pl"] = _made("espeak-ng", "-v", "pl+m7", _TEXTS["pl"], "-w")
    voices["espeak ja"] = _made("espeak-ng", "-v", "ja+f4", _TEXTS["ja"], "-w")
    music = _music(debian, ("freezingpoint", "start1-jt", "race1-jt", "credits1-cp"))
    return Material(voices, music, ("allison", "allison in spanish"), 2, False)


SPLITS: Mapping[str, Callable[[Path, Path], Material]] = {"development": development, "held-out": held_out}


def lacking(speech: Path, debian: Path) -> str:
    """What must be here, in words; empty where all of it is: with fewer voices the figures would be others'."""
    if not speech.is_dir():
        return "no real speech: shared/speech is not beside the checkout (set DUBGATE_SPEECH)"
    if tools := [t for t in ("flite", "espeak-ng", "text2wave") if shutil.which(t) is None]:
        return f"not installed: {', '.join(tools)} (text2wave is festival's, with festvox-kdlpc16k)"
    if not ((debian / "usr/share/asterisk/sounds").is_dir() and (debian / "usr/share/games/etr/music").is_dir()):
        return f"unpack Debian's {', '.join(PACKAGES)} into {debian} (apt-get download NAME; dpkg -x FILE FOLDER), or name their folder: --debian"
    return ""


def _german(speech: Path, first: int, last: int) -> list[Path]:
    """One reader's lines: the folder holds four readers, one after the other (cosines of GE2E within 0.86 to 0.96, between up to 0.81)."""
    return [p for p in sorted((speech / "pauses_de").glob("*.flac")) if first <= int(p.stem) <= last]


def _read(path: Path) -> Floats:
    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return _at_rate(sound.mean(axis=1), rate)


def _at_rate(sound: Floats, rate: int) -> Floats:
    return np.asarray(sound if rate == RATE_HZ else soxr.resample(sound, rate, RATE_HZ), dtype=np.float32)


def _prompts(folder: Path) -> list[Floats]:
    """The speaker's longest prompts, but for the very longest, which is a list of what there is."""
    import av

    paths = sorted(folder.glob("*.g722"), key=lambda p: (-p.stat().st_size, p.name))[1:9]
    found = []
    for path in paths:
        with av.open(str(path), format="g722") as container:
            frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
        found.append(np.concatenate(frames).astype(np.float32) / 32768)
    return found


def _music(debian: Path, names: Sequence[str]) -> dict[str, Floats]:
    """Stereo recordings of power LEVEL squared."""
    found = {}
    for name in names:
        sound, rate = soundfile.read(debian / f"usr/share/games/etr/music/{name}.ogg", dtype="float32", always_2d=True)
        at_rate = _at_rate(sound[5 * rate : 65 * rate], rate).T
        found[name] = np.asarray(at_rate / np.sqrt(np.mean(np.square(at_rate))) * LEVEL, dtype=np.float32)
    return found


def _made(*command: str, text: str | None = None) -> Floats:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.wav"
        subprocess.run(
            [*command, str(out)], check=True, capture_output=True, input=None if text is None else text.encode()
        )
        return _talker([_read(out)])


def _talker(utterances: Sequence[Floats]) -> Floats:
    """One after the other with short pauses, as loud as LEVEL where somebody speaks."""
    pause = np.zeros(round(PAUSE_S * RATE_HZ), dtype=np.float32)
    whole = np.concatenate([part for said in utterances for part in (said, pause)])[: round(LONGEST_S * RATE_HZ)]
    return np.asarray(whole / active_rms(whole) * LEVEL, dtype=np.float32)


def active_rms(sound: Floats) -> float:
    """Over the windows of 32 ms within 25 dB of the loudest tenth's level."""
    power = np.mean(np.square(sound[: len(sound) // 512 * 512].astype(np.float64)).reshape(-1, 512), axis=1)
    return float(np.sqrt(np.mean(power[power > np.percentile(power, 90) * 10**-2.5])))
