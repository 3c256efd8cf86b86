"""The draft of a delivery.yaml: what media say is in it, and it does not pass before a person has filled it in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from dubgate.delivery.manifest import load_delivery
from dubgate.delivery.manifest_init import init_from
from dubgate.errors import InputError, ManifestError
from dubgate.strict_yaml import load_yaml


@dataclass(frozen=True)
class Stream:
    index: int = 0
    language: str | None = None
    n_channels: int = 2
    duration_s: float | None = 12.5


@dataclass(frozen=True)
class Media:
    audio: tuple[Stream, ...] = (Stream(),)


def data(text: str) -> dict[str, object]:
    found = load_yaml(text.encode(), "draft").data
    assert isinstance(found, dict)
    return found


def test_two_files_are_the_original_and_the_dub_in_their_order() -> None:
    text = init_from([("a.wav", Media((Stream(language="en"),))), ("b 1.wav", Media())])
    draft = data(text)
    assert draft["original"] == {"language": "en", "mix": "a.wav"}
    assert draft["dub"] == {"language": None, "mix": "b 1.wav"}
    assert "guessed from the order" in text
    assert "12.500 s" in text


def test_names_say_more_than_the_order() -> None:
    files = [
        ("fr_DUB_stem.wav", Media()),
        ("fr_dub.wav", Media()),
        ("show (M&E).wav", Media()),
        ("show_orig.wav", Media()),
    ]
    draft = data(init_from(files))
    assert draft["original"] == {"language": None, "mix": "show_orig.wav"}
    assert draft["dub"] == {
        "language": None, "mix": "fr_dub.wav", "stem": "fr_DUB_stem.wav", "me": "show (M&E).wav",
    }  # fmt: skip


def test_a_file_with_two_streams_is_named_by_index_and_further_streams_are_told() -> None:
    streams = (Stream(1, "en"), Stream(2, "no"), Stream(3, "de"))
    text = init_from([("film.mp4", Media(streams))])
    draft = data(text)
    assert draft["original"] == {"language": "en", "mix": {"path": "film.mp4", "stream": 1}}
    assert draft["dub"] == {"language": "no", "mix": {"path": "film.mp4", "stream": 2}}
    assert "# not used: {path: film.mp4, stream: 3}  # de" in text


def test_characters_of_the_cue_sheet_become_cast_entries_to_fill() -> None:
    draft = data(init_from([("a.wav", Media()), ("b.wav", Media())], cues="cues.vtt", characters=["ANN", 'B: "x"']))
    assert draft["cues"] == "cues.vtt"
    assert draft["cast"] == [
        {"character": "ANN", "voice": None, "technique": None},
        {"character": 'B: "x"', "voice": None, "technique": None},
    ]


def test_a_draft_is_refused_where_it_must_be_filled_in_and_loads_once_it_is(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"x")
    text = init_from([("a.wav", Media((Stream(language="en"),))), ("b.wav", Media())], characters=["ANN"])
    path = tmp_path / "delivery.yaml"
    path.write_text(text)
    with pytest.raises(ManifestError) as caught:
        load_delivery(path)
    wrong = str(caught.value)
    assert all(name in wrong for name in ("dub.language", "cast.0.technique"))
    filled = text.replace("language:  #", "language: fr  #").replace("voice:  #", "voice: v1  #")
    filled = filled.replace("technique:  #", "technique: stock_tts  #")
    path.write_text(filled)
    delivery = load_delivery(path)
    assert (delivery.dub.language, delivery.cast[0].voice) == ("fr", "v1")


def test_every_block_in_comments_is_right_once_the_comment_is_taken_away(tmp_path: Path) -> None:
    text = init_from([("a.wav", Media((Stream(language="en"),))), ("b.wav", Media((Stream(language="fr"),)))])
    head, _, blocks = text.partition("\n# title:")
    opened = head.replace("# - {", "- {") + ("\n# title:" + blocks).replace("\n# --", "\n#--").replace("\n# ", "\n")
    for name in ("a.wav", "b.wav", "evidence/approval.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "delivery.yaml").write_text(opened)
    delivery = load_delivery(tmp_path / "delivery.yaml")
    assert None not in (delivery.title, delivery.distribution, delivery.label, delivery.production, delivery.submitter)


def test_one_file_with_one_stream_is_not_a_delivery() -> None:
    with pytest.raises(InputError, match="an original and a dub"):
        init_from([("a.wav", Media())])
    with pytest.raises(InputError):
        init_from([])
