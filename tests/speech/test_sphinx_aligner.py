"""The aligner in arrays gives what PocketSphinx's own decoders give, and refuses what it cannot place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import soundfile
from sphinx_decoders import Decoders

from dubgate.delivery.cues import read_cues
from dubgate.errors import ModelError
from dubgate.features import Floats
from dubgate.speech.pocketsphinx import EnglishModel, packaged_model
from dubgate.speech.sphinx_aligner import PlacedText, PocketSphinxAligner
from dubgate.speech.sphinx_features import N_CEPSTRA, features, n_frames
from dubgate.speech.sphinx_search import Heard, _side_by_side, line_paths
from dubgate.speech.sphinx_weights import ALONE, BEGINS, INSIDE, SCORE_NATS, Phones, read_phones
from dubgate.unmeasured import Unmeasured
from dubgate.wording import spoken_words


@pytest.fixture(scope="module")
def aligner() -> PocketSphinxAligner:
    return PocketSphinxAligner()


@pytest.fixture(scope="module")
def phones() -> Phones:
    return read_phones(packaged_model().acoustic / "mdef")


@dataclass
class Line:
    clip: Floats
    words: tuple[str, ...]


@pytest.fixture(scope="module")
def lines(samples: Path) -> list[Line]:
    """A line with a second of what lies around it, and the same sound with another line's text."""
    sound, rate = soundfile.read(samples / "clean/dub.flac", dtype="float32")
    cues = read_cues(samples / "clean/script.vtt", language="en").cues
    first, last = (round(rate * s) for s in (cues[4].span.start_s - 1, cues[4].span.end_s + 1))
    clip = np.asarray(sound[first:last], dtype=np.float32)
    return [Line(clip, tuple(spoken_words(cues[k].text, "en"))) for k in (4, 8)]


@pytest.fixture(scope="module")
def decoders(tmp_path_factory: pytest.TempPathFactory) -> Decoders:
    return Decoders(packaged_model(), tmp_path_factory.mktemp("logs"))


@pytest.fixture(scope="module")
def heard_free(decoders: Decoders, lines: list[Line]) -> list[tuple[str, int, int, int]]:
    return decoders.free(lines[0].clip)


def test_cepstra_are_those_of_the_package(decoders: Decoders, heard_free: object, lines: list[Line]) -> None:
    theirs = decoders.cepstra()
    ours = features([lines[0].clip, lines[0].clip[:4000]])[0]
    assert ours is not None
    assert ours.shape == (len(theirs), 3 * N_CEPSTRA)
    assert ours[:, :N_CEPSTRA] == pytest.approx(theirs - theirs[theirs[:, 0] >= 0].mean(axis=0), abs=1e-3)


def test_states_score_as_in_the_package(
    decoders: Decoders, heard_free: object, lines: list[Line], aligner: PocketSphinxAligner, phones: Phones
) -> None:
    n = len(phones.codebook)
    theirs = decoders.senones(n)
    found = features([lines[0].clip])[0]
    assert found is not None
    ours = aligner._scores.costs(found, np.arange(n))
    ours -= ours.min(axis=1, keepdims=True)
    assert ours.shape == theirs.shape
    assert np.mean(ours == theirs) > 0.995  # a float may round to the other side
    assert np.abs(ours - theirs).max() <= 40


@pytest.mark.parametrize("which", [0, 1], ids=["said", "not said"])
def test_from_the_packages_scores_come_its_paths_to_the_last_unit(
    which: int,
    decoders: Decoders,
    heard_free: list[tuple[str, int, int, int]],
    lines: list[Line],
    aligner: PocketSphinxAligner,
    phones: Phones,
) -> None:
    costs, line = decoders.senones(len(phones.codebook)), lines[which]
    graph = aligner._graphs.graph([(word, aligner._said(word)) for word in line.words])
    [path] = line_paths([Heard(graph, costs, phones.senones[graph.triples], aligner._moves[graph.phones])])
    ours = [(s.name, s.first, s.last, round(s.score_nats / SCORE_NATS)) for s in path]
    assert ours == decoders.line(line.clip, line.words)
    [free] = aligner._free.scores([costs[:, aligner._free.senones]])
    for _, first, last, score in heard_free:
        assert free[first : last + 1].sum() / SCORE_NATS == pytest.approx(score, abs=1.01)


def test_words_are_placed_in_the_frames_of_the_package_and_score_alike(
    decoders: Decoders,
    heard_free: list[tuple[str, int, int, int]],
    lines: list[Line],
    aligner: PocketSphinxAligner,
) -> None:
    texts = [" ".join(line.words) for line in lines]
    for line, placed in zip(lines, aligner.align([x.clip for x in lines], texts, language="en"), strict=True):
        assert isinstance(placed, PlacedText)
        theirs = [s for s in decoders.line(line.clip, line.words) if s[0] in line.words]
        assert [(w.text, round(100 * w.span.start_s), round(100 * w.span.end_s) - 1) for w in placed.words] == [
            s[:3] for s in theirs
        ]
        assert placed.score == pytest.approx(_score(decoders.line(line.clip, line.words), line, heard_free), abs=0.1)


