"""Identifiers with check digits: EIDR, ISAN and V-ISAN, ISNI, IPI name numbers; each in one canonical form.

Sources: ISO 7064 (MOD 37,36 and MOD 11-2), EIDR ID format 1.6, ISO 15706-1/-2 (ISAN, V-ISAN), ISO 27729 (ISNI),
CISAC's IPI name number. Every function returns the canonical form or raises ValueError with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EIDR_TITLE = re.compile(r"10\.5240/([0-9A-F]{4}(?:-[0-9A-F]{4}){4})-([0-9A-Z])")
_EIDR_PARTY = re.compile(r"10\.52(?:37|39)/[0-9A-F]{4}-[0-9A-F]{4}")
_HEX16, _HEX8 = re.compile(r"[0-9A-F]{16}"), re.compile(r"[0-9A-F]{8}")


def mod_37_36(text: str) -> str:
    """The check character of ISO 7064 MOD 37,36 for digits and capital letters."""
    carry = 36
    for character in text:
        carry = (carry + _ALPHABET.index(character)) % 36 or 36
        carry = carry * 2 % 37
    return _ALPHABET[(37 - carry) % 36]


def mod_11_2(digits: str) -> str:
    """The check character (a digit or X) of ISO 7064 MOD 11-2."""
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]


def eidr(text: str) -> str:
    """Canonical EIDR: a title (`10.5240/…`), a party (`10.5237/…`) or a service (`10.5239/…`).

    A title has 20 hex digits and a check character, a party or service 8 hex digits without one.
    """
    upper = text.strip().upper().removeprefix("URN:EIDR:").replace(":", "/", 1)
    if _EIDR_PARTY.fullmatch(upper):
        return upper
    match = _EIDR_TITLE.fullmatch(upper)
    if match is None:
        raise ValueError(f"{text!r} is not an EIDR, such as 10.5240/7791-8534-2C23-9030-8610-5")
    _require_check(text, mod_37_36(match[1].replace("-", "")), match[2])
    return upper


def isan(text: str) -> str:
    """Canonical ISAN (16 hex digits and a check) or V-ISAN (24 hex digits and two checks), with hyphens."""
    compact = re.sub(r"[\s:-]", "", text.upper().removeprefix("URN:").removeprefix("ISAN"))
    root, rest = compact[:16], compact[16:]
    if not _HEX16.fullmatch(root) or len(rest) not in (1, 10) or not rest.isalnum() or not rest.isascii():
        raise ValueError(f"{text!r} is not an ISAN, such as 0000-0000-D07A-0090-Q")
    _require_check(text, mod_37_36(root), rest[0])
    groups = [root[i : i + 4] for i in range(0, 16, 4)]
    if len(rest) == 1:
        return "-".join([*groups, rest])
    version, check = rest[1:9], rest[9]
    if not _HEX8.fullmatch(version):
        raise ValueError(f"{text!r} is not a V-ISAN: its version part must be 8 hexadecimal digits")
    _require_check(text, mod_37_36(root + version), check)
    return "-".join([*groups, rest[0], version[:4], version[4:], check])


def isni(text: str) -> str:
    """Canonical ISNI: 16 characters without spaces, the last a check digit or X."""
    compact = re.sub(r"[\s-]", "", text.upper().removeprefix("ISNI"))
    if re.fullmatch(r"[0-9]{15}[0-9X]", compact) is None:
        raise ValueError(f"{text!r} is not an ISNI, such as 0000 0001 2103 2683")
    _require_check(text, mod_11_2(compact[:15]), compact[15])
    return compact


def ipi(text: str) -> str:
    """Canonical IPI name number: 11 digits, the last two a weighted sum modulo 101.

    Nine digits are weighted 10 down to 2; the check is the sum's complement to 101, or 0 where that reaches 100.
    """
    compact = text.strip()
    if re.fullmatch(r"[0-9]{11}", compact) is None:
        raise ValueError(f"{text!r} is not an IPI name number, such as 00014107338")
    remainder = sum(int(digit) * weight for digit, weight in zip(compact, range(10, 1, -1), strict=False)) % 101
    check = 0 if remainder == 0 else (101 - remainder) % 100
    _require_check(text, f"{check:02d}", compact[9:])
    return compact


def _require_check(text: str, expected: str, found: str) -> None:
    if expected != found:
        raise ValueError(f"{text!r} has a wrong check digit: {found!r} where {expected!r} follows from the rest")


def _internal(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}", text) is None:
        raise ValueError(f"{text!r} is not an internal identifier: letters, digits and . _ : / - only")
    return text


SCHEMES: dict[str, Callable[[str], str]] = {"eidr": eidr, "isan": isan, "isni": isni, "ipi": ipi, "internal": _internal}


def identifier(text: str) -> str:
    """Canonical `scheme:value`, such as `eidr:10.5240/…` or `internal:SHOW-12`.

    Raises:
        ValueError: unknown scheme, malformed value, or a wrong check digit.
    """
    scheme, colon, value = text.partition(":")
    if not colon or scheme not in SCHEMES:
        raise ValueError(f"{text!r} is not scheme:value with one of the schemes {', '.join(sorted(SCHEMES))}")
    return f"{scheme}:{SCHEMES[scheme](value)}"
