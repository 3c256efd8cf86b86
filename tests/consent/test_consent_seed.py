"""Import of a seed: the whole file or nothing, every error with its line, dates read in the zone that it declares."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from consent_examples import NOW, Ticking, use

from consent.errors import RecordError
from consent.registry import Registry
from consent.seed import import_seed

SEED = """\
schema: consent-seed/1.0
zone: Europe/Paris
parties:
  - {party_id: studio, roles: [rights_holder], person: false, name: Studio Ltd}
  - {party_id: p-ada, roles: [performer], person: true, name: Ada Example, contact: ada@example.org}
  - {party_id: op-1, roles: [operator], person: false}
  - {party_id: op-2, roles: [operator], person: false}
keys:
  - key_id: k-studio
    party_id: studio
    public_hex: "abababababababababababababababababababababababababababababababab"
    roles: [rights_holder]
    not_before: 2026-01-01
    not_after: 2027-12-31
titles:
  - {title_id: show, level: series, name: Show}
  - {title_id: show-101, level: episode, name: "Show 1.01", parent_id: show}
claims:
  - claim_id: c-show
    title_id: show
    holder_ids: [studio]
    right: ai_dub
    territories: ["001"]
    not_before: 2026-01-01
    recorded_by: op-1
    confirmed_by: op-2
    evidence: [{kind: contract, sha256: cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc}]
voices:
  - {voice_id: v-ada, subject: living, owner_id: p-ada}
permissions:
  - {permission_id: pm-1, voice_id: v-ada, kind: match, given_by: p-ada, legal_basis: gdpr_9_2_a,
     not_before: 2026-01-01, not_after: 2027-12-31}
  - {permission_id: pm-2, voice_id: v-ada, kind: keep, given_by: p-ada, legal_basis: gdpr_9_2_a,
     not_before: 2026-01-01, not_after: 2027-12-31}
enrolments:
  - enrolment_id: en-ada
    voice_id: v-ada
    encoder_sha256: eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee
    dimension: 3
    speech_s: 31.5
    audio_sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    supplied_by: p-ada
    confirmed_by: p-ada
    vector: [0.5, -1, 0.25]
grants:
  - grant_id: g-ada
    voice_id: v-ada
    granted_by: p-ada
    title_ids: [show]
    intended_use: An AI dub of the series Show into French from the performer's own recordings.
    techniques: [voice_clone_tts]
    performances: [new_performance]
    languages: [fr]
    territories: ["150", NO]
    channels: [svod]
    not_before: 2026-01-01
    not_after: 2026-12-31
    evidence: [{kind: contract, sha256: cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc}]
events:
  - {event_id: e-1, target: grant, target_id: g-ada, kind: given, effective_at: 2026-01-01, by: p-ada}
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry.open(tmp_path / "registry.db", create=True, clock=Ticking())


