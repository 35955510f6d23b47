"""Repair text that was decoded with the wrong charset and encoded again: `Ã©` is é, `РџСЂ` is Пр, `ÎÒÃÇ` is 我们.

Only what is certain is repaired, line by line (in HTML: between tags), and nothing else in the text is touched.
UTF-8 is so regular that sequences of it, read as an 8-bit charset, do not occur by accident: a line is repaired if they
are nearly all that it has beyond ASCII. Legacy charsets are told by how odd their readings are: see `mojibake.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from corpus.formats.mojibake import BMP_CODE_POINTS, measure_atypicality, measure_mojibake

VERSION = 4
"""Incremented when the same text would be repaired otherwise."""

ROUNDS = {1: "", 2: " twice", 3: " three times"}
MAX_ROUNDS = len(ROUNDS)
"""UTF-8 that was read wrongly more often than this is left."""

MIN_SEQUENCES = 3
"""Characters that a text must have in wrongly read UTF-8 to be repaired. Fewer may be quotations."""

MANY_SEQUENCES = 30
"""From so many on, also rare letters are taken for what a line of one or two sequences says."""

SPLIT_BYTES = 1 << 14
"""Bytes of a text up to which its runs are split into objects: faster, and fifty times as large as a run may be."""

PART_BYTES = 1 << 20
"""Bytes of a text in which lines are looked for at once."""

SAMPLED_CHARACTERS = 256
"""Characters beyond ASCII that are looked at for UTF-8 in one of the rarer readings."""

MIN_COVERED = 0.9
"""Share of what a line has beyond ASCII that must be such sequences."""

MIN_TEXT_COVERED = 0.5
"""Share of what a text has beyond ASCII that must be sequences in one of the rarer readings: clean Thai and Arabic have
some by accident."""

MIN_LEGACY_CHARACTERS, MIN_LEGACY_SHARE, MIN_LEGACY_ODDITY, MAX_REPAIRED_ODDITY, LEGACY_MARGIN = (
    12,
    0.5,
    0.15,
    0.06,
    0.02,
)
"""Text in a legacy charset that was read as Latin-1: how many characters beyond ASCII it must have, which share they
are of a line's letters, how odd the text is (`measure_mojibake`), how odd the best reading may be, and by how much it
must be less odd than the next."""

_LEGACY = {"gb18030": "gbk", "big5hkscs": "big5", "cp932": "shift_jis", "euc_jp": "euc-jp", "cp949": "euc-kr",
           "koi8_u": "koi8", "cp866": "ibm866", "iso8859_5": "iso-8859-5", "iso8859_6": "iso-8859-6",
           "cp1251": "windows-1251", "cp1253": "windows-1253", "cp1255": "windows-1255",
           "cp1256": "windows-1256", "cp874": "tis-620"}  # fmt: skip
_COMMON_LETTERS = {
    "koi8_u": "оеаитнсрвл",
    "cp1251": "оеаитнсрвл",
    "cp866": "оеаитнсрвл",
    "iso8859_5": "оеаитнсрвл",
    "iso8859_6": "اليمنوترهب",
    "cp1253": "αοιετσνηυρ",
    "cp1255": "יוהלאתרשבמ",
    "cp1256": "اليمنوترهب",
    "cp874": "านรกอเงมยล",
}
"""The ten most frequent letters of the languages in an 8-bit charset, of which they are half of a text or more: this
tells charsets that only order their letters otherwise, such as windows-1251 and KOI8."""

USUAL_COMMON_SHARE, RARE_LETTER_COST = 0.6, 0.3
"""Share of those letters in most texts (.5 to .75 in the Universal Declaration where it is read rightly, .2 to .5 where
it is read as another), and what a lower one costs, in oddities per character."""

INVERTED_MARGIN = 0.15
"""How many more of the letters of KOI8 that was read as windows-1251 must be common ones, as a share."""

_CONTROL, _NO_LINE_END = re.compile("[\x80-\x9f]"), re.compile("[\x80-\x84\x86-\x9f]")
_LATIN_SEQUENCE = re.compile("[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_LINE = re.compile("[^<>\n]+")
_BEYOND_ASCII = re.compile("[^\x00-\x7f]")
_LINE_SIGNS = (b"<", b">", b"\n")
_RUN = re.compile("[^\n]+")
_BLANKED = bytes(0x80 * b"\n") + bytes(range(0x80, 0x100))
_NO_LETTERS = bytes(code for code in range(0x80) if not chr(code).isalpha())
_CAPITALS, _SMALL = re.compile("[\u0410-\u042f]"), re.compile("[\u0430-\u044f]")
_HANGUL, _EAST_ASIAN = re.compile("[\uac00-\ud7a3]"), re.compile("[\u3041-\u318f\u4e00-\ud7a3]")
_TAILS = (
    "\x80-\xbf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018"
    "\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178"
)
_CYRILLIC_SIGNS = (
    "\xa4\xa6\xa7\xa9\xac\xae\xb0\xb1\xb5-\xb7\u201a\u201e\u2020-\u2022\u2030\u2039\u203a\u20ac\u2116\u2122"
)
_SIGNS_IN_WORDS = (
    "\x80-\x9f\xa2\xa4-\xa9\xac-\xb1\xb4-\xb8\u201a\u201e\u2020-\u2025\u2030-\u203a\u20ac\u2122"
    "\u2500-\u25a0\u02d8-\u02dd"
)
"""Signs that stand in no word; of quotation marks and dashes only those that do not occur between letters."""
_LETTERS = "[^\\W\x00-\x7f\u0700-\u0dff\u0e80-\ufb00\ufb03-\U0010ffff]"
"""Letters that charsets of eight bits have."""
_SUSPECT = (
    re.compile(
        f"[\xc2-\xdf][{_TAILS}]|[\xe0-\xef][{_TAILS}]{{2}}|[\xf0-\xf4][{_TAILS}]{{3}}",
    ),
    re.compile(f"[{_CYRILLIC_SIGNS}](?<=[\u0412-\u0444].)[^\\s.,;:!?)]|\u0402(?<=\u0432.)"),
    re.compile("[\x80-\xff\u0192\u201a]{4}"),
    re.compile(f"[{_SIGNS_IN_WORDS}](?<={_LETTERS}.){_LETTERS}"),
    re.compile("[\u0410-\u042f]{3}(?<=[\u0430-\u044f]...)"),
)
"""UTF-8 as windows-1252 shows it; a sign inside a word of Cyrillic, as in windows-1251; what Latin-1 makes of a legacy
charset; a sign between two letters, as the rarer readings show UTF-8; and Cyrillic whose case is inverted."""
_PAIRS = (
    ("[\xc2-\xf4]", f"[{_TAILS}]"),
    ("[\u0412-\u0444]", f"[{_CYRILLIC_SIGNS}\u0402]"),
    ("[\x80-\xff\u0192\u201a]", "[\x80-\xff\u0192\u201a]"),
    (_LETTERS, f"[{_SIGNS_IN_WORDS}]"),
    ("[\u0430-\u044f]", "[\u0410-\u042f]"),
)
"""Two characters in a row that each of `_SUSPECT` needs."""
_RARE_SIGNS = ("\u20ac", "\u05f3", "\u221a", "\u201a\xc4", "\u0e40\u0e18", "\u251c", "\u2568", "\u256a")
_RARE_SUSPECT = re.compile(
    "\u20ac[^\\w\\s](?<=[^\\W\x00-\x7f]..)|\u05f3.\u05f3|\u0e40\u0e18.\u0e40\u0e18.\u0e40[\u0e18\u0e19]"
    "|\u221a[^\\s\\d.,;)]|\u201a\xc4"
    "|[\u251c\u2568\u256a](?:[^\\s\\w\u2500]|[^\\W\x00-\x7f])"
)
"""Other beginnings of UTF-8 in the rarer readings, looked for in texts that have one of `_RARE_SIGNS`."""
_UNUSUAL = re.compile("[\x80-\x9f\u0250-\u02af\u0700-\u08ff\ue000-\uf8ff\ufff0-\uffff]")
"""What UTF-8 hardly ever stands for: a closing quote after a capital with an accent reads as such a letter."""


@dataclass(frozen=True)
class _Reading:
    """What UTF-8 looks like in an 8-bit charset: a pattern of its sequences, and the byte of each character."""

    name: str
    pattern: str
    bytes: dict[int, int]

    @cached_property
    def sequence(self) -> re.Pattern[str]:
        """The pattern, compiled: of the rarer readings few processes need it, and all together take 60 ms."""
        return re.compile(self.pattern)


def looks_recoded(text: str) -> bool:
    """Return whether a text may have been decoded with the wrong charset: cheap, and wrong about some clean texts."""
    if text.isascii():
        return False
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), np.uint16)
    if _is_all_misread(units):
        return True
    suspected = _find_pairs(units)
    if suspected and any(pattern.search(text) for at, pattern in enumerate(_SUSPECT) if suspected >> at & 1):
        return True
    return (
        any(sign[0] in text and sign in text for sign in _RARE_SIGNS)
        and _RARE_SUSPECT.search(text) is not None
    )


@cache
def _pair_table() -> npt.NDArray[np.uint16]:
    """Return for each code point of the BMP the numbers of the pairs, as bits, of which it is the second character, and
    above them those of which it is the first."""
    table = np.zeros(BMP_CODE_POINTS, np.uint16)
    codes = np.array([*range(0x80, 0xD800), *range(0xE000, BMP_CODE_POINTS)], "<u2")
    everything = codes.tobytes().decode("utf-16-le")
    for number, (first, second) in enumerate(_PAIRS):
        for characters, shift in ((second, 0), (first, 8)):
            table[[ord(one) for one in re.findall(characters, everything)]] |= 1 << (number + shift)
    return table


def _find_pairs(units: npt.NDArray[np.uint16]) -> int:
    """Return which of `_PAIRS` occur in a text, as bits. About 4 ns a character."""
    kinds = _pair_table().take(units)
    return int(np.bitwise_or.reduce((kinds[:-1] >> 8) & kinds[1:], initial=0))


@cache
def _reading_tables() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
    """Return for each code point of the BMP the readings, as bits, in which it begins UTF-8, and goes on with it."""
    leads, tails = np.zeros(BMP_CODE_POINTS, np.uint32), np.zeros(BMP_CODE_POINTS, np.uint32)
    for number, reading in enumerate((*_list_readings(), *_list_rare_readings())):
        for code, byte in reading.bytes.items():
            if byte < 0xC0:
                tails[code] |= 1 << number
            elif 0xC2 <= byte <= 0xF4:
                leads[code] |= 1 << number
    return leads, tails


def _is_all_misread(units: npt.NDArray[np.uint16]) -> bool:
    """Return whether all that a text has beyond ASCII could be UTF-8 in one reading, by the first of it."""
    places = np.flatnonzero(units[:-1] >= 0x80)[:SAMPLED_CHARACTERS]
    if len(places) < 2 * MIN_SEQUENCES or not places[0]:
        places = places[1:]
    if len(places) < 2 * MIN_SEQUENCES:
        return False
    leads, tails = _reading_tables()
    here, before, after = units[places], units[places - 1], units[places + 1]
    begins = leads[here] & tails[after]
    goes_on = tails[here] & (leads[before] | tails[before])
    return bool(np.bitwise_and.reduce(begins | goes_on))


def read_controls(text: str) -> tuple[str, str] | None:
    """Return a text without C1 control characters, which no text has, and what was wrong; None where there are none.

    They are of UTF-8 that was read as Latin-1 (`\u00e2\u0080\u0099`, an apostrophe), as JSON keeps it, or signs of
    windows-1252. Unlike `repair`, one sequence is enough. U+0085 by itself is a line end, and stays.
    """
    if text.isascii() or _NO_LINE_END.search(text) is None:
        return None
    decoded = _LATIN_SEQUENCE.sub(_decode_latin, text)
    was = "utf-8 as latin-1" if decoded != text else "windows-1252 as latin-1"
    return _CONTROL.sub(_read_control, decoded), was


def _decode_latin(sequence: re.Match[str]) -> str:
    try:
        return sequence[0].encode("latin-1").decode()
    except UnicodeDecodeError:
        return sequence[0]


def _read_control(control: re.Match[str]) -> str:
    return control[0].encode("latin-1").decode("cp1252", "ignore")


def repair(text: str) -> tuple[str, str] | None:
    """Return a text as it was before it was decoded wrongly, and what was wrong; None where nothing is certain.

    What was wrong is such as `utf-8 as windows-1252`, `utf-8 as windows-1252 twice` and `gbk as latin-1`.
    """
    decoded = _repair_utf8(text)
    legacy = _repair_legacy(decoded[0] if decoded else text) or (
        _repair_inverted(text) if not decoded else None
    )
    if decoded and legacy:
        return legacy[0], f"{legacy[1]}, then {decoded[1]}"
    return decoded or legacy


def _repair_utf8(text: str) -> tuple[str, str] | None:
    """Repair UTF-8 that was read as windows-1252, Latin-1 or windows-1251, and perhaps again."""
    sequences = 0
    kinds: Counter[tuple[str, ...]] = Counter()

    decoded_runs: dict[str, tuple[str, int, tuple[str, ...]]] = {}
    readings, most = _choose_readings(text)
    if most < MIN_SEQUENCES:
        return None
    everywhere = most >= MANY_SEQUENCES
    pieces = _cut_lines(text)
    for at in range(1, len(pieces), 2):
        runs = _keep_runs(pieces[at])
        if runs not in decoded_runs:
            decoded_runs[runs] = _decode_runs(runs, everywhere, readings)
        decoded, count, names = decoded_runs[runs]
        sequences += count
        kinds[names] += count
        if names:
            pieces[at] = _replace_runs(pieces[at], runs, decoded)
    if sequences < MIN_SEQUENCES:
        return None
    names = kinds.most_common(1)[0][0]
    times = f"{names[0]}{ROUNDS[len(names)]}" if len(set(names)) == 1 else ", then as ".join(reversed(names))
    return "".join(pieces), f"utf-8 as {times}"


def _cut_lines(text: str) -> list[str]:
    """Cut a text so that the pieces at odd places are the lines that have characters beyond ASCII, and no other has."""
    data = text.encode("utf-8", "surrogatepass")
    cuts = [0]
    begin = 0
    while begin < len(data):  # in parts, as arrays of all places would be many times as large as the text
        end = max(data.rfind(sign, begin, begin + PART_BYTES) for sign in _LINE_SIGNS) + 1
        if not end:  # a line longer than a part
            nexts = [at for sign in _LINE_SIGNS if (at := data.find(sign, begin + PART_BYTES)) >= 0]
            end = min(nexts, default=len(data) - 1) + 1
        if begin + PART_BYTES >= len(data):
            end = len(data)
        codes = np.frombuffer(data, np.uint8, end - begin, begin)
        if codes.max() >= 0x80:
            ends = np.flatnonzero((codes == ord("<")) | (codes == ord(">")) | (codes == ord("\n")))
            begins = np.append(0, ends + 1)
            ends = np.append(ends, len(codes))
            if begins[-1] == len(codes):
                begins, ends = begins[:-1], ends[:-1]
            chosen = np.logical_or.reduceat(codes >= 0x80, begins)
            cuts += (np.column_stack((begins[chosen], ends[chosen])).ravel() + begin).tolist()
        begin = end
    cuts.append(len(data))
    return [data[first:last].decode("utf-8", "surrogatepass") for first, last in pairwise(cuts)]


def _replace_runs(line: str, runs: str, decoded: str) -> str:
    """Put decoded runs of characters beyond ASCII into the places of those that a line has."""
    pieces: list[str] = []
    behind = 0
    for run, instead in zip(_RUN.finditer(runs), _RUN.finditer(decoded), strict=True):
        at = line.index(run[0], behind)
        pieces += (line[behind:at], instead[0])
        behind = at + len(run[0])
    return "".join((*pieces, line[behind:]))


def _choose_readings(text: str) -> tuple[list[_Reading], int]:
    """Return the readings that a text may need, that of most of it first, and how many sequences it has in the one that
    it needs most."""
    text = _keep_runs(text)
    beyond = len(text) - text.count("\n")
    ranked: list[tuple[int, int, _Reading]] = []
    for readings, needed in ((_list_readings(), 0.0), (_list_rare_readings(), MIN_TEXT_COVERED * beyond)):
        for reading in readings:
            sequences = reading.sequence.findall(text)
            covered = sum(map(len, sequences))
            if covered >= needed:
                ranked.append((covered, len(sequences), reading))
    ranked.sort(key=lambda one: -one[0])
    return [reading for _, _, reading in ranked], max(count for _, count, _ in ranked)


def _keep_runs(text: str) -> str:
    """Return what a text has beyond ASCII, which has all sequences of a reading, each run as a line."""
    blanked = text.encode("utf-8", "surrogatepass").translate(_BLANKED)
    if len(blanked) <= SPLIT_BYTES:
        return b"\n".join(blanked.split()).decode("utf-8", "surrogatepass")
    codes = np.frombuffer(blanked, np.uint8)
    kept = codes >= 0x80
    kept[1:] |= kept[:-1]  # and one line end behind each
    return codes[kept].tobytes().rstrip(b"\n").decode("utf-8", "surrogatepass")


def _decode_runs(runs: str, everywhere: bool, readings: list[_Reading]) -> tuple[str, int, tuple[str, ...]]:
    """Return what a line has beyond ASCII with its sequences decoded, how many there were, and the charsets that they
    were read as, the last first; what it has itself if that is more than them, or if they are few and mean nothing
    usual. The latter does not matter in a text that has sequences `everywhere`."""
    names: list[str] = []
    decoded, first = runs, 0
    while len(names) < MAX_ROUNDS:
        reading, sequences = _choose_reading(decoded, readings)
        if reading is None:
            break
        first = first or sequences
        decoded = _decode(decoded, reading)
        names.append(reading.name)
        readings = [reading, *(other for other in readings if other is not reading)]
    if not names or (not everywhere and first < MIN_SEQUENCES and _UNUSUAL.search(decoded)):
        return runs, 0, ()
    return decoded, first, tuple(names)


def _choose_reading(runs: str, readings: list[_Reading]) -> tuple[_Reading | None, int]:
    """Return the reading that most of what a line has beyond ASCII is UTF-8 in, and how many sequences there are; None
    where that is too little. Of several that are as good the first counts."""
    most, best, count = MIN_COVERED * (len(runs) - runs.count("\n")), None, 0
    for reading in readings:
        sequences = reading.sequence.findall(runs)
        covered = sum(map(len, sequences))
        if sequences and (covered > most or (best is None and covered == most)):
            most, best, count = covered, reading, len(sequences)
    return best, count


def _decode(runs: str, reading: _Reading) -> str:
    return reading.sequence.sub(partial(_decode_sequence, reading.bytes), runs)


def _decode_sequence(byte_of: dict[int, int], sequence: re.Match[str]) -> str:
    return sequence[0].translate(byte_of).encode("latin-1").decode("utf-8")


def _repair_legacy(text: str) -> tuple[str, str] | None:
    """Repair lines in a legacy charset that was read as Latin-1 or windows-1252."""
    latin = _list_readings()[0]
    lines = [line for line in _cut_lines(text)[1::2] if _is_odd(line, latin)]
    sample = "\n".join(lines)
    if (
        len(_BEYOND_ASCII.findall(sample)) < MIN_LEGACY_CHARACTERS
        or measure_mojibake(sample) < MIN_LEGACY_ODDITY
    ):
        return None
    codec = _choose_codec(sample.translate(latin.bytes).encode("latin-1"))
    if codec is None:
        return None
    chosen = set(lines)
    repaired = _LINE.sub(
        lambda match: _read_as(match[0], latin, codec) if match[0] in chosen else match[0], text
    )
    return repaired, f"{_LEGACY[codec]} as latin-1"


def _repair_inverted(text: str) -> tuple[str, str] | None:
    """Repair lines of KOI8 that was read as windows-1251: capitals are small letters there, and the other way round."""
    common = _COMMON_LETTERS["koi8_u"]
    chosen: dict[str, str] = {}
    for line in _cut_lines(text)[1::2]:
        if len(_CAPITALS.findall(line)) <= len(_SMALL.findall(line)):
            continue
        try:
            decoded = line.encode("cp1251").decode("koi8_u")
        except UnicodeError:
            continue
        if _measure_common(decoded, common) > _measure_common(line, common):
            chosen[line] = decoded
    before, after = "\n".join(chosen), "\n".join(chosen.values())
    if (
        len(_SMALL.findall(after)) < MIN_LEGACY_CHARACTERS
        or measure_mojibake(after) > MAX_REPAIRED_ODDITY
        or _measure_common(after, common) < USUAL_COMMON_SHARE - INVERTED_MARGIN
        or _measure_common(before, common) > _measure_common(after, common) - INVERTED_MARGIN
    ):
        return None
    return _LINE.sub(lambda match: chosen.get(match[0], match[0]), text), "koi8 as windows-1251"


def _is_odd(line: str, latin: _Reading) -> bool:
    """Return whether most letters of a line are Latin-1's beyond ASCII, and all its characters come from bytes."""
    plain = line.encode("ascii", "ignore")
    beyond = len(line) - len(plain)
    if beyond < MIN_LEGACY_SHARE * (beyond + len(plain.translate(None, _NO_LETTERS))):
        return False
    return all(ord(character) < 0x100 for character in line.translate(latin.bytes))


