"""Workspaces: the folder that a build writes, and access to its results."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from corpus import storage
from corpus.errors import RunError, UserError
from corpus.storage.lock import is_locked
from corpus.storage.part_writer import check_beside

if TYPE_CHECKING:
    import pyarrow.dataset as ds

    from corpus.trainer.torch_dataset import PackedDataset

WORKSPACE_SCHEMA_VERSION = 1
LEDGER_TABLES = (
    "counts",
    "domains",
    "duplicates",
    "histograms",
    "licenses",
    "overlaps",
    "quarantine",
    "rules",
    "tokens",
)
"""Tables of the ledger that every finished build has, below DIR/stats."""
LATER_TABLES = ("canaries", "canary_bands", "edits", "shared_ids", "stages")
"""Tables that builds before them lack, and any other has."""
LENDER_FILE = "lender.json"
LENT_FOLDERS = ("documents", "signals", "dedup/signatures")
"""Folders that a scratch workspace reads from another one, but for those that it has itself."""


class Workspace:
    """Paths and contents of a workspace. `root` is a folder or any fsspec URL."""

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = storage.local_path(os.fspath(root)).rstrip("/") or "/"

    @staticmethod
    def open(root: str | os.PathLike[str]) -> Workspace:
        """Open an existing workspace. Raises UserError if there is none, or if its schema version is newer, RunError if
        it is damaged."""
        workspace = Workspace(root)
        if not storage.exists(workspace.path("workspace.json")):
            if workspace.has_remains():
                raise workspace.lost_error("workspace.json")
            raise UserError(f"{root} is not a workspace: {workspace._advise_root()}")
        try:
            version = int(workspace.read_json("workspace.json", keys=["schema_version"])["schema_version"])
        except (ValueError, TypeError):
            raise damaged_error(workspace.path("workspace.json")) from None
        if version > WORKSPACE_SCHEMA_VERSION:
            raise UserError(
                f"{root} has schema version {version}, this version of corpus reads up to {WORKSPACE_SCHEMA_VERSION}: "
                "use a newer one"
            )
        return workspace

    def has_remains(self) -> bool:
        """Return whether there is what a build leaves, though it may have lost its workspace.json."""
        return all(storage.exists(self.path(name)) for name in ("plan.json", "state.json"))

    def _advise_root(self) -> str:
        """Return what to name in place of a root that holds no workspace."""
        above = self.root if storage.is_remote(self.root) else os.path.abspath(self.root)
        while not storage.is_remote(above) and (above := os.path.dirname(above)) not in ("", "/"):
            if storage.exists(storage.join(above, "workspace.json")):
                return f"it lies in one: name that, {above}"
        if os.path.isfile(self.root):
            return "it is a file: name the folder that `corpus build MANIFEST --out DIR` has made"
        return f"`corpus build MANIFEST --out {self.root}` makes one"

    @staticmethod
    def create(root: str) -> Workspace:
        """Open the workspace at `root`; create it if it does not exist."""
        workspace = Workspace(root)
        if not storage.exists(workspace.path("workspace.json")):
            storage.write_text(
                workspace.path("workspace.json"),
                json.dumps({"schema_version": WORKSPACE_SCHEMA_VERSION}, indent=1) + "\n",
            )
        return Workspace.open(root)

    @staticmethod
    def scratch(folder: str, lender: Workspace, own: Collection[str] = ()) -> Workspace:
        """Create a workspace in a local folder that reads documents, signals and signatures from another one, but for
        its `own` folders of these, such as `signals/private`."""
        content = {"root": lender.root, "own": sorted(own)}
        storage.write_text(storage.join(folder, LENDER_FILE), json.dumps(content))
        return Workspace.create(folder)

    @cached_property
    def _lender(self) -> tuple[str, frozenset[str]] | None:
        """The root of the workspace that a scratch workspace reads from, and the folders that it has itself."""
        path = self.path(LENDER_FILE)
        if storage.is_remote(self.root) or not storage.exists(path):
            return None
        content = self.read_json(LENDER_FILE, keys=["root", "own"])
        return content["root"], frozenset(content["own"])

    def path(self, *names: str) -> str:
        """Return a path below the root."""
        return storage.join(self.root, *names)

    def part(self, folder: str, source: str, split: str, extension: str = "parquet") -> str:
        """Return the path of an input split's part.

        `folder` is `documents`, `signals/STEP`, `decisions`, `dedup/signatures` ...
        """
        root = self.root
        if self._lender is not None and folder.startswith(LENT_FOLDERS) and folder not in self._lender[1]:
            root = self._lender[0]
        return storage.join(root, folder, f"source={source}", f"part-{split}.{extension}")

    def quarantine_part(self, source: str, split: str, step: str | None = None) -> str:
        """Return the path of an input split's quarantine: of its records, or of documents that a step failed on."""
        return self.path("quarantine", f"{source}-{split}{f'.{step}' if step else ''}.parquet")

    def quarantine_parts(self) -> Iterator[str]:
        """Yield the paths that quarantine parts of the last plan may have, in the order of the input splits."""
        steps = [None, *self.steps()]
        for source, split in self.splits():
            yield from (self.quarantine_part(source, split, step) for step in steps)

    def splits(self) -> list[tuple[str, str]]:
        """Return (source, split name) of every input split of the last plan, sorted: the order of all later stages."""
        return [(source, name) for source, name in self._read_plan()["splits"]]

    def steps(self) -> list[str]:
        """Return the signal steps of the last plan."""
        return [str(step) for step in self._read_plan()["steps"]]

    def input_sizes(self) -> dict[str, dict[str, int]]:
        """Return the `files` and `bytes` of input of each source, as stored; empty for a plan that does not say."""
        sizes: dict[str, dict[str, int]] = self._read_plan().get("inputs", {})
        return sizes

    def shared_files(self) -> dict[str, dict[str, str]]:
        """Return the files of every input split that small files share: {source/split: {file: digest}}."""
        files: dict[str, dict[str, str]] = self._read_plan().get("shared", {})
        return files

    def read_state(self) -> dict[str, str] | None:
        """Read state.json: the stages that are done, in order, each with its fingerprint; None without the file."""
        return self.read_json("state.json") if storage.exists(self.path("state.json")) else None

    def read_json(self, *names: str, keys: Collection[str] = ()) -> dict[str, Any]:
        """Read a JSON file of the workspace, which is there. Raises RunError for one that is no mapping with these
        keys."""
        path = self.path(*names)
        try:
            content = json.loads(storage.read_text(path))
        except ValueError:  # of JSON, or of UTF-8
            raise damaged_error(path) from None
        return _check_mapping(path, content, keys)

    def read_manifest(self) -> dict[str, Any]:
        """Read manifest.yaml: the manifest of the last build, with all defaults. Raises RunError if it is lost or
        damaged."""
        path = self.path("manifest.yaml")
        try:
            content = yaml.safe_load(storage.read_text(path))
        except FileNotFoundError:
            raise self.lost_error("manifest.yaml") from None
        except (ValueError, yaml.YAMLError):
            raise damaged_error(path) from None
        return _check_mapping(path, content, ["name", "sources"])

    def _read_plan(self) -> dict[str, Any]:
        if not storage.exists(self.path("plan.json")):
            raise self.unfinished_error("documents")
        return self.read_json("plan.json", keys=["splits", "steps"])

    def unfinished_error(self, what: str) -> UserError | RunError:
        """Return the error for a result that is not there: UserError for one that the build has not produced yet,
        RunError for one that went since."""
        if running := self.describe_running():
            return UserError(f"{self.root} has no {what} yet: {running}: wait for it")
        if "build" in (self.read_state() or {}):
            return self.lost_error(what)
        return UserError(
            f"{self.root} has no {what} yet: its build is not finished: resume it with `corpus build`"
        )

    def lost_error(self, what: str) -> RunError:
        """Return the error for something that a build has made and that is not there any more."""
        return RunError(
            f"{self.root} has lost its {what}: run its `corpus build` again, which makes what is missing"
        )

    def describe_running(self) -> str | None:
        """Return that a build is running in the workspace now, and how far it is; None where none is."""
        if not is_locked(self.root):
            return None
        try:
            status = json.loads(storage.read_text(self.path("status.json")))
        except (FileNotFoundError, ValueError):  # not written yet
            return "a build is running here"
        if status.get("state") != "running" or not status.get("stage"):
            return "a build is running here"
        far = f"{status['stage']}, {status['done']:,} of {status['total']:,}"
        if documents := status["documents"] + status.get("documents_earlier", 0):
            far += f", {documents:,} documents so far"
        return f"a build is running here ({far})"

    def _open_parts(self, folder: str) -> ds.Dataset:
        paths = [self.part(folder, source, split) for source, split in self.splits()]
        try:
            return self._open_dataset(paths, "parquet", ["source"])
        except FileNotFoundError:
            raise self.unfinished_error(folder) from None

    def _open_dataset(self, paths: list[str], format: str, keys: list[str]) -> ds.Dataset:
        """Open files as one dataset; `keys` are the keys of KEY=VALUE in their paths that become columns."""
        import pyarrow.dataset as ds  # brings pandas where that is installed: .3 s

        filesystem = None
        if storage.is_remote(self.root):
            filesystem, _ = storage.filesystem(self.root)
            paths = [storage.filesystem(path)[1] for path in paths]
        partitioning = ds.partitioning(pa.schema([(key, pa.string()) for key in keys]), flavor="hive")
        dataset = ds.dataset(paths, filesystem=filesystem, format=format, partitioning=partitioning)
        return _views().make_browsable(dataset)

    def documents(self) -> ds.Dataset:
        """Return every document that was read, gated ones included, with its `source`."""
        return self._open_parts("documents")

    def signals(self, step: str) -> ds.Dataset:
        """Return the signals of one step; rows match those of `documents()`.

        Raises UserError if the last plan has no such step: `steps()` lists them.
        """
        if step not in (steps := self.steps()):
            nearest = difflib.get_close_matches(step, steps, 1)
            guess = f"did you mean {nearest[0]}? " if nearest else ""
            raise UserError(
                f"{self.root} has no step {step}: {guess}its steps are {', '.join(steps) or 'none'}"
            )
        return self._open_parts(f"signals/{step}")

    def decisions(self) -> ds.Dataset:
        """Return the decisions; rows match those of `documents()`."""
        return self._open_parts("decisions")

    def stats(self) -> dict[str, ds.Dataset]:
        """Return the ledger: its tables by name, each a dataset of one file. See `corpus docs ledger`.

        Raises UserError while the build has not written it.
        """
        paths = [
            path
            for path in storage.list_files(self.path("stats"))
            if path.endswith(".parquet") and "/parts/" not in path
        ]
        if not paths:
            raise self.unfinished_error("statistics")
        return {
            path.rpartition("/")[2].removesuffix(".parquet"): self._open_dataset([path], "parquet", [])
            for path in paths
        }

    def shards(self) -> ds.Dataset:
        """Return the token shards: doc_id, bytes, language, tokens, and the `split` and `source` of each row.

        Raises UserError if there are none, for example because nothing was kept.
        """
        paths = [self.path("tokens", shard["path"]) for shard in self.tokens()["shards"]]
        if not paths:
            raise UserError(f"{self.root} has no token shards: nothing was kept (`corpus stats {self.root}`)")
        return self._open_dataset(paths, "ipc", ["split", "source"])

    def tokens(self) -> dict[str, Any]:
        """Return the contents of `tokens/dataset.json`, which describes the token shards."""
        path = self.path("tokens", "dataset.json")
        if not storage.exists(path):
            raise self.unfinished_error("token shards")
        return self.read_json("tokens", "dataset.json", keys=["shards", "totals"])

    def torch(
        self,
        context: int = 1024,
        *,
        split: Literal["train", "valid"] = "train",
        seed: int = 0,
        mixture: str | None = None,
        labels: Literal["same", "next", "both"] = "same",
        position_ids: bool = False,
        start: int = 0,
        stop: int | None = None,
        rank: int | None = None,
        world: int | None = None,
    ) -> PackedDataset:
        """Return packed windows of tokens as a map-style `torch.utils.data.Dataset`; examples: `corpus docs loaders`.

        Item i is sample i of `corpus train` with the same context, seed and mixture, so the order is exact without
        `shuffle` and with any number of DataLoader workers. An item is a dict of int64 tensors (context,).

        - `context`: tokens of an item.
        - `split`: with "valid", the validation windows, each once, in the order of the shards, for any seed.
        - `seed`, `mixture` (a YAML file or a preset's name): as of `corpus train`; by default the corpus's mixture.
        - `labels`: "same" makes `labels` equal to `input_ids`, for models that shift them, as those of transformers;
          "next" makes them the tokens that follow those of `input_ids`; "both" gives the first as `labels` and the
          second as `shift_labels`. Labels of padding, in streams shorter than a window, are -100.
        - `position_ids`: add them, counted from 0 in each document, so that models of transformers keep documents
          apart.
        - `start`, `stop`: the run's samples start..stop-1, counted over all processes. A run resumes with `start` at
          the number of samples that are done. Without `stop`, to the end of the epoch that `start` is in.
        - `rank`, `world`: this process and the number of processes; it reads every `world`-th sample. By default
          those of torch.distributed if initialized, else of RANK and WORLD_SIZE, else 0 of 1.

        Raises UserError without shards, and for parameters that cannot be. Cost: the end of each shard is read.
        """
        self.tokens()
        try:
            from corpus.trainer.torch_dataset import PackedDataset
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            from corpus.extras import install_advice

            raise UserError(f"torch is not installed: {install_advice('train')}") from None
        return PackedDataset(
            self.root,
            context=context,
            split=split,
            seed=seed,
            mixture=mixture,
            labels=labels,
            position_ids=position_ids,
            start=start,
            stop=stop,
            rank=rank,
            world=world,
        )

    def __repr__(self) -> str:
        """Return the overview of `_repr_html_` in a few lines."""
        text: str = _views().describe_workspace(self)
        return text

    def _repr_html_(self) -> str:
        """Return an overview as a small HTML table, for notebooks. Reads a few small files and no documents."""
        html: str = _views().show_workspace(self)
        return html

    def rows(
        self, document_columns: list[str] | None = None, steps: Iterable[str] = ()
    ) -> Iterator[tuple[str, str, pa.Table]]:
        """Yield (source, split name, table) for each row group, with the columns of documents, decisions and signals.

        Memory: one row group. Decision columns keep their names; `gate` is the document's.
        """
        for source, split in self.splits():
            files = [
                open_table(self.part(folder, source, split))
                for folder in ["documents", "decisions", *(f"signals/{step}" for step in steps)]
            ]
            for file, folder in zip(files[1:], ["decisions", *steps], strict=True):
                check_beside(files[0], file, f"{folder} of input split {split} of {source}")
            for group in range(files[0].num_row_groups):
                table = files[0].read_row_group(group, columns=document_columns, use_threads=False)
                for file in files[1:]:
                    side = file.read_row_group(group, use_threads=False)
                    for name in side.column_names:
                        if name not in table.column_names:
                            table = table.append_column(side.schema.field(name), side.column(name))
                yield source, split, table
            for file in files:
                file.close(force=True)


