"""Bulk import of CSV and JSON: all or nothing, every error with its line and column, days read in a declared zone."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from consent_examples import NOW, VECTOR, Place, Ticking, enrolment, open_world
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.bulk import SCHEMA, import_bulk
from consent.bulk_csv import read_csv
from consent.bulk_fields import column, columns
from consent.bulk_json import JsonLines
from consent.bulk_rows import checked
from consent.bulk_template import EXAMPLES, template
from consent.days import moment
from consent.errors import RecordError
from consent.registry import Registry
from consent.seed import SECTIONS
from consent.strict import canonical_json
from consent.terms import Grant
from consent.writing import Addition
from dubgate.cli.main import run

BERLIN = ZoneInfo("Europe/Berlin")
DIGEST = "c" * 64
COLUMNS = "grant_id,voice_id,granted_by,title_ids,intended_use,techniques,performances,languages,territories,channels,not_before,not_after,evidence.1.kind,evidence.1.sha256"
GOOD = f'g-1,v-ada,p-ada,show,"A dub of the series Show, into French, from own recordings.",voice_clone_tts,new_performance,fr|de,150|NO,svod,2026-01-01,2026-12-31,contract,{DIGEST}'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the world, made once; tests work on a copy of its files."""
    folder = tmp_path_factory.mktemp("world")
    open_world(folder).close()
    return folder


@pytest.fixture
def registry(made: Path, tmp_path: Path) -> Iterator[Registry]:
    for name in ("registry.db", "registry.db.key"):
        shutil.copy(made / name, tmp_path / name)
    with Place.sqlite(tmp_path).open() as opened:
        yield opened


