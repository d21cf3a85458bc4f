"""Fuzzing of what reads other people's words and files; `python tests/fuzz` runs it for long."""
