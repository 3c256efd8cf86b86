"""Rules about labels that passed for a master, asked again of what was made of it: a re-wrapped file, or a package.

The sound is the same, so what was measured of it stands; what a rule says of the labels is true of the file that was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from dubgate.certificate.claim import Claim
from dubgate.certificate.file import Certificate
from dubgate.label_facts import label_values
from dubgate.labels.tracks import Labels
from dubgate.policy.conditions import Evaluator
from dubgate.policy.facts import FACTS, Stage, facts_from
from dubgate.policy.findings import Severity
from dubgate.policy.pack_schema import ConditionRule
from dubgate.policy.packs import CORE, Pack, available, read_pack


def broken_label_rules(opened: Certificate, labels: Labels, beside: Path | None = None) -> tuple[str, ...]:
    """What these labels break of the rules that passed when the certificate's file was judged, in words.

    Args:
        beside: the folder in which the packs that judged were kept by their digest; else those of this program are asked.
    """
    passed = set(opened.measured.passed)
    asked = [
        (pack, rule)
        for pack in _at_hand(opened.verdict.claim, beside)
        for rule in pack.conditions
        if f"{pack.name}/{rule.id}" in passed and rule.severity is not Severity.WARN and _is_about_labels(rule)
    ]
    if not asked:
        return ()
    facts = facts_from(label_values(labels))
    with Evaluator() as evaluator:
        broken = [(p, r) for p, r in asked if evaluator.holds(r.conditions[1], facts) is not True]
    return tuple(f"{pack.name}/{rule.id}: {rule.text.en}" for pack, rule in broken)


def _at_hand(claim: Claim, beside: Path | None) -> Iterator[Pack]:
    """The packs that judged, by their very bytes, as far as they lie here."""
    own = available()
    for used in claim.packs:
        kept = [] if beside is None else [beside / f"{used.sha256}.yaml"]
        for path in (*kept, *([own[used.name]] if used.name in own else [])):
            data = path.read_bytes() if path.is_file() else b""
            if sha256(data).hexdigest() == used.sha256:
                yield read_pack(data, f"{used.name}.yaml", core=used.name == CORE)
                break


def _is_about_labels(rule: ConditionRule) -> bool:
    """Whether a rule reads what was read back from the file."""
    read = (FACTS[path.partition("[]")[0]] for path in rule.conditions[1].reads)
    return any(fact.filled_by is Stage.LABELS for fact in read)
