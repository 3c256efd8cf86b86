"""Levels and damage, measured on the samples as they stand in the file, in one pass and by blocks."""

from dubgate.meter.meter import LevelMeter, channels_of

__all__ = ["LevelMeter", "channels_of"]
