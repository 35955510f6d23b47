"""What is suggested for a name that is not there."""

from __future__ import annotations

from corpus.suggestions import suggest_names


def test_nine_names_are_listed_and_more_are_counted() -> None:
    names = [f"域{at}" for at in range(9)]
    assert suggest_names("x", names) == f"choose from {', '.join(names)}"
    assert suggest_names("x", [*names, "域9"]) == f"choose from {', '.join(names[:8])} and 2 more"
    assert suggest_names("tah", ["tha", "rus"]) == "did you mean tha?"
