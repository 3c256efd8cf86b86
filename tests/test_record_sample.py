"""The sample with a whole production record, and its twins: each answer left out holds it for its own reason.

The record, the register and the signatures are the sample's own; the sound is that of `made_delivery`, heard by nobody here
(`test_samples` hears it).
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest
from made_delivery import DAY, ROOT, SIGNED_AT, SOUNDS, World, decisive, make_world

from consent.registry import Registry
from dubgate.certificate.dsse import new_private_key
from dubgate.company.folder import NO_COMPANY, Company, read_company
from dubgate.delivery.manifest import load_delivery
from dubgate.judgement import Judgement
from dubgate.policy.findings import Outcome
from dubgate.release import CheckRequest, judge_delivery, quality_request
from dubgate.sample_registry import STUDIO, key_of_party, signed_by_studio, studio, write_company
from dubgate.samples import read_case

SAMPLE = ROOT / "samples" / "production-record"
TEXT = (SAMPLE / "delivery.yaml").read_text(encoding="utf-8")
ASKED = [item for item in read_case(SAMPLE)["sign"] if "by" in item]


@dataclass(frozen=True)
class Place:
    """The sample in a world of its own, with its studio's folder."""

    world: World
    company: Company

    def judged(self, text: str = TEXT, *, without: str = "", company: Company | None = None) -> Judgement:
        """The sample with another delivery.yaml, or without one of its signatures."""
        root = self.world.delivery.root
        (root / "delivery.yaml").write_text(text, encoding="utf-8")
        delivery = load_delivery(root / "delivery.yaml")
        asked = [item for item in ASKED if without not in item.values()]
        if delivery.production is None:
            asked = [item for item in asked if "confirm_record" not in item]
        signed = [signed_by_studio(item, delivery, SOUNDS, self.world.keys[item["by"]]) for item in asked]
        for old in (root / "evidence").iterdir():
            old.unlink()
        for k, envelope in enumerate((self.world.approval(delivery=delivery), *signed)):
            (root / "evidence" / f"{k}.json").write_bytes(envelope)
        judging = partial(judge_delivery, company=self.company if company is None else company)
        with patch("made_delivery.judge_delivery", judging):
            return self.world.judged(delivery=delivery)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = make_world(tmp_path_factory.mktemp("record-sample"))
    made.keys.update({party: new_private_key() for party in STUDIO})
    with Registry.open(made.registry, clock=lambda: SIGNED_AT - DAY) as registry:
        registry.add(*studio())
        registry.add(*(key_of_party(party, made.keys[party]) for party in STUDIO))
    root = made.delivery.root
    shutil.copytree(SAMPLE / "record", root / "record")
    write_company(ROOT / "samples", made.folder / "company", made.keys["kestrel"])
    packs = (*made.quality.packs, "production-record")
    quality = quality_request(made.delivery, CheckRequest(root / "delivery.yaml", str(made.registry), packs=packs))
    return Place(replace(made, quality=quality), read_company(made.folder / "company"))


def without(block: str, until: str) -> str:
    """The delivery without the lines from `block` up to `until`."""
    start = TEXT.index(block)
    return TEXT[:start] + TEXT[TEXT.index(until, start) :]


