"""Private data: recall and precision on invented values in real pages by locale, false hits, and MB a CPU second.

    CORPUS_DATA=... python -m tests.benchmarks.private_benchmark --values 20

Faker invents values for its locales (`pip install -t .venv-peers -r tests/benchmarks/peers/libraries.txt`); each is
planted between two lines of a page of the sample data: phones and national numbers behind a word of the language, the
rest alone.
Values that can be nobody's (`is_real`) are counted and left out. A value counts if all of its characters are marked;
what is marked besides and was not in the page before is wrong.
False hits are those in the pages as they are, without what a reader took for right (they are printed with --show).
Beside it, where they are installed: presidio-analyzer's pattern recognizers, without a language model, and datatrove's
PIIFormatter, which replaces e-mail and IP addresses alone.
"""

from __future__ import annotations

import gzip
import logging
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from corpus.private.kinds import find_private
from corpus.private.options import KINDS
from tests.benchmarks import bench

LOCALES = (
    "ar_SA", "bg_BG", "cs_CZ", "da_DK", "de_DE", "el_GR", "en_GB", "en_US", "es_ES", "es_MX", "et_EE", "fa_IR",
    "fi_FI", "fr_FR", "he_IL", "hi_IN", "hr_HR", "hu_HU", "id_ID", "it_IT", "ja_JP", "ko_KR", "lt_LT", "nl_NL",
    "no_NO", "pl_PL", "pt_BR", "pt_PT", "ro_RO", "ru_RU", "sk_SK", "sl_SI", "sv_SE", "th_TH", "tr_TR", "uk_UA",
    "vi_VN", "zh_CN", "zh_TW",
)  # fmt: skip
PHONE_WORDS = {
    "": "", "ar": "هاتف", "bg": "тел", "cs": "tel", "da": "tlf", "de": "Telefon", "el": "τηλ", "en": "phone",
    "es": "teléfono", "et": "tel", "fa": "تلفن", "fi": "puh", "fr": "tél", "he": "טלפון", "hi": "फोन", "hr": "tel",
    "hu": "telefon", "id": "telp", "it": "tel", "ja": "電話", "ko": "전화", "lt": "tel", "nl": "telefoon", "no": "tlf",
    "pl": "tel", "pt": "telefone", "ro": "tel", "ru": "тел", "sk": "tel", "sl": "tel", "sv": "tfn", "th": "โทร",
    "tr": "telefon", "uk": "тел", "vi": "hotline", "zh": "电话",
}  # fmt: skip
NATIONAL_WORDS = {
    "cs_CZ": "rodné číslo", "de_DE": "Rentenversicherungsnummer", "el_GR": "ΑΜΚΑ", "en_US": "SSN", "es_ES": "DNI",
    "es_MX": "CURP", "et_EE": "isikukood", "fi_FI": "hetu", "fr_FR": "NIR", "he_IL": "תעודת זהות", "hr_HR": "OIB",
    "hu_HU": "személyi szám", "it_IT": "codice fiscale", "ko_KR": "주민등록번호", "nl_NL": "BSN",
    "no_NO": "fødselsnummer", "pl_PL": "PESEL", "pt_BR": "CPF", "ro_RO": "CNP", "sk_SK": "rodné číslo",
    "sv_SE": "personnummer", "th_TH": "เลขประจำตัวประชาชน", "tr_TR": "TC kimlik no", "uk_UA": "ІПН",
    "zh_CN": "身份证号", "zh_TW": "身分證字號",
}  # fmt: skip
"""Faker's `ssn` of other locales is the American one, or, of en_GB, none that is ever given."""
NATIONAL_METHODS = {
    "cs_CZ": "birth_number", "de_DE": "rvnr", "es_ES": "nif", "es_MX": "curp", "sk_SK": "birth_number",
}  # fmt: skip
STATES_OF_MEXICO = frozenset(
    re.findall("..", "ASBCBSCCCLCMCSCHDFDGGTGRHGJCMCMNMSNTNLOCPLQTQRSPSLSRTCTSTLVZYNZSNE")
)
NO_IBAN = ("es_MX", "th_TH", "zh_CN")
"""Locales whose countries have no such numbers; faker invents some."""
Spans = list[tuple[int, int, str]]
Finder = Callable[[str], Spans]
Planted = tuple[str, str, str, str]
"""(locale, kind, value, word before it)."""
SPEED_BYTES = 12_000_000


