"""How the embedded aligner's score parts texts that were said from texts that were not, on synthetic voices.

    python tests/bench/fit_scores.py [--sentences 60] [--noise-db 20]

flite (awb rms slt kal16) and festival speak sentences of 1 to 4 s; each sound is scored against its own text and
against another of about the same length. The limits in measure/evidence.py were chosen from this table.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from dubgate.features import Floats
from dubgate.speech.sphinx_aligner import PlacedText, PocketSphinxAligner

SENTENCES = """
I told you not to open that door.
Where were you last night?
The ship leaves at dawn, with or without us.
Nobody saw him after the storm.
Put the gun down, Michael.
We have less than ten minutes left.
My father built this house with his own hands.
She never wanted to be a queen.
Are you listening to me?
The doctor said it was nothing serious.
Come back tomorrow and bring the money.
It was raining when the train arrived.
I have been looking for you everywhere.
Don't tell anyone what you saw here.
They will never find us in the mountains.
Thank you for everything.
You should have called the police.
The children are sleeping upstairs.
He paid for it with his life.
What did the old man give you?
There is something wrong with the engine.
Let me go with you.
I remember every word she said.
The war ended before I was born.
Close your eyes and count to twenty.
We found the letter under the floor.
Is that supposed to scare me?
The king is dead and the city is burning.
I will meet you by the river at noon.
Nothing will ever be the same again.
You are not my brother anymore.
Tell her that I love her.
The bridge was destroyed during the night.
Keep your voice down, they can hear us.
He works at the hospital on the corner.
I do not believe in ghosts.
That was the best day of my life.
Please, sit down and have some coffee.
The map shows a path through the forest.
How much longer do we have to wait?
She took the last bus to the village.
Give me one good reason to trust you.
The lights went out all over the town.
We are going to need a bigger boat.
I can hear footsteps behind the wall.
His name is written on the stone.
You promised you would stay.
The judge will make a decision on Friday.
Nobody leaves this room until I say so.
I think we are lost.
There were five of them, maybe six.
The water is too cold to swim.
Why did you keep it a secret?
He was a soldier, a husband and a friend.
The sun will rise in an hour.
Take the second road on the left.
I never learned how to dance.
The whole family came to the wedding.
If you break it, you pay for it.
We should have stayed at home.
""".strip().splitlines()
VOICES = ("awb", "rms", "slt", "kal16", "kdlpc16k")
PAD_S = 0.3
LIKELY_OTHERS = 5  # another text is drawn from this many of the nearest length


def speak(text: str, voice: str, folder: Path) -> Floats:
    """The sentence by one voice at 16 kHz [shape=(n,)], with 0.3 s of silence around it."""
    path = folder / "spoken.wav"
    if voice == "kdlpc16k":
        subprocess.run(["text2wave", "-F", "16000", "-o", str(path)], input=text.encode(), check=True)
    else:
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
    sound, rate = soundfile.read(path, dtype="float32")
    assert rate == 16_000
    return np.pad(np.asarray(sound, dtype=np.float32), int(PAD_S * rate))


def with_noise(sound: Floats, noise_db: float | None, rng: np.random.Generator) -> Floats:
    """White noise so many dB below the sound's RMS."""
    if noise_db is None:
        return sound
    level = np.sqrt(np.mean(sound**2)) * 10 ** (-noise_db / 20)
    return (sound + level * rng.standard_normal(sound.size)).astype(np.float32)


def other_text(index: int, rng: np.random.Generator) -> str:
    """A sentence of about the same length."""
    own = SENTENCES[index]
    nearest = sorted((abs(len(s) - len(own)), k) for k, s in enumerate(SENTENCES) if k != index)
    return SENTENCES[nearest[int(rng.integers(LIKELY_OTHERS))][1]]


def table(name: str, placed: list[PlacedText]) -> None:
    """Percentiles of line scores and of word scores, in nats per frame."""
    lines = [p.score for p in placed]
    words = [np.log(max(w.prob, 1e-6)) for p in placed for w in p.words]
    for kind, scores in (("line", lines), ("word", words)):
        cells = "".join(f"{q:8.2f}" for q in np.percentile(scores, (0, 1, 5, 25, 50, 75, 95, 99, 100)))
        print(f"{name:6}{kind:6}{len(scores):6}{cells}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=len(SENTENCES))
    parser.add_argument("--noise-db", type=float, default=None)
    options = parser.parse_args()
    if not (shutil.which("flite") and shutil.which("text2wave")):
        raise SystemExit("flite and festival (text2wave) must be installed")
    rng = np.random.default_rng(1)
    sounds, own, other = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for voice in VOICES:
            for k in range(min(options.sentences, len(SENTENCES))):
                sounds.append(with_noise(speak(SENTENCES[k], voice, Path(folder)), options.noise_db, rng))
                own.append(SENTENCES[k])
                other.append(other_text(k, rng))
    aligner = PocketSphinxAligner()
    print(
        f"{'text':6}{'':6}{'n':>6}"
        + "".join(f"{p:>8}" for p in ("min", *(f"p{q}" for q in (1, 5, 25, 50, 75, 95, 99)), "max"))
    )
    for name, texts in (("own", own), ("other", other)):
        table(name, [p for p in aligner.align(sounds, texts, language="en") if isinstance(p, PlacedText)])


if __name__ == "__main__":
    main()
