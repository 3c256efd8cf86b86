"""The AI label, read back from the deliverable."""
