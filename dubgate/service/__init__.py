"""The HTTP API and its workers: deliveries in, verdicts and certificates out, and the question "may this be published?"."""