def invent_values(count: int) -> Iterator[Planted]:
    """Yield values of every kind and locale."""
    faker = import_module("faker").Faker
    for locale in LOCALES:
        maker = faker(locale)
        maker.seed_instance(7)
        for _ in range(count):
            yield locale, "email", maker.email(), ""
            yield locale, "ip", maker.ipv4_public(), ""
            yield locale, "card", maker.credit_card_number(), ""
            yield locale, "phone", maker.phone_number(), f"{PHONE_WORDS[locale[:2]]}: "
            if locale in NATIONAL_WORDS:
                value = getattr(maker, NATIONAL_METHODS.get(locale, "ssn"))()
                yield locale, "national_id", value, f"{NATIONAL_WORDS[locale]}: "
            if locale not in NO_IBAN and hasattr(maker, "iban"):
                yield locale, "iban", maker.iban(), ""


def is_real(locale: str, kind: str, value: str) -> bool:
    """Return whether a value could be somebody's: faker's rules are not always those of the countries.

    By other rules than those that the search goes by: dates that exist, the issuer's first digits.
    """
    if kind == "card":
        return value.startswith("9804") or (value[0] in "23456" and not value.startswith(("59", "69")))
    if kind != "national_id":
        return True
    if locale == "ko_KR":
        return _is_date(f"{1900 + 100 * (value[7] in '34') + int(value[:2])}{value[2:6]}")
    if locale == "hu_HU":
        if len(value) > 11 or value[1:3] == "17":  # the remainder 10; the rule of 1997 for those born in 1917
            return False
        return _is_date(f"{'19' if value[0] in '12' else '20'}{value[1:7]}")
    return value[11:13] in STATES_OF_MEXICO if locale == "es_MX" else True


def _is_date(digits: str) -> bool:
    try:
        datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        return False
    return True


def read_pages(data: Path) -> list[str]:
    """Return pages of the sample data: declarations and manuals in many languages."""
    texts = []
    for path in sorted((data / "parallel").glob("*.txt.gz")):
        whole = gzip.decompress(path.read_bytes()).decode()
        texts += [whole[at : at + 3000] for at in range(0, len(whole), 3000)]
    return texts


def find_own(text: str) -> Spans:
    return [(span.start, span.end, span.kind) for span in find_private(text)]


def load_presidio() -> Finder | None:
    """Return presidio's pattern recognizers of these kinds, each for its own language, joined; None without them."""
    try:
        recognizers = import_module("presidio_analyzer.predefined_recognizers")
    except ImportError:
        return None
    logging.getLogger("tldextract").setLevel(logging.CRITICAL)  # presidio asks it to fetch a list of suffixes
    names = {
        "EmailRecognizer": "email", "IpRecognizer": "ip", "CreditCardRecognizer": "card", "IbanRecognizer": "iban",
        "PhoneRecognizer": "phone", "UsSsnRecognizer": "national_id", "EsNifRecognizer": "national_id",
        "ItFiscalCodeRecognizer": "national_id", "PlPeselRecognizer": "national_id", "FiPersonalIdentityCodeRecognizer":
        "national_id", "KrRrnRecognizer": "national_id",
    }  # fmt: skip
    made = [
        (getattr(recognizers, name)(), kind) for name, kind in names.items() if hasattr(recognizers, name)
    ]

    def find(text: str) -> Spans:
        return [
            (result.start, result.end, kind)
            for recognizer, kind in made
            for result in recognizer.analyze(text, recognizer.supported_entities, None) or ()
            if result.score >= 0.4
        ]

    return find


def load_datatrove() -> Finder | None:
    """Return the patterns of datatrove's PIIFormatter; None without it."""
    try:
        formatter: Any = import_module("datatrove.pipeline.formatters").PIIFormatter()
    except ImportError:
        return None

    def find(text: str) -> Spans:
        replacers = (("email", formatter.emails_replacer), ("ip", formatter.ip_replacer))
        return [
            (*match.span(), kind)
            for kind, replacer in replacers
            for match in replacer.regex.finditer(text)
            if not replacer.validator or replacer.validator(match[0])
        ]

    return find


