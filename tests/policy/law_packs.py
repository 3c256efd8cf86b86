"""What the packs of laws, partners, unions and channels hold today: a rule that goes, softens or loses its date or
exemption turns a test red. One line a rule: severity, status of the source, dates, exemptions."""

from __future__ import annotations

RULES: dict[str, dict[str, tuple[str, str, str, tuple[str, ...]]]] = {
    "channel-broadcast": {
        "BRC-NAMED": ("warn", "unverified", "always", ()),
        "BRC-RECORD": ("warn", "unverified", "always", ()),
    },
    "channel-festival": {
        "FES-RECORD": ("warn", "unverified", "always", ()),
        "FES-CREDIT": ("warn", "unverified", "always", ()),
    },
    "channel-social": {
        "SOC-CREDENTIALS": ("warn", "unverified", "always", ()),
        "SOC-HEARD": ("warn", "unverified", "always", ()),
    },
    "cn-gb-45438": {
        "CNG-AIGC": ("block", "verified", "from 2025-09-01", ()),
        "CNG-HEARD": ("warn", "unverified", "from 2025-09-01", ()),
        "CNG-NAMED": ("warn", "unverified", "from 2025-09-01", ()),
    },
    "dk-copyright": {
        "DKC-CONSENT": ("warn", "unverified", "from 2026-03-31", ()),
        "DKC-DECEASED": ("warn", "unverified", "from 2026-03-31", ()),
    },
    "eu-ai-act": {
        "EUA-MARK": ("warn", "verified", "from 2026-08-02", ("standard-editing",)),
        "EUA-SIGNED": ("warn", "unverified", "from 2026-12-02", ("standard-editing",)),
        "EUA-WATERMARK": ("warn", "unverified", "from 2026-12-02", ("standard-editing",)),
        "EUA-WORD": ("warn", "unverified", "always", ()),
        "EUA-AUDIBLE": ("warn", "unverified", "always", ()),
    },
    "in-it-rules": {
        "INR-PREFIX": ("warn", "unverified", "from 2026-02-20", ("translation",)),
        "INR-MARK": ("warn", "unverified", "from 2026-02-20", ("translation",)),
    },
    "jp-voice": {
        "JPV-CONSENT": ("warn", "unverified", "always", ()),
        "JPV-TRAINING": ("warn", "unverified", "always", ()),
        "JPV-CREDIT": ("warn", "unverified", "always", ()),
    },
    "kr-ai-basic-act": {
        "KRA-NOTICE": ("warn", "unverified", "from 2026-01-22", ()),
        "KRA-CLEAR": ("warn", "unverified", "from 2026-01-22", ("creative-work",)),
    },
    "partner-netflix": {
        "NFX-APPROVED": ("block", "verified", "always", ("alteration",)),
        "NFX-CONSENT": ("block", "verified", "always", ()),
        "NFX-MODEL": ("block", "verified", "always", ()),
        "NFX-MODEL-NAMED": ("hold", "verified", "always", ()),
        "NFX-TRAINING": ("hold", "verified", "always", ()),
        "NFX-TOOLS": ("hold", "verified", "always", ()),
    },
    "partner-prime-video": {
        "PRV-APPROVED": ("warn", "unverified", "always", ()),
        "PRV-NAMED": ("warn", "unverified", "always", ()),
    },
    "platform-youtube": {
        "YTB-PLANNED": ("warn", "unverified", "always", ()),
        "YTB-VOICE": ("warn", "unverified", "always", ()),
    },
    "union-eu-dubbing": {
        "EUD-TRAINING": ("warn", "unverified", "always", ()),
        "EUD-AGREED": ("warn", "unverified", "always", ()),
        "EUD-TERM": ("warn", "unverified", "always", ()),
    },
    "union-sag-aftra": {
        "SAG-PROJECT": ("warn", "unverified", "always", ("redub",)),
        "SAG-SIGNED": ("warn", "unverified", "always", ("redub",)),
        "SAG-NOTICE": ("warn", "unverified", "always", ("redub",)),
        "SAG-PAID": ("warn", "unverified", "always", ()),
        "SAG-STRIKE": ("warn", "unverified", "always", ()),
        "SAG-MINOR": ("warn", "unverified", "always", ()),
        "SAG-ESTATE": ("warn", "unverified", "always", ()),
    },
    "union-wga": {
        "WGA-TOOLS": ("warn", "unverified", "always", ()),
    },
    "us-california": {
        "USC-REPRESENTED": ("hold", "verified", "from 2025-01-01", ("altered-only",)),
        "USC-DESCRIBED": ("hold", "verified", "from 2025-01-01", ("altered-only",)),
        "USC-DECEASED": ("block", "verified", "from 2025-01-01", ()),
        "USC-LATENT": ("warn", "unverified", "from 2026-08-02", ("film-and-television",)),
    },
    "us-new-york": {
        "USN-AD": ("warn", "unverified", "from 2026-06-09", ("translation", "expressive-work")),
        "USN-DECEASED": ("warn", "unverified", "from 2025-12-11", ()),
    },
    "us-tennessee": {
        "UST-VOICE": ("warn", "unverified", "from 2024-07-01", ()),
        "UST-MINOR": ("warn", "unverified", "from 2024-07-01", ()),
        "UST-ESTATE": ("warn", "unverified", "from 2024-07-01", ()),
    },
}

# Who must sign off before a release, by pack; the others demand nobody.
SIGN_OFFS = {"partner-netflix": ("legal",)}

# What brings each pack into a delivery, and a delivery that must not bring it in: territories, channels, partners, agreements.
BROUGHT_BY: dict[str, tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]] = {
    "channel-broadcast": ({"channels": ("fast",)}, {"channels": ("svod",)}),
    "channel-festival": ({"partners": ("festival",)}, {"partners": ("cinema",)}),
    "channel-social": ({"channels": ("social", "svod")}, {"channels": ("svod",)}),
    "cn-gb-45438": ({"territories": ("CN", "JP")}, {"territories": ("HK", "TW")}),
    "dk-copyright": ({"territories": ("DK",)}, {"territories": ("GL", "SE")}),
    "eu-ai-act": ({"territories": ("IE",)}, {"territories": ("NO", "GB", "CH")}),
    "in-it-rules": ({"territories": ("IN",)}, {"territories": ("PK",)}),
    "jp-voice": ({"territories": ("JP",)}, {"territories": ("KR",)}),
    "kr-ai-basic-act": ({"territories": ("KR",)}, {"territories": ("KP", "JP")}),
    "partner-netflix": ({"partners": ("netflix",)}, {"partners": ("prime_video",)}),
    "partner-prime-video": ({"partners": ("prime_video",)}, {"partners": ("netflix",)}),
    "platform-youtube": ({"partners": ("youtube",)}, {"channels": ("social",)}),
    "union-eu-dubbing": ({"territories": ("AT",)}, {"territories": ("PL", "GB")}),
    "union-sag-aftra": ({"agreements": ("Netflix Dubbing (sag-aftra)",)}, {"agreements": ("Equity",)}),
    "union-wga": ({"agreements": ("WGA MBA 2026",)}, {"agreements": ("SAG-AFTRA",)}),
    "us-california": ({"territories": ("US",)}, {"territories": ("CA", "MX")}),
    "us-new-york": ({"territories": ("US",)}, {"territories": ("CA",)}),
    "us-tennessee": ({"territories": ("US",)}, {"territories": ("PR",)}),
}
