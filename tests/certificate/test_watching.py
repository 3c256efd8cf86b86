"""Every file that a verdict rests on is watched from before it is judged until it is signed: the same bytes, the same file."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from made_certificate import AT, Place, make_place
from swapped_folders import renamed_away

from consent.registry import Registry
from consent.releases import Release
from dubgate import watching
from dubgate.certifying import certify
from dubgate.company.folder import company_sha256, read_company
from dubgate.delivery.manifest import Delivery, DeliveryTrack, Evidence, RecordedFile, Source
from dubgate.errors import ChangedError, InputError
from dubgate.judged_kept import judged_bytes, read_judged
from dubgate.pinned import pins, read_pinned
from dubgate.policy.evidence import evidence_files
from dubgate.watching import Watched, files_of, watch

REGISTER = "schema: tool-register/1.0\ncompany: Kestrel\ntools: []\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    made = make_place(tmp_path_factory.mktemp("place"))
    return replace(made, right=made.judged())


@pytest.fixture
def own(place: Place, tmp_path: Path) -> Place:
    return place.copied(tmp_path / "place")


def _manifest(place: Place) -> Path:
    return place.world.delivery.root / "delivery.yaml"


def _everything(root: Path) -> Delivery:
    """A delivery with a file in each place that can name one."""

    def source(name: str) -> Source:
        return Source(root / name, None, "en")

    def recorded(name: str) -> tuple[RecordedFile, ...]:
        return (RecordedFile(root / name, "0" * 64),)

    tracks = {k: DeliveryTrack("en", source(f"{k}.mix"), source(f"{k}.stem"), source(f"{k}.me")) for k in ("o", "d")}
    empty: dict[str, Any] = dict.fromkeys(
        ("title", "style", "timecode", "distribution", "label", "production", "submitter"), None
    )
    given = ("approvals", "waivers", "attestations", "human_performance", "sign_offs")
    return Delivery(
        root=root,
        manifests=((root / "delivery.yaml", ""), (root / "series.yaml", "")),
        stage="master",
        package=None,
        original=tracks["o"],
        dub=tracks["d"],
        cues=root / "script.vtt",
        cast=(),
        prompts=recorded("prompt"),
        references=recorded("reference"),
        evidence=Evidence(*((root / name,) for name in given)),
        settings=recorded("settings"),
        logs=recorded("log"),
        watermarks=recorded("watermark"),
        dub_card=root / "card",
        intake=recorded("intake")[0],
        **empty,
    )


def test_every_file_that_a_manifest_can_name_is_watched(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "lying.json").write_bytes(b"{}")
    (tmp_path / "evidence" / "link.json").symlink_to(tmp_path / "evidence" / "lying.json")
    found = {p.relative_to(tmp_path).as_posix() for p in files_of(_everything(tmp_path))}
    tracks = {f"{track}.{part}" for track in "od" for part in ("mix", "stem", "me")}
    recorded = {"prompt", "reference", "settings", "log", "watermark", "intake", "card"}
    signed = {"approvals", "waivers", "attestations", "human_performance", "sign_offs", "evidence/lying.json"}
    assert found == {"delivery.yaml", "series.yaml", "script.vtt"} | tracks | recorded | signed


def test_no_file_that_a_delivery_can_name_is_new_to_this_test() -> None:
    """A field that is added tomorrow is watched by itself; that it holds a file must be tried above."""
    can = {
        f.name for f in fields(Delivery) if any(t in str(f.type) for t in ("Path", "RecordedFile", "Track", "Evidence"))
    }
    tried = {"original", "dub", "cues", "prompts", "references", "settings", "logs", "watermarks", "dub_card", "intake"}
    assert can == tried | {"root", "manifests", "package", "evidence"}


def test_beside_a_package_everything_is_watched_but_what_is_written_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("package/master.m3u8", "package/a/s0.m4s", "audio/s1.m4s", "report/report.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    delivery = replace(_everything(tmp_path), package=tmp_path / "package" / "master.m3u8")
    more = {*files_of(delivery, tmp_path / "report")} - {*files_of(_everything(tmp_path))}
    names = {p.relative_to(tmp_path).as_posix() for p in more}
    assert names == {"package/master.m3u8", "package/a/s0.m4s", "audio/s1.m4s"}
    monkeypatch.setattr(watching, "MAX_FILES", 3)
    assert tuple(files_of(delivery, tmp_path / "report"))
    monkeypatch.setattr(watching, "MAX_FILES", 2)
    with pytest.raises(InputError, match="more than 2 files"):
        tuple(files_of(delivery, tmp_path / "report"))


def test_reports_that_are_put_aside_above_a_package_or_beside_its_manifest_hide_nothing_of_it(tmp_path: Path) -> None:
    root = tmp_path / "season" / "ep1"
    (root / "package").mkdir(parents=True)
    (root / "package" / "s0.m4s").write_bytes(b"x")
    delivery = replace(_everything(root), package=root / "package" / "master.m3u8")
    for aside in (tmp_path, tmp_path / "season"):
        assert root / "package" / "s0.m4s" in {*files_of(delivery, aside)}
    with pytest.raises(InputError, match="among the files of a package"):
        tuple(files_of(delivery, root))


def _company(folder: Path) -> Path:
    (folder / "policies").mkdir(parents=True)
    (folder / "register.yaml").write_text(REGISTER, encoding="utf-8")
    (folder / "policies" / "one.json").write_bytes(b"{}")
    return folder


def test_the_companys_folder_is_watched_with_it(own: Place, tmp_path: Path) -> None:
    company = _company(tmp_path / "company")
    watched = watch(_manifest(own), company=company)
    names = [name for name, _ in watched.rests_on if name.startswith("company:")]
    assert names == ["company:policies/one.json", "company:register.yaml"]
    assert watched.company_sha256 == company_sha256(company)
    watched.require_unchanged()
    (company / "policies" / "two.json").write_bytes(b"{}")
    assert watched.company_sha256 != company_sha256(company)
    with pytest.raises(ChangedError, match=r"company:policies/two\.json"):
        watched.require_unchanged()


def test_policies_that_vanish_while_they_are_asked_and_come_back_leave_nothing_judged(
    own: Place, tmp_path: Path
) -> None:
    """Nothing is opened in their place, and no file changes by it: what forbids would only not be there."""
    company = _company(tmp_path / "company")
    watched, policies = watch(_manifest(own), company=company), company / "policies"
    with watched.pinned():
        assert read_company(company).policies
        policies.rename(company / "away")
        with pytest.raises(ChangedError):
            read_company(company)
        (company / "away").rename(policies)
    watched.require_unchanged()
    policies.rename(company / "away")
    assert not read_company(company).policies


def test_a_register_that_vanishes_while_it_is_asked_and_comes_back_leaves_nothing_judged(
    own: Place, tmp_path: Path
) -> None:
    company = _company(tmp_path / "company")
    watched, register = watch(_manifest(own), company=company), company / "register.yaml"
    with watched.pinned():
        assert read_company(company).register is not None
        register.rename(company / "away")
        with pytest.raises(ChangedError, match=r"register\.yaml|changed"):
            read_company(company)
        (company / "away").rename(register)
    register.rename(company / "away")
    assert read_company(company).register is None


def test_evidence_that_vanishes_while_it_is_judged_and_comes_back_leaves_nothing_judged(own: Place) -> None:
    watched, root = watch(_manifest(own)), own.world.delivery.root
    with watched.pinned():
        assert evidence_files(own.world.delivery)[0]
        (root / "evidence").rename(root / "away")
        with pytest.raises(ChangedError):
            evidence_files(own.world.delivery)
        (root / "away").rename(root / "evidence")
    watched.require_unchanged()


def test_without_a_company_there_is_no_digest_of_one(own: Place) -> None:
    assert watch(_manifest(own)).company_sha256 is None
    assert company_sha256(None) is None


def test_terms_beside_the_register_count_and_what_leaves_the_folder_does_not(own: Place, tmp_path: Path) -> None:
    company = _company(tmp_path / "company")
    terms = b"You may."
    (company / "terms.txt").write_bytes(terms)
    digest = hashlib.sha256(terms).hexdigest()
    tools = "".join(
        f"""  - id: {name}
    names: [{name}]
    vendor: V
    versions: ["1.*"]
    terms: {{sha256: {digest}, read_on: 2026-01-01, read_by: Ada, file: {file}}}
    stores_inputs: false
    trains_on_inputs: false
    outputs_owned: true
    processed_in: [DE]
    review_due: 2027-01-01
