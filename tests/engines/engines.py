"""Engines on loopback, each with a pool of workers from the wheel: Beam's own job service, Prism and Flink."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam

from corpus.child_process import list_descendants
from tests.engines.hosts import LOOPBACK, Host, make_hosts
from tests.engines.installed import ROOT
from tests.engines.processes import clean_environment, find_port, serve

CACHE = ROOT / ".engines"
"""Where the binary of Prism and the jars of Flink are kept."""
FLINK = Path(__file__).parent / "flink"
JAVA_OPENS = ("lang", "util", "nio", "time", "io", "net", "util.concurrent", "util.concurrent.atomic")
"""Packages of java.base that Flink's own scripts open on Java 17."""
TASK_MANAGERS = 2
THREAD_STACK = 1 << 20
"""Bytes of the stack of a thread where memory is bounded: 8 MB for each of a worker's hundred threads would count."""


@dataclass
class Running:
    """An engine at work: the Beam options that name it, its pools of workers, its further processes by name."""

    options: list[str]
    pools: list[subprocess.Popen[bytes]]
    parts: dict[str, subprocess.Popen[bytes]]
    page: str | None = None

    def list_workers(self) -> list[int]:
        """Return the processes of Beam's workers."""
        started = [each for pool in self.pools for each in list_descendants(pool.pid)]
        return [each for each in started if b"sdk_worker" in _read_command(each)]


def _read_command(process: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""


@dataclass(frozen=True)
class Engine:
    """An engine: what is killed while it builds, what it needs on PATH, how it is fetched and is run in a folder."""

    name: str
    version: str
    victims: tuple[str, ...]
    needs: tuple[str, ...]
    fetch: Callable[[], None]
    start: Callable[[Path, Path], contextlib.AbstractContextManager[Running]]

    def find_missing(self) -> list[str]:
        return [name for name in self.needs if shutil.which(name) is None]


@contextlib.contextmanager
def start_pool(
    folder: Path,
    environment: Path,
    limits: Sequence[str] = (),
    host: Host = LOOPBACK,
    port: int | None = None,
) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """Run a worker pool from an environment, as a cluster without containers does; yield it and its Beam options.

    `limits` is a command that runs it with fewer cores or less memory: `taskset`, `prlimit`.
    """
    port = port or find_port()
    away = folder / f"pool-{host.address}"
    away.mkdir()
    path = f"{_write_launcher(away, environment)}:{os.environ['PATH']}"  # the pool starts the first `python` there
    module = "apache_beam.runners.worker.worker_pool_main"
    command = [str(environment / "bin/python"), "-P", "-m", module, f"--service_port={port}"]
    command = [*host.enter, *limits, *command]
    log = folder / f"pool-{host.address}.log"
    with serve(command, log, port, away, host.address, PATH=path, PYTHONSAFEPATH="1") as pool:
        options = ["--environment_type=EXTERNAL", f"--environment_config=localhost:{port}"]
        yield pool, ["--runner=PortableRunner", *options]


def _write_launcher(folder: Path, environment: Path) -> Path:
    """Return a folder with a `python` that starts each worker in a new folder, its only one for temporary files."""
    place = folder / "launcher"
    place.mkdir()
    new = f'own=$(mktemp -d {shlex.quote(str(folder))}/worker-XXXXXX) && cd "$own"'
    python = shlex.quote(str(environment / "bin/python"))
    (place / "python").write_text(f'#!/bin/sh\n{new} && TMPDIR="$own" HOME="$own" exec {python} "$@"\n')
    (place / "python").chmod(0o755)
    return place


@contextlib.contextmanager
def start_job_service(folder: Path, environment: Path) -> Iterator[Running]:
    """Run the job service that Beam brings along. It waits forever for a worker that is gone."""
    port = find_port()
    module = "apache_beam.runners.portability.local_job_service_main"
    command = [str(environment / "bin/python"), "-P", "-m", module, "-p", str(port)]
    with (
        start_pool(folder, environment) as (pool, options),
        serve(command, folder / "jobs.log", port) as jobs,
    ):
        yield Running([*options, f"--job_endpoint=localhost:{port}"], [pool], {"job service": jobs})


def fetch_prism() -> None:
    """Build Prism from Beam's Go module, of the version of the Python package."""
    place = CACHE / f"prism-{apache_beam.__version__}"
    if (place / "prism").exists():
        return
    place.mkdir(parents=True, exist_ok=True)
    module = "github.com/apache/beam/sdks/v2"
    (place / "go.mod").write_text(f"module engines\ngo 1.23\nrequire {module} v{apache_beam.__version__}\n")
    (place / "tools.go").write_text(
        f'//go:build tools\n\npackage tools\n\nimport _ "{module}/go/cmd/prism"\n'
    )
    for command in (["mod", "download", module], ["build", "-o", "prism", f"{module}/go/cmd/prism"]):
        environment = clean_environment({"GOFLAGS": "-mod=mod"})
        subprocess.run(["nice", "go", *command], cwd=place, env=environment, check=True)


@contextlib.contextmanager
def start_prism(folder: Path, environment: Path) -> Iterator[Running]:
    port = find_port()
    binary = CACHE / f"prism-{apache_beam.__version__}" / "prism"
    command = [str(binary), f"-job_port={port}", "-serve_http=false", "-log_kind=text"]
    with (
        start_pool(folder, environment) as (pool, options),
        serve(command, folder / "prism.log", port) as prism,
    ):
        yield Running([*options, f"--job_endpoint=localhost:{port}"], [pool], {"Prism": prism})


def fetch_flink() -> None:
    """Fetch the jars of Flink and of Beam's job server by Maven, and compare their checksums."""
    place = CACHE / "flink"
    wanted = dict(reversed(line.split()) for line in (FLINK / "sha256.txt").read_text().splitlines())
    if not (place / "lib").exists():
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(FLINK / "pom.xml", place)
        copy = ["dependency:copy-dependencies", "-DoutputDirectory=new"]
        subprocess.run(["nice", "mvn", "-q", "-B", *copy], cwd=place, check=True, stdout=subprocess.DEVNULL)
        (place / "new").rename(place / "lib")
    here = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (place / "lib").glob("*")}
    assert here == wanted, f"other jars than those of {FLINK / 'sha256.txt'}: {here.items() ^ wanted.items()}"


