"""Language identification: lid.176 alone, CLD2 alone, and joined with the third voter, on paragraphs of the Universal
Declaration, beside heliport where it is installed (`PYTHONPATH=.venv-peers`).

Needs CORPUS_DATA; prints macro accuracy over sets of languages and texts a second, in one run; of the joined models the
macro F1, the worst of the most written languages, confusions in close groups, how often scores are right, and what
languages are named that no model knows. Nothing is chosen by these texts.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from rich.console import Console
from rich.table import Table

from corpus.languages import fasttext_models, models
from corpus.languages.identify import Identifier
from corpus.languages.labels import labels, parse_label
from tests.benchmarks import bench
from tests.languages.identify_test import declarations

CLOSE_GROUPS = (
    "bos hrv srp",
    "ind zsm",
    "nob nno dan",
    "por glg",
    "hin mar npi bho",
    "cmn yue wuu",
    "ces slk",
)
LARGEST = frozenset(
    re.findall(
        "[a-z]+",
        "afr als amh arb azj bel ben bul cat ces cmn dan deu ekk ell eng epo eus fas fil fin fra glg guj "
        "hau heb hin hrv hun hye ind isl ita jpn kan kat kaz khk khm kor lit lvs mal mar mkd mya nld nob "
        "npi pan pol por ron rus sin slk slv spa srp swe swh tam tel tha tur ukr urd uzn vie ",
    )
)
"""The most written languages, as Wikipedia and Common Crawl rank them."""
FLORES = frozenset(
    re.findall(
        "[a-z]+",
        "ace acm acq aeb afr ajp aka als amh apc arb ars ary arz asm ast awa ayr azb azj bak bam ban bel "
        "bem ben bho bjn bod bos bug bul cat ceb ces cjk ckb crh cym dan deu dik dyu dzo ell eng epo est "
        "ekk eus ewe fao fij fin fon fra fur fuv gaz gla gle glg grn gug guj hat hau heb hin hne hrv hun "
        "hye ibo ilo ind isl ita jav jpn kab kac kam kan kas kat kaz kbp kea khk khm kik kin kir kmb kmr "
        "knc kon kng kor lao lij lim lin lit lmo ltg ltz lua lug luo lus lvs mag mai mal mar min mkd mlt "
        "mni mos mri mya nld nno nob npi nso nus nya oci ory pag pan pap pbt pes fas plt pol por prs quy "
        "ron run rus sag san sat scn shn sin slk slv smo sna snd som sot spa srd srp ssw sun swe swh szl "
        "tam taq tat tel tgk tgl tha tir tpi tsn tso tuk tum tur twi tzm uig ukr umb urd uzn vec vie war "
        "wol xho ydd yor yue zho cmn zsm zul ",
    )
)
"""The languages of FLORES-200, with the codes that the Declaration has for some of them."""
MACROLANGUAGES = {"hbs": ("bos", "hrv", "srp"), "msa": ("ind", "zsm")}
"""What heliport names instead of languages; counted as right for each of them."""
SURE_SCORE = 0.5
Verdicts = Mapping[str, list[tuple[str, float]]]
Namer = Callable[[str], str]


def by_lid(text: str) -> str:
    return labels().lid[fasttext_models.predict(models.lid_path(), models.sample_text(text), 1)[0][0]]


def by_cld2(text: str) -> str:
    _, guesses = models.cld2(models.sample_text(text))
    return labels().cld2.get(guesses[0].code, "und") if guesses else "und"


def by_both(text: str) -> str:
    return Identifier().identify(text)[0][:3]


def find_heliport() -> dict[str, Namer]:
    """Return heliport (HeLI-OTS in Rust, GPL), if it is installed: a peer, not a part of this project."""
    try:
        from heliport import Identifier as Heliport
    except ImportError:
        return {}
    identifier = Heliport()

    def by_heliport(text: str) -> str:
        name = identifier.identify(text)
        return name if name in MACROLANGUAGES else (parse_label(name) or ("und",))[0]

    return {"heliport": by_heliport}


def macro(named: dict[str, list[str]], codes: Iterable[str]) -> float:
    shares = [
        sum(name == code or code in MACROLANGUAGES.get(name, ()) for name in named[code]) / len(named[code])
        for code in codes
    ]
    return sum(shares) / len(shares)


def macro_f1(verdicts: Verdicts, codes: Iterable[str]) -> float:
    """Return the mean F1 of languages, where every text of them all counts."""
    wanted = list(codes)
    named = Counter(name for code in wanted for name, _ in verdicts[code])
    right = {code: sum(name == code for name, _ in verdicts[code]) for code in wanted}
    return sum(2 * right[code] / (len(verdicts[code]) + named[code]) for code in wanted) / len(wanted)


def print_joined(known: Verdicts, both: list[str], unknown: Verdicts, every: Verdicts) -> None:
    """Print what the joined models say beyond their accuracy."""
    print(f"macro F1 of the {len(both)} known to both: {macro_f1(known, both):.3f}")
    shares = {code: sum(name == code for name, _ in known[code]) / len(known[code]) for code in known}
    worst = sorted((shares[code], code) for code in LARGEST & known.keys())
    below = [f"{code} {share:.2f}" for share, code in worst if share < 0.95]
    print(f"of the {len(worst)} most written, under .95: {', '.join(below) or 'none'}")
    for group in map(str.split, CLOSE_GROUPS):
        rows = []
        for code in (code for code in group if code in known):
            counts = Counter(name for name, _ in known[code]).most_common(4)
            rows.append(f"{code}: {', '.join(f'{name} {count}' for name, count in counts)}")
        print("  " + "; ".join(rows))
    bins: dict[int, list[bool]] = {}
    for code, found in known.items():
        for name, score in found:
            bins.setdefault(min(int(score * 5), 4), []).append(name == code)
    print(
        "right by score: "
        + ", ".join(f"{low / 5:.1f}+ {sum(bins[low]) / len(bins[low]):.2f}" for low in sorted(bins))
    )
    by_model = sorted(code for code in FLORES & known.keys() if _is_known_to_a_model(code))
    print(
        f"macro F1 of the {len(by_model)} of FLORES-200 that a model knows: {macro_f1(known, by_model):.3f}"
    )
    others = {code: named for code, named in every.items() if code in FLORES and code not in by_model}
    wrong = [
        name != code and score >= SURE_SCORE and not name.startswith("und")
        for code, named in others.items()
        for name, score in named
    ]
    print(
        f"of {len(wrong)} paragraphs in its {len(others)} others, {sum(wrong) / len(wrong):.1%} have another's name "
        f"with {SURE_SCORE} and more"
    )
    sure = [
        score >= SURE_SCORE and not name.startswith("und")
        for found in unknown.values()
        for name, score in found
    ]
    print(
        f"of {len(sure):,} paragraphs in {len(unknown)} languages that no model knows, {sum(sure) / len(sure):.1%} "
        f"are named with {SURE_SCORE} and more"
    )


def _is_known_to_a_model(code: str) -> bool:
    row = labels().languages[code]
    return bool(row.lid or row.cld2)


def main() -> None:
    bench.parser(__doc__).parse_args()
    folder = bench.sample_data()
    rows = labels().languages
    pages = {code: found for code, found in declarations(folder).items() if found}
    texts = {code: found for code, found in pages.items() if code in rows}
    sets = {
        "all": list(texts),
        "known to both": [code for code in texts if rows[code].lid and rows[code].cld2],
        "lid.176 only": [code for code in texts if not rows[code].cld2],
        "CLD2 only": [code for code in texts if not rows[code].lid],
    }
    namers = {"lid.176": by_lid, "CLD2": by_cld2, **find_heliport(), "joined": by_both}
    table = Table("model", *(f"{name} ({len(codes)})" for name, codes in sets.items()), "texts/s")
    for model, namer in namers.items():
        namer("warm up")
        start = time.perf_counter()
        named = {code: list(map(namer, found)) for code, found in texts.items()}
        rate = sum(map(len, texts.values())) / (time.perf_counter() - start)
        table.add_row(model, *(f"{macro(named, codes):.3f}" for codes in sets.values()), f"{rate:,.0f}")
    Console().print(table)
    judge = Identifier().identify
    verdicts = {
        code: [(label[:3], score) for label, score in map(judge, found)] for code, found in pages.items()
    }
    print_joined(
        {code: verdicts[code] for code in texts},
        sets["known to both"],
        {code: verdicts[code] for code in pages if code not in labels().nameable},
        verdicts,
    )


if __name__ == "__main__":
    main()