def write(folder: Path, text: str | bytes, name: str = "grants.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def grants(*rows: str, header: str = COLUMNS) -> str:
    return "\n".join([header, *rows]) + "\n"


def refused(registry: Registry, path: Path, **how: Any) -> list[str]:
    """The lines of the refusal; and that nothing was imported."""
    before = registry.head()
    with pytest.raises(RecordError) as caught:
        import_bulk(registry, path, **({"zone": "Europe/Berlin"} | how))
    assert registry.head() == before
    return str(caught.value).splitlines()


# --- what is read ---------------------------------------------------------------------------------------------------


def test_a_csv_of_grants_enters_with_its_last_day_included(place: Place, tmp_path: Path) -> None:
    with open_world(place) as registry:
        done = import_bulk(registry, write(tmp_path, grants(GOOD)), kind="grants", zone="Europe/Berlin")
        assert done.counts() == {"grants": 1}
        with registry.view() as view:
            record = view.record("grant:g-1", Grant)
        assert registry.audit().sound
    assert record is not None
    assert record.languages == ("fr", "de")
    assert record.territories == ("150", "NO")
    assert record.not_before == datetime(2025, 12, 31, 23, tzinfo=UTC)
    assert record.not_after == datetime(2026, 12, 31, 23, tzinfo=UTC)


def test_the_same_records_as_json_are_the_same_records(registry: Registry, tmp_path: Path) -> None:
    cells = dict(zip(COLUMNS.split(","), next(csv.reader([GOOD])), strict=True))
    item: dict[str, Any] = {k: v for k, v in cells.items() if "." not in k}
    for name in ("title_ids", "techniques", "performances", "languages", "territories", "channels"):
        item[name] = cells[name].split("|")
    item["evidence"] = [{"kind": "contract", "sha256": DIGEST}]
    text = json.dumps({"schema": SCHEMA, "zone": "Europe/Berlin", "grants": [item]})
    import_bulk(registry, write(tmp_path, text, "grants.json"))
    done = import_bulk(registry, write(tmp_path, grants(GOOD)), kind="grants", zone="Europe/Berlin")
    assert done.counts("unchanged") == {"grants": 1}
    assert done.counts() == {}


@pytest.mark.parametrize("section", list(SECTIONS))
def test_the_example_in_every_template_is_a_record_that_holds_up(section: str) -> None:
    rows, problems = read_csv("template.csv", template(section), None)
    assert problems == []
    (row,) = rows
    addition, found = checked(row, BERLIN)
    assert found == []
    assert addition is not None
    assert isinstance(addition.record, SECTIONS[section])
    assert set(EXAMPLES[section]) <= {c.name for c in columns(section)}
    assert all(column(section, c.name) == c for c in columns(section))
    needed = {name for name, f in SECTIONS[section].model_fields.items() if f.is_required()}
    assert needed <= {c.name.split(".")[0] for c in columns(section) if c.required}


def test_the_templates_of_a_whole_registry_can_be_imported_one_after_the_other(tmp_path: Path) -> None:
    parties = "party_id,roles,person\nstudio,rights_holder,false\nagency,agent,false\nvendor,tts_vendor,false\n"
    operators = "operator-1,operator,false\noperator-2,operator,false\n"
    with Place.sqlite(tmp_path).open(Ticking(NOW), create=True) as registry:
        import_bulk(registry, write(tmp_path, parties + operators, "p.csv"), kind="parties")
        show = "title_id,level,name\nshow,series,=SUM(A1)\n"
        import_bulk(registry, write(tmp_path, show, "t.csv"), kind="titles")
        keep = template("permissions").replace("match", "keep")
        done = 0
        for section in SECTIONS:
            if section == "enrolments":
                import_bulk(registry, write(tmp_path, keep, "keep.csv"), zone="Europe/Berlin")
            done += len(import_bulk(registry, write(tmp_path, template(section)), zone="Europe/Berlin").records)
        assert done == len(SECTIONS)
        with registry.view() as view:
            assert view.title("show").title.name == "=SUM(A1)"  # type: ignore[union-attr]
            assert view.enrolments("v-ada", NOW)[0].vector == (0.5, -1.0, 0.25)
        assert registry.report("p-ada").subject == "Ada Example"


def test_comments_a_byte_order_mark_quoted_line_breaks_and_windows_lines_are_read(
    registry: Registry, tmp_path: Path
) -> None:
    row = GOOD.replace("into French", "into\nFrench")
    text = f'\ufeff# a comment, "with a quote\n\n{COLUMNS}\n# another\n{row}\n\n'.replace("\n", "\r\n")
    import_bulk(registry, write(tmp_path, text), kind="grants", zone="Europe/Berlin")
    bad = text + GOOD.replace("g-1", "g-2").replace("150|NO", "UK") + "\r\n"
    told = refused(registry, write(tmp_path, bad), kind="grants")
    assert told[0].startswith(f"{tmp_path}/grants.csv:8: column territories, value 1: 'UK' is not a country")


def test_a_part_that_is_left_out_before_another_is_told(registry: Registry, tmp_path: Path) -> None:
    text = grants(GOOD + ",contract", header=COLUMNS + ",evidence.3.kind")
    told = refused(registry, write(tmp_path, text), kind="grants")
    assert "column evidence.2: is empty while a later part is filled" in told[0]


def test_a_list_may_hold_its_own_sign_behind_a_backslash(registry: Registry, tmp_path: Path) -> None:
    text = grants(GOOD + r",A\|B|C\\", header=COLUMNS + ",characters")
    import_bulk(registry, write(tmp_path, text), kind="grants", zone="UTC")
    with registry.view() as view:
        assert view.record("grant:g-1", Grant).characters == ("A|B", "C\\")  # type: ignore[union-attr]


# --- days and zones -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "key", "zone", "expected"),
    [
        ("2026-12-31", "not_after", "Europe/Berlin", "2026-12-31T23:00:00+00:00"),
        ("until 31 December 2026", "not_after", "Europe/Berlin", "2026-12-31T23:00:00+00:00"),
        ("31 December 2026", "not_before", "Europe/Berlin", "2026-12-30T23:00:00+00:00"),
        ("from 2026-07-01", "not_before", "Europe/Berlin", "2026-06-30T22:00:00+00:00"),
        ("2026-03-29", "not_after", "Europe/Berlin", "2026-03-29T22:00:00+00:00"),
        ("2026-12-31", "end", "Asia/Tokyo", "2026-12-31T15:00:00+00:00"),
        ("2026-12-31", "expires_at", "Asia/Kathmandu", "2026-12-31T18:15:00+00:00"),
        ("2028-02-29", "deletion_due", "UTC", "2028-03-01T00:00:00+00:00"),
        ("2026-12-31T18:00:00+01:00", "not_after", None, "2026-12-31T17:00:00+00:00"),
        ("2026-12-31T18:00Z", "not_after", None, "2026-12-31T18:00:00+00:00"),
        ("2026-06-01T18:00", "not_after", "Europe/Berlin", "2026-06-01T16:00:00+00:00"),
    ],
)
def test_days_and_times_are_read_in_the_zone(text: str, key: str, zone: str | None, expected: str) -> None:
    assert moment(text, key, ZoneInfo(zone) if zone else None).isoformat() == expected


