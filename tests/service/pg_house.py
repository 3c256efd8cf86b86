"""A house whose registry lies on PostgreSQL: the made registry's backup, restored there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from made_service import House, make_house, settings_of
from test_jobs_survive import queued

from consent.registry import Registry


def postgresql_house(url: str, folder: Path, *, released: bool = True) -> House:
    """Everything made anew, on PostgreSQL; with one release, judged and certified."""
    folder.mkdir(parents=True, exist_ok=True)
    made = make_house(folder)
    house = moved(made, url, folder)
    if released:
        queued(house)
        assert house.worker().step()
    return house


def moved(made: House, url: str, folder: Path) -> House:
    """The same house, its registry on PostgreSQL."""
    key = Path(f"{made.registry}.key")
    with Registry.open(made.registry, key_file=key) as registry:
        registry.backup(folder / "backup", folder / "backup.keys")
    Registry.restore(url, folder / "backup", folder / "backup.keys", clock=made.clock, key_file=key).close()
    world = replace(made.place.world, registry=url)  # type: ignore[arg-type]
    place = replace(made.place, world=world, right=made.right)
    return House(place, folder, settings_of(place, folder), made.right)
