"""Spoken consent from recordings that flite makes on the spot: who said what, when; each refusal is its own."""

from __future__ import annotations

import json
import shutil
import subprocess
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from made_delivery import ENCODER, NOW, D, axis, make_world, sha

from consent.errors import RecordError
from consent.registry import Registry
from consent.spoken import VALID_FOR, SpokenConsent, SpokenPhrase, new_phrase
from dubgate.cli.main import run
from dubgate.enrolling import Recording
from dubgate.spoken import Said, WordsHeard, check_spoken, hear_words, said_it
from dubgate.unmeasured import Unmeasured


@dataclass
class Desk:
    """A registry in which Karl is enrolled without `match`, its clock, and a phrase for him."""

    registry: Registry
    now: list[datetime]
    folder: Path
    phrase: SpokenPhrase

    def recording(self, name: str = "said") -> Path:
        path = self.folder / f"{name}.wav"
        path.write_bytes(name.encode())
        return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoken")
    make_world(folder)
    return folder


@pytest.fixture
def desk(place: Path, tmp_path: Path) -> Iterator[Desk]:
    for name in ("registry.db", "registry.db.key"):
        shutil.copy(place / name, tmp_path / name)
    now = [NOW]
    with Registry.open(tmp_path / "registry.db", clock=lambda: now[0]) as registry:
        phrase = new_phrase("v-karl", "op-1", NOW)
        registry.add(phrase)
        yield Desk(registry, now, tmp_path, phrase)


def voice(k: int, **changes: object) -> Recording:
    heard = Recording(axis(k), 9.0, 3, 1, 0.0, ENCODER, -20.0, 40.0)
    return replace(heard, **changes)  # type: ignore[arg-type]


def checked(
    desk: Desk,
    words: tuple[str, ...] | None = None,
    *,
    score: float | Unmeasured = -0.7,
    speaker: Recording | None = None,
    name: str = "said",
    voice_id: str = "v-karl",
) -> Said:
    told = WordsHeard(desk.phrase.words if words is None else words, score, 9.0, "7" * 64)

    def listen(_: Path) -> Recording:
        assert speaker is not None, "the voice was listened to before the words were right"
        return speaker

    return check_spoken(
        desk.registry,
        voice_id,
        desk.recording(name),
        desk.phrase.phrase_id,
        by="op-1",
        hear=lambda *_: told,
        listen=listen,
    )


def test_the_words_then_the_voice_are_accepted_and_kept_as_evidence(desk: Desk) -> None:
    said = checked(desk, speaker=voice(3))
    assert said.accepted
    with desk.registry.view() as view:
        kept = view.record(f"spoken:{said.evidence.spoken_id}", SpokenConsent)
    assert kept == said.evidence
    assert (said.evidence.word_error_rate, said.evidence.speech_s, said.evidence.refused_at) == (0.0, 9.0, None)
    assert said.evidence.match_llr is not None
    assert said.evidence.match_llr > 5


def test_another_voice_is_refused_at_the_voice(desk: Desk) -> None:
    said = checked(desk, speaker=voice(5))
    assert (said.accepted, said.evidence.refused_at) == (False, "voice")
    assert "It is not v-karl." in said.told[-1]


@pytest.mark.parametrize("changes", [{"n_voices": 2}, {"speech_s": 1.0}, {"vector": np.zeros(D, np.float32)}])
def test_a_voice_that_cannot_be_told_is_refused_at_the_voice(desk: Desk, changes: dict[str, object]) -> None:
    said = checked(desk, speaker=voice(3, **changes))
    assert (said.evidence.refused_at, said.evidence.match_llr) == ("voice", None)
    assert said.evidence.not_compared


@pytest.mark.parametrize(
    ("keep", "score"),
    [(4, -0.7), (0, -0.7), (8, -7.0), (8, Unmeasured("no speech"))],
    ids=["other", "none", "text", "?"],
)
def test_other_words_are_refused_before_anybody_listens_to_the_voice(
    desk: Desk, keep: int, score: float | Unmeasured
) -> None:
    said = checked(desk, desk.phrase.words[:keep], score=score)
    assert said.evidence.refused_at == "words"
    assert (said.evidence.speech_s, said.evidence.match_llr, said.evidence.encoder_sha256) == (None, None, None)