@pytest.mark.parametrize(
    ("text", "zone", "what"),
    [
        ("2026-12-31", None, "a day without a time"),
        ("2026-12-31T18:00", None, "a day without a time"),
        ("2026-03-29T02:30", "Europe/Berlin", "never comes in Europe/Berlin"),
        ("2026-10-25T02:30", "Europe/Berlin", "comes twice in Europe/Berlin"),
        ("2026-09-05", "America/Santiago", "never comes in America/Santiago"),
        ("2026-10-31", "America/Havana", "comes twice in America/Havana"),
        ("2011-12-29", "Pacific/Apia", "never comes in Pacific/Apia"),
        ("2026-02-29", "UTC", "not a day of the calendar"),
        ("2026-13-01", "UTC", "not a day of the calendar"),
        ("31 Dezember 2026", "UTC", "is not a time; write 2026-12-31"),
        ("31.12.2026", "UTC", "is not a time; write 2026-12-31"),
        ("12/31/2026", "UTC", "is not a time; write 2026-12-31"),
        ("2026-12-31T25:00Z", "UTC", "not a time of the calendar and clock"),
        ("9999-12-31", "UTC", "last day of the calendar"),
        ("0001-01-01T00:00+23:00", "UTC", "calendar"),
        ("from 2026-12-31", "UTC", "says 'from' where the field says the last day"),
        ("1767225600", "UTC", "is not a time"),
        ("２０２６-12-31", "UTC", "is not a time"),
    ],
)
def test_a_time_that_leaves_a_doubt_is_refused(text: str, zone: str | None, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        moment(text, "not_after", ZoneInfo(zone) if zone else None)


@settings(max_examples=200, deadline=None)
@given(
    day=st.dates(date(1990, 1, 1), date(2037, 12, 30)),
    name=st.sampled_from(
        ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "America/Havana", "Asia/Kolkata", "Pacific/Apia"]
    ),
)
def test_a_last_day_ends_with_the_last_moment_that_its_clocks_show(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    try:
        end = moment(day.isoformat(), "not_after", zone)
    except ValueError:
        midnight = datetime.combine(day + timedelta(days=1), time())
        both = {midnight.replace(tzinfo=zone, fold=f).utcoffset() for f in (0, 1)}
        assert len(both) == 2  # the clocks changed just there
        return
    assert end.astimezone(zone).replace(tzinfo=None) == datetime.combine(day + timedelta(days=1), time())
    assert (end - timedelta(microseconds=1)).astimezone(zone).date() == day


# --- what is wrong, where -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "where", "what"),
    [
        ("g-1", "G 1", "column grant_id", "an id is small letters"),
        ("fr|de", "french", "column languages, value 1", "not a language tag"),
        ("fr|de", "fr||de", "column languages", "empty element"),
        ("150|NO", "150|UK", "column territories, value 2", "'UK' is not a country"),
        ("150|NO", "", "column territories", "missing; for example 150"),
        ("voice_clone_tts", "cloning", "column techniques, value 1", "'voice_clone_tts', 'speech_to_speech'"),
        ("2026-12-31", "2025-12-30", "", "ends before it starts"),
        ("2026-12-31", "31.12.2026", "column not_after", "write 2026-12-31, 31 December 2026"),
        ("2026-12-31", "", "", "needs perpetual_ack: true"),
        ("contract", "contrakt", "column evidence.1.kind", "'contract', 'esign'"),
        (DIGEST, DIGEST.upper(), "column evidence.1.sha256", "64 hexadecimal digits in small letters"),
        ("fr|de", "fr|fr", "column languages", "a value is repeated"),
        ("v-ada", "v-nobody", "", "no voice 'v-nobody' is registered"),
        ("p-ada", "p-bo", "", "p-bo is not the owner of the voice v-ada"),
        ("g-1", "g-ada", "", "'g-ada' is in the registry already and differs in"),
    ],
)
def test_an_error_names_its_line_and_column_and_nothing_is_imported(
    registry: Registry, tmp_path: Path, old: str, new: str, where: str, what: str
) -> None:
    text = grants(GOOD.replace("g-1", "g-0"), GOOD.replace(old, new, 1), GOOD.replace("g-1", "g-2"))
    told = refused(registry, write(tmp_path, text), kind="grants")
    assert len(told) == 2
    assert told[0].startswith(f"{tmp_path}/grants.csv:3: {where}{': ' if where else ''}")
    assert what in told[0]
    assert told[1] == "  1 problem. Nothing was imported."


