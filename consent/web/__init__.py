"""The review desk: where rights holders decide, performers see every use, and reviewers listen. Knows nothing of dubgate."""
