"""Prints datatrove's verdicts on texts given as JSON ({name: text}) on standard input, as JSON.

Run by a Python that has datatrove 0.10.1 and spaCy: see `texts.py`.
"""

from __future__ import annotations

import json
import sys
from typing import Any

FILTERS = ("gopher_quality", "gopher_repetition", "fineweb", "c4", "c4_unpunctuated")


def main() -> None:
    from datatrove.data import Document
    from datatrove.pipeline.filters import (
        C4QualityFilter,
        FineWebQualityFilter,
        GopherQualityFilter,
        GopherRepetitionFilter,
    )

    filters: list[Any] = [
        GopherQualityFilter(),
        GopherRepetitionFilter(),
        FineWebQualityFilter(),
        C4QualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
    ]
    verdicts = {}
    for name, text in json.load(sys.stdin).items():
        found = [filter.filter(Document(text=text, id=name)) for filter in filters]
        verdicts[name] = ["" if verdict is True else verdict[1] for verdict in found]
    json.dump(verdicts, sys.stdout)


if __name__ == "__main__":
    main()
