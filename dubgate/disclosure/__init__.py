"""What the audience, the press and partners are told of an AI dub: made from what is on record, in many languages."""
