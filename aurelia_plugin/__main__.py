"""`python -m aurelia_plugin`: the `aurelia` command."""

from __future__ import annotations

import sys

from aurelia_plugin.cli import main

sys.exit(main())
