"""Choose how a pipeline runs: locally on the pinned engine, or on the runner that Beam options name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from corpus.errors import UserError
from corpus.pipelines.beam.forked_workers import expect_workers
from corpus.pipelines.beam.loading import load_beam

if TYPE_CHECKING:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

LOCAL_RUNNER = "FnApiRunner"
"""The local engine; Beam's `DirectRunner` tries to download another one first and falls back silently."""


MIN_SPREAD_BYTES = {
    "ingest": 3_000_000,
    "decide": 300_000_000,
    "tokenize": 50_000_000,
    "dedup": 3_000_000_000,
    "repeats": 100_000_000,
    "clean": 300_000_000,
    "redact": 300_000_000,
    "decontaminate": 50_000_000,
}
"""Bytes of input from which several local processes are faster: starting them costs 3 s per pipeline, and duplicates
are found among 100,000 documents a second. The environment variable CORPUS_SPREAD_FROM replaces all."""


CLOUD_RUNNERS = ("DataflowRunner",)
"""Runners whose workers are never on the machine of the command, nor on its network."""
MACHINE_TYPES = {"ingest": "n2-standard-8", "dedup": "n2-standard-4", "repeats": "n2-standard-4"}
OTHER_MACHINE_TYPE = "e2-standard-4"
"""Machines of Dataflow by pipeline: 4 GB for each of their cores, which has one process of Beam's. One of ingest takes
up to 1 GB with its parser, a range of duplicates 1.1 GB, all others under .5 GB (docs/scale.md)."""
DISK_GB = 50
"""Disk of a machine of Dataflow: the image, and no more, since nothing but the workspace is kept."""
PACKAGE_OPTIONS = (
    "sdk_container_image",
    "extra_package",
    "extra_packages",
    "setup_file",
    "requirements_file",
)
"""Options of Beam that bring a package to workers which have none."""


NO_LIST = "disable_logging_submission_environment"
"""Beam's experiment that leaves out a `pip freeze` of 1 to 3 s before every job: our workers compare versions."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """`workers` local processes, or any runner that the Beam options in `extra` name."""

    workers: int = 1
    extra: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        """Return whether the pinned local engine runs the pipelines."""
        return not any(option.startswith("--runner") for option in self.extra)

    @property
    def runner(self) -> str:
        """Return the name of the engine, as Beam knows it."""
        return self.find_option("runner") or LOCAL_RUNNER

    def find_option(self, name: str) -> str | None:
        """Return the value of a Beam option, None if it is not given: `--name=value`, or `--name value`."""
        for at, option in enumerate(self.extra):
            flag, equals, value = option.partition("=")
            if flag == f"--{name}":
                return value if equals else next(iter(self.extra[at + 1 :]), "")
        return None

    def for_stage(self, stage: str, size: int) -> Running:
        """Return how to run a stage of a build with `size` bytes of input: small local work runs in one process."""
        given = os.environ.get("CORPUS_SPREAD_FROM", str(MIN_SPREAD_BYTES[stage]))
        if not given.isdecimal():
            raise UserError(f"CORPUS_SPREAD_FROM={given}: a number of bytes is expected")
        least = int(given)
        return replace(self, workers=1) if self.local and size < least else self

    def options(self, name: str) -> PipelineOptions:
        """Return Beam's options for the pipeline called `name`; loads Beam."""
        if self.local and self.workers > 1:
            with suppress(OSError):  # the first worker is asked for again, and its error is said
                expect_workers(local_only=not self.extra)
        load_beam(local_only=not self.extra)
        from apache_beam.options.pipeline_options import PipelineOptions

        import corpus.pipelines.beam.workers  # noqa: F401 - puts watched workers in the place of Beam's

        flags: list[str] = list(self.extra)
        if self.local:
            mode = "multi_processing" if self.workers > 1 else "in_memory"
            flags += [
                f"--runner={LOCAL_RUNNER}",
                f"--direct_num_workers={self.workers}",
                f"--direct_running_mode={mode}",
                "--default_sdk_harness_log_level=ERROR",
                "--no_pipeline_type_check",  # a tenth of a small build; tests/pipelines/dataflow_test.py has it
            ]
        else:
            flags += [f"--experiments={NO_LIST}", *self._cloud_flags(name)]
        if not any(option.startswith("--job_name") for option in self.extra):
            flags.append(f"--job_name=corpus-{name}")
        return PipelineOptions(flags)

    def _cloud_flags(self, name: str) -> list[str]:
        """Return the options of Dataflow's machines for a pipeline, but for those that are given."""
        if self.runner not in CLOUD_RUNNERS:
            return []
        flags = [f"--labels=corpus-stage={name}"]
        if not any(self.find_option(given) for given in ("machine_type", "worker_machine_type")):
            flags.append(f"--machine_type={MACHINE_TYPES.get(name, OTHER_MACHINE_TYPE)}")
        if not any(self.find_option(given) for given in ("disk_size_gb", "worker_disk_size_gb")):
            flags.append(f"--disk_size_gb={DISK_GB}")
        if not self.find_option("number_of_worker_harness_threads"):
            flags.append("--number_of_worker_harness_threads=1")  # a process works on one item at a time
        if self.find_option("sdk_container_image") and not self.find_option("sdk_location"):
            flags.append("--sdk_location=container")
        return flags

    def open_pipeline(self, name: str) -> beam.Pipeline:
        """Return a new pipeline. Raises UserError if Beam refuses its options."""
        options = self.options(name)
        from apache_beam import Pipeline

        try:
            return Pipeline(options=options)
        except ValueError as error:
            reason = " ".join(str(error).replace("Pipeline has validations errors:", "").split())
            raise UserError(f"Beam cannot run with these options: {reason.strip(' .')}") from None


def _list_known_flags() -> set[str]:
    """Return every flag of every Beam option, as it is written."""
    from apache_beam.options.pipeline_options import PipelineOptions

    import corpus.pipelines.beam.workers  # noqa: F401 - its imports bring the options of the local engine
    from corpus.pipelines.beam.types import OptionParser

    parser = OptionParser(add_help=False, conflict_handler="resolve")
    waiting = list(PipelineOptions.__subclasses__())
    while waiting:
        options = waiting.pop()
        waiting += options.__subclasses__()
        if "_add_argparse_args" in vars(options):
            options._add_argparse_args(parser)
    return {flag for action in parser._actions for flag in action.option_strings}


def list_unknown_flags(extra: Sequence[str]) -> list[str]:
    """Return those of the flags that no Beam option defines."""
    flags = [flag for flag in extra if flag.startswith("--")]
    known = _list_known_flags() if flags else set()
    return [flag for flag in flags if flag.split("=")[0] not in known]