@pytest.mark.parametrize(
    ("name", "cell", "what"),
    [
        ("max_uses", "10.0", "not a whole number"),
        ("max_uses", "1e3", "not a whole number"),
        ("max_uses", "0", "greater than 0"),
        ("max_uses", "9" * 19, "not a whole number"),
        ("max_minutes", '"12,5"', "decimal point, such as 12.5"),
        ("max_minutes", "1e400", "decimal point"),
        ("max_minutes", "NaN", "decimal point"),
        ("exclusive", "yes", "write true or false"),
        ("compensation.currency", "euro", "three capital letters"),
        ("revocation.notice_days", "-1", "greater than or equal to 0"),
        ("characters", "A\\", "lone backslash"),
        ("credit_text", "a\u202eb", "control, directional"),
        ("training.1.use", "allowed", "column training.1.kind: missing"),
        ("minor.guardian_id", "p-bo", "column minor.expires_at_majority: missing"),
        ("label_text.english", "AI", "not a language tag"),
    ],
)
def test_a_cell_that_its_field_cannot_hold_is_told_with_its_column(
    registry: Registry, tmp_path: Path, name: str, cell: str, what: str
) -> None:
    told = refused(registry, write(tmp_path, grants(f"{GOOD},{cell}", header=f"{COLUMNS},{name}")), kind="grants")
    assert all(line.startswith(f"{tmp_path}/grants.csv:2: column {name.rsplit('.', 1)[0]}") for line in told[:-1])
    assert what in "\n".join(told)


def test_all_problems_of_a_file_are_told_in_the_order_of_its_lines(registry: Registry, tmp_path: Path) -> None:
    rows = [GOOD.replace("g-1", f"g-{k}") for k in range(40)]
    rows[3] = rows[3].replace("fr|de", "xx").replace("svod", "vsod")
    rows[20] = rows[20].replace("v-ada", "v-x")
    rows[30] = rows[5]
    told = refused(registry, write(tmp_path, grants(*rows)), kind="grants")
    assert [line.split(": ")[0].rsplit(":", 1)[1] for line in told[:-1]] == ["5", "5", "22", "32"]
    assert "stands in line 7 already" in told[3]
    assert told[-1] == "  4 problems. Nothing was imported."


def test_what_only_follows_from_another_bad_row_is_not_told(registry: Registry, tmp_path: Path) -> None:
    parts = {
        "parties": [{"party_id": "p-new", "roles": ["performr"], "person": True}],
        "voices": [{"voice_id": "v-new", "subject": "living", "owner_id": "p-new"}],
    }
    path = write(tmp_path, json.dumps({"schema": SCHEMA, **parts}, indent=1), "a.json")
    told = refused(registry, path, zone=None)
    assert len(told) == 2
    assert "field roles, value 1" in told[0]


def test_records_of_one_line_are_told_apart_and_each_once(registry: Registry, tmp_path: Path) -> None:
    agent: dict[str, Any] = {"roles": ["agent"], "person": False}
    parties = [{"party_id": "p-1"} | agent, {"party_id": "P 2"} | agent, {"party_id": "p-1"} | agent | {"person": True}]
    more = [
        {"party_id": "p-4", "organisation_id": "nobody"} | agent,
        {"party_id": "p-5", "organisation_id": "p-4"} | agent,
    ]
    text = json.dumps({"schema": SCHEMA, "parties": [*parties, *more]})
    told = refused(registry, write(tmp_path, text, "a.json"))
    assert [line.split(": ", 2)[1] for line in told[:-1]] == ["parties 2", "parties 3", "parties 4"]
    assert "no party 'nobody' is registered" in told[2]


