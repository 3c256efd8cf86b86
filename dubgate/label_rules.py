"""Rules about labels that passed for a master, asked again of what was made of it: a re-wrapped file, or a package.

The sound is the same, so what was measured of it stands; what a rule says of the labels is true of the file that was read.
"""

from __future__ import annotations

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
    passed, packs, missing = set(opened.measured.passed), *_at_hand(opened.verdict.claim, beside)
    asked = [
        (pack, rule)
        for pack in packs
        for rule in pack.conditions
        if f"{pack.name}/{rule.id}" in passed and rule.severity is not Severity.WARN and _is_about_labels(rule)
    ]
    if lacking := [name for name in missing if any(rule.startswith(f"{name}/") for rule in passed)]:
        return tuple(f"{name}: this pack is not at hand as it judged, so its rules cannot be asked" for name in lacking)
    if not asked:
        return ()
    facts = facts_from(label_values(labels))
    with Evaluator() as evaluator:
        broken = [(p, r) for p, r in asked if evaluator.holds(r.conditions[1], facts) is not True]
    return tuple(f"{pack.name}/{rule.id}: {rule.text.en}" for pack, rule in broken)


def _at_hand(claim: Claim, beside: Path | None) -> tuple[list[Pack], list[str]]:
    """The packs that judged, by their very bytes, and the names of those that do not lie here."""
    own, found, missing = available(), [], []
    for used in claim.packs:
        kept = [] if beside is None else [beside / f"{used.sha256}.yaml"]
        paths = (*kept, *([own[used.name]] if used.name in own else []))
        read = (path.read_bytes() for path in paths if path.is_file())
        data = next((d for d in read if sha256(d).hexdigest() == used.sha256), None)
        if data is None:
            missing.append(used.name)
        else:
            found.append(read_pack(data, f"{used.name}.yaml", core=used.name == CORE))
    return found, missing


def _is_about_labels(rule: ConditionRule) -> bool:
    """Whether a rule reads what was read back from the file."""
    read = (FACTS[path.partition("[]")[0]] for path in rule.conditions[1].reads)
    return any(fact.filled_by is Stage.LABELS for fact in read)
