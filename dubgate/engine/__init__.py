"""Many deliveries at once: one machine or a cluster hears them, and one parent commits what came of each, once."""
