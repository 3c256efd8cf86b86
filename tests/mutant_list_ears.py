"""What `make mutants` breaks in the search for voices behind other voices."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

BEHIND = ("tests/test_behind.py",)
VOICES = ("tests/test_voices_heard.py",)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("nobody listens behind a voice", "dubgate/meter/unheard.py", "        found |= ~(series.values < SPOKEN) &", "        found &= ~(series.values < SPOKEN) &", BEHIND),
    ("where all is silent a voice is behind none", "dubgate/meter/unheard.py", "& heard & silent\n", "& heard\n", BEHIND),
    ("a voice passes behind another", "dubgate/meter/unheard.py", "if (~(prob < NOT_SPOKEN) & heard & ~silent).any() and", "if False and", BEHIND),
    ("rows lose their scale", "dubgate/meter/unheard.py", "np.where(shares > 0, shares, 1 / least)", "np.where(shares > 0, 4 * shares, 1 / least)", BEHIND),
    ("everything stands out", "dubgate/meter/behind.py", "STANDS_OUT = 10**0.6", "STANDS_OUT = 0.1", BEHIND),
    ("little stands out", "dubgate/meter/behind.py", "STANDS_OUT = 10**0.6", "STANDS_OUT = 10**3.0", BEHIND),
    ("beats stand out", "dubgate/meter/behind.py", "SMOOTHED = 5", "SMOOTHED = 1", BEHIND),
    ("what is no number stands nowhere out", "dubgate/meter/behind.py", "alone = ~(power <= STANDS_OUT", "alone = (power > STANDS_OUT", BEHIND),
    ("chance in a room is a voice", "dubgate/meter/behind.py", "BEHIND_DB = -10.0", "BEHIND_DB = -40.0", BEHIND),
    ("only what is louder than both is a voice", "dubgate/meter/behind.py", "BEHIND_DB = -10.0", "BEHIND_DB = 3.0", BEHIND),
    ("what always is stronger stands out", "dubgate/meter/behind.py", "AT_MOST = 3.0", "AT_MOST = 1.0", BEHIND),
    ("bands that are cancelled always count as a room's", "dubgate/meter/behind.py", "AT_MOST = 3.0", "AT_MOST = 1000.0", BEHIND),
    ("bands in antiphase count as a delay", "dubgate/meter/behind.py", "TURNED = 0.3", "TURNED = -9.0", BEHIND),
    ("delays stand out", "dubgate/meter/behind.py", "DELAYED = 0.3", "DELAYED = 3.0", BEHIND),
    ("antiphase counts as delay", "dubgate/meter/behind.py", "DELAYED = 0.3", "DELAYED = 0.0", BEHIND),
    ("one delay alone is let go", "dubgate/meter/behind.py", "N_DELAYS = 6", "N_DELAYS = 1", BEHIND),
    ("a stranger's line is nobody's concern", "dubgate/voices_heard.py", "for part in (*speaker.parts(), *speaker.strange(calibration)):", "for part in speaker.parts():", VOICES),
    ("a stranger's lines are not searched", "dubgate/voices_heard.py", "parts = (*speaker.parts(), *(p for p in speaker.strange(calibration) if p.speech_s >= PART_S))", "parts = speaker.parts()", VOICES),
    ("a stranger's lines of any length are searched", "dubgate/voices_heard.py", "strange(calibration) if p.speech_s >= PART_S)", "strange(calibration))", VOICES),
    ("all lines are a stranger's", "dubgate/voices_heard.py", "for line in scored if line.named)", "for line in scored)", VOICES),
    ("a line unlike the others is a stranger's, whatever was enrolled", "dubgate/voices_heard.py", "score < REJECT_LLR <= whole", "score < 50 <= whole + 100", VOICES),
)  # fmt: skip


def ears_mutants() -> Iterator[Mutant]:
    """Every mutant of these, in a fixed order."""
    for name, file, old, new, tests in SINGLE:
        yield Mutant(f"ears: {name}", file, tests, replaced(old, new))
