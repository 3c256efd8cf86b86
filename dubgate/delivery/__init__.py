"""What a vendor hands in: media, cue sheets, the manifest; read strictly, judged nowhere here."""
