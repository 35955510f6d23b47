"""How a pipeline runs: locally on the pinned engine, or wherever Beam options say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

LOCAL = "FnApiRunner"
"""Beam's `DirectRunner` tries to download another engine first and falls back in silence."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """`workers` local processes, or any runner that the Beam options in `extra` name."""

    workers: int = 1
    extra: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        """Whether the pinned local engine runs the pipelines."""
        return not any(option.startswith("--runner") for option in self.extra)

    def options(self, name: str) -> PipelineOptions:
        """Beam's options for the pipeline called `name`."""
        flags: list[str] = list(self.extra)
        if self.local:
            mode = "multi_processing" if self.workers > 1 else "in_memory"
            flags += [
                f"--runner={LOCAL}",
                f"--direct_num_workers={self.workers}",
                f"--direct_running_mode={mode}",
                "--default_sdk_harness_log_level=ERROR",
            ]
        if not any(option.startswith("--job_name") for option in self.extra):
            flags.append(f"--job_name=corpus-{name}")
        return PipelineOptions(flags)


def runner_of(options: PipelineOptions) -> str:
    """The name of the runner that the options ask for."""
    return str(options.view_as(StandardOptions).runner)


def check_unknown(extra: Sequence[str]) -> list[str]:
    """Those of the given flags that no Beam option knows."""
    options = PipelineOptions(list(extra))
    known = options.get_all_options()
    return [
        flag
        for flag in extra
        if flag.startswith("--") and flag[2:].split("=")[0].replace("-", "_") not in known
    ]
