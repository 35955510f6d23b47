"""Replace passwords, keys, tokens and e-mail addresses in code by placeholders that are the same everywhere.

A secret is recognized in one of two ways: by a form that only one service's keys have (`ghp_...`, a private key, a
password in an address), or as a value that looks random behind a name that suggests one (`api_key = "..."`); nothing
else counts. Hashes, UUIDs, lock files and test fixtures are full of random strings, which detectors that rely on
entropy alone take for secrets. The placeholders are StarCoder's.

A few dozen fixed strings are searched for, each at the speed of memory, and patterns are tried only where one occurs:
100 MB/s and more, whatever the text (`tests/benchmarks/code_benchmark.py`).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from corpus.groups import public_suffixes

EMAIL_PLACEHOLDER, KEY_PLACEHOLDER, PASSWORD_PLACEHOLDER = "<EMAIL>", "<KEY>", "<PASSWORD>"

VERSION = 3
"""Raised when the same text would come out otherwise."""

MIN_RANDOM_BITS, MIN_RANDOM_HEX_BITS, MIN_RANDOM_PASSWORD_BITS = 3.5, 2.8, 2.5
"""Bits a character from which a value counts as drawn at random: of 20 characters and more, of hexadecimal digits, of a
short password. Random base64 of 20 characters has 4 on average, English words without spaces 3.1, random hexadecimal
digits of 32 characters 3.6, detect-secrets requires 4.5 and 3 of longer ones."""

MIN_LETTER_DIGIT_CHANGES = 3
"""Places between a letter and a digit in what was drawn at random; names of variables have one or two."""

MIN_TOKEN_CHARACTERS = 16
"""Letters, digits, `_` and `-` that stand together in every key of `_FORMS`, and in the first of `_KEY_PREFIXES`."""
_TOKEN_BYTES = bytes(
    97 if (chr(byte).isalnum() and byte < 128) or byte in b"_-" else 32 for byte in range(256)
)
MAX_PATTERN_CHARACTERS = 400
"""Characters behind a fixed string that a pattern may look at."""
MAX_USER_CHARACTERS = 70
"""Characters before an address that may make it a part of another one, or of an escape."""
MAX_KEY_CHARACTERS = 20_000
"""Characters of a private key at most."""

_FORMS: tuple[tuple[str, str], ...] = (
    ("AKIA", r"(?<![A-Za-z0-9])AKIA[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("ASIA", r"(?<![A-Za-z0-9])ASIA[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ("ghp_", r"ghp_[A-Za-z0-9]{36,255}"),
    ("gho_", r"gho_[A-Za-z0-9]{36,255}"),
    ("ghu_", r"ghu_[A-Za-z0-9]{36,255}"),
    ("ghs_", r"ghs_[A-Za-z0-9]{36,255}"),
    ("ghr_", r"ghr_[A-Za-z0-9]{36,255}"),
    ("github_pat_", r"github_pat_[A-Za-z0-9_]{40,255}"),
    ("glpat-", r"glpat-[A-Za-z0-9_-]{20,64}"),
    ("xox", r"(?<![A-Za-z0-9-])xox[abeprs]-[A-Za-z0-9-]{20,250}"),
    ("AIza", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ("ya29.", r"ya29\.[A-Za-z0-9_-]{30,250}"),
    ("sk_live_", r"sk_live_[A-Za-z0-9]{20,250}"),
    ("rk_live_", r"rk_live_[A-Za-z0-9]{20,250}"),
    ("sk-", r"(?<![A-Za-z0-9])sk-(?:[a-z]{3,6}[0-9]{0,2}-)?[A-Za-z0-9_-]{32,250}"),
    ("SG.", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}"),
    ("npm_", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    ("pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{40,300}"),
    ("hf_", r"(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])"),
    ("eyJ", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{10,390}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{16,1000}"),
    ("EAACEdEose0cBA", r"EAACEdEose0cBA[A-Za-z0-9]{10,250}"),
    ("amzn.mws.", r"amzn\.mws\.[0-9a-f-]{36}"),
    ("dop_v1_", r"dop_v1_[0-9a-f]{64}"),
    ("shpat_", r"shpat_[0-9a-fA-F]{32}"),
)
"""What keys of a service begin with, and the pattern of the whole."""
_KEY_PREFIXES: tuple[tuple[str, str], ...] = (
    ("hooks.slack.com/services/", r"[A-Z0-9]{8,14}/[A-Z0-9]{8,14}/[A-Za-z0-9]{20,32}"),
    ("AccountKey=", r"[A-Za-z0-9+/]{40,120}={0,2}"),
)
"""What stands before a key, and the pattern of the key."""
_PATTERNS = (
    *((fixed, 0, re.compile(pattern)) for fixed, pattern in _FORMS),
    *((fixed, len(fixed), re.compile(pattern)) for fixed, pattern in _KEY_PREFIXES),
)
_FIXED_BYTES = re.compile(b"|".join(re.escape(fixed.encode()) for fixed, _, _ in _PATTERNS))
_RULE, _NO_RULE = b"-" * 8, b" " * 8
"""What no key has, and underlined headings do."""
_KEY_MARGIN_BYTES = 64
"""Bytes of a key, and of its fixed string, before letters and digits that stand together."""

_NAMES = re.compile(
    r"passw(?:or)?d|passwd|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|auth[-_]?key|private[-_]?key"
    r"|account[-_]?key|credential|client[-_]?key|encryption[-_]?key|signing[-_]?key|密码|密碼|パスワード|пароль"
)
_NAME_PARTS = (
    "passw",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "key",
    "credential",
    "密码",
    "密碼",
    "パスワード",
    "пароль",
)
"""Fixed strings, one of which is in every name of `_NAMES`."""
_PASSWORDS = ("passw", "pwd", "密码", "密碼", "パスワード", "пароль")
_ASSIGNMENT = re.compile(
    r"[\w-]{0,40}[\"'`]?\]?[ \t]{0,20}(?P<sign>:=|=>|[:=,(]|->)[ \t]{0,20}"
    r"(?:[bru]{0,2}([\"'`])(?P<quoted>[^\"'`\s]{6,300})\2"
    r"|(?P<bare>[A-Za-z0-9+/_=!@#$%^&*-]{12,300})[ \t]*(?=[\r\n;,]|$))"
)
"""What follows a name that speaks of a secret: `_value": "..."`, `=...` to the end of the line."""
_ASCII_PARTS = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential")
_OTHER_PARTS = tuple(part.encode() for part in ("密", "パスワード", "ароль", "АРОЛЬ"))
"""Fewer strings, one of which is in each of `_NAME_PARTS`, whatever its case."""
_ASSIGNED_BYTES = re.compile(
    rb"[\w\x80-\xff-]{0,200}[\"'`]?\]?[ \t]{0,20}(?::=|=>|[:=,(]|->)[ \t]{0,20}"
    rb"(?:[bru]{0,2}[\"'`][^\"'`\s]{6}|[a-z0-9+/_=!@#$%^&*-]{12})"
)
"""What follows such a part in every assignment; of the bytes in lower case."""
_URL_PASSWORD = re.compile(
    r"(?<=://)[A-Za-z0-9_.%+-]{1,64}:(?P<value>[^\s:/@\"'<>{}$()*]{3,100})(?=@[A-Za-z0-9.-])"
)
_KEY_HEAD = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_KEY_BODY = re.compile(r"[A-Za-z0-9+/=\s\\\"',.:()+-]*")
_KEY_LINE = re.compile("[A-Za-z0-9+/]{40}")
_MIXED = re.compile(r"(?=[A-Za-z]\d|\d[A-Za-z])")
_EMAIL_BEFORE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._%+-]{0,62}[A-Za-z0-9_+-])?\Z")
_EMAIL_AFTER = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,5}[A-Za-z]{2,24}(?![A-Za-z0-9@(-])"
)
_ESCAPE = re.compile(r"[abefnrtv0]|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}")
_BACKSLASHES = re.compile(r"\\+\Z")
_USER_OF_URL = re.compile(r"://[^\s/@:\"'<>]{0,64}:\Z")
_HEXADECIMAL = re.compile(r"(?:0x)?[0-9a-fA-F]+\Z")
_NO_VALUE = re.compile(
    r"example|sample|dummy|placeholder|changeme|change_me|your|insert|replace|xxxx|\*\*\*|\.\.\.|<|\{|\$\(|%[(s]|(?-i:\$[A-Z_]{3})"
    r"|process\.env|os\.environ|getenv|https?://|^/|^\.|^\$|(?-i:^[A-Z][A-Z0-9]*_[A-Z0-9_]*$|^[A-Z][A-Z0-9]{0,15}$)|(?-i:^[a-z_]+$)|^[a-z]+(?:\.[a-z_]+)+$|^\^|\[|\\|abcdef|123456|qwerty",
    re.IGNORECASE,
)
"""What stands where a secret would: names of variables and constants (but for long ones without `_`, which are keys in
capitals), paths, addresses, examples."""


_EXAMPLE = re.compile(r"example|sample|dummy|placeholder|x{6}|0{8}|abcdef|12345678", re.IGNORECASE)
"""What examples of keys in documentation hold."""


def redact_secrets(text: str) -> tuple[str, int, int]:
    """Return the text with placeholders, how many secrets and how many e-mail addresses they replace."""
    spans = [*find_secrets(text), *_find_emails(text)]
    if not spans:
        return text, 0, 0
    pieces: list[str] = []
    counts: Counter[str] = Counter()
    at = 0
    for start, end, placeholder in sorted(spans):
        if start < at:
            continue
        pieces += (text[at:start], placeholder)
        counts[placeholder] += 1
        at = end
    pieces.append(text[at:])
    return "".join(pieces), counts[KEY_PLACEHOLDER] + counts[PASSWORD_PLACEHOLDER], counts[EMAIL_PLACEHOLDER]


class TextBytes(NamedTuple):
    """The bytes of a text, and the same with `a` for ASCII letters, digits, `_` and `-`, blanks for all else, and for
    lines that are drawn with hyphens."""

    data: bytes
    tokens: bytes

    def find_tokens(self, characters: int) -> Iterator[tuple[int, int]]:
        """Yield (start, end) in bytes of what has at least so many letters, digits, `_` and `-` together."""
        token = b"a" * characters
        start = self.tokens.find(token)
        while start >= 0:
            end = self.tokens.find(b" ", start)
            end = end if end >= 0 else len(self.tokens)
            yield start, end
            start = self.tokens.find(token, end)


def to_bytes(text: str) -> TextBytes:
    """Return the bytes of a text. Cost: 2 ms a MB."""
    data = text.encode("utf-8", "surrogatepass")
    unruled = data.replace(_RULE, _NO_RULE) if _RULE in data else data
    return TextBytes(data, unruled.translate(_TOKEN_BYTES))


def _may_have_keys(of_text: TextBytes) -> bool:
    """Return whether one of the fixed strings stands in the bytes of a text at letters and digits as long as a key."""
    data = of_text.data
    return any(
        _FIXED_BYTES.search(data, max(0, start - _KEY_MARGIN_BYTES), end)
        for start, end in of_text.find_tokens(MIN_TOKEN_CHARACTERS)
    )


def _may_have_assignments(lower: bytes, is_ascii: bool) -> bool:
    """Return whether an assignment may stand behind a name in the bytes of a text, ASCII letters in lower case."""
    for part in _ASCII_PARTS if is_ascii else (*_ASCII_PARTS, *_OTHER_PARTS):
        at = lower.find(part)
        while at >= 0:
            if _ASSIGNED_BYTES.match(lower, at + len(part)):
                return True
            at = lower.find(part, at + len(part))
    return False


def measure_entropy(value: str) -> float:
    """Return the bits a character, by how often each occurs in the value itself."""
    total = len(value)
    return -sum(n / total * math.log2(n / total) for n in Counter(value).values())


def find_secrets(text: str, of_text: TextBytes | None = None) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, placeholder) of keys and passwords, not in order. `of_text`: its bytes, if they are at
    hand."""
    of_text = of_text if of_text is not None else to_bytes(text)
    patterns = _PATTERNS if _may_have_keys(of_text) else _PATTERNS[-1:]
    for fixed, behind, pattern in patterns:
        for at in _find_places(text, fixed):
            match = pattern.match(text, at + behind)
            if match is not None and not _EXAMPLE.search(match[0]):
                yield match.start(), match.end(), KEY_PLACEHOLDER
    yield from _find_key_blocks(text)
    for at in _find_places(text, "://"):
        match = _URL_PASSWORD.match(text, at + 3, at + MAX_PATTERN_CHARACTERS)
        if match is not None and not _NO_VALUE.search(match["value"]):
            yield match.start("value"), match.end("value"), PASSWORD_PLACEHOLDER
    if _may_have_assignments(of_text.data.lower(), text.isascii()):
        yield from _find_assigned_secrets(text)


