"""A delivery watched from before it is judged until it is signed: every file that its verdict rests on, by digest and place.

While `pinned`, whoever opens one of them, here or in a child, gets the very file that was digested, or nothing is judged.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from dubgate.company.folder import company_files, company_folder, digest_of
from dubgate.delivery.digests import Seen, seen
from dubgate.delivery.manifest import Delivery, load_delivery
from dubgate.errors import ChangedError, InputError
from dubgate.pinned import REMEDY, pinned

MAX_FILES = 100_000
COMPANY = "company:"  # before the names of its files; no path of a delivery begins so


@dataclass(frozen=True, slots=True)
class Watched:
    """The delivery, the published file and everything else that the verdict rests on, as they lay there before judging.

    `company` is the folder that was asked too; what lies below `aside`, where reports are written, is not of the delivery.
    """

    manifest: Path
    delivery: Delivery
    file: Path
    seen: tuple[Seen, ...]
    company: Path | None = None
    aside: Path | None = None

    @property
    def file_sha256(self) -> str:
        """The published file's."""
        return next(s.sha256 for s in self.seen if s.path == str(self.file.absolute()))

    @property
    def rests_on(self) -> tuple[tuple[str, str], ...]:
        """Each file by its place in the delivery, or in the company's folder, with its digest; the same on every machine."""
        return tuple(sorted((self._named(Path(s.path)), s.sha256) for s in self.seen))

    @property
    def lie_at(self) -> tuple[Path, ...]:
        """Where each file of the delivery lay when it was digested, links followed."""
        return tuple(Path(s.real) for s in self.seen if Path(s.path).is_relative_to(self.delivery.root))

    def _named(self, path: Path) -> str:
        if path.is_relative_to(self.delivery.root):
            return path.relative_to(self.delivery.root).as_posix()
        assert self.company is not None
        return f"{COMPANY}{os.path.relpath(path, self.company)}"

    @property
    def company_sha256(self) -> str | None:
        """Of all that was read of the company's folder."""
        told = [(n.removeprefix(COMPANY), sha256) for n, sha256 in self.rests_on if n.startswith(COMPANY)]
        return None if self.company is None else digest_of(told)

    def pinned(self) -> AbstractContextManager[None]:
        """While it is judged and decided: nothing else is opened in the place of one of these files."""
        roots = [str(self.delivery.root)]
        return pinned({s.path: s.place for s in self.seen}, roots)

    def require_judged(self, delivery: Delivery) -> None:
        """What was judged is this delivery: the manifest's own path may lead elsewhere while it is read.

        Raises:
            ChangedError
        """
        if delivery != self.delivery:
            raise ChangedError("another manifest was judged than lay here", where=str(self.manifest), remedy=REMEDY)

    def require_unchanged(self) -> None:
        """Nothing was exchanged while it was judged.

        Raises:
            InputError
        """
        if load_delivery(self.manifest) != self.delivery:
            raise ChangedError("the manifest changed while it was judged", where=str(self.manifest), remedy=REMEDY)
        now = _seen(self.delivery, self.company, self.aside)
        if changed := {s.path for s in set(now) ^ set(self.seen)}:
            names = ", ".join(sorted(self._named(Path(p)) for p in changed)[:5])
            raise ChangedError(f"changed while it was judged: {names}", where=str(self.manifest), remedy=REMEDY)


def watch(manifest: Path, *, company: Path | None = None, aside: Path | None = None) -> Watched:
    """Digest what is about to be judged.

    Args:
        company: the company's folder; None for the one that the environment names.
        aside: a folder inside the delivery's that is none of it.

    Raises:
        ManifestError, MediaError: it cannot be used.
    """
    delivery, folder = load_delivery(manifest), company_folder(company)
    return Watched(manifest, delivery, delivery.dub.published.path, _seen(delivery, folder, aside), folder, aside)


def _seen(delivery: Delivery, company: Path | None, aside: Path | None) -> tuple[Seen, ...]:
    paths = dict.fromkeys((*files_of(delivery, aside), *(company_files(company) if company is not None else ())))
    return tuple(seen(path) for path in sorted(paths))


def files_of(delivery: Delivery, aside: Path | None = None) -> Iterator[Path]:
    """Every file that a verdict about a delivery can rest on.

    Raises:
        InputError: a package of too many files.
    """
    yield from (path for path, _ in delivery.manifests)
    yield from delivery.files
    yield from (p for p in (delivery.root / "evidence").glob("*.json") if p.is_file() and not p.is_symlink())
    if delivery.package is not None:
        yield from _package(delivery.root, aside)


def _package(root: Path, aside: Path | None) -> Iterator[Path]:
    """Everything in the delivery's folder: a playlist may name any of it.

    Raises:
        InputError: reports would lie among its files, or there are too many.
    """
    written = root if aside is None else aside.resolve()
    if aside is not None and written == root:
        what, remedy = "reports would be written among the files of a package", "choose another --out"
        raise InputError(what, where=str(root), remedy=remedy)
    left_out = None if aside is None or root.is_relative_to(written) else written
    found = (p for p in root.rglob("*") if p.is_file() and not p.is_symlink())
    of_it = (p for p in found if left_out is None or not p.is_relative_to(left_out))
    for n, path in enumerate(of_it):
        if n >= MAX_FILES:
            raise InputError(f"more than {MAX_FILES:,} files beside a package", where=str(root))
        yield path
