"""Close the anchors that XHTML writes as empty elements: `<a id="install"/>`.

HTML has no such elements: a parser of HTML leaves the anchor open, and opens it anew in every block behind it. So all
that follows stands in an `a`, as the text of a link does. Handbooks that DocBook makes have one before each heading.
"""

from __future__ import annotations

import re

MAX_DECLARED = 1000
"""Characters from the beginning in which a page says that it is XHTML."""
_EMPTY_ANCHOR = re.compile(
    r"""(<[aA](?:\s+(?![hH][rR][eE][fF])[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'))*)\s*/>"""
)
"""Those that are no links: browsers show nothing of them, open or closed."""


def close_empty_anchors(html: str) -> str:
    """Return a page with an end tag for each empty anchor, if it says that it is XHTML."""
    return _EMPTY_ANCHOR.sub(r"\1></a>", html) if "xhtml" in html[:MAX_DECLARED].lower() else html