def _find_key_blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield what is between the lines around private keys, in files and in strings of a program."""
    done = 0
    for at in _find_places(text, "-----BEGIN "):
        head = _KEY_HEAD.match(text, at) if at >= done else None
        if head is None:
            continue
        end = text.find("-----END", head.end(), head.end() + MAX_KEY_CHARACTERS)
        body = _KEY_BODY.match(text, head.end(), end if end >= 0 else head.end() + MAX_KEY_CHARACTERS)
        done = max(end, body.end() if body is not None else 0)
        whole = body is not None and (end < 0 or body.end() == end)
        if body is not None and whole and _KEY_LINE.search(body[0]):
            yield body.start(), body.end(), KEY_PLACEHOLDER


def _find_assigned_secrets(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield values that look random behind names that suggest secrets."""
    lower = text.lower() if len(text.lower()) == len(text) else text
    done = 0
    for at in sorted(place for part in _NAME_PARTS for place in _find_places(lower, part)):
        name = _NAMES.search(lower, max(0, at - 12), at + 12)
        if name is None or name.end() <= done:
            continue
        assignment = _ASSIGNMENT.match(text, name.end(), name.end() + MAX_PATTERN_CHARACTERS)
        if assignment is None:
            continue
        group = "quoted" if assignment["quoted"] else "bare"
        done = assignment.end()
        is_password = name[0].startswith(_PASSWORDS)
        if looks_random(
            assignment[group], short=is_password and group == "quoted" and assignment["sign"] not in "(,"
        ):
            yield (
                assignment.start(group),
                assignment.end(group),
                PASSWORD_PLACEHOLDER if is_password else KEY_PLACEHOLDER,
            )


