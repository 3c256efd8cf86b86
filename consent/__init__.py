"""consent: who agreed to what, when, for which use, and who took it back. Knows nothing of audio or of dubgate."""