def test_the_whole_record_passes_every_rule_that_asks_for_it(place: Place) -> None:
    found = place.judged().verdict.findings
    mine = [f for f in found if f.pack == "production-record"]
    assert {f.outcome for f in mine} == {Outcome.PASS}
    assert len(mine) == 20 + 4  # rules and sign-offs
    assert decisive(place.judged()) == set()


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (TEXT.replace("  purposes: [access]\n", ""), {"REC-PURPOSE", "REC-SAVING"}),
        (TEXT.replace("For viewers who cannot read the German subtitles, the blind among them.", "n/a"), {"REC-ANSWERED"}),
        (TEXT.replace("Polyglot Dubs, registered_as", '"TBD", registered_as'), {"REC-ANSWERED", "REC-REGISTER"}),
        (TEXT.replace(", training_data: consented", ""), {"REC-TRAINED-ON"}),
        (TEXT.replace("consented", "undisclosed"), {"REC-TRAINED-ON"}),
        (TEXT.replace("  used_to_train: []\n", ""), {"REC-TRAINING"}),
        (without("  settings:", "  logs:"), {"REC-FILES"}),
        (without("  logs:", "  used_to_train"), {"REC-FILES"}),
        (TEXT.replace('version: "2.1"', 'version: "3.0"'), {"REC-REGISTER"}),
        (TEXT.replace("registered_as: polyvoice", "registered_as: other"), {"REC-REGISTER"}),
        (TEXT.replace("  card: record/dub-card.txt\n", ""), {"REC-CREDITS"}),
        (TEXT.replace("name: Sample Adapter", "name: Somebody Else"), {"REC-CREDITS"}),
        (without("production:", "credits:"), {"REC-PURPOSE", "REC-SAVING", "REC-CONFIRMED", "REC-ANSWERED", "REC-FILES", "REC-TRAINING", "REC-TRAINED-ON", "REC-REGISTER"}),
    ],
)  # fmt: skip
def test_each_answer_left_out_holds_for_its_own_reason(place: Place, text: str, rules: set[str]) -> None:
    assert text != TEXT
    assert decisive(place.judged(text)) == rules


@pytest.mark.parametrize(
    ("text", "rule"),
    [(without("intake:", "\n"), "REC-INTAKE"), (TEXT.replace("role: adapter", "role: mixer"), "REC-NAMED")],
)
def test_what_is_only_missed_warns(place: Place, text: str, rule: str) -> None:
    judgement = place.judged(text)
    assert decisive(judgement) == set()
    warned = {f.rule for f in judgement.verdict.findings if f.outcome is Outcome.WARN and f.pack == "production-record"}
    assert warned == {rule}


@pytest.mark.parametrize(
    ("left_out", "rule"),
    [
        ("legal", "SGN-LEGAL"),
        ("creative_lead", "SGN-CREATIVE-LEAD"),
        ("localization_supervisor", "SGN-LOCALIZATION-SUPERVISOR"),
    ],
)
def test_each_sign_off_left_out_holds_for_its_own_reason(place: Place, left_out: str, rule: str) -> None:
    assert decisive(place.judged(without=left_out)) == {rule}


def test_without_production_neither_the_record_nor_the_release_is_answered_for(place: Place) -> None:
    assert decisive(place.judged(without="production")) == {"REC-CONFIRMED", "SGN-PRODUCTION"}


def test_without_its_company_the_register_and_the_policy_are_missed(place: Place) -> None:
    found = decisive(place.judged(company=NO_COMPANY))
    assert found == {"REC-REGISTER", "REC-REVIEW-DUE", "REC-TERMS", "REC-INPUTS", "REC-OWNED", "REC-POLICY"}
    assert decisive(place.judged(company=replace(place.company, policies=()))) == {"REC-POLICY"}


@pytest.mark.parametrize("name", ["prompts.txt", "references.txt", "settings.json", "render.log"])
def test_a_file_of_the_record_with_other_bytes_blocks(place: Place, name: str) -> None:
    path = place.world.delivery.root / "record" / name
    kept = path.read_bytes()
    try:
        path.write_bytes(kept + b"\n")
        assert decisive(place.judged()) == {"INT-005", "REC-FILES"}
    finally:
        path.write_bytes(kept)


def test_every_digest_of_the_sample_is_that_of_the_bytes_that_lie_there() -> None:
    named = [*_named(SAMPLE / "delivery.yaml"), *_named(ROOT / "samples" / "company" / "register.yaml")]
    assert len(named) == 7
    for path, sha256 in named:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sha256, (
            f"{path.name}: run python samples/make.py record"
        )


def _named(path: Path) -> list[tuple[Path, str]]:
    import re

    text = path.read_text(encoding="utf-8")
    listed = re.findall(r'path: (\S+), sha256: "?([0-9a-f]{64})"?', text)
    terms = [(file, sha256) for sha256, file in re.findall(r'sha256: "?([0-9a-f]{64})"?.*file: ([^}]+)}', text)]
    return [(path.parent / name, sha256) for name, sha256 in (*listed, *terms)]
