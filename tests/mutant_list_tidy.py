"""What `make mutants` breaks of rules that one function answers for several callers; each caller's tests must see it."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

DSSE, MANIFEST = "consent/dsse.py", "dubgate/delivery/manifest.py"
READERS = {
    "a passkey": ("tests/consent/test_passkeys.py", "-k", "somewhere_else"),
    "the registry": ("tests/consent/test_signatures.py", "-k", "repeated_key"),
    "evidence": ("tests/certificate/test_dsse.py",),
    "a certificate": ("tests/certificate/test_verifying.py", "-k", "repeated_key"),
    "what was taken home": ("tests/web/test_desk_taken.py", "-k", "cannot_be_read"),
}
MODEL = ("tests/test_packs_of_a_release.py", "-k", "names_the_voice_s_model")
TRACKS = ("tests/delivery/test_manifest.py", "-k", "mix_is_published or without_a_sound")

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    *(
        (f"{reader} reads a key that stands twice", DSSE, "if len(found) != len(pairs):", "if False:", tests)
        for reader, tests in READERS.items()
    ),
    (
        "a model that a grant names is asked again",
        "dubgate/standing.py",
        ', "voice_assets", "performances"})',
        ', "performances"})',
        MODEL,
    ),
    (
        "a window that is over is asked about",
        "dubgate/standing.py",
        "return release.window.end is not None and now >= release.window.end",
        "return False",
        MODEL,
    ),
    ("the stem is published", MANIFEST, "return self.mix or self.clearest", "return self.clearest", TRACKS),
    ("a track needs no sound", MANIFEST, "if self.mix is None and self.stem is None:", "if False:", TRACKS),
)


def tidy_mutants() -> Iterator[Mutant]:
    """One mutant at a time."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"one rule: {name}", file, tests, replaced(old, new))
