"""Rules about labels that passed for a master, asked again of what was made of it: a re-wrapped file, or a package.

The sound is the same, so what was measured of it stands; what a rule says of the labels is true of the file that was read.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from dubgate.certificate.claim import Claim
from dubgate.certificate.file import Certificate
from dubgate.certificate.measured import Measured
from dubgate.certificate.statements import RULING
from dubgate.label_facts import label_values
from dubgate.labels.tracks import Labels
from dubgate.policy.conditions import Evaluator
from dubgate.policy.expression_types import Condition
from dubgate.policy.facts import FACTS, Facts, Stage, Value, facts_from
from dubgate.policy.findings import Outcome, Severity
from dubgate.policy.judge import judge_rule_conditions
from dubgate.policy.pack_schema import ConditionRule
from dubgate.policy.packs import CORE, Pack, available, read_pack
from dubgate.policy.when import When
from dubgate.regions import expand
from dubgate.unmeasured import Unmeasured


def broken_label_rules(
    opened: Certificate, labels: Labels, beside: Path | None = None, stage: str = "package", synthetic: bool = True
) -> tuple[str, ...]:
    """What these labels break of the rules that judged, in words: of those that passed, and of those that did not concern
    the master and may concern this, by its labels or its stage.

    Args:
        beside: the folder in which the packs that judged were kept by their digest; else those of this program are asked.
        stage: of what was read, `master` or `package`.
        synthetic: whether the release rests on the grant of a voice.
    """
    claim, measured = opened.verdict.claim, opened.measured
    packs, missing = _at_hand(claim, beside)
    if missing:  # also one of which nothing concerned the master: what concerns this nobody can tell
        return tuple(f"{name}: this pack is not at hand as it judged, so its rules cannot be asked" for name in missing)
    ruled = any(signed.kind == RULING for signed in claim.signed)
    conditions = ((p, _as_ruled(rule) if ruled else rule) for p in packs for rule in p.conditions)
    asked = [(p, r) for p, rule in conditions if (r := _to_ask(rule, p, measured)) is not None]
    if not asked:
        return ()
    facts, when = _facts(claim, labels, stage, synthetic), _when(opened)
    with Evaluator() as evaluator:
        found = [(p, r, judge_rule_conditions(r, p, facts, r.styles[0], evaluator, when)) for p, r in asked]
    return tuple(f"{p.name}/{r.id}: {r.text.en}" for p, r, fs in found if any(f.outcome > Outcome.WARN for f in fs))


def _as_ruled(rule: ConditionRule) -> ConditionRule:
    """Counsel ruled on some rule, and which is not told here: any that only warns may be one that is to hold."""
    return rule.model_copy(update={"severity": Severity.HOLD}) if rule.severity is Severity.WARN else rule


def _to_ask(rule: ConditionRule, pack: Pack, measured: Measured) -> ConditionRule | None:
    """A rule as it is to be asked again; None where what was said of the master is true of this too."""
    name = f"{pack.name}/{rule.id}"
    applies, require = rule.conditions
    decides = _reads_anew(applies) or any(_reads_anew(e.condition) for e in rule.exemptions)
    if rule.severity is Severity.WARN or name in (*measured.warned, *measured.failed):
        return None
    if name not in measured.passed:
        return rule if decides else None
    if not decides and not _reads_anew(require):
        return None
    return rule if _reads_anew(applies) else rule.model_copy(update={"applies": None})  # it concerned the master


def _facts(claim: Claim, labels: Labels, stage: str, synthetic: bool) -> Facts:
    """What is known of the release without its delivery; a condition that reads more cannot be told."""
    told: dict[str, Value | Unmeasured] = {"delivery.stage": stage, "delivery.synthetic": synthetic}
    if claim.scope is not None:
        told["delivery.language"] = claim.scope.language
        told["distribution.territories"] = tuple(sorted(expand(claim.scope.territories)))
        told["distribution.channels"] = claim.scope.channels
    return facts_from({**told, **label_values(labels)})


def _when(opened: Certificate) -> When | None:
    scope = opened.verdict.claim.scope
    return None if scope is None else When(opened.verdict.verified_at, (scope.window_start, scope.window_end))


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


def _reads_anew(condition: Condition | None) -> bool:
    """Whether a condition reads what was read back from the file, or whether it is a package."""
    read = () if condition is None else [FACTS[path.partition("[]")[0]] for path in condition.reads]
    return any(fact.filled_by is Stage.LABELS or fact.path == "delivery.stage" for fact in read)