def looks_random(value: str, short: bool = False) -> bool:
    """Return whether a value was drawn at random rather than written: letters and digits mixed, with enough entropy.

    `short` accepts passwords, from 6 characters with a digit or a mark among letters.
    """
    if _NO_VALUE.search(value) or " " in value:
        return False
    letters, digits = any(map(str.isalpha, value)), any(map(str.isdigit, value))
    if not (letters and digits):
        marks = any(not character.isalnum() and character not in "_-.:/" for character in value)
        return short and letters and marks and measure_entropy(value) >= MIN_RANDOM_PASSWORD_BITS
    if _HEXADECIMAL.match(value):
        return len(value) >= 24 and measure_entropy(value) >= MIN_RANDOM_HEX_BITS
    if len(value) >= 16 and measure_entropy(value) >= MIN_RANDOM_BITS:
        return sum(1 for _ in _MIXED.finditer(value)) >= MIN_LETTER_DIGIT_CHANGES
    return short and measure_entropy(value) >= MIN_RANDOM_PASSWORD_BITS


def _find_emails(text: str) -> Iterator[tuple[int, int, str]]:
    for at in _find_places(text, "@"):
        after = _EMAIL_AFTER.match(text, at + 1, at + 300)
        if after is None:
            continue
        before = _EMAIL_BEFORE.search(text, max(0, at - 64), at)
        if before is None or before[0] == "git" or not is_domain(after[0]):
            continue
        begin = find_address_begin(text, before.start(), at)
        if begin is not None:
            yield begin, after.end(), EMAIL_PLACEHOLDER


def find_address_begin(text: str, begin: int, at: int) -> int | None:
    """Return where an address begins whose name seems to begin at `begin` and ends before its sign, at `at`.

    That is behind an escape such as `\\n`; None where it is the password in `https://user:password@host`.
    """
    if _USER_OF_URL.search(text, max(0, begin - MAX_USER_CHARACTERS), begin):
        return None
    slashes = _BACKSLASHES.search(text, max(0, begin - MAX_USER_CHARACTERS), begin)
    if slashes is None or len(slashes[0]) % 2 == 0:
        return begin
    escape = _ESCAPE.match(text, begin, at)
    return escape.end() if escape is not None and escape.end() < at else begin


def is_domain(host: str) -> bool:
    """Return whether a name ends in a public suffix and has something before it."""
    parts = public_suffixes()(host)
    return bool(parts.suffix and parts.domain)


def _find_places(text: str, fixed: str) -> Iterator[int]:
    at = text.find(fixed)
    while at >= 0:
        yield at
        at = text.find(fixed, at + len(fixed))
