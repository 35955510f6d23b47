"""The same build on every engine: a table of what is equal, how long it took and what was killed. `make engines`.

    python -m tests.engines.run             every engine that can be had here: the demo; decide, verify and kills;
                                            and Flink with input and workspace in a bucket
    python -m tests.engines.run --short     Flink alone: a small input, and one worker killed meanwhile

Every engine runs on loopback with a pool of workers from the wheel; what is missing for it is named, and it is left
out. Ends with status 1 if a file differs, and lists all that do.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from corpus import storage
from tests.engines.differences import list_differences
from tests.engines.engines import ENGINES, TASK_MANAGERS, Engine, Running, count_splits, start_flink
from tests.engines.hosts import make_hosts
from tests.engines.installed import ROOT, corpus_command, install_wheel
from tests.engines.processes import clean_environment
from tests.pipelines.small import digests, write_inputs
from tests.storage import stores

DEMO = ROOT / "manifests" / "demo.yaml"
CHANGE = ("--set", "gopher.words.min=80")
MAX_STARTS = 6
"""How often a build is begun at most, each time after it ended with one line."""
BUILD_SECONDS = 400.0


@dataclass
class Row:
    """What came out on one engine."""

    engine: str
    files: int = 0
    differences: list[str] = field(default_factory=list)
    seconds: float = 0.0
    kills: list[str] = field(default_factory=list)
    tokens: str = ""


@dataclass
class Bench:
    """The command from the wheel, a manifest, and the folder of all that is made."""

    folder: Path
    environment: Path
    manifest: Path

    def begin(self, out: Path | str, options: Sequence[str]) -> subprocess.Popen[str]:
        """Begin a build in the folder of another project, so that no checkout is on the path."""
        return self._begin("build", str(self.manifest), "--out", str(out), *_behind(options))

    def run(self, *arguments: str) -> None:
        """Run a command to its end, which must be a good one."""
        process = self._begin(*arguments)
        said = finish(process)
        assert process.returncode == 0, said

    def _begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*corpus_command(self.environment), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=clean_environment({"COLUMNS": "120"}),
        )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for the end of a command; return what it said."""
    try:
        return process.communicate(timeout=BUILD_SECONDS)[0]
    except BaseException:
        process.kill()
        raise


def _behind(options: Sequence[str]) -> list[str]:
    return ["--", *options] if options else []


def hash_tokens(workspace: Path) -> str:
    """Return one SHA-256 of all token shards and their index."""
    whole = digests(workspace)
    named = [f"{name} {whole[name]}" for name in sorted(whole) if name.startswith("tokens/")]
    return hashlib.sha256("\n".join(named).encode()).hexdigest()


def compare(row: Row, what: str, wanted: Path, made: Path | str) -> None:
    """Add to a row how a workspace differs from the local one."""
    differences = list_differences(wanted, made)
    row.files += len(digests(wanted))
    row.differences += [f"{what}: {line}" for line in differences]
    print(f"  {what}: {len(digests(wanted))} files, {len(differences)} differ", flush=True)


def kill_when_at_work(process: subprocess.Popen[str], running: Running, out: Path | str, victim: str) -> str:
    """Kill a worker, or a named process of the engine, once the first part is there; return what was killed."""
    deadline = time.monotonic() + BUILD_SECONDS
    while not storage.expand_pattern(f"{out}/documents/*/part-*.parquet") or not running.list_workers():
        if process.poll() is not None or time.monotonic() > deadline:
            return ""
        time.sleep(0.05)
    target = running.list_workers()[0] if victim == "worker" else running.parts[victim].pid
    with contextlib.suppress(ProcessLookupError):
        os.kill(target, signal.SIGKILL)
        return victim
    return ""


def build_with_kill(bench: Bench, running: Running, out: Path | str, victim: str) -> str:
    """Build while something is killed; what was, and how often the build was begun. Every other end is one line."""
    killed = ""
    for start in range(1, MAX_STARTS + 1):
        process = bench.begin(out, running.options)
        if not killed:
            killed = kill_when_at_work(process, running, out, victim)
        said = finish(process)
        if process.returncode == 0:
            return f"{killed or 'nothing'} killed, begun {start} times" if start > 1 else f"{killed} killed"
        errors = [line for line in said.splitlines() if line.startswith("corpus: ")]
        assert process.returncode == 1 and len(errors) == 1 and "Traceback" not in said, said
        print(f"  after the kill of {killed}: {errors[0][:200]}", flush=True)
    raise AssertionError(f"not finished after {MAX_STARTS} starts")


