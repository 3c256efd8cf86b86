"""What was heard by other code is heard again: the program is told by its source, wherever it is installed."""

from __future__ import annotations

import ast
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dubgate import cache, kept, program
from dubgate.program import APART, PACKAGES, WHOLE, code_sha256

ROOT = Path(__file__).resolve().parents[1]
# What is kept is made by these: hearing in the child and around it, measuring, and comparing voices with a registry.
MAKERS = (
    *("dubgate.sandbox_child", "dubgate.hearing", "dubgate.hearing_words", "dubgate.listening", "dubgate.kept"),
    *("dubgate.voices_heard", "dubgate.judging_again", "dubgate.kept_measures", "dubgate.measure.metrics"),
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small program of the same names, read from a folder of its own."""
    for package in PACKAGES:
        for name in (
            "__init__.py",
            "hearing.py",
            "cli/main.py",
            "web/page.py",
            "speech/scale.json",
            "__pycache__/hearing.pyc",
        ):
            path = tmp_path / "site" / package / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{package} {name}")
    monkeypatch.setattr(program, "files", lambda package: tmp_path / "site" / package)
    program._first.cache_clear()
    yield tmp_path / "site"
    program._first.cache_clear()


def fresh() -> str | None:
    """As a process that begins now."""
    program._first.cache_clear()
    return code_sha256()


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        (lambda site: (site / "dubgate" / "hearing.py").write_text("other"), True),
        (lambda site: (site / "consent" / "hearing.py").write_text("other"), True),
        (lambda site: (site / "dubgate" / "speech" / "scale.json").write_text("other"), True),
        (lambda site: (site / "dubgate" / "new.py").write_text(""), True),
        (lambda site: (site / "dubgate" / "hearing.py").rename(site / "dubgate" / "listening.py"), True),
        (lambda site: (site / "dubgate" / "cli" / "main.py").write_text("other"), False),
        (lambda site: (site / "consent" / "web" / "page.py").write_text("other"), False),
        (lambda site: (site / "dubgate" / "__pycache__" / "hearing.pyc").write_text("other"), False),
    ],
)
def test_the_source_that_hears_counts_and_what_hears_nothing_does_not(
    installed: Path, change: Callable[[Path], object], counts: bool
) -> None:
    before = fresh()
    change(installed)
    assert (fresh() != before) is counts


def test_the_whole_program_counts_where_it_is_asked_for(installed: Path) -> None:
    before = code_sha256(WHOLE)
    assert before not in (None, fresh())
    (installed / "dubgate" / "rulepacks").mkdir()
    (installed / "dubgate" / "rulepacks" / "core.yaml").write_text(
        "digested by itself, and not there in an editable program"
    )
    program._first.cache_clear()
    assert code_sha256(WHOLE) == before
    (installed / "dubgate" / "cli" / "main.py").write_text("other")
    program._first.cache_clear()
    assert code_sha256(WHOLE) != before


def test_it_is_the_same_in_a_folder_and_in_a_zip_and_elsewhere(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fresh()
    assert before is not None
    moved = Path(shutil.copytree(installed, tmp_path / "elsewhere"))
    packed = tmp_path / "program.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted((p for p in installed.rglob("*") if p.is_file()), reverse=True):
            archive.write(path, path.relative_to(installed).as_posix())
    monkeypatch.setattr(program, "files", lambda package: moved / package)
    assert fresh() == before
    monkeypatch.setattr(program, "files", lambda package: zipfile.Path(packed, f"{package}/"))
    assert fresh() == before


@pytest.mark.parametrize("package", PACKAGES)
def test_without_its_source_nothing_is_told(installed: Path, package: str) -> None:
    (installed / package / "__init__.py").unlink()  # compiled files alone
    assert fresh() is None
    shutil.rmtree(installed / package)
    assert fresh() is None


def test_a_program_that_changes_under_a_process_is_not_what_it_began_with(installed: Path) -> None:
    """Its memory holds the old code, and a child of it would run the new."""
    before = fresh()
    (installed / "dubgate" / "hearing.py").write_text("new")
    assert code_sha256() is None
    (installed / "dubgate" / "hearing.py").write_text("dubgate hearing.py")
    assert code_sha256() == before


def test_where_the_source_cannot_be_told_nothing_is_kept_and_nothing_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUBGATE_CACHE", str(tmp_path / "kept"))
    cache.write(cache.NOWHERE, "heard", b"x", voices=["v"])
    cache.mark(cache.NOWHERE, ["v"])
    assert not (tmp_path / "kept").exists()
    (tmp_path / "kept").mkdir()
    cache.mark(cache.NOWHERE, ["v"])
    assert cache.read(cache.NOWHERE, "heard") is None
    assert list((tmp_path / "kept").iterdir()) == []
    monkeypatch.setattr(kept, "code_sha256", lambda: None)
    assert kept.key_of(None, [], []) == cache.NOWHERE  # type: ignore[arg-type]


def test_nothing_that_makes_what_is_kept_lies_apart() -> None:
    """By what the makers import, wherever in a module it stands."""
    apart = tuple(name.replace("/", ".") for name in APART)
    reached = set[str]()
    waiting = list(MAKERS)
    while waiting:
        module = waiting.pop()
        if module in reached or _file(module) is None:
            continue
        reached.add(module)
        waiting += _imported(module)
    assert {"dubgate.measure.timing", "dubgate.speech.silero", "dubgate.delivery.audio", "consent.views"} <= reached
    assert [m for m in sorted(reached) if m.startswith(tuple(f"{a}." for a in apart)) or m in apart] == []


def _file(module: str) -> Path | None:
    path = ROOT / module.replace(".", "/")
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((p for p in found if p.is_file()), None)


def _imported(module: str) -> Iterator[str]:
    file = _file(module)
    assert file is not None
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
