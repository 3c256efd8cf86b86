"""Before production: the producer's four questions, what will be asked for, and later whether the delivery is what was said."""