def _java(main: str, *arguments: str, heap: str = "512m") -> list[str]:
    opens = [f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in JAVA_OPENS]
    opens.append("--add-opens=java.base/sun.nio.ch=ALL-UNNAMED")
    speed = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Xmx{heap}"]
    return ["java", *opens, *speed, "-cp", f"{CACHE / 'flink' / 'lib'}/*", main, *arguments]


def task_manager(configuration: Path) -> list[str]:
    main = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
    return _java(main, "--configDir", str(configuration))


@contextlib.contextmanager
def start_flink(
    folder: Path,
    environment: Path,
    task_managers: int = TASK_MANAGERS,
    cores: str | None = None,
    worker_memory: int | None = None,
    hosts: tuple[Host, list[Host]] | None = None,
) -> Iterator[Running]:
    """Run a session cluster: a JobManager, Beam's job server before it, and hosts with a TaskManager and a pool each.

    `hosts` are what `make_hosts` gave; without, they are made. `cores` are those of TaskManagers and workers, as
    `taskset` counts them; a worker has `worker_memory` bytes of its own at most, what it shares with others and the
    files that it maps not counted. Workers are kept for ten seconds between stages, less than Flink waits before it
    begins a job again: so no dead one is asked again.
    """
    pinned = ["taskset", "-c", cores] if cores else []
    bounded = ["prlimit", f"--data={worker_memory}", f"--stack={THREAD_STACK}"] if worker_memory else []
    rest, rpc, port, pool_port = find_port(), find_port(), find_port(), find_port()
    (folder / "tmp").mkdir()
    with contextlib.ExitStack() as stack:
        own, others = hosts or stack.enter_context(make_hosts(task_managers))
        common = f"jobmanager.rpc.address: {own.address}\njobmanager.rpc.port: {rpc}\nrest.address: {own.address}\n"
        common += f"rest.port: {rest}\nio.tmp.dirs: {folder / 'tmp'}\n"
        configuration = _configure(folder / "conf", common)
        entry = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
        manager = _java(entry, "--configDir", str(configuration))
        log = folder / "jobmanager.log"
        parts = {"JobManager": stack.enter_context(serve(manager, log, rest, address=own.address))}
        pools, options = [], []
        for number, host in enumerate(others):
            place = _configure(folder / f"conf-{number}", f"{common}taskmanager.host: {host.address}\n")
            worker = [*host.enter, *pinned, *task_manager(place)]
            log = folder / f"taskmanager-{number}.log"
            parts[f"TaskManager {number}"] = stack.enter_context(serve(worker, log))
            if host not in others[:number]:
                limits = [*pinned, *bounded]
                pool, options = stack.enter_context(start_pool(folder, environment, limits, host, pool_port))
                pools.append(pool)
        driver = [f"--job-port={port}", "--job-host=localhost", "--artifact-port=0", "--expansion-port=0"]
        driver += [f"--flink-master={own.address}:{rest}", f"--flink-conf-dir={configuration}"]
        jobs = _java(str(FLINK / "JobServer.java"), *driver)
        parts["job server"] = stack.enter_context(serve(jobs, folder / "jobs.log", port))
        page = f"http://{own.address}:{rest}"
        deadline = time.monotonic() + 90
        while ask(page, "overview")["taskmanagers"] < task_managers:
            assert time.monotonic() < deadline, "the TaskManagers do not report to the JobManager"
            time.sleep(0.2)
        options += [f"--job_endpoint=localhost:{port}", f"--parallelism={task_managers}"]
        options.append(f"--environment_cache_millis={10_000 if len(pools) > 1 else 600_000}")
        yield Running(options, pools, parts, page)


