"""A stand-in with the call surface of Video-LLaMA; it tells what it was given."""

SEEN = {}
