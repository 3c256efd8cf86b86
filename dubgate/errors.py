"""The exceptions of dubgate: each means that the tool could not judge (exit code 2), never that a dub is bad.

    DubgateError
    ├── InputError             a file or option that was handed in
    │   ├── MediaError         sound or container
    │   ├── CueError           cue sheet
    │   ├── ManifestError      delivery.yaml
    │   ├── PackError          rule pack
    │   └── ChangedError       a file that is another one than was digested
    ├── ModelError             a speech model that is missing, altered or broken
    ├── ChildError             the hearing process crashed, hung or broke a limit
    └── RegistryError          the consent registry is missing, locked, damaged or too new

A bad dub is a finding; a broken tool is an exception (idea 6 of the design).
"""

from __future__ import annotations


class DubgateError(Exception):
    """What went wrong, where, and what to do about it.

    Args:
        what: one sentence, without a final full stop needed.
        where: the file, line, rule or option concerned; shown before `what`.
        remedy: what the reader can do; shown on a line of its own.
    """

    def __init__(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  {self.remedy}" if self.remedy else text


class InputError(DubgateError):
    """Something handed in cannot be read as what it claims to be."""


class MediaError(InputError):
    """A media file is missing, damaged, of a refused format, or lacks the stream asked for."""


class CueError(InputError):
    """A cue sheet breaks its format or contradicts itself; `where` is `file:line`."""


class ManifestError(InputError):
    """A delivery.yaml breaks its schema; `where` is `file:line:column`."""


class PackError(InputError):
    """A rule pack breaks its schema, or a rule in it can never be judged."""


class ChangedError(InputError):
    """A file is not the one that was digested before it was judged; no code that reads files may take this for a bad file."""


class ModelError(DubgateError):
    """A speech model is missing, altered, unlisted, or fails its self-test."""


class ChildError(DubgateError):
    """The child process that decodes and hears crashed, hung, or went over a limit."""


class RegistryError(DubgateError):
    """The consent registry cannot be read or is not of a version this program knows."""
