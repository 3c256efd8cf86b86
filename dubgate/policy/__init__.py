"""Rules as data, findings, and the verdict."""
