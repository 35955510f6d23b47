"""Runs in processes that get killed, forked from a server that has torch loaded, so that each begins at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # the first step of an optimizer loads it, for longer than these runs take
from rich.console import Console

from corpus.trainer import engine, guard, loop
from corpus.trainer.config import RunConfig

TOUCHES = ("open", "os.mkdir", "os.rename", "os.rmdir", "os.remove", "shutil.rmtree")
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


def start(target: Callable[..., None], *arguments: object) -> BaseProcess:
    process = _context.Process(target=target, args=arguments)
    process.start()
    return process


def _train(config: RunConfig, run: Path) -> None:
    torch.set_num_threads(1)
    loop.train(config, run, device="cpu", console=Console(quiet=True))


def plain(config: RunConfig, run: Path) -> None:
    """A run that nobody disturbs."""
    _train(config, run)


def killed_at_touch(config: RunConfig, run: Path, touch: int, left: Path) -> None:
    """Kills itself, as kill -9 does, at the so-manieth time that it touches the folder of checkpoints: before it opens,
    syncs, renames or removes something there. Writes into `left` how many touches were left at the end."""
    count = touch
    sync = os.fsync

    def touched(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if count and event in TOUCHES and "/checkpoint" in str(arguments[0]):
            count -= 1
            if not count:
                os.kill(os.getpid(), signal.SIGKILL)

    def syncing(file: int) -> None:
        if threading_is_saving():
            touched("open", ("/checkpoint",))
        sync(file)

    sys.addaudithook(touched)
    os.fsync = syncing  # type: ignore[assignment]
    _train(config, run)
    left.write_text(str(count))


def threading_is_saving() -> bool:
    """Whether this is the thread that writes checkpoints, rather than the one that writes the log."""
    import threading

    return threading.current_thread().name == "checkpoint"


def stuck(config: RunConfig, run: Path, place: str, count: int, reached: Path) -> None:
    """A run whose so-manieth `clip` (of a step) or `evaluate` never comes back, in C, where Python runs no handler."""
    import ctypes

    guard.GRACE_SECONDS = 0.2
    owner: Any = engine.Engine if place == "clip" else loop
    before, times = getattr(owner, place), []

    def endless(*arguments: Any, **named: Any) -> Any:
        times.append(before(*arguments, **named))
        if len(times) == count:
            reached.touch()
            sleep = ctypes.CDLL(None).sleep
            while True:  # a signal ends a sleep early
                sleep(60)
        return times[-1]

    setattr(owner, place, endless)
    _train(config, run)
