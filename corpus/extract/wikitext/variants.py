"""Resolve script variants that Chinese (and Serbian, Kazakh...) pages spell out: -{zh-hans:软件; zh-hant:軟體}-."""

from __future__ import annotations

import re

VARIANT_MARKUP = re.compile(r"-\{((?:[^{}-]|-(?!\{)|\{(?!\{)|\}(?!-))*?)\}-")
VARIANT_RULE = re.compile(r"\s*(?:[^;:]{1,40}=>)?\s*([a-z]{2,3}(?:-[a-z]{2,8})?)\s*:\s*([^;]*)", re.I)
MAX_VARIANT_DEPTH = 4

SIMPLIFIED_CHARACTERS = "这国们时为会来说对学发个过还现东车长门马书"
TRADITIONAL_CHARACTERS = "這國們時為會來說對學發個過還現東車長門馬書"
"""Frequent characters that only one of the two scripts has; which of them a page uses more tells its script."""

VARIANT_ORDER_BY_SCRIPT = {
    "Hans": ("zh-hans", "zh-cn", "zh-sg", "zh-my", "zh"),
    "Hant": ("zh-hant", "zh-tw", "zh-hk", "zh-mo", "zh"),
    "Cyrl": ("sr-ec", "sr-cyrl", "kk-cyrl", "uz-cyrl", "tg-cyrl"),
    "Latn": ("sr-el", "sr-latn", "kk-latn", "uz-latn", "tg-latn"),
}


def show_variants(text: str, language: str | None = None) -> str:
    """Return the text with every -{...}- as the variant of the page's script; titles and hidden rules are dropped."""
    order = (
        VARIANT_ORDER_BY_SCRIPT.get((language or "")[4:], ()) or VARIANT_ORDER_BY_SCRIPT[detect_script(text)]
    )
    for _ in range(MAX_VARIANT_DEPTH):
        shown = VARIANT_MARKUP.sub(lambda match: _show_variant(match[1], order), text)
        if shown == text:
            break
        text = shown
    return text


def detect_script(text: str) -> str:
    """Return "Hans" or "Hant", by which frequent characters the text uses more; "Hans" if neither."""
    simplified = sum(text.count(character) for character in SIMPLIFIED_CHARACTERS)
    traditional = sum(text.count(character) for character in TRADITIONAL_CHARACTERS)
    return "Hant" if traditional > simplified else "Hans"


def _show_variant(body: str, order: tuple[str, ...]) -> str:
    flags, bar, rest = body.partition("|")
    if bar and len(flags) <= 20 and re.fullmatch(r"[A-Z\s;+-]*|[a-z-;\s]+", flags):
        if set(flags) & set("HTD-"):
            return ""
        body = rest
        if re.fullmatch(r"[A-Z\s;+-]*R[A-Z\s;+-]*", flags):
            return body
    variants = (
        {match[1].lower(): match[2].strip() for match in VARIANT_RULE.finditer(body)} if ":" in body else {}
    )
    if not variants or not VARIANT_RULE.match(body):
        return body
    return next((variants[name] for name in order if name in variants), next(iter(variants.values())))
