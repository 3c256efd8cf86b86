"""The steps, one module a schema version; a step never changes once it was released."""
