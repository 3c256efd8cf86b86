"""The demonstration of the review desk: links that can be had again, and a folder that it has for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from dubgate.errors import InputError
from dubgate.service.demo import WHO, demo_desk


def test_a_demonstration_gives_fresh_links_and_shares_its_folder_with_no_other(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox/mail-of-another-registry.eml").write_text("an older checkpoint")
    made = demo_desk(tmp_path, origin="http://localhost:1", hears=False)
    again = made.fresh_links()
    assert [role for role, _ in again] == [role for role, _ in made.links] == [role for role, _ in WHO]
    assert not {link for _, link in again} & {link for _, link in made.links}
    assert not (tmp_path / "outbox/mail-of-another-registry.eml").exists()
    with pytest.raises(InputError, match="another demonstration runs"):
        demo_desk(tmp_path, origin="http://localhost:2", hears=False)
    made.close()
    demo_desk(tmp_path, origin="http://localhost:3", hears=False).close()