def _choose_codec(body: bytes) -> str | None:
    """Return the codec that reads bytes as an everyday text, None where none does or two do."""
    costs: dict[str, float] = {}
    for codec in _LEGACY:
        try:
            text = body.decode(codec)
        except UnicodeDecodeError:
            continue
        cost = measure_mojibake(text) + measure_atypicality(text, codec)
        if codec in _COMMON_LETTERS:
            cost += RARE_LETTER_COST * max(
                0.0, USUAL_COMMON_SHARE - _measure_common(text, _COMMON_LETTERS[codec])
            )
        costs[codec] = cost
    if "cp949" in costs:
        # Others read hangul as everyday ideographs, and other texts are never nearly all hangul.
        if costs["cp949"] <= MAX_REPAIRED_ODDITY and _is_hangul(body.decode("cp949")):
            return "cp949"
        del costs["cp949"]
    ranked = sorted((cost, codec) for codec, cost in costs.items())
    if not ranked or ranked[0][0] > MAX_REPAIRED_ODDITY:
        return None
    return ranked[0][1] if len(ranked) == 1 or ranked[1][0] - ranked[0][0] >= LEGACY_MARGIN else None


def _is_hangul(text: str) -> bool:
    return len(_HANGUL.findall(text)) >= MIN_COVERED * len(_EAST_ASIAN.findall(text)) > 0


