"""What `make mutants` breaks in the search for speech that is published and that no model heard."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

UNHEARD = ("tests/test_unheard.py",)
TRACKS = ("tests/test_unheard.py", "-k", "listened_for")
RELEASE = ("tests/test_release.py", "-k", "not 1_000 and not 10_000")
PACKAGES = ("tests/certificate/test_packaging.py", "-k", "between_the_channels")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("other directions hide a voice", "dubgate/meter/unheard.py", "np.concatenate([np.array(rows[1:]).reshape(-1, n), rest])", "np.array(rows[1:]).reshape(-1, n)", UNHEARD),
    ("the last block is not listened to", "dubgate/meter/unheard.py", "        if self._seconds:\n            self._block()\n        return", "        return", UNHEARD),
    ("speech of the judged sound counts", "dubgate/meter/unheard.py", "silent = ~(_most_near(own) >= MAYBE_SPOKEN)", "silent = own < 2", ("tests/test_behind.py",)),
    ("every block begins at the start", "dubgate/meter/unheard.py", "        self._at_s += rows.shape[1] / self._rate_hz\n", "", UNHEARD),
    ("music and effects are not listened to", "dubgate/mixing.py", "found += unheard(stem.read_padded(start, end), [effects]", "found = unheard(stem.read_padded(start, end), [effects]", UNHEARD),
    ("a moment of another mix passes", "dubgate/mixing.py", "    return whole_db, union(differs)", "    return whole_db, ()", UNHEARD),
    ("what a dub's channels cancel is not asked", "dubgate/hearing.py", "decoded = _decoded(source, scratch, ears if is_dub and _is_in_published(plan, source) else None)", "decoded = _decoded(source, scratch)", TRACKS),
    ("what a mix's channels cancel is not asked", "dubgate/hearing.py", "mix = None if plan.mix is None else _decoded(plan.mix, scratch, ears)", "mix = None if plan.mix is None else _decoded(plan.mix, scratch)", TRACKS),
    ("what is cancelled is not told", "dubgate/hearing.py", "        lost_in_any([t.cancelled for t in (sold, dub_sound, apart) if t is not None and t.is_published]),\n", "        (),\n", TRACKS),
    ("what is in music and effects is not told", "dubgate/hearing.py", "() if me is None else speech_in(", "() if True else speech_in(", TRACKS),
    ("other sounds of the file are not told", "dubgate/hearing.py", "found = (s for s in sounds_of(Path(published.path)) if s[0] not in named)", "found = iter(())", UNHEARD),
    ("what lies in another file counts as handed in", "dubgate/hearing.py", " and source.path == published.path}", "}", UNHEARD),
    ("a release may play other sounds", "dubgate/release.py", "    findings += stream_findings(features)\n", "", RELEASE),
    ("samples may overflow", "dubgate/delivery/decoding.py", "not (np.abs(block) <= LOUDEST).all():", "not np.isfinite(block).all():", UNHEARD),
    ("no number is no speech", "dubgate/meter/unheard.py", "~(prob < SPOKEN)", "(prob >= SPOKEN)", (*UNHEARD, "tests/test_behind.py")),
    ("a rendition may hold a voice between its channels", "dubgate/package_hearing.py", "for s in added))", "for s in ()))", PACKAGES),
)  # fmt: skip


def unheard_mutants() -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"unheard: {name}", file, tests, replaced(old, new))