"""
        for name, file in (("a", "terms.txt"), ("b", "away.txt"))
    )
    (tmp_path / "away.txt").write_bytes(terms)
    (company / "away.txt").symlink_to(tmp_path / "away.txt")
    (company / "register.yaml").write_text(REGISTER.replace("tools: []\n", f"tools:\n{tools}"), encoding="utf-8")
    names = [name for name, _ in watch(_manifest(own), company=company).rests_on if name.startswith("company:")]
    assert names == ["company:policies/one.json", "company:register.yaml", "company:terms.txt"]


def test_what_was_judged_is_named_by_digest_in_what_the_annex_binds(place: Place) -> None:
    watched = watch(_manifest(place))
    root = place.world.delivery.root
    names = {"delivery.yaml", "dub.flac", "evidence/approval.json", "original.flac", "script.vtt", "series.yaml"}
    expected = {(n, hashlib.sha256((root / n).read_bytes()).hexdigest()) for n in names}
    assert set(watched.rests_on) == expected
    kept = read_judged(judged_bytes(place.judged(), watched.rests_on), "judged.json")
    assert set(kept.rests_on) == expected
    assert watched.file_sha256 == dict(watched.rests_on)["dub.flac"]


@pytest.mark.parametrize("above", [0, 1])
@pytest.mark.parametrize("name", ["dub.flac", "script.vtt", "evidence/approval.json"])
def test_a_folder_that_is_renamed_away_and_back_hands_nothing_to_who_judges(above: int, name: str, own: Place) -> None:
    watched, root = watch(_manifest(own)), own.world.delivery.root
    folder = (root, root.parent)[above]
    with watched.pinned():
        read_pinned(root / name)
        with renamed_away(folder), pytest.raises(ChangedError):
            read_pinned(root / name)
        (root / "evidence" / "new.json").write_bytes(b"{}")
        with pytest.raises(ChangedError):
            read_pinned(root / "evidence" / "new.json")


def test_signed_evidence_is_pinned_where_it_is_sorted_and_where_it_is_opened(own: Place) -> None:
    watched = watch(_manifest(own))
    with watched.pinned():
        assert evidence_files(own.world.delivery)[0]
        with renamed_away(own.world.delivery.root), pytest.raises(ChangedError):
            evidence_files(own.world.delivery)


def test_a_link_that_leads_elsewhere_by_now_is_another_delivery(own: Place) -> None:
    """No file changed, but the manifest means another one."""
    root = own.world.delivery.root
    (root / "dub.flac").rename(root / "a.flac")
    shutil.copy(root / "a.flac", root / "b.flac")
    (root / "dub.flac").symlink_to("a.flac")
    watched = watch(_manifest(own))
    watched.require_unchanged()
    (root / "dub.flac").unlink()
    (root / "dub.flac").symlink_to("b.flac")
    with pytest.raises(ChangedError, match="the manifest changed"):
        watched.require_unchanged()


def test_a_manifest_that_was_another_one_while_it_was_judged_is_not_what_was_watched(own: Place) -> None:
    watched = watch(_manifest(own))
    watched.require_judged(own.world.delivery)
    with pytest.raises(ChangedError, match="another manifest was judged"):
        watched.require_judged(replace(own.world.delivery, cast=own.world.delivery.cast[1:]))


def test_what_is_read_once_more_for_signing_is_pinned_too(
    own: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the last look and the ledger the folder is another one: nothing is recorded, nothing is signed."""
    watched, root = watch(_manifest(own)), own.world.delivery.root
    judged, before = own.judged(), Watched.require_unchanged
    with _renamed_away_at_last(root) as swap:

        def looked(self: Watched) -> None:
            before(self)
            swap()

        monkeypatch.setattr(Watched, "require_unchanged", looked)
        with pytest.raises(ChangedError):
            certify(judged, watched, str(own.world.registry), own.gate(), tmp_path / "out", clock=lambda: AT)
    assert not (tmp_path / "out" / "certificate.json").exists()
    with Registry.open(own.world.registry, read_only=True) as opened, opened.view() as view:
        assert view.store.of_kind(Release) == []
    assert pins().places == {}


@contextmanager
def _renamed_away_at_last(folder: Path) -> Iterator[Any]:
    swap = renamed_away(folder)
    try:
        yield swap.__enter__
    finally:
        swap.__exit__(None, None, None)
