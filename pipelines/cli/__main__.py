"""`python -m pipelines.cli`: the same as the command `corpus`."""

from __future__ import annotations

from pipelines.cli import main

main()
