"""What `make mutants` breaks in the search for voices behind other voices."""

from __future__ import annotations

from collections.abc import Iterator

from mutate import Mutant, replaced

BEHIND = ("tests/test_behind.py",)
ADDED = ("tests/test_added_speech.py",)
VOICES = ("tests/test_voices_heard.py",)

# Single changes that no operator makes: (what, file, old text, new text, tests).
SINGLE = (
    ("nobody listens behind a voice", "dubgate/meter/unheard.py", "        found |= maybe & ~(series.values < SPOKEN_ALONE) &", "        found &= maybe & ~(series.values < SPOKEN_ALONE) &", BEHIND),
    ("where the judged sound speaks a residue of it speaks too", "dubgate/meter/unheard.py", "& heard & silent if apart", "& heard if apart", BEHIND),
    ("what a detector hears in one mix alone is hidden", "dubgate/meter/unheard.py", "& silent if apart else np.isnan(own) | np.isnan(prob)", "& silent", BEHIND),
    ("a detector's no number is silence", "dubgate/meter/unheard.py", "if apart else np.isnan(own) | np.isnan(prob)", "if apart else np.False_", BEHIND),
    ("what no filter makes of a master may be the master's own", "dubgate/meter/added.py", "start_s=start_s, apart=True)", "start_s=start_s)", ADDED),
    ("what a mix holds beside stem and M&E may be theirs", "dubgate/mixing.py", "[left], speech_prob, start_s=start, apart=True)", "[left], speech_prob, start_s=start)", ADDED),
    ("what is played alone is asked for more", "dubgate/chosen_alone.py", "speech_prob, apart=alone)", "speech_prob)", ("tests/test_unheard.py",)),
    ("music through gaps is speech", "dubgate/meter/unheard.py", "SPOKEN_ALONE = 0.9", "SPOKEN_ALONE = 0.7", BEHIND),
    ("what does not speak speaks alone", "dubgate/meter/unheard.py", "found |= maybe & ~(series", "found |= ~(series", BEHIND),
    ("an echo stands out", "dubgate/meter/behind.py", "np.maximum(_usual(power, level, phases) * level, _echo(power, level))", "_usual(power, level, phases) * level", BEHIND),
    ("another voice is an echo", "dubgate/meter/behind.py", "np.sum((power - power.mean(axis=0)) * ours, axis=0)", "np.sum(power * before, axis=0)", BEHIND),
    ("what is no number is an echo", "dubgate/meter/behind.py", "float(np.nan_to_num(np.clip(np.median(by_pitch), 0.0, 1.0)))", "float(np.clip(np.nan_to_num(np.median(by_pitch), nan=1.0), 0.0, 1.0))", BEHIND),
    ("a voice passes behind another", "dubgate/meter/unheard.py", "if (maybe & heard).any() and", "if False and", BEHIND),
    ("rows lose their scale", "dubgate/meter/unheard.py", "np.where(shares > 0, shares, 1 / least)", "np.where(shares > 0, 4 * shares, 1 / least)", BEHIND),
    ("everything stands out", "dubgate/meter/behind.py", "STANDS_OUT = 10**0.6", "STANDS_OUT = 0.1", BEHIND),
    ("little stands out", "dubgate/meter/behind.py", "STANDS_OUT = 10**0.6", "STANDS_OUT = 10**3.0", BEHIND),
    ("beats stand out", "dubgate/meter/behind.py", "SMOOTHED = 5", "SMOOTHED = 1", BEHIND),
    ("what is no number stands nowhere out", "dubgate/meter/behind.py", "alone = ~(power <= STANDS_OUT * (", "alone = (power > STANDS_OUT * (", BEHIND),
    ("chance in a room is a voice", "dubgate/meter/behind.py", "BEHIND_DB = -12.0", "BEHIND_DB = -40.0", BEHIND),
    ("only what is louder than both is a voice", "dubgate/meter/behind.py", "BEHIND_DB = -12.0", "BEHIND_DB = 3.0", BEHIND),
    ("what always is stronger stands out", "dubgate/meter/behind.py", "AT_MOST = 3.0", "AT_MOST = 1.0", BEHIND),
    ("bands that are cancelled in part count as a room's", "dubgate/meter/behind.py", "np.where(_near(phases.turned) >= TURNED, always, wide)", "always", BEHIND),
    ("what is wide at all pitches is cancelled", "dubgate/meter/behind.py", "np.where(_near(phases.turned) >= TURNED, always, wide)", "np.where(_near(phases.turned) >= TURNED, always, 1.0)", BEHIND),
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
