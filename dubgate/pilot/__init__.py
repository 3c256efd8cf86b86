"""A pilot: 15 to 60 seconds of a delivery through every stage, to learn what is missing; never a release."""