def measure(finder: Finder, planted: Sequence[Planted], pages: Sequence[str]) -> dict[str, Counter[str]]:
    """Return, by locale, what was planted and marked, by kind, and what was marked wrongly."""
    draw = random.Random(3)
    counts: dict[str, Counter[str]] = {}
    for locale, kind, value, word in planted:
        page = draw.choice(pages)[:400]
        at = page.find("\n") + 1
        text = f"{page[:at]}{word}{value}\n{page[at:]}"
        start, end = at + len(word), at + len(word) + len(value)
        before = len(finder(page))
        spans = finder(text)
        of_locale = counts.setdefault(locale, Counter())
        of_locale[f"{kind} planted"] += 1
        of_locale[f"{kind} marked"] += any(one <= start and other >= end for one, other, _ in spans)
        of_locale["wrong"] += max(0, sum(other <= start or one >= end for one, other, _ in spans) - before)
    return counts


def report(name: str, counts: dict[str, Counter[str]]) -> None:
    """Print recall by kind over all locales, precision, and the locales and kinds below .95."""
    total = sum(counts.values(), Counter())
    cells = []
    for kind in KINDS:
        if total[f"{kind} planted"]:
            cells.append(f"{kind} {total[f'{kind} marked'] / total[f'{kind} planted']:.3f}")
    marked = sum(total[f"{kind} marked"] for kind in KINDS)
    print(f"{name:10} precision {marked / max(1, marked + total['wrong']):.4f}  recall {'  '.join(cells)}")
    low = [
        f"{locale} {kind} {of_locale[f'{kind} marked'] / of_locale[f'{kind} planted']:.2f}"
        for locale, of_locale in counts.items()
        for kind in KINDS
        if of_locale[f"{kind} planted"] and of_locale[f"{kind} marked"] < 0.95 * of_locale[f"{kind} planted"]
    ]
    print(f"{'':10} below .95: {', '.join(low) or 'none'}")


def report_speed(name: str, finder: Finder, pages: Iterable[str], show: bool) -> None:
    """Print MB a CPU second over real pages, and what is marked in a MB of them."""
    size = 0
    hits: Counter[str] = Counter()
    finder("warm up: tel 030 901820, 12345678901234, a@b.org")
    begun = time.process_time()
    for page in pages:
        for start, end, kind in finder(page):
            hits[kind] += 1
            if show:
                print(f"  {kind}: {page[max(0, start - 30) : end + 10]!r}")
        size += len(page.encode())
        if size > SPEED_BYTES:
            break
    spent = time.process_time() - begun
    per = {kind: round(count / size * 1e6, 2) for kind, count in hits.items()}
    rate = f"{size / 1e6 / spent:.1f} MB/s, {5e3 / (size / spent) * 1e3:.3f} ms a page of 5 KB"
    print(f"{name:10} {rate}; marked in a MB: {per or 'nothing'}")


def main() -> None:
    options = bench.parser(__doc__)
    options.add_argument("--values", type=int, default=20, help="values of each kind and locale")
    options.add_argument("--show", action="store_true", help="print what is marked in pages as they are")
    chosen = options.parse_args()
    pages = read_pages(bench.sample_data())
    finders: dict[str, Finder | None] = {
        "corpus": find_own,
        "presidio": load_presidio(),
        "datatrove": load_datatrove(),
    }
    try:
        planted = list(invent_values(chosen.values))
    except ImportError:
        print("faker is not installed: pip install -t .venv-peers faker", file=sys.stderr)
        planted = []
    real = [each for each in planted if is_real(*each[:3])]
    unreal = Counter(f"{each[0]} {each[1]}" for each in planted if not is_real(*each[:3]))
    left_out = ", ".join(f"{name} {count}" for name, count in sorted(unreal.items()))
    print(f"{len(planted):,} values; left out, since they can be nobody's: {left_out or 'none'}")
    for name, finder in finders.items():
        if finder is None:
            print(f"{name:10} is not installed")
        elif planted:
            report(name, measure(finder, real, pages))
    for name, finder in finders.items():
        if finder is not None:
            report_speed(name, finder, pages, chosen.show)
    report_speed(
        "web's own",
        lambda text: [(start, end, kind) for start, end, kind in find_private(text, ("email", "ip"))],
        pages,
        False,
    )


if __name__ == "__main__":
    main()
