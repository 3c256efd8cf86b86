"""Territories: ISO 3166-1 countries and the UN M49 and EU groups that stand for several of them.

Containment is CLDR 46's (Unicode licence), kept here because what a grant covers must not change with a library;
a test compares it with the CLDR data that is installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

_MEMBERS = {
    "001": "002 009 019 142 150",
    "002": "011 014 015 017 018",
    "003": "013 021 029",
    "005": "AR BO BR BV CL CO EC FK GF GS GY PE PY SR UY VE",
    "009": "053 054 057 061 AQ",
    "011": "BF BJ CI CV GH GM GN GW LR ML MR NE NG SH SL SN TG",
    "013": "BZ CR GT HN MX NI PA SV",
    "014": "BI DJ ER ET IO KE KM MG MU MW MZ RE RW SC SO SS TF TZ UG YT ZM ZW",
    "015": "DZ EG EH LY MA SD TN",
    "017": "AO CD CF CG CM GA GQ ST TD",
    "018": "BW LS NA SZ ZA",
    "019": "005 013 021 029",
    "021": "BM CA GL PM US",
    "029": "AG AI AW BB BL BQ BS CU CW DM DO GD GP HT JM KN KY LC MF MQ MS PR SX TC TT VC VG VI",
    "030": "CN HK JP KP KR MN MO TW",
    "034": "AF BD BT IN IR LK MV NP PK",
    "035": "BN ID KH LA MM MY PH SG TH TL VN",
    "039": "AD AL BA ES GI GR HR IT ME MK MT PT RS SI SM VA XK",
    "053": "AU CC CX HM NF NZ",
    "054": "FJ NC PG SB VU",
    "057": "FM GU KI MH MP NR PW UM",
    "061": "AS CK NU PF PN TK TO TV WF WS",
    "142": "030 034 035 143 145",
    "143": "KG KZ TJ TM UZ",
    "145": "AE AM AZ BH CY GE IL IQ JO KW LB OM PS QA SA SY TR YE",
    "150": "039 151 154 155",
    "151": "BG BY CZ HU MD PL RO RU SK UA",
    "154": "AX DK EE FI FO GB GG IE IM IS JE LT LV NO SE SJ",
    "155": "AT BE CH DE FR LI LU MC NL",
    "202": "011 014 017 018",
    "419": "005 013 029",
    "EU": "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK",
}


@cache
def countries(code: str) -> frozenset[str]:
    """The countries (ISO 3166-1 alpha-2, and XK) that a code stands for: itself, or a group's members.

    Raises:
        ValueError: the code is not known.
    """
    if code in _MEMBERS:
        return frozenset[str]().union(*(countries(member) for member in _MEMBERS[code].split()))
    if code in _COUNTRIES:
        return frozenset({code})
    raise ValueError(f"{code!r} is not a country (ISO 3166-1), a UN M49 region or EU")


def expand(codes: Iterable[str], excluded: Iterable[str] = ()) -> frozenset[str]:
    """All countries that `codes` stand for, less those of `excluded`: exclusions win.

    Raises:
        ValueError: a code is not known.
    """
    inside = frozenset[str]().union(*(countries(code) for code in codes))
    return inside.difference(*(countries(code) for code in excluded))


_COUNTRIES = frozenset(code for line in _MEMBERS.values() for code in line.split() if code not in _MEMBERS)
