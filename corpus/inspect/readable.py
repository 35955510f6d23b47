"""Format numbers and texts for people, in a terminal."""

from __future__ import annotations

JOINERS = "\u200c\u200d"
"""Zero-width joiners: Persian, Hindi and others need them inside words; they are invisible and harmless."""


def format_size(count: float) -> str:
    """Format a number of bytes: 12.3 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def format_short(count: float) -> str:
    """Format a large number: 12.3M."""
    for unit in ("", "k", "M"):
        if count < 1000:
            return f"{count:.0f}" if not unit else f"{count:.1f}{unit}"
        count /= 1000
    return f"{count:,.1f}B"


def format_count(count: int) -> str:
    """Format a count in at most eight characters: exact below a million, else 12.3M."""
    return f"{count:,}" if abs(count) < 1_000_000 else format_short(count)


def format_things(count: int, thing: str) -> str:
    """Format a count of things: 1 file, 12,345 files."""
    return f"{format_count(count)} {thing}{'' if count == 1 else 's'}"


def shorten_rule_name(name: str, room: int | None) -> str:
    """Shorten a rule's name to `room` characters: first the end of its step (gopher_r….top_2_gram.max),
    then the middle of the rest. None, outside a terminal, leaves it whole: other programs read it."""
    if room is None:
        return name
    step, dot, rest = name.partition(".")
    if len(name) <= room or not dot:
        return name
    shortened = f"{step[: max(2, room - len(rest) - 2)]}….{rest}"
    return (
        shortened
        if len(shortened) <= room
        else f"{shortened[: room // 2]}…{shortened[len(shortened) - (room - room // 2 - 1) :]}"
    )


def format_change(one: float, other: float) -> str:
    """Format the change from `one` to `other`: +12%, -3.1%, -99.6%, =, new, gone; -100% is said of nothing."""
    if one == other:
        return "="
    if not one or not other:
        return "gone" if one else "new"
    share = other / one - 1
    if abs(share) < 0.0005:
        return "+<0.1%" if share > 0 else "-<0.1%"
    if share >= 10:
        return f"x{other / one:,.0f}"
    if share <= -0.9995:
        return "->99.9%"
    return f"{share:+.0%}" if abs(share) >= 0.1 and share > -0.9895 else f"{share:+.1%}"


def make_printable(text: str) -> str:
    """Return the text with control and direction-changing characters made visible."""
    return "".join(
        character
        if character in f"\n\t\u3000{JOINERS}" or character.isprintable()
        else f"\\u{ord(character):04x}"
        for character in text
    )
