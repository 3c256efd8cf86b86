"""The ten ideas, held by tests: one direction, light imports, short modules, consent apart from dubgate."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A stage imports only from its own place in this list or from places before it.
ORDER = (
    (
        "errors",
        "pinned",
        "program",
        "client",
        "unmeasured",
        "japanese",
        "units",
        "spans",
        "stored",
        "strict_yaml",
        "languages",
        "side_by_side",
        "regions",
        "sandbox",
        "sandbox_child",
    ),
    ("numerals", "wording", "delivery"),
    ("features", "meter"),
    ("speech",),
    ("voice_segments", "mixing", "chosen_alone"),
    ("hearing_words",),
    ("hearing", "digesting", "enrolling", "excerpts"),
    ("word_shares",),
    ("cache",),
    ("kept",),
    ("measure",),
    ("kept_measures",),
    ("labels",),
    ("policy", "certificate"),
    ("alignment", "package_files", "rewrapping", "publishing", "standing"),
    ("package_hearing", "verifying", "fetching"),
    ("probing",),
    ("judgement", "approved_parts", "clearing", "protected_voices", "hit_notices"),
    ("comparing",),
    ("spoken",),
    ("record_checks", "company"),
    ("label_facts", "voice_facts", "record_facts"),
    (
        "listening",
        "voices_heard",
        "approving",
        "approving_ahead",
        "labelling",
        "delivery_facts",
        "consent_draft",
        "answers",
        "label_rules",
    ),
    ("intake", "watching", "slips"),
    ("record_confirming",),
    ("record_judging",),
    ("gate",),
    ("choosing_packs",),
    ("explaining",),
    ("release",),
    ("disclosure",),
    ("disclosing",),
    ("pilot",),
    ("judging_again",),
    ("whom_to_ask",),
    ("requesting",),
    ("adopting",),
    ("judged_facts", "judged_kept", "signed_evidence", "witnessed"),
    ("lapsed",),
    ("resting",),
    ("deciding",),
    ("certifying",),
    ("renewal_ends", "replaying"),
    ("packaging", "renewing", "evidence_folder"),
    ("sample_containers",),
    ("samples",),
    ("sample_registry",),
    ("demonstration",),
    ("report",),
    ("engine",),
    ("service",),
    ("cli", "__main__"),
)
HEAVY = ("torch", "torchaudio", "numba", "lightning", "librosa", "av", "onnxruntime", "faster_whisper", "pyannote")


def _modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "dubgate" else set()
    return names


def _place(module: str) -> int | None:
    part = module.removeprefix("dubgate.").split(".")[0]
    return next((k for k, stage in enumerate(ORDER) if part in stage), None)


@pytest.mark.parametrize("path", _modules("dubgate"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_stage_imports_only_from_stages_before_it(path: Path) -> None:
    own = _place(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if path.name == "__init__.py" and path.parent.name == "dubgate":
        return
    assert own is not None, "a new module needs its place in ORDER"
    later = {m for m in _imports(path) if m.startswith("dubgate.") and (_place(m) or 0) > own}
    assert not later


def test_consent_knows_nothing_of_dubgate_or_audio() -> None:
    for path in _modules("consent"):
        found = {m for m in _imports(path) if m.split(".")[0] in ("dubgate", "numpy", *HEAVY)}
        assert not found, f"{path.relative_to(ROOT)} imports {found}"


@pytest.mark.parametrize("package", ["dubgate", "consent"])
def test_modules_stay_under_300_lines_and_open_with_one_sentence(package: str) -> None:
    for path in _modules(package):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 300, f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines"
        assert ast.get_docstring(ast.parse(text)), f"{path.relative_to(ROOT)} has no docstring"


def test_there_is_no_drawer_for_things_without_a_home() -> None:
    names = {p.stem for package in ("dubgate", "consent") for p in _modules(package)}
    assert not names & {"utils", "util", "common", "helpers", "core", "base", "manager", "misc"}


def _loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(' '.join(sorted(m for m in sys.modules if '.' not in m)))"
    out = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT)
    return set(out.stdout.split("\n")[-2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import dubgate, consent",
        "from dubgate.cli.main import run\nassert run(['--help']) == 0",
        "import dubgate.policy.verdict, dubgate.certificate.dsse, dubgate.gate",
        "from dubgate import verify\nfrom dubgate.cli.main import run\nassert run(['verify', '--help']) == 0",
    ],
)
def test_the_light_part_loads_no_model_library(code: str) -> None:
    assert not _loaded_by(code) & {*HEAVY, "scipy", "sqlmodel", "cel"}


def test_no_key_registry_or_message_lies_in_the_repository() -> None:
    """What a demo or a test leaves behind is never committed: it holds keys, templates and addresses."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("git is not installed, or this is no checkout")
    kept = {".pem", ".key", ".db", ".db-wal", ".db-shm", ".eml", ".sqlite"}
    assert [p for p in listed.stdout.splitlines() if Path(p).suffix in kept] == []
