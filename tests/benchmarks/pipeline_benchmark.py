"""From a WARC to decided documents beside datatrove's FineWeb chain: CPU seconds and memory of whole processes.

    CORPUS_DATA=... python -m tests.benchmarks.pipeline_benchmark [--rounds 2] [--modes corpus,fast]
        [--archives web-open,wcxb]

Both read the 2,094 real pages of web-open.warc.gz (66 KB each), or an archive packed from WCXB's 1,497 recent ones
(278 KB), in turn, in one process (and whatever children they start). What is compared is user and system time over the
whole run, less that of the same command on an archive of one page: start-up and the loading of models are left out on
both sides, and shown beside. Memory is the most that the process and its children have at one time.

Ours computes every signal of every page (URL, text, Gopher, C4, FineWeb, language), MinHash signatures, Parquet parts,
duplicates and decisions, with each of the extraction modes that are named. Theirs stops at the first rule that fails;
its filters alone and its filters with MinHash are both shown. dolma reads, extracts with resiliparse and tags by
Gopher's and C4's rules for English: it identifies no language, compares no pages and drops none.
"""

from __future__ import annotations

import gzip
import io
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from functools import partial
from importlib import metadata
from itertools import islice
from pathlib import Path

import pyarrow.parquet as pq
from fastwarc.warc import ArchiveIterator, WarcRecordType
from rich.console import Console
from rich.table import Table
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpus.extract import EXTRACTION_MODES
from corpus.extract.html.blocks.training.gold_pages import read_gold_folder
from corpus.languages.models import lid_path
from tests.benchmarks import bench
from tests.benchmarks.whole_commands import Spent, build_command, count_kept, measure_command

HERE = Path(__file__).parent
VERSIONS = """
import sys
from importlib.metadata import version
print(" with ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""
ARCHIVES = ("web-open", "wcxb")
FEW_PAGES = 100
"""Pages at the beginning of an archive of which datatrove keeps some."""
MANIFEST = """name: benchmark
extraction: {{mode: {mode}}}
sources:
  web: {{kind: warc, paths: [{warc}], rules: [fineweb, language]}}
