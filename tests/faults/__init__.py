"""The fault suite: `python tests/faults` runs all of it and prints its counts."""
