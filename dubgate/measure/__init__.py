"""Pure functions from features to measurements: no files, no clock, no models."""
