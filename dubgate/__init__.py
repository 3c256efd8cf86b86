"""dubgate: the release gate for AI dubbing."""

__version__ = "0.1.0"