def test_without_an_enrolment_the_words_alone_are_evidence_and_say_so(desk: Desk) -> None:
    phrase = new_phrase("v-jonas-private", "op-1", NOW)
    desk.registry.add(phrase)
    said = checked(replace(desk, phrase=phrase), speaker=voice(5), voice_id="v-jonas-private")
    assert said.accepted
    assert "not compared" in said.told[-1]
    assert "no enrolment" in str(said.evidence.not_compared)


def test_a_phrase_expired_used_or_of_another_and_a_replayed_recording_are_refused(desk: Desk) -> None:
    with pytest.raises(RecordError, match="issued for v-karl"):
        checked(desk, voice_id="v-otto")
    checked(desk, (), name="first")
    with pytest.raises(RecordError, match="handed in before"):
        checked(desk, name="first")
    assert checked(desk, speaker=voice(3), name="second").accepted
    with pytest.raises(RecordError, match="said before"):
        checked(desk, name="third")
    fresh = new_phrase("v-karl", "op-1", NOW)
    desk.registry.add(fresh)
    desk.now[0] += VALID_FOR
    with pytest.raises(RecordError, match="expired"):
        checked(replace(desk, phrase=fresh), name="fourth")


Make = Callable[[str], Path]


@pytest.fixture(scope="module")
def flite(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Says a text into a file."""
    if shutil.which("flite") is None:
        pytest.skip("no synthetic voice to say phrases with: flite is not installed")
    pytest.importorskip("pocketsphinx", reason="dubgate[audio] is not installed")
    folder = tmp_path_factory.mktemp("flite")

    def say(text: str) -> Path:
        path = folder / "said.wav"
        subprocess.run(["flite", "-voice", "rms", "-t", text, "-o", str(path)], check=True)
        return path

    return say


SAMPLE = new_phrase("v-karl", "op-1", NOW).model_copy(
    update={"words": ("rabbit", "five", "engine", "message", "window", "elephant", "sailor", "orange")}
)


def wrong(heard: WordsHeard) -> bool:
    return not said_it(SAMPLE, heard)


def test_flite_says_the_phrase_and_is_understood_in_the_child(flite: Make) -> None:
    heard = hear_words(flite(SAMPLE.text), SAMPLE)
    assert not wrong(heard), heard


def test_flite_says_other_words_and_is_not(flite: Make) -> None:
    other = ["camera", "river", "seven", "tiger", "balcony", "winter", "pencil", "zero"]
    assert wrong(hear_words(flite(f"{SAMPLE.statement}: {', '.join(other)}."), SAMPLE))


def test_flite_says_the_words_behind_another_statement_and_is_not(flite: Make) -> None:
    other = "The weather was fine when we walked home and nobody told us to hurry"
    assert wrong(hear_words(flite(f"{other}: {', '.join(SAMPLE.words)}."), SAMPLE))


def test_silence_says_nothing(tmp_path: Path) -> None:
    pytest.importorskip("pocketsphinx", reason="dubgate[audio] is not installed")
    path = tmp_path / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 16_000 * 4))
    heard = hear_words(path, SAMPLE)
    assert heard.words == ()
    assert wrong(heard)


def test_the_commands_issue_a_phrase_and_say_what_came_of_it(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--registry", str(desk.folder / "registry.db"), "--by", "op-1", "--format", "json")

    def asked(*words: str) -> tuple[int, dict[str, Any]]:
        code = run(["consent", *words, *where])
        out = capsys.readouterr()
        return code, json.loads(out.out) if out.out else {"error": out.err}

    def spoken(name: str, k: int) -> tuple[int, dict[str, Any]]:
        told = WordsHeard(tuple(issued["text"].rpartition(": ")[2].rstrip(".").split(", ")), -0.7, 9.0, "7" * 64)
        with (
            patch("dubgate.spoken.hear_words", lambda *_: told),
            patch("dubgate.enrolling.hear_voice", lambda *_, **__: voice(k)),
        ):
            return asked("spoken", "v-karl", str(desk.recording(name)), "--phrase", issued["phrase_id"])

    code, issued = asked("phrase", "v-karl")
    assert code == 0
    code, refused = spoken("first", 5)
    assert (code, refused["accepted"], refused["refused_at"]) == (1, False, "voice")
    code, used = spoken("second", 3)
    assert code == 2
    assert "said before" in used["error"]
    code, issued = asked("phrase", "v-karl", "--minutes", "5")
    code, accepted = spoken("third", 3)
    assert (code, accepted["accepted"], accepted["recording_sha256"]) == (0, True, sha("third"))
