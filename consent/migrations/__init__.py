"""From every released schema to today's: Alembic's steps, and the one function that takes them all or none."""
