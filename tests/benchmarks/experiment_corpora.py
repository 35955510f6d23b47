"""The corpora of experiment_runs: pinned Debian and PyPI packages as they are, and as a default build makes them.

    python -m tests.benchmarks.experiment_corpora DIR

Manuals in 26 languages, documentation and source code: experiment_packages.tsv has versions and hashes. Every step is
resumed where it was stopped.

    DIR/packages/       what `apt-get download` and `pip download` gave; a file is kept if its hash is right
    DIR/pages/, code/   their pages and wheels
    DIR/raw/            workspace: all the text of every page, no rules, no duplicates removed
    DIR/curated/        workspace: main text, default rules and dedup
    DIR/part/           raw under one more rule: a random part of it with as many bytes as `curated`

The mirror keeps a package until the next point release: then its row has to name the new one. debian-reference is not
among them, since its eleven translations are the neutral text.
"""

from __future__ import annotations

import csv
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import yaml

from corpus.experiments.arms import survey_workspace
from corpus.pipelines.build.scratch import decide_scratch
from corpus.plugins import add_folders
from tests.benchmarks import bench

PACKAGES = Path(__file__).with_name("experiment_packages.tsv")
PLUGINS = Path(__file__).with_name("plugins")
MIN_BYTES = 100_000_000
"""Text of the raw build, at least."""
_UNSAFE = re.compile(r"(^|/)\.\.(/|$)")


def download(folder: Path) -> list[tuple[dict[str, str], Path]]:
    """Return every row of the list with its file, downloaded unless it is there. Exits at a file of another hash."""
    folder.mkdir(parents=True, exist_ok=True)
    have = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path for path in folder.iterdir() if path.is_file()
    }
    rows = list(csv.DictReader(PACKAGES.open(encoding="utf-8"), delimiter="\t"))
    files = []
    for row in rows:
        if row["sha256"] not in have:
            path = download_one(row)
            have[row["sha256"]] = path.replace(folder / path.name)
        files.append((row, have[row["sha256"]]))
    return files


def download_one(row: dict[str, str]) -> Path:
    """Return a package in a new folder. Exits with a line if the registry gives none, or another."""
    folder = Path(tempfile.mkdtemp(prefix="experiment-"))
    name = (
        f"{row['package']}={row['version']}"
        if row["kind"] == "deb"
        else f"{row['package']}=={row['version']}"
    )
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", name]
    done = subprocess.run(
        ["apt-get", "download", "-q", name] if row["kind"] == "deb" else pip,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    paths = list(folder.iterdir())
    if done.returncode or len(paths) != 1:
        sys.exit(f"{name}: no such package: {(done.stderr.strip().splitlines() or ['nothing came'])[-1]}")
    if hashlib.sha256(paths[0].read_bytes()).hexdigest() != row["sha256"]:
        sys.exit(f"{name}: another hash than in {PACKAGES.name}")
    return paths[0]


def unpack(row: dict[str, str], path: Path, folder: Path) -> None:
    """Write the HTML pages of a Debian package below `folder`, whole or not at all."""
    target, temporary = folder / row["package"], folder / f".{row['package']}"
    if target.exists():
        return
    command = ["dpkg-deb", "--fsys-tarfile", str(path)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as archive,
    ):
        for member in archive:
            if member.isfile() and member.name.endswith(".html") and not _UNSAFE.search(member.name):
                content = archive.extractfile(member)
                place = temporary / member.name.removeprefix("./").removeprefix("usr/share/")
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(content.read() if content else b"")
    temporary.rename(target)


def write_manifest(folder: Path, name: str) -> Path:
    """Write the manifest of a build, `raw` or `curated`."""
    raw = name == "raw"
    plain: dict[str, list[str]] = {"rules": []} if raw else {}
    content = {
        "name": name,
        "sources": {
            "pages": {"kind": "html", "paths": ["pages"], **plain, **({"redact": []} if raw else {})},
            "code": {"kind": "code", "paths": ["code/*.whl"], "licenses": {"allow": ["all"]}, **plain},
        },
        "split_size": "8MB",
        "extraction": {"mode": "raw_pages:WholePage" if raw else "fast"},
        "filters": ["raw_pages:Draw"] if raw else [],
        "tokenizer": {"vocabulary": 8192},
        **({"dedup": False} if raw else {}),
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def build(folder: Path, name: str) -> None:
    """Build a workspace, or finish it."""
    command = [sys.executable, "-m", "corpus.pipelines.cli", "build", str(write_manifest(folder, name))]
    subprocess.run([*command, "--out", str(folder / name), "--plugins", str(PLUGINS)], check=True)


def count_bytes(workspace: Path) -> int:
    """Return the bytes of training text that a workspace keeps."""
    return sum(survey_workspace(str(workspace)).sizes.values())


def main() -> None:
    """Make what is missing, and print how much text each workspace keeps."""
    options = bench.parser(__doc__)
    options.add_argument("folder", type=Path)
    folder = options.parse_args().folder.resolve()
    for row, path in download(folder / "packages"):
        if row["kind"] == "deb":
            unpack(row, path, folder / "pages")
        else:
            (folder / "code").mkdir(exist_ok=True)
            if not (folder / "code" / path.name).exists():
                (folder / "code" / path.name).symlink_to(path)
    for name in ("raw", "curated"):
        build(folder, name)
    sizes = {name: count_bytes(folder / name) for name in ("raw", "curated")}
    share = sizes["curated"] / sizes["raw"]
    add_folders([str(PLUGINS)])
    decide_scratch(str(folder / "raw"), None, {"draw.value.max": share}, str(folder / "part"))
    sizes["part"] = count_bytes(folder / "part")
    for name, size in sizes.items():
        print(f"{name}: {size / 1e6:.1f} MB of training text")
    if sizes["raw"] < MIN_BYTES:
        sys.exit(f"raw is below {MIN_BYTES / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
