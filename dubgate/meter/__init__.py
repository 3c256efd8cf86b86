"""Levels and damage, measured on the samples as they stand in the file, in one pass and by blocks."""

from dubgate.meter.meter import LevelMeter

__all__ = ["LevelMeter"]
