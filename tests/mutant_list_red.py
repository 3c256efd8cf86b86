"""What `make mutants` breaks in what a player may choose, what is asked at the last moment, and who writes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

PRESENTATIONS = ("tests/delivery/test_presentations.py",)
ALONE = ("tests/test_unheard.py", "-k", "by_itself or listened_for_is_not")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("substreams are not counted", "dubgate/delivery/presentations.py", "data[_SUBSTREAMS_AT] >> 4 != 1", "False", PRESENTATIONS),
    ("a major sync that is cut off is of one", "dubgate/delivery/presentations.py", "(len(data) <= _SUBSTREAMS_AT or", "(len(data) > _SUBSTREAMS_AT and", PRESENTATIONS),
    ("what follows a core is nothing", "dubgate/delivery/presentations.py", "return any(packet[size:])", "return False", PRESENTATIONS),
    ("a stream without a core is of one", "dubgate/delivery/presentations.py", "if packet[:4] != _DTS_CORE or len(packet) < 8:", "if len(packet) < 8:", PRESENTATIONS),
    ("presentations are not looked at", "dubgate/delivery/decoding.py", "self.plays_otherwise = self.plays_otherwise or plays_otherwise(context.name, packet)", "pass", PRESENTATIONS),
    ("presentations are not told", "dubgate/chosen_alone.py", "if heard.plays_otherwise else ()", "if False else ()", PRESENTATIONS),
    ("music and effects are never alone", "dubgate/chosen_alone.py", "_Silence(me.duration_s) if alone else stem", "stem", ALONE),
    ("music and effects are always alone", "dubgate/chosen_alone.py", "_Silence(me.duration_s) if alone else stem", "_Silence(me.duration_s)", ALONE),
    ("a track that was not listened to lost nothing", "dubgate/chosen_alone.py", "return missing[0] if missing else", "return", ALONE),
    ("no track is of the published file", "dubgate/hearing.py", "return source is not None and source.path == (plan.mix or plan.dub).path", "return False", ALONE),
)  # fmt: skip


def red_mutants() -> Iterator[Mutant]:
    """What stands between a certificate and sound, consents and moments that nobody judged."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"red: {name}", file, tests, replaced(old, new))