def _measure_common(text: str, common: str) -> float:
    """Return the share of `common` letters of those beyond ASCII, marks on them aside; 0 where there are none."""
    letters = [character for character in unicodedata.normalize("NFD", text.lower()) if character.isalpha()]
    beyond = [letter for letter in letters if not letter.isascii()]
    return sum(map(common.__contains__, beyond)) / (len(beyond) or 1)


def _read_as(line: str, latin: _Reading, codec: str) -> str:
    try:
        return line.translate(latin.bytes).encode("latin-1").decode(codec)
    except UnicodeDecodeError:
        return line


@cache
def _list_readings() -> tuple[_Reading, ...]:
    return _build_reading("windows-1252", "cp1252"), _build_reading("windows-1251", "cp1251")


@cache
def _list_rare_readings() -> tuple[_Reading, ...]:
    named = {"cp1250": "windows-1250", "iso8859_2": "iso-8859-2", "cp1253": "windows-1253",
             "cp1254": "windows-1254", "cp1255": "windows-1255", "cp1256": "windows-1256", "cp1257": "windows-1257",
             "cp1258": "windows-1258", "cp874": "windows-874", "koi8_r": "koi8", "cp866": "ibm866", "cp437": "ibm437",
             "cp850": "ibm850", "mac_roman": "macintosh"}  # fmt: skip
    return tuple(_build_reading(name, codec) for codec, name in named.items())


