"""What the program says in English and keeps so, told in Japanese where a person reads it."""
