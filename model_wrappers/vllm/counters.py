"""What vLLM counts: prompts, and what of them its caches had."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence

__all__ = ["counted", "counters"]

_LINE = re.compile(r"^vllm:(\w+)_total(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_CACHES = {"prefix": "prompt tokens", "mm": "media"}
_TIMEOUT_S = 10.0


def counted(text: str) -> Counter[str]:
    """Return the counters of vLLM's `/metrics`, summed over its copies of the model."""
    found: Counter[str] = Counter()
    for name, value in _LINE.findall(text):
        found[name] += round(float(value))
    return found


def counters(addresses: Sequence[str]) -> Iterator[str]:
    """Yield a line for each server: how much its caches have spared it since it was started."""
    local = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for address in addresses:
        place = address.removesuffix("/v1")
        try:
            with local.open(f"{place}/metrics", timeout=_TIMEOUT_S) as reply:
                found = counted(reply.read().decode("utf-8", "replace"))
        except (OSError, ValueError) as error:
            yield f"{place}: no counters ({error})"
            continue
        shares = [
            f"{found[f'{cache}_cache_hits']} of {found[f'{cache}_cache_queries']} {what}"
            for cache, what in _CACHES.items()
        ]
        yield f"{place}: from its caches {', '.join(shares)}"