def try_engine(
    engine: Engine, bench: Bench, local: Path, decided: Path | None, victims: Sequence[str]
) -> Row:
    """Build on an engine, decide there and verify (if `decided` is the local result of that), and build with kills."""
    row = Row(f"{engine.name} {engine.version}")
    with _opened(engine, bench) as (running, place):
        if decided is not None:
            began, out = time.monotonic(), place / "built"
            bench.run("build", str(bench.manifest), "--out", str(out), *_behind(running.options))
            row.seconds = time.monotonic() - began
            compare(row, "build", local, out)
            if running.page:
                splits = count_splits(running.page)
                print(f"  input splits read by each TaskManager: {splits}", flush=True)
                row.differences += ["build: one TaskManager read nothing"] * (min(splits) == 0)
            row.tokens = hash_tokens(out)
            bench.run("verify", str(out))
            bench.run("decide", str(out), *CHANGE, *_behind(running.options))
            compare(row, "decide", decided, out)
            bench.run("verify", str(out))
        for victim in victims:
            began, out = time.monotonic(), place / f"killed-{victim.replace(' ', '-')}"
            row.kills.append(build_with_kill(bench, running, out, victim))
            row.seconds = row.seconds or time.monotonic() - began
            compare(row, f"build, {row.kills[-1]}", local, out)
            row.tokens = row.tokens or hash_tokens(out)
    return row


def try_bucket(bench: Bench) -> Row:
    """Build on Flink, with a kill, from and to a bucket: the workers know nothing but by that."""
    row, folder = Row("Flink on S3"), bench.folder / "bucket"
    with make_hosts(TASK_MANAGERS) as hosts, stores.s3(address=hosts[0].address) as store:
        manifest = write_inputs(folder, pages=12)
        for file in folder.iterdir():
            storage.write_bytes(f"{store.root}/input/{file.name}", file.read_bytes())
        manifest.write_text(manifest.read_text().replace('["*', f'["{store.root}/input/*'))
        bench = replace(bench, manifest=manifest)
        bench.run("build", str(manifest), "--out", str(folder / "local"))
        place = folder / "cluster"
        place.mkdir()
        with start_flink(place, bench.environment, hosts=hosts) as running:
            began, out = time.monotonic(), f"{store.root}/built"
            row.kills.append(build_with_kill(bench, running, out, "worker"))
            row.seconds = time.monotonic() - began
            compare(row, f"build, {row.kills[-1]}", folder / "local", out)
            bench.run("verify", out)
    row.tokens = hash_tokens(folder / "local")
    return row


@contextlib.contextmanager
def _opened(engine: Engine, bench: Bench) -> Iterator[tuple[Running, Path]]:
    place = bench.folder / engine.name.replace(" ", "-").replace("'", "")
    place.mkdir()
    with engine.start(place, bench.environment) as running:
        yield running, place


def print_table(rows: Sequence[Row], local: Row) -> None:
    print("\n| engine | files equal | seconds | killed | SHA-256 of tokens |\n|---|---|---|---|---|")
    for row in [local, *rows]:
        equal = f"{row.files - len(row.differences)} of {row.files}"
        kills = "; ".join(row.kills) or "-"
        print(f"| {row.engine} | {equal} | {row.seconds:.0f} | {kills} | {row.tokens[:16]} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--short", action="store_true", help="Flink alone, a small input, one kill")
    parser.add_argument("--only", help="the engine of this name alone")
    parser.add_argument("--keep", type=Path, help="a new folder for all that is made; it stays")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # with everything that was started
    folder = given.keep or Path(tempfile.mkdtemp(prefix="engines-"))
    folder.mkdir(exist_ok=True)
    try:
        return run(folder.resolve(), given.short, given.only)
    finally:
        if not given.keep:
            shutil.rmtree(folder, ignore_errors=True)


def run(folder: Path, short: bool, only: str | None) -> int:
    """Run what was asked for in a folder; return the exit status."""
    chosen = [engine for engine in ENGINES if engine.name == (only or ("Flink" if short else engine.name))]
    for engine in [engine for engine in chosen if engine.find_missing()]:
        print(f"{engine.name}: left out, since there is no {' and no '.join(engine.find_missing())} on PATH")
        chosen.remove(engine)
    for engine in list(chosen):
        try:
            engine.fetch()
        except subprocess.CalledProcessError as error:
            print(f"{engine.name}: left out, since it cannot be fetched: {error}")
            chosen.remove(engine)
    if not chosen:
        return 0
    manifest = write_inputs(folder / "input", pages=8) if short else DEMO
    bench = Bench(folder, install_wheel(folder), manifest)
    local, decided, began = folder / "local", None, time.monotonic()
    bench.run("build", str(manifest), "--out", str(local))
    row = Row("local", len(digests(local)), [], time.monotonic() - began, [], hash_tokens(local))
    if not short:
        decided = shutil.copytree(local, folder / "decided")
        bench.run("decide", str(decided), *CHANGE)
    rows = []
    for engine in chosen:
        print(f"{engine.name} {engine.version}", flush=True)
        rows.append(
            try_engine(engine, bench, local, decided, engine.victims[:1] if short else engine.victims)
        )
        if engine.name == "Flink" and not short:
            rows.append(try_bucket(bench))
    print_table(rows, row)
    differences = [f"{row.engine}: {line}" for row in rows for line in row.differences]
    print(*differences, sep="\n")
    return bool(differences)


if __name__ == "__main__":
    sys.exit(main())
