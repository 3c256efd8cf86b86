"""Whether what a manifest says is coded in an entry sounds (RFC 6381 names); of a name that is not known here nobody can tell."""

from __future__ import annotations

AUDIO = (
    *("mp4a", "ac-3", "ec-3", "ac-4", "opus", "flac", "alac", "vorbis"),
    *("dts", "mhm", "mha", "iamf", "mlpa", "samr", "sawb", "pcm", "ipcm", "fpcm"),
)
_PICTURES_AND_TEXTS = (
    *("avc", "hvc", "hev", "dvh", "dva", "vvc", "vvi", "vp08", "vp09", "vp8", "vp9", "av01", "mp4v", "mjp", "jpeg"),
    *("stpp", "wvtt", "tx3g", "c608", "c708", "ttml", "im1t"),
)


def sounds(codecs: str) -> bool | None:
    """Whether any of these, parted by commas, is a sound's; None where nothing is said, or one of them is not known."""
    named = [name.strip().lower() for name in codecs.split(",") if name.strip()]
    if any(name.startswith(AUDIO) for name in named):
        return True
    return False if named and all(name.startswith(_PICTURES_AND_TEXTS) for name in named) else None
