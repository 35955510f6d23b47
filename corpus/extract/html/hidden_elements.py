"""Tell what a browser does not show of a page, and what it will show once scripts have run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set

from lxml.etree import XPath
from lxml.html import HtmlElement

from corpus.extract.html.page_elements import count_text, drop

_HIDDEN_INSIDE = XPath(".//*[@hidden]")
_OPENED = XPath(
    "//*[@aria-controls][@aria-expanded][not(@aria-haspopup)]"
    "[not(ancestor::nav or ancestor::header or ancestor::footer)]/@aria-controls"
)
"""What buttons in a text open."""
CHOICES = frozenset(("listbox", "option", "menuitemradio", "menuitemcheckbox"))
"""Roles of controls that a page makes itself, where others have a `select`."""
MARKED = XPath(
    "descendant-or-self::*[@hidden or @popover or "
    + " or ".join(f"@role='{role}'" for role in sorted(CHOICES))
    + "]"
)
"""What is hidden, or shown once a button is pressed, and controls of a choice."""
PANEL_TAGS = frozenset(("div", "section", "article", "dd", "p"))
PANEL_ROLES = frozenset((None, "", "region", "group", "tabpanel", "presentation", "none", "article"))
"""Elements, and their roles, that can be panels of text: no menus, lists of choices or dialogs."""
MAX_LARGE_HIDDEN = 8
"""Hidden blocks in each other that can hold most of a page's text: bounds the work on hostile nesting."""
STREAMED_PART = re.compile(r"(?:^|:|_|-)S:[0-9a-fA-F]+$")
"""The id of a part of a page that React streams behind it, hidden until a script puts it in its place."""
_SILENT = ("script", "style")
_LINKED_DATA = "application/ld+json"
"""The type of scripts that extractors read."""
CLOSED_TAGS = ("template", "dialog")
_NEVER_HIDDEN = ("html", "body", "main")


def drop_silent(tree: HtmlElement) -> None:
    """Drop scripts and styles: many of a page's bytes, which extractors copy before they drop them."""
    for element in list(tree.iter(*_SILENT)):
        if element.get("type") != _LINKED_DATA:
            drop(element)


def drop_hidden(tree: HtmlElement, marked: Sequence[HtmlElement], closed: bool) -> None:
    """Drop what a browser does not show: `template` (unless it is a shadow root), `hidden`, `dialog` that is closed;
    and lists of choices that stand for a `select`.

    What a page sends hidden for its scripts to show stays: the panels behind tabs and under headings that open them,
    the parts that React streams (`<div hidden id="S:1">`), and a block that holds most of the page's text. `marked` are
    the elements that are hidden or choices; `closed` says whether there are any of `CLOSED_TAGS`.
    """
    hidden = []
    for element in marked:
        if element.get("role") in CHOICES or element.get("popover") is not None:
            drop(element)
        else:
            hidden.append(element)
    for element in list(tree.iter(*CLOSED_TAGS)) if closed else ():
        shown = element.get("shadowrootmode") if element.tag == "template" else element.get("open")
        if shown is None:
            drop(element)
        else:
            element.tag = "div"
    most: int | None = None
    opened = list_opened(_OPENED(tree)) if hidden else frozenset()
    kept = 0
    dropped: set[HtmlElement] = set()
    for element in hidden:
        if element in dropped or element.get("hidden") is None or element.tag in _NEVER_HIDDEN:
            continue
        if not is_sent_for_scripts(element.tag, element.attrib, opened):
            most = count_text(tree) if most is None else most
            if kept >= MAX_LARGE_HIDDEN or 2 * count_text(element) <= most:
                drop(element)
                dropped.update(_HIDDEN_INSIDE(element))
                continue
            kept += 1
        del element.attrib["hidden"]


def list_opened(controls: Iterable[str]) -> frozenset[str]:
    """Return the ids that these values of `aria-controls` name."""
    return frozenset(name for value in controls for name in value.split())


def is_sent_for_scripts(tag: str, attributes: Mapping[str, str], opened: Set[str]) -> bool:
    """Return whether scripts will show a hidden element; `opened` are the ids of what buttons in the text open."""
    if attributes.get("hidden", "").lower() == "until-found" or attributes.get("role") == "tabpanel":
        return True
    name = attributes.get("id", "")
    if STREAMED_PART.search(name) is not None:
        return True
    return name in opened and tag in PANEL_TAGS and attributes.get("role") in PANEL_ROLES