"""


def main() -> None:
    parser = bench.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--modes", default="corpus,fast", help="ours, between commas")
    parser.add_argument("--archives", default="web-open", help="web-open, wcxb, or both between commas")
    given = parser.parse_args()
    archives = bench.split_names(parser, "--archives", given.archives, ARCHIVES)
    modes = bench.split_names(parser, "--modes", given.modes, EXTRACTION_MODES)
    bench.datatrove()
    bench.dolma()
    data = bench.sample_data()
    with tempfile.TemporaryDirectory() as folder:
        for name in archives:
            warc = data / "warc" / "web-open.warc.gz"
            if name == "wcxb":
                warc = pack_pages(data / "html_gold" / "wcxb", Path(folder) / "wcxb.warc.gz")
            compare(name, warc, Path(folder), given.rounds, modes)


def pack_pages(gold: Path, warc: Path) -> Path:
    """Write the pages of a gold folder as an archive, and return it."""
    headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
    with warc.open("wb") as stream:
        writer = WARCWriter(stream, gzip=True)
        for page in read_gold_folder(str(gold)).pages:
            body = io.BytesIO(page.html.encode("utf-8", "replace"))
            url = f"https://{page.site}/{page.name}"
            writer.write_record(
                writer.create_warc_record(url, "response", payload=body, http_headers=headers)
            )
    return warc


def compare(archive: str, warc: Path, folder: Path, rounds: int, modes: list[str]) -> None:
    """Run both sides in turn on an archive, and print the table."""
    one = folder / f"one-{archive}.warc.gz"
    sides: dict[str, Callable[[Path, Path], list[str]]] = {
        "datatrove, filters": lambda archive, out: theirs(archive, out, "filters"),
        "datatrove, filters and MinHash": lambda archive, out: theirs(archive, out, "all"),
        "dolma, resiliparse and taggers": dolma,
    }
    sides |= {f"corpus, {mode}": partial(ours, mode) for mode in modes}

    def run(name: str, path: Path, turn: int | str = "warm-up") -> tuple[Spent, Path]:
        out = folder / f"{turn}-{name}-{path.stem}".replace(" ", "-").replace(",", "")
        return measure_command(sides[name](path, out)), out

    few = folder / f"few-{archive}.warc.gz"
    with warc.open("rb") as stream:
        few.write_bytes(stream.read(next(islice(responses(warc), FEW_PAGES, None)).stream_pos))
    one_page(warc, kept_url(run("datatrove, filters", few)[1]), one)
    for name in sides:  # else the first of the runs below compiles what is installed
        run(name, one)
    spent: dict[str, list[Spent]] = {name: [] for name in sides}
    starts: dict[str, list[float]] = {name: [] for name in sides}
    kept: dict[str, int] = {}
    for turn in range(rounds):
        for name in sides:
            whole, out = run(name, warc, turn)
            kept[name] = documents(name, out)
            start, _ = run(name, one, turn)
            starts[name].append(start.seconds)
            spent[name].append(Spent(whole.seconds - start.seconds, whole.megabytes))
    show(archive, spent, starts, kept, sum(1 for _ in responses(warc)))


def show(
    archive: str,
    spent: dict[str, list[Spent]],
    starts: dict[str, list[float]],
    kept: dict[str, int],
    pages: int,
) -> None:
    best = {name: min(each.seconds for each in times) for name, times in spent.items()}
    modes = [name for name in best if name.startswith("corpus")]
    versions = theirs_versions()
    table = Table(title=f"WARC to decided documents, {archive}, {pages:,} pages")
    for column in (
        "",
        "pages in",
        "documents out",
        "CPU s",
        "one page",
        "pages/CPU s",
        "peak MB",
        *(f"{mode} is" for mode in modes),
    ):
        table.add_column(column, justify="left" if not column else "right")
    for name, seconds in best.items():
        ratios = [f"{seconds / best[mode]:.1f} times" if mode != name else "" for mode in modes]
        peak = max(each.megabytes for each in spent[name])
        table.add_row(
            name,
            f"{pages:,}",
            f"{kept[name]:,}",
            f"{seconds:.1f}",
            f"{min(starts[name]):.2f}",
            f"{pages / seconds:.1f}",
            f"{peak:.0f}",
            *ratios,
        )
    console = Console(width=120)
    console.print(table)
    console.print(
        f"corpus {metadata.version('corpusmill')} with trafilatura {metadata.version('trafilatura')}; "
        f"{versions}; best of {len(next(iter(spent.values())))} rounds in turn",
        soft_wrap=True,
    )


def responses(warc: Path) -> ArchiveIterator:
    return ArchiveIterator(warc.open("rb"), record_types=WarcRecordType.response)


def kept_url(out: Path) -> str:
    """The URL of a page that datatrove keeps, so that all of its steps begin for one page too."""
    path = next((out / "filtered").rglob("*.parquet"))
    return str(pq.read_table(path).slice(0, 1).to_pylist()[0]["metadata"]["url"])


def one_page(warc: Path, url: str, one: Path) -> None:
    """The page of a URL as an archive of its own."""
    places = [(record.stream_pos, record.headers["WARC-Target-URI"]) for record in responses(warc)]
    at = next(number for number, (_, found) in enumerate(places) if found.strip("<>") == url)
    with warc.open("rb") as stream:
        stream.seek(places[at][0])
        member = zlib.decompressobj(31)
        while not member.eof:
            block = stream.read(1 << 16)
            member.decompress(block)
        end = stream.tell() - len(member.unused_data)
        stream.seek(places[at][0])
        one.write_bytes(stream.read(end - places[at][0]))


def ours(mode: str, archive: Path, out: Path) -> list[str]:
    manifest = out.with_suffix(".yaml")
    manifest.write_text(MANIFEST.format(warc=archive, mode=mode))
    return build_command(manifest, out, "decide")


def theirs(archive: Path, out: Path, steps: str) -> list[str]:
    script = HERE / "peers" / "datatrove_fineweb.py"
    return [bench.datatrove(), str(script), str(archive), str(out), lid_path(), steps]


def dolma(archive: Path, out: Path) -> list[str]:
    places = ["--documents", str(archive), "--destination", str(out)]
    steps = ["--linearizer", "resiliparse", "--post.taggers", "gopher_v2", "c4_v2"]
    return [bench.dolma(), "warc", *places, *steps, "--source_name", "web", "--processes", "1"]


def theirs_versions() -> str:
    sides = ((bench.datatrove(), "datatrove", "trafilatura"), (bench.dolma(), "dolma", "resiliparse"))
    return "; ".join(
        subprocess.run(
            [str(Path(program).with_name("python")), "-c", VERSIONS, *names],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for program, *names in sides
    )


def documents(name: str, out: Path) -> int:
    """Documents that a side keeps."""
    if name.startswith("corpus"):
        return count_kept(out)
    if name.startswith("dolma"):
        return sum(1 for path in out.rglob("*.gz") for _ in gzip.open(path))
    folder = out / ("kept" if "MinHash" in name else "filtered")
    return sum(pq.read_metadata(path).num_rows for path in folder.rglob("*.parquet"))


if __name__ == "__main__":
    main()
