"""`python -m corpus`: the same as the command `corpus`."""

from __future__ import annotations

from corpus.pipelines.cli import main

main()
