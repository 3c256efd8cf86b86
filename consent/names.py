"""Whether two names read alike: what somebody refused must not pass under another spelling of the same character."""

from __future__ import annotations

import unicodedata

# Letters of other alphabets of which the capital or the small one looks like a Latin one (Unicode TR 39, what names meet).
_LOOKS = str.maketrans("авекмнорстухіјѕԁԛԝαβεζηικμνορτυχ", "abekmhopctyxijsdqwabezhikmnoptyx")


def folded(name: str) -> str:
    """A name without what the eye passes over: case, width, accents, signs of no width, spaces, other alphabets' look-alikes."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    seen = "".join(c for c in plain if unicodedata.category(c) not in ("Cf", "Mn"))
    return " ".join(seen.translate(_LOOKS).split())
