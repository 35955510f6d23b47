"""`python -m corpus`: the same as the command `corpus`."""

from __future__ import annotations

from corpus.pipelines.cli import main

if __name__ == "__main__":  # processes that are spawned import this file, too
    main()