def test_a_record_that_stands_below_what_names_it_is_told_where(registry: Registry, tmp_path: Path) -> None:
    text = "title_id,level,name,parent_id\nx-101,episode,X 1.01,x\nx,series,X,\n"
    told = refused(registry, write(tmp_path, text), kind="titles")
    assert "grants.csv:2: no title 'x' is registered; it stands in line 3: put it above" in told[0]


@pytest.mark.parametrize(
    ("text", "how", "where", "what"),
    [
        (grants(GOOD), {"kind": None}, ":1:", "not said what kind of record"),
        (grants(GOOD), {"kind": "grant"}, ":1:", "'grant' is no kind of record"),
        (grants(GOOD), {"kind": "grants", "zone": None}, ":2: column not_after", "declare the zone"),
        (grants(GOOD), {"kind": "grants", "zone": "Berlin"}, "", "not a time zone"),
        (grants(GOOD, header=COLUMNS.replace("territories", "teritories")), {}, ":1: column 'teritories'", "mean terr"),
        (grants(GOOD, header=COLUMNS.replace("channels", "languages")), {}, ":1: column 'languages'", "twice"),
        (grants(GOOD, header=COLUMNS.replace(".1.", ".01.")), {}, ":1: column 'evidence.01.kind'", "no such column"),
        (grants(GOOD + ",x"), {}, ":2:", "15 cells where the header has 14"),
        (grants(GOOD.replace(",", ";"), header=COLUMNS.replace(",", ";")), {}, ":1:", "not separated by commas"),
        (grants(GOOD.replace("show", '"show"x')), {}, ":2:", "not CSV"),
        (grants(GOOD.replace("show", "x" * 140_000)), {}, ":2:", "not CSV: field larger"),
        ("", {}, "", "the file is empty"),
        ("# only a comment\n", {}, "", "the file is empty"),
        (grants(GOOD).encode() + "g-2,Zoë".encode("latin-1"), {}, ":3:", "not UTF-8 text: the byte 0xeb"),
        (grants(GOOD).encode("utf-16"), {}, ":1:", "not UTF-8"),
        (b"x" * 10_000_001, {}, "", "more than 10,000,000 bytes"),
    ],
)
def test_a_file_that_is_no_such_csv_is_refused(
    registry: Registry, tmp_path: Path, text: str | bytes, how: dict[str, Any], where: str, what: str
) -> None:
    told = "\n".join(refused(registry, write(tmp_path, text), **({"kind": "grants"} | how)))
    assert f"grants.csv{where}" in told
    assert re.search(what, told)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "a value belongs here"),
        ("[]", 1, "an import starts with"),
        ('{"schema": "consent-bulk/2.0"}', 1, "an import starts with"),
        ('{"schema": "consent-bulk/1.0",\n"grant": []}', 2, "no such list"),
        ('{"schema": "consent-bulk/1.0",\n"grants": {}}', 2, "a list of records"),
        ('{"schema": "consent-bulk/1.0",\n"grants": [\n1]}', 3, "is an object"),
        ('{"a": 1,\n"b": 2,\n"a": 3}', 3, "the key 'a' is repeated; it stands in line 1"),
        ('{"a":\n1e400}', 2, "beyond what a number can hold"),
        ('{"a": NaN}', 1, "'NaN' is not JSON"),
        ('{"a": -Infinity}', 1, "not JSON"),
        ('{"a": 1' + "0" * 18 + "}", 1, "more than 18 digits"),
        ('{"a": 01}', 1, "',' or '}' belongs here"),
        ("[" * 100_000, 1, "nested more than 32"),
        ('{"a": "\\ud800"}', 1, "surrogate"),
        ('{"a": "x\ny"}', 1, "not a text"),
        ('{"a": "x', 1, "not a text"),
        ('{"a": 1} x', 1, "behind the end"),
        ('{"a": 1,}', 1, "a key in double quotes"),
        ('{\n"a": [1, 2', 2, "opened in line 2"),
        ('{"schema": "consent-bulk/1.0", "zone": 3}', 1, "not a time zone"),
        ('{"schema": "consent-bulk/1.0", "zone": "Asia/Tokyo"}', 1, "--zone says 'Europe/Berlin'"),
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused_with_its_line(
    registry: Registry, tmp_path: Path, text: str, line: int, what: str
) -> None:
    told = "\n".join(refused(registry, write(tmp_path, text, "a.json")))
    assert f"a.json:{line}: " in told
    assert what in told


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(10**17), 10**17)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
        max_leaves=20,
    ),
    st.sampled_from([None, 0, 2]),
)
def test_json_is_read_as_python_reads_it(data: Any, indent: int | None) -> None:
    assert JsonLines("x", json.dumps(data, indent=indent)).data == data