def _configure(folder: Path, more: str) -> Path:
    """Write Flink's configuration into a new folder, and return that."""
    folder.mkdir()
    (folder / "config.yaml").write_text((FLINK / "config.yaml").read_text() + more)
    return folder


def ask(page: str, path: str) -> dict[str, Any]:
    """Return what Flink says under a path of its page; 0 TaskManagers while it starts."""
    try:
        with urllib.request.urlopen(f"{page}/{path}", timeout=5) as answer:
            asked: dict[str, Any] = json.load(answer)
            return asked
    except OSError:
        return {"taskmanagers": 0}


def list_jobs(page: str) -> list[tuple[str, float]]:
    """Return the name of every job that Flink has had, with its state if it was not finished, and the seconds from its
    start to its end."""
    jobs = sorted(ask(page, "jobs/overview")["jobs"], key=lambda job: job["start-time"])
    states = ["" if job["state"] == "FINISHED" else f" {job['state'].lower()}" for job in jobs]
    return [
        (f"{job['name']}{state}", job["duration"] / 1000) for job, state in zip(jobs, states, strict=True)
    ]


def count_shuffled(page: str) -> int:
    """Return the bytes that the tasks of all jobs have sent to others."""
    jobs = [ask(page, f"jobs/{job['jid']}") for job in ask(page, "jobs/overview")["jobs"]]
    return sum(vertex["metrics"]["write-bytes"] for job in jobs for vertex in job["vertices"])


def count_splits(page: str) -> list[int]:
    """Return how many input splits each TaskManager has read, in all jobs that Flink knows, the most first."""
    splits: Counter[str] = Counter()
    for job in ask(page, "jobs/overview")["jobs"]:
        for vertex in ask(page, f"jobs/{job['jid']}")["vertices"]:
            if "Ingest/Work" in vertex["name"]:
                shares = ask(page, f"jobs/{job['jid']}/vertices/{vertex['id']}/taskmanagers")["taskmanagers"]
                splits.update({each["taskmanager-id"]: each["metrics"]["read-records"] for each in shares})
    return sorted(splits.values(), reverse=True)


ENGINES: Sequence[Engine] = (
    Engine("Prism", apache_beam.__version__, ("worker",), ("go",), fetch_prism, start_prism),
    Engine(
        "Flink",
        "1.19.0, Beam's runner 2.70.0",
        ("worker", "TaskManager 1"),
        ("java", "mvn"),
        fetch_flink,
        start_flink,
    ),
)