def _build_reading(name: str, codec: str) -> _Reading:
    """Build the reading of a charset; a byte that it does not define stands for the control of the same number."""
    characters: dict[int, str] = {}
    for byte in range(0x80, 0x100):
        try:
            characters[byte] = bytes([byte]).decode(codec)
        except UnicodeDecodeError:
            characters[byte] = chr(byte)
    bytes_by_character = {ord(character): byte for byte, character in characters.items()}
    if codec == "cp1252":
        bytes_by_character |= {byte: byte for byte in range(0x80, 0xA0)}

    def of(first: int, last: int) -> str:
        matching = [chr(code) for code, byte in bytes_by_character.items() if first <= byte <= last]
        return "[" + re.escape("".join(matching)) + "]"

    tail = of(0x80, 0xBF)
    pattern = "|".join(
        (
            f"{of(0xC2, 0xDF)}{tail}",
            f"{of(0xE0, 0xE0)}{of(0xA0, 0xBF)}{tail}",
            f"{of(0xE1, 0xEC)}{tail}{{2}}",
            f"{of(0xED, 0xED)}{of(0x80, 0x9F)}{tail}",
            f"{of(0xEE, 0xEF)}{tail}{{2}}",
            f"{of(0xF0, 0xF0)}{of(0x90, 0xBF)}{tail}{{2}}",
            f"{of(0xF1, 0xF3)}{tail}{{3}}",
            f"{of(0xF4, 0xF4)}{of(0x80, 0x8F)}{tail}{{2}}",
        )
    )
    return _Reading(name, pattern, bytes_by_character)
