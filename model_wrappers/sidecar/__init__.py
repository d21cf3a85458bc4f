"""Systems that run in a Python environment of their own, in worker processes beside this one.

`worker.py`, `kit`, `adapters` and `tiny` run in the system's environment: Python 3.8 or newer, and
nothing but the standard library until an adapter loads its system. The other modules are the
client.
"""

from __future__ import annotations
