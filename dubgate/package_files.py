"""The files of a package as they lie there: listed, digested, and held against what was signed over them."""

from __future__ import annotations

from pathlib import Path

from dubgate.certificate.package import MAX_FILES, OTHER, PackageClaim
from dubgate.certificate.refusals import NotTheDub, OtherBytes, PackageIncomplete
from dubgate.delivery.formats import file_sha256
from dubgate.errors import InputError


def digests_in(folder: Path) -> dict[str, str]:
    """Every file below a folder by its place in it, with its SHA-256.

    Raises:
        InputError: it holds a link, something that is no file, or too many files.
    """
    return {name: file_sha256(path) for name, path in files_in(folder).items()}


def files_in(folder: Path) -> dict[str, Path]:
    """Every file below a folder by its place in it.

    Raises:
        InputError: it holds a link, or too many files.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise InputError("a link lies in the package's folder", where=str(path))
        if path.is_dir():
            continue
        found[path.relative_to(folder).as_posix()] = path
        if len(found) > MAX_FILES:
            raise InputError(f"more than {MAX_FILES:,} files", where=str(folder))
    return found


def check_member(claim: PackageClaim, place: Path, name: str, *, told: bool = False) -> None:
    """A file is one of the dub's in this package; a folder is the package, with every file and no other.

    Args:
        told: the language that is to be published was named, and is the dub's. Without it a folder that also holds other
            languages is refused: nothing was judged about those.

    Raises:
        OtherBytes, NotTheDub, PackageIncomplete.
    """
    if place.is_dir():
        _check_folder(claim, digests_in(place), name)
        if claim.not_judged and not told:
            what = f"the package also holds what is not the dub: {', '.join(claim.not_judged[:5])}; nothing was judged about it"
            remedy = "Name the language that you publish (--language), and publish no other on this certificate."
            raise NotTheDub(what, where=name, remedy=remedy)
        return
    role = claim.role_of(file_sha256(place))
    if role is None:
        raise OtherBytes(f"{place.name} is no file of the package that was certified", where=name)
    if role == OTHER:
        what = f"{place.name} belongs to the package and is no part of the dub: nothing was judged about it"
        raise NotTheDub(what, where=name)


def _check_folder(claim: PackageClaim, found: dict[str, str], name: str) -> None:
    signed = {f.path: f.sha256 for f in claim.files}
    if changed := sorted(path for path in signed.keys() & found.keys() if signed[path] != found[path]):
        raise OtherBytes(f"{', '.join(changed[:5])}: not the bytes that were certified", where=name)
    if missing := sorted(signed.keys() - found.keys()):
        raise PackageIncomplete(f"missing: {', '.join(missing[:5])}", where=name)
    if more := sorted(found.keys() - signed.keys()):
        raise PackageIncomplete(f"not of the package that was certified: {', '.join(more[:5])}", where=name)
