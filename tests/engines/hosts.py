"""Hosts of a cluster on one machine: network namespaces on a bridge, each with a loopback of its own.

Beam's pool of workers tells its workers apart by ids that the TaskManagers of a job give alike: two of them with one
pool stop each other's workers. So each has a host, and its pool is at the same port of `localhost` as on any other.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """A host: the address at which others reach it, and what stands before a command that runs there."""

    address: str
    enter: tuple[str, ...] = ()


LOOPBACK = Host("localhost")


def find_missing() -> str:
    """Return why no hosts can be made here, or an empty string if they can."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return "network namespaces need root and ip"
    name = f"try{os.getpid()}"
    made = _ip("netns", "add", name, check=False)
    if made.returncode == 0:
        made = _ip("link", "add", name, "type", "bridge", check=False)
        _ip("netns", "del", name, check=False)
    if made.returncode == 0:
        _ip("link", "del", name, check=False)
    return made.stderr.strip()


@contextlib.contextmanager
def make_hosts(count: int) -> Iterator[tuple[Host, list[Host]]]:
    """Yield this machine, and as many hosts that it and they reach, until the block ends.

    Where none can be made this machine stands for all of them.
    """
    if reason := find_missing():
        print(f"  no hosts of their own, and one pool of workers, since {reason}", flush=True)
        yield LOOPBACK, [LOOPBACK] * count
        return
    bridge, net = f"hosts{os.getpid()}", f"10.213.{os.getpid() % 256}"
    own, hosts = Host(f"{net}.1"), []
    _ip("link", "add", bridge, "type", "bridge")
    try:
        _ip("addr", "add", f"{own.address}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number in range(count):
            name, cable = f"{bridge}-{number}", f"h{os.getpid()}-{number}"
            _ip("netns", "add", name)
            hosts.append(Host(f"{net}.{number + 2}", ("nsenter", f"--net=/run/netns/{name}")))
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", cable, "master", bridge, "up")
            _ip("-n", name, "addr", "add", f"{hosts[-1].address}/24", "dev", "eth0")
            for device in ("eth0", "lo"):
                _ip("-n", name, "link", "set", device, "up")
        yield own, hosts
    finally:
        for host in hosts:
            _ip("netns", "del", host.enter[-1].rpartition("/")[2], check=False)
        _ip("link", "del", bridge, check=False)


def _ip(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)
