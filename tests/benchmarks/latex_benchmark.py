"""TeX to text: speed, loss and debris of ours, of RedPajama's rules for arXiv, and of pylatexenc if it is installed.

    CORPUS_DATA=... python -m tests.benchmarks.latex_benchmark

Every paper of the samples under CORPUS_DATA/arxiv. RedPajama's rules are written anew from their description:
text from the first header on, comments out by two patterns, everything behind the appendix or bibliography out,
macros without arguments written out, the files of a paper in the order of its tar. pylatexenc reads the resolved
text of ours, of smaller papers only. Debris is backslashes and braces outside formulas. A megabyte is one of all
TeX files of a paper, whether it uses them or not.
"""

from __future__ import annotations

import io
import re
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

from corpus.extract.latex.paper import clean_paper_text, source_to_text
from corpus.extract.latex.source import assemble_source, is_text
from corpus.extract.latex.submission import read_tex_files
from tests.benchmarks import bench

ROUNDS = 3
LARGE = 500_000
"""Bytes of TeX; what has more is no work for pylatexenc here."""
FORMULA = re.compile(r"\$\$.*?\$\$|\\begin\{([A-Za-z]+\*?)\}.*?\\end\{\1\}|\$[^$]*\$", re.DOTALL)
MACRO = re.compile(
    r"\\(?:re)?newcommand\*?\{?(\\[A-Za-z]+)\}?\{((?:[^{}]|\{[^{}]*\})*)\}|\\def\s*(\\[A-Za-z]+)\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
)
HEADER = re.compile(r"\\(?:chapter|part|section|subsection|subsubsection)\*?(?:\[.*?\])?\{.*?\}", re.DOTALL)
BACK = re.compile(r"\\appendix|\\begin\{(?:references|REFERENCES|thebibliography)\}|\\bibliography\{.*\}")

Files = dict[str, bytes]


def ours(files: Files) -> str:
    sources = assemble_source(dict(files))
    return clean_paper_text(source_to_text(sources[0])[1]) if sources else ""


def redpajama(files: Files) -> str:
    """Its rules, its faults with them."""
    try:
        texts = [data.decode() for name, data in files.items() if name == "" or name.endswith(".tex")]
    except UnicodeDecodeError:
        return ""
    macros: dict[str, str] = {}
    for text in texts:
        for match in MACRO.finditer(text):
            macros[match[1] or match[3]] = match[2] if match[1] else match[4]
    cleaned_texts = []
    for text in texts:
        header = HEADER.search(text)
        if header is None:
            continue
        text = text[header.start() :]
        text = re.sub(r"^%.*\n?", "", text, flags=re.MULTILINE)
        text = re.sub(r"[^\\]%.+$", "", text, flags=re.MULTILINE)
        back = BACK.search(text)
        text = text[: back.start()] if back else text
        for name, value in macros.items():
            text = re.sub(rf"{re.escape(name)}(?=[^a-zA-Z0-9])", value.replace("\\", r"\\"), text)
        cleaned_texts.append(text)
    return "\n".join(cleaned_texts)


def peers() -> dict[str, Callable[[Files], str]]:
    found: dict[str, Callable[[Files], str]] = {"corpus": ours, "RedPajama's rules": redpajama}
    try:
        from pylatexenc.latex2text import LatexNodes2Text
    except ImportError:
        print("pylatexenc is not there (`make bench` installs it): left out")
    else:

        def pylatexenc(files: Files) -> str:
            source = assemble_source(dict(files))[0]
            begin = source.text.find("\\begin{document}")
            return str(LatexNodes2Text(math_mode="verbatim").latex_to_text(source.text[max(0, begin) :]))

        found["pylatexenc"] = pylatexenc
    return found


def papers(folder: Path) -> list[Files]:
    """The TeX files of every paper that has some."""
    bodies = [
        path.read_bytes()
        for path in sorted(folder.glob("s2orc/*.gz")) + sorted(folder.glob("author-latex/*.gz"))
    ]
    for path in sorted(folder.glob("bulk/*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                if member.name.endswith(".gz"):
                    bodies.append((tar.extractfile(member) or io.BytesIO()).read())
    found = [{name: data for name, data in read_tex_files(body).items() if is_text(data)} for body in bodies]
    return [files for files in found if files and assemble_source(dict(files))]


def size_of(files: Files) -> int:
    return sum(len(data) for name, data in files.items() if name == "" or name.endswith((".tex", ".ii")))


def main() -> None:
    bench.parser(__doc__).parse_args()
    data = bench.sample_data()
    found = papers(data / "arxiv")
    readers = peers()
    best = {name: [float("inf")] * len(found) for name in readers}
    texts: dict[str, list[str]] = {name: [""] * len(found) for name in readers}
    for _ in range(ROUNDS):
        for name, reader in readers.items():
            for at, files in enumerate(found):
                if name == "pylatexenc" and (size_of(files) > LARGE or texts[name][at]):
                    continue
                start = time.process_time()
                texts[name][at] = reader(files)
                best[name][at] = min(best[name][at], time.process_time() - start)
    print(f"{len(found)} papers, {sum(map(size_of, found)):,} bytes of TeX")
    print(f"{'':20}{'MB/s':>8}{'papers lost':>13}{'characters':>12}{'debris per 100,000':>20}")
    for name, seconds in best.items():
        done = [at for at, spent in enumerate(seconds) if spent < float("inf")]
        size = sum(size_of(found[at]) for at in done)
        kept = [texts[name][at] for at in done]
        prose = "".join(FORMULA.sub("", text) for text in kept)
        debris = len(re.findall(r"[\\{}]", prose))
        print(
            f"{name:20}{size / 1e6 / sum(seconds[at] for at in done):8.2f}{sum(not text.strip() for text in kept):13}"
            f"{sum(map(len, kept)):12,}{1e5 * debris / max(1, len(prose)):20.1f}"
        )


if __name__ == "__main__":
    main()