def test_every_json_value_knows_its_line() -> None:
    lines = JsonLines("x", '{\n"a": [\n 1,\n {"b": 2,\n"c": 3}],\n"d":\n4}')
    where = {(): 1, ("a",): 2, ("a", 0): 3, ("a", 1): 4, ("a", 1, "c"): 5, ("d",): 7, ("a", 1, "c", "no", 4): 5}
    assert {path: lines.line(path) for path in where} == where


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "1", "true", "fr|de", "2026-12-31", "150", "=1+1", "p-ada", "\\", "|", "until 31 December 2026", DIGEST]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([c.name for c in columns("grants")] + ["x", ""]), CELLS), max_size=8))
def test_whatever_stands_in_the_cells_is_a_record_or_told_and_never_a_crash(cells: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    good = dict(zip(COLUMNS.split(","), next(csv.reader([GOOD])), strict=True))
    changed = good | dict(cells)
    csv.writer(out).writerows([changed.keys(), changed.values()])
    rows, problems = read_csv("f.csv", out.getvalue(), "grants")
    for row in rows:
        addition, found = checked(row, BERLIN)
        assert (addition is None) == bool(found)
        assert all(p.line >= 2 and p.what for p in found)
        if addition is not None and not problems:
            assert Grant.model_validate_json(canonical_json(addition.record)) == addition.record


# --- again, and dry -------------------------------------------------------------------------------------------------


def test_the_same_file_again_imports_nothing_and_says_so(registry: Registry, tmp_path: Path) -> None:
    path = write(tmp_path, grants(GOOD))
    import_bulk(registry, path, kind="grants", zone="Europe/Berlin")
    before = registry.head()
    more = write(tmp_path, grants(GOOD, GOOD.replace("g-1", "g-2")), "more.csv")
    again = import_bulk(registry, path, kind="grants", zone="Europe/Berlin")
    assert registry.head() == before
    assert [(r.record_id, r.state) for r in again.records] == [("g-1", "unchanged")]
    done = import_bulk(registry, more, kind="grants", zone="Europe/Berlin")
    assert [(r.record_id, r.state, r.line) for r in done.records] == [("g-1", "unchanged", 2), ("g-2", "new", 3)]
    assert registry.head().size == before.size + 1
    other = write(tmp_path, grants(GOOD.replace("svod", "avod").replace("NO", "SE")))
    told = refused(registry, other, kind="grants")
    assert "'g-1' is in the registry already and differs in territories, channels" in told[0]


def test_an_event_again_is_known_by_what_it_happened_to(registry: Registry, tmp_path: Path) -> None:
    text = "event_id,target,target_id,kind,effective_at,by\ne-9,grant,g-ada,renewed,2026-02-01,p-ada\n"
    path = write(tmp_path, text)
    import_bulk(registry, path, kind="events", zone="UTC")
    assert import_bulk(registry, path, kind="events", zone="UTC").counts("unchanged") == {"events": 1}
    told = refused(registry, write(tmp_path, text.replace("renewed", "withdrawn")), kind="events", zone="UTC")
    assert "differs in kind" in told[0]


def test_names_and_templates_are_compared_too_and_what_was_erased_stays_erased(
    registry: Registry, tmp_path: Path
) -> None:
    registry.add(Addition(enrolment(confirmed_by="p-ada"), vector=VECTOR))
    text = "party_id,roles,person,name,contact\np-ada,performer,true,{},ada@example.org\n"
    path = write(tmp_path, text.format("Ada Example"))
    assert import_bulk(registry, path, kind="parties").counts("unchanged") == {"parties": 1}
    told = refused(registry, write(tmp_path, text.format("Eve")), kind="parties")
    assert "differs in name or contact" in told[0]
    assert "Eve" not in told[0]
    made = enrolment(confirmed_by="p-ada").model_dump(mode="json", exclude_none=True)
    body = {"schema": SCHEMA, "enrolments": [made | {"vector": list(VECTOR)}]}
    assert import_bulk(registry, write(tmp_path, json.dumps(body), "e.json")).counts() == {}
    body["enrolments"] = [made | {"vector": [*VECTOR[:3], 0.5]}]
    assert "differs in vector" in refused(registry, write(tmp_path, json.dumps(body), "e.json"))[0]
    registry.erase("party:p-ada", by="p-ada", reason="asked")
    before = registry.head()
    import_bulk(registry, write(tmp_path, text.format("Ada Example")), kind="parties")
    assert registry.head() == before
    assert registry.report("p-ada").subject == "p-ada"


@pytest.mark.parametrize("vector", [[1, 2, 3, "4"], [1, 2, 3, 1e39], [1, 2, 3, True], "1|2|3|4", [1.0, 2.0, 3.0]])
def test_a_vector_that_is_none_is_told(registry: Registry, tmp_path: Path, vector: Any) -> None:
    made = enrolment().model_dump(mode="json", exclude_none=True) | {"vector": vector}
    told = refused(registry, write(tmp_path, json.dumps({"schema": SCHEMA, "enrolments": [made]}), "e.json"))
    assert "vector" in told[0]
    assert "1e+39" not in told[0]


def test_a_dry_run_says_what_would_be_imported_and_writes_nothing(registry: Registry, tmp_path: Path) -> None:
    before = registry.head()
    done = import_bulk(registry, write(tmp_path, grants(GOOD)), kind="grants", zone="UTC", dry_run=True)
    assert done.dry_run
    assert done.counts() == {"grants": 1}
    assert registry.head() == before


def test_one_bad_row_of_many_keeps_all_out(registry: Registry, tmp_path: Path) -> None:
    parties = "".join(f"p-{k},performer,true,Person {k}\n" for k in range(150))
    text = "party_id,roles,person,name\n" + parties
    refused(registry, write(tmp_path, text + "p-x,performer,true,\u200b\n"), kind="parties")
    assert import_bulk(registry, write(tmp_path, text), kind="parties").counts() == {"parties": 150}


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def said(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    monkeypatch.setenv("DUBGATE_REGISTRY", str(tmp_path / "registry.db"))

    def call(*words: str) -> tuple[int, str]:
        code = run(["consent", "import", *words])
        printed = capsys.readouterr()
        return code, printed.err if code == 2 else printed.out

    return call


def test_the_command_imports_tells_and_prints_templates(said: Callable[..., Any], tmp_path: Path) -> None:
    path = str(write(tmp_path, grants(GOOD)))
    dry = said(path, "--kind", "grants", "--zone", "Europe/Berlin", "--dry-run")
    assert dry == (0, "+ line      2  grants       g-1\nWould import 1 grants.\n")
    code, text = said(path, "--kind", "grants", "--zone", "Europe/Berlin", "--format", "json")
    assert (code, json.loads(text)["imported"]) == (0, {"grants": 1})
    assert said(path, "--kind", "grants", "--zone", "Europe/Berlin")[1].endswith("Already there, the same: 1 grants.\n")
    assert said(path, "--kind", "grants")[0] == 2
    code, told = said(path, "--kind", "gants", "--zone", "UTC")
    assert (code, "is not one of" in told) == (2, True)
    code, text = said("--template", "grants")
    assert code == 0
    assert text == template("grants")
    assert said("--template", "nothing")[0] == 2
    seed = write(tmp_path, "schema: consent-seed/1.0\n", "seed.yaml")
    assert said(str(seed), "--zone", "UTC")[0] == 2


def test_what_a_file_says_cannot_move_the_cursor(said: Callable[..., Any], tmp_path: Path) -> None:
    row = GOOD.replace("svod", "\x1b[2J\u202e")
    _, told = said(
        str(write(tmp_path, grants(row, header=COLUMNS.replace("channels", "\x1b[2Jx")))), "--kind", "grants"
    )
    assert "\x1b" not in told
    _, told = said(str(write(tmp_path, grants(row))), "--kind", "grants", "--zone", "UTC")
    assert "\x1b" not in told
    assert "\u202e" not in told
    body = json.dumps(
        {"schema": SCHEMA, "parties": [{"\x1b[2J": 1, "party_id": "p-x", "roles": ["agent"], "person": True}]}
    )
    _, told = said(str(write(tmp_path, body, "a.json")))
    assert "\x1b" not in told
