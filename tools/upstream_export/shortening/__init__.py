"""Fewer lines for a generated module: its tables beside it, its functions rewritten alike."""
