"""Signed statements: DSSE envelopes, in-toto Statements, keys."""
