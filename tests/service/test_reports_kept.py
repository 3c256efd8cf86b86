"""A report that is too large for the database is an error of its job, not a row that nobody can fetch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dubgate.errors import InputError
from dubgate.service import judging


class _Judged:
    judgement: Any = None


@pytest.mark.parametrize("size", [5, 6])
def test_a_report_is_kept_up_to_a_size(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(_: Any, folder: Path, *__: Any, **___: Any) -> list[Path]:
        (folder / "report.html").write_bytes(b"x" * size)
        return [folder / "report.html"]

    monkeypatch.setattr(judging, "write_reports", write)
    monkeypatch.setattr(judging, "MAX_REPORT_BYTES", 5)
    if size == 5:
        assert judging.rendered(_Judged()) == {"report.html": b"xxxxx"}  # type: ignore[arg-type]
    else:
        with pytest.raises(InputError, match="too large"):
            judging.rendered(_Judged())  # type: ignore[arg-type]