def _score(path: list[tuple[str, int, int, int]], line: Line, free: list[tuple[str, int, int, int]]) -> float:
    words = [k for k, s in enumerate(path) if s[0] in line.words]
    own = path[words[0] : words[-1] + 1]
    alone = np.concatenate([np.full(last + 1 - first, score / (last + 1 - first)) for _, first, last, score in free])
    first, last = own[0][1], own[-1][2]
    return float(SCORE_NATS * (sum(s[3] for s in own) - alone[first : last + 1].sum()) / (last + 1 - first))


def test_a_phone_between_neighbours_that_the_model_lacks_is_the_nearest_that_it_has(phones: Phones) -> None:
    number, silence = phones.number, phones.silence
    assert phones.in_context(number["ZH"], number["ZH"], number["ZH"], INSIDE) == phones.triple[number["ZH"]]
    assert phones.in_context(number["AA"], silence, number["R"], BEGINS) >= len(phones.names)
    noise = number["+NSN+"]
    assert phones.in_context(number["AA"], noise, silence, ALONE) == phones.in_context(
        number["AA"], silence, silence, ALONE
    )


def test_a_text_of_too_many_words_for_one_line_is_unmeasured(aligner: PocketSphinxAligner) -> None:
    clip = np.zeros(16_000 * 120, np.float32)
    [placed] = aligner.align([clip], ["one two three " * 200], language="en")
    assert placed == Unmeasured("the text and its clip are too long to be placed as one line")


def test_a_text_of_more_sounds_than_there_are_frames_for_is_not_even_looked_for(
    aligner: PocketSphinxAligner, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aligner, "_place", None)
    [placed] = aligner.align([lines[0].clip[:16_000]], ["one two three " * 1000], language="en")
    assert placed == Unmeasured("the text has more sounds than the clip has time for")


def test_lines_that_are_too_many_to_be_traced_at_once_are_searched_apart_and_one_alone_is_unmeasured(
    aligner: PocketSphinxAligner, lines: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    clips, texts = [x.clip for x in lines] * 2, [" ".join(x.words) for x in lines] * 2
    whole = aligner.align(clips, texts, language="en")
    apart = max(n_frames(len(x.clip)) for x in lines) * 400
    monkeypatch.setattr("dubgate.speech.sphinx_search.MOST_PLACES", apart)
    with monkeypatch.context() as patched:
        searched: list[int] = []
        patched.setattr(
            "dubgate.speech.sphinx_search._side_by_side", lambda g: searched.append(len(g)) or _side_by_side(g)
        )
        assert aligner.align(clips, texts, language="en") == whole
    assert sum(searched) == 4 > max(searched)
    monkeypatch.setattr("dubgate.speech.sphinx_aligner.MOST_PLACES", 1000)
    told = Unmeasured("the text and its clip are too long to be placed as one line")
    assert aligner.align(clips[:1], texts[:1], language="en") == [told]
    monkeypatch.setattr("dubgate.speech.sphinx_search.MOST_PLACES", 1000)
    monkeypatch.setattr("dubgate.speech.sphinx_aligner.MOST_PLACES", apart)
    with pytest.raises(ValueError, match="traced"):
        aligner.align(clips[:1], texts[:1], language="en")


def test_where_nothing_sounds_no_text_fits(aligner: PocketSphinxAligner, lines: list[Line]) -> None:
    """The package's mean over no frame is no number, and its scores low by chance; silence is like silence elsewhere."""
    silence, text = np.zeros(3 * 16_000, np.float32), " ".join(lines[0].words)
    clips = [silence, lines[0].clip, np.full(16_000, np.nan, np.float32)]
    placed = aligner.align(clips, [text, text, "no"], language="en")
    assert placed[0] == placed[2] == Unmeasured("nothing sounds where the text should be")
    assert isinstance(placed[1], PlacedText)
    assert aligner.align([silence], [text], language="en") == placed[:1]


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("mdef", lambda data: b"0.3\n" + data),
        ("mdef", lambda data: data[:5000]),
        ("means", lambda data: data.replace(b"endhdr", b"endhxx")),
        ("sendump", lambda data: data[:-1]),
    ],
    ids=["text", "cut off", "no header", "short"],
)
def test_a_model_that_is_not_of_this_kind_is_a_model_error(name: str, spoil: object, tmp_path: Path) -> None:
    good = packaged_model()
    acoustic = tmp_path / "en-us"
    copytree(good.acoustic, acoustic)
    path = acoustic / name
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(ModelError):
        PocketSphinxAligner(EnglishModel(acoustic, good.dictionary, good.language_model, good.phone_model))