def _views() -> Any:
    """Return corpus.inspect.notebook, which stands above this module and imports it: so by its name, and when used."""
    return import_module("corpus.inspect.notebook")


def read_table(path: str) -> pa.Table:
    """Read a whole (small) Parquet file.

    Only this thread reads, as in all reads of small parts: if a thread of Arrow's pool releases a Python file while
    the interpreter shuts down, the process crashes.
    """
    with open_stored(path) as stream:
        return pq.ParquetFile(stream).read(use_threads=False)


def open_table(path: str) -> pq.ParquetFile:
    """Open a Parquet file of a workspace. Raises RunError for one that is damaged."""
    try:
        return pq.ParquetFile(storage.open_input(path))
    except pa.ArrowInvalid:
        raise damaged_error(path) from None


@contextmanager
def open_stored(path: str) -> Iterator[BinaryIO]:
    """Open a file of a workspace for Arrow. Raises RunError, which names the file, where what is read in the block is
    damaged."""
    try:
        with storage.open_input(path) as stream:
            yield stream
    except pa.ArrowInvalid:
        raise damaged_error(path) from None


def damaged_error(path: str) -> RunError:
    """Return the error for a file of a workspace that cannot be read as what it should be."""
    return RunError(f"{path} is damaged: remove it and run the same `corpus build`, which makes it anew")


def _check_mapping(path: str, content: Any, keys: Collection[str]) -> dict[str, Any]:
    if not isinstance(content, dict) or not content.keys() >= set(keys):
        raise damaged_error(path)
    return content
