"""An intake as its producer reads it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from dubgate.intake.asking import Intake
from dubgate.intake.demands import KINDS
from dubgate.report.printable import printable

_ADVICE = {
    "ai_dub": "favourable: an AI dub can be made, if what follows is given",
    "guide_track": "not favourable: use AI as a guide track at most, and have people perform the dub",
    "human_performance": "not favourable: have people perform the dub",
}
_TITLES = {
    "consent": "Consents",
    "approval": "Approvals",
    "label": "Labels",
    "sign_off": "Sign-offs",
    "record": "Production record",
}


def intake_text(intake: Intake, out: Path) -> str:
    """The advice with its reasons, what will be asked for, and how a delivery names the file."""
    return "\n".join(printable(line) for line in _lines(intake, out))


def _lines(intake: Intake, out: Path) -> Iterator[str]:
    answers, time = intake.answers, intake.advised.reviewable
    yield f"{answers.title.name}, dub in {answers.language}: {_ADVICE[intake.advised.advice]}"
    yield from (f"  because {why}" for why in intake.advised.reasons)
    assumed = " (assumed: nobody said how much is flagged)" if time.assumed else ""
    yield (
        f"  review: {time.flags_expected:.0f} flags expected{assumed}, {time.needed_minutes:.0f} minutes needed, "
        f"{time.at_hand_minutes:.0f} at hand in {time.working_days} working days"
    )
    for kind in KINDS:
        asked = [d for d in intake.demands if d.kind == kind]
        if asked:
            yield ""
            yield _TITLES[kind]
        for demand in asked:
            yield f"  {demand.what}"
            yield f"    of {demand.of}; {', '.join(demand.rules)} ({'; '.join(demand.sources)})"
    yield ""
    yield "Packs: " + ", ".join(f"{p.name} {p.version}" for p in intake.packs)
    yield f"{out}: name it in delivery.yaml, so that a check compares the delivery with it:"
    yield f"  intake: {{path: {out.name}, sha256: {hashlib.sha256(intake.data).hexdigest()}}}"
