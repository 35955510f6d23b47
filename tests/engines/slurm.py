"""A build by deploy/slurm/flink.sbatch: Slurm on hosts that are network namespaces, and the bytes of a local build.

    python -m tests.engines.slurm [--nodes 2] [--slots 1]

Needs root, Debian's slurm-wlm and munge, java and mvn. munged and slurmctld run on this machine, a slurmd on each host;
the job's JobManager, job server, TaskManagers, pools of workers and command run where Slurm puts them.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.engines.differences import list_differences
from tests.engines.engines import CACHE, fetch_flink
from tests.engines.hosts import Host, find_missing, make_hosts
from tests.engines.installed import ROOT, corpus_command, install_wheel
from tests.engines.processes import START_SECONDS, clean_environment, find_port, serve
from tests.pipelines.small import digests, write_inputs

JOB_SECONDS = 900


@contextlib.contextmanager
def start_slurm(folder: Path, own: Host, hosts: Sequence[Host], slots: int) -> Iterator[dict[str, str]]:
    """Run Slurm with these hosts as its nodes; yield the environment in which its commands find it."""
    key, munge = folder / "munge.key", folder / "munge.socket"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    port, node_port = find_port(), find_port()
    with contextlib.ExitStack() as stack:
        names = [f"host{number}" for number in range(len(hosts))]
        known = folder / "hosts"
        known.write_text(
            "127.0.0.1 localhost\n"
            + "".join(f"{host.address} {name}\n" for host, name in zip(hosts, names, strict=True))
        )
        nodes = [
            f"NodeName={name} NodeHostname={name} NodeAddr={host.address} CPUs={slots} RealMemory=4000\n"
            for name, host in zip(names, hosts, strict=True)
        ]
        configuration = folder / "slurm.conf"
        configuration.write_text(
            f"ClusterName=loopback\nSlurmctldHost={socket.gethostname()}({own.address})\nSlurmUser=root\n"
            f"AuthType=auth/munge\nAuthInfo=socket={munge}\nSlurmctldPort={port}\nSlurmdPort={node_port}\n"
            f"StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool-%n\nMpiDefault=none\n"
            f"SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd-%n.pid\n"
            "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSlurmdParameters=config_overrides\n"
            "SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nReturnToService=2\n"
            f"{''.join(nodes)}PartitionName=all Nodes=ALL Default=YES State=UP\n"
        )
        for place in ("state", *(f"spool-{name}" for name in names)):
            (folder / place).mkdir()
        files = [f"--socket={munge}", f"--key-file={key}", f"--pid-file={folder}/munge.pid"]
        files += [f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed"]
        stack.enter_context(serve(["munged", "--foreground", "--force", *files], folder / "munged.log"))
        _wait_for(munge)
        environment = {"SLURM_CONF": str(configuration)}
        controller = ["slurmctld", "-D", "-f", str(configuration)]
        stack.enter_context(
            serve(controller, folder / "slurmctld.log", port, address=own.address, **environment)
        )
        for name, host in zip(names, hosts, strict=True):
            begin = f"mount --bind {known} /etc/hosts && hostname {name} && exec slurmd -D -N {name}"
            node = [*host.enter, "unshare", "--uts", "--mount", "sh", "-c", f"{begin} -f {configuration}"]
            log = folder / f"slurmd-{name}.log"
            stack.enter_context(serve(node, log, node_port, address=host.address, **environment))
        yield environment


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not path.exists():
        assert time.monotonic() < deadline, f"no {path}"
        time.sleep(0.1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--slots", type=int, default=1)
    given = parser.parse_args()
    missing = [name for name in ("slurmctld", "munged", "java", "mvn", "curl") if shutil.which(name) is None]
    if reason := find_missing() or ", ".join(missing):
        print(f"left out: {reason}")
        return 0
    fetch_flink()
    with tempfile.TemporaryDirectory(prefix="slurm-") as place:
        return run(Path(place), given.nodes, given.slots)


def run(folder: Path, nodes: int, slots: int) -> int:
    manifest = write_inputs(folder / "input", pages=12)
    environment = install_wheel(folder)
    local, out = folder / "local", folder / "shared" / "out"
    out.parent.mkdir()
    build = [*corpus_command(environment), "build", str(manifest), "--out", str(local)]
    subprocess.run(build, check=True, capture_output=True, cwd=folder, env=clean_environment({}))
    began = time.monotonic()
    with (
        make_hosts(nodes) as (own, hosts),
        start_slurm(folder, own, hosts, slots) as variables,
    ):
        sizes = [f"--nodes={nodes}", f"--cpus-per-task={slots}", "--mem=0"]
        log = folder / "job.log"
        script = str(ROOT / "deploy" / "slurm" / "flink.sbatch")
        given = [str(manifest), str(out), str(environment), str(CACHE / "flink" / "lib")]
        command = ["sbatch", "--wait", *sizes, f"--output={log}", script, *given]
        done = subprocess.run(
            command, cwd=folder, env=clean_environment(variables), timeout=JOB_SECONDS, check=False
        )
    print(log.read_text()[-3000:] if log.exists() else "the job said nothing")
    differences = list_differences(local, out) if out.exists() else ["nothing was built"]
    seconds = time.monotonic() - began
    print(f"{nodes} nodes, job ended with {done.returncode} after {seconds:.0f} s")
    print(f"{len(digests(local))} files, {len(differences)} differ", *differences[:9], sep="\n")
    return done.returncode or bool(differences)


if __name__ == "__main__":
    sys.exit(main())
