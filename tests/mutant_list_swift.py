"""What `make mutants` breaks in the aligner in arrays and in measures made by several threads."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

ALIGNER = ("tests/speech/test_sphinx_aligner.py",)
SHORT = ("tests/speech/test_words_pocketsphinx.py", "-k", "too_long or half_a_line")
METER = ("tests/test_meter.py", "-k", "arrive or thread")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("a measure is left out where threads measure", "dubgate/meter/meter.py", "for measure in alone)", "for measure in alone[1:])", METER),
    ("three Gaussians count", "dubgate/speech/sphinx_senones.py", "_BEST = 4", "_BEST = 3", ALIGNER),
    ("Gaussians lie no lower than 40", "dubgate/speech/sphinx_senones.py", "_LOWEST = 96", "_LOWEST = 40", ALIGNER),
    ("the last frames take the scores of others", "dubgate/speech/sphinx_senones.py", "padded[: len(features)] = features", "padded[-len(features) :] = features", ALIGNER),
    ("noise is left in", "dubgate/speech/sphinx_features.py", "    return bands * _smoothed(gain)", "    return bands", ALIGNER),
    ("free phones are given up early", "dubgate/speech/sphinx_search.py", "math.log(1e-48)", "math.log(1e-4)", ALIGNER),
    ("free phones follow each other for nothing", "dubgate/speech/sphinx_search.py", "LANGUAGE_WEIGHT + _INSERTED) / 1024", "0.0) / 1024", ALIGNER),
    ("words cost nothing", "dubgate/speech/sphinx_lines.py", "math.floor(math.log(0.65) * LANGUAGE_WEIGHT / SCORE_NATS)", "0", ALIGNER),
    ("a word's end fits whatever follows", "dubgate/speech/sphinx_lines.py", "_allowed([w.after for w in ways]", "_allowed([None for w in ways]", ALIGNER),
    ("a text may lie in silence", "dubgate/speech/sphinx_features.py", "if loud.any() else None", "if loud.any() else cepstra", (*ALIGNER, "-k", "nothing_sounds")),
    ("half a line counts as placed", "dubgate/speech/sphinx_aligner.py", "if sum(s.is_word for s in path) != n_words:", "if sum(s.is_word for s in path) > n_words:", SHORT),
    ("any text is placed, however long", "dubgate/speech/sphinx_aligner.py", "(len(words) + 15) * len(clip) > _MOST_WORDS_S * SAMPLE_RATE_HZ", "len(clip) < 0", (*ALIGNER, "-k", "too_many_words")),
    ("pasts run into scores", "dubgate/speech/sphinx_search.py", "for line in lines) > MOST_PLACES:", "for line in lines) < 0:", (*ALIGNER, "-k", "traced_at_once")),
    ("one line's pasts run into its scores", "dubgate/speech/sphinx_aligner.py", "if len(found) * len(line.graph.names) > MOST_PLACES:", "if False:", (*ALIGNER, "-k", "traced_at_once")),
    ("what cannot fit is looked for", "dubgate/speech/sphinx_aligner.py", "    if N_STATES * sum(min(map(len, ways)) for _, ways in words) > n_frames(len(clip)):", "    if False:", (*ALIGNER, "-k", "not_even_looked")),
)  # fmt: skip


def swift_mutants() -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"swift: {name}", file, tests, replaced(old, new))
