"""Seeds of samples, made of the run's own."""

from __future__ import annotations

from aurelia_plugin.files.digests import digest_of

__all__ = ["sample_seed"]


def sample_seed(seed: int, index: int) -> int:
    """Return the seed of one sample, 0 to 2**31 - 1; runs with other seeds share no sample."""
    return int(digest_of([seed, index])[:8], 16) >> 1