def write(folder: Path, text: str, name: str = "seed.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_seed_fills_a_registry(registry: Registry, tmp_path: Path) -> None:
    done = import_seed(registry, write(tmp_path, SEED))
    assert done.counts["parties"] == 4
    assert sum(done.counts.values()) == registry.head().size == 14
    with registry.view() as view:
        (history,) = view.grants("v-ada")
        assert view.enrolments("v-ada", NOW)[0].vector == (0.5, -1.0, 0.25)
        assert view.clear(
            "v-ada", use(territories=("NO", "FR"), window={"start": NOW, "end": NOW.replace(month=12)}), NOW
        ).cleared
    assert history.grant.not_before == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert history.grant.not_after == datetime(2026, 12, 31, 23, tzinfo=UTC)


def test_a_dry_run_checks_all_and_writes_nothing(registry: Registry, tmp_path: Path) -> None:
    done = import_seed(registry, write(tmp_path, SEED), dry_run=True)
    assert done.dry_run
    assert done.counts["grants"] == 1
    assert registry.head().size == 0
    with pytest.raises(RecordError, match="no party 'p-bo'"):
        import_seed(registry, write(tmp_path, SEED.replace("granted_by: p-ada", "granted_by: p-bo")), dry_run=True)


def test_the_same_seed_twice_adds_nothing_the_second_time(registry: Registry, tmp_path: Path) -> None:
    import_seed(registry, write(tmp_path, SEED))
    before = registry.head()
    with pytest.raises(RecordError, match="already there"):
        import_seed(registry, write(tmp_path, SEED))
    assert registry.head() == before


@pytest.mark.parametrize(
    ("old", "new", "at", "what"),
    [
        ("languages: [fr]", "languages: [frenchish]", "frenchish", "not a language tag"),
        ('territories: ["150", NO]', 'territories: ["150", UK]', "UK", "not a country"),
        ('territories: ["150", NO]', "territories: []", "territories: []", "at least 1"),
        ("not_after: 2026-12-31", "not_after: 2025-12-30", "grant_id", "ends before it starts"),
        ("channels: [svod]", "channels: [svod]\n    chanels: [svod]", "chanels", "unknown key"),
        ("channels: [svod]", "channels: [svod]\n    channels: [avod]", "avod", "repeated"),
        ("name: Studio Ltd", "name: !!str Studio", "!!str", "tags are refused"),
        ("name: Studio Ltd", "name: &a Studio", "&a", "anchors are refused"),
        ("name: Studio Ltd", "name: Studio, nickname: S", "nickname", "unknown key"),
        ("dimension: 3", "dimension: '3'", "'3'", "valid integer"),
        ("dimension: 3", "dimension: 4", "enrolment_id", "vector of its dimension"),
        ("vector: [0.5, -1, 0.25]", "vector: [0.5, -1, x]", "vector", "list of numbers"),
        ("vector: [0.5, -1, 0.25]", "vector: [0.5, -1, 1.0e+300]", "vector", "list of numbers"),
        ("speech_s: 31.5", "speech_s: 9.9", "9.9", "greater than or equal to 10"),
        ("kind: given", "kind: gievn", "gievn", "Input should be"),
        ("name: Studio Ltd}", "name: }  # FILL IN", "FILL IN", "name: a value is needed"),
        ("zone: Europe/Paris", "zone: Europe/Pairs", "Pairs", "not a time zone"),
        ("schema: consent-seed/1.0", "schema: consent-seed/2.0", "2.0", "a seed starts with"),
        ("zone: Europe/Paris", "zoen: Europe/Paris", "zoen", "unknown key 'zoen'"),
        ("zone: Europe/Paris\n", "", "key_id", "a day without a time"),
        ("name: Ada Example", 'name: "Ada \\u202e Example"', "u202e", "control, directional"),
        ("granted_by: p-ada", "granted_by: P-Ada", "P-Ada", "an id is small letters"),
        ("holder_ids: [studio]", "holder_ids: [p-ada]", "claim_id", "not a rights holder"),
        ("confirmed_by: op-2", "confirmed_by: op-1", "claim_id", "somebody other"),
    ],
)
def test_whatever_is_wrong_is_told_with_its_line_and_nothing_is_imported(
    registry: Registry, tmp_path: Path, old: str, new: str, at: str, what: str
) -> None:
    assert old in SEED
    text = SEED.replace(old, new)
    line = next(k for k, content in enumerate(text.splitlines(), 1) if at in content)
    path = write(tmp_path, text)
    with pytest.raises(RecordError, match=what) as caught:
        import_seed(registry, path)
    assert f"{path}:{line}:" in str(caught.value)
    assert registry.head().size == 0


def test_all_errors_of_a_file_are_told_at_once(registry: Registry, tmp_path: Path) -> None:
    wrong = SEED.replace("languages: [fr]", "languages: [xx]").replace("level: episode", "level: episod")
    with pytest.raises(RecordError) as caught:
        import_seed(registry, write(tmp_path, wrong))
    assert "level: Input should be" in str(caught.value)
    assert "languages.0: 'xx' is not a language tag" in str(caught.value)
    assert "at least 1 item" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "empty"),
        (b"- 1\n", "a seed starts with"),
        (b"schema: consent-seed/1.0\n--- \nparties: []\n", "second document"),
        (b"schema: \xff\xfe", "UTF-8"),
        (b"a: [" * 100, "nested"),
        (b"schema: consent-seed/1.0\nparties: {a: 1}\n", "parties is a list"),
        (b"schema: consent-seed/1.0\nparties: [1]\n", "a record is a mapping"),
        (b"schema: consent-seed/1.0\nzone: 3\n", "not a time zone"),
        (b"schema: consent-seed/1.0\nx: .inf\n", "finite"),
        (b"schema: consent-seed/1.0\nx: 1e999\n", "finite"),
        (b"%YAML 1.1\n---\nschema: consent-seed/1.0\n", "directives"),
        (b"schema: 'consent-seed/1.0\n", "unexpected end"),
    ],
)
def test_files_that_are_no_seed_are_refused(registry: Registry, tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "seed.yaml"
    path.write_bytes(data)
    with pytest.raises(RecordError, match=what):
        import_seed(registry, path)


def test_a_seed_may_be_json(registry: Registry, tmp_path: Path) -> None:
    text = '{"schema": "consent-seed/1.0", "parties": [{"party_id": "p-é", "roles": ["performer"], "person": true}]}'
    with pytest.raises(RecordError, match="an id is small letters"):
        import_seed(registry, write(tmp_path, text, "seed.json"))
    import_seed(registry, write(tmp_path, text.replace("é", "e"), "seed.json"))
    assert registry.head().size == 1


def test_a_file_that_is_not_there_is_told(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be read"):
        import_seed(registry, tmp_path / "none.yaml")
