"""Other people's models behind one Protocol a kind; one file a backend."""
