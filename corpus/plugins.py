"""Plug-ins: sources, filters, extractors and identifiers that a manifest names as `module:Class`.

A plug-in is found without importing anything. Its module is an installed one, or lies in a folder that the user named
(`--plugins DIR`, CORPUS_PLUGINS): code that merely lies beside a manifest is never run. An entry point of one of
`GROUPS` is a short name for `module:Class`.

The hash of a plug-in's code is part of every fingerprint of what it made: the hash of its file or, inside a package,
of all files of the package.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from corpus.errors import RunError, UserError

PLUGINS_VARIABLE = "CORPUS_PLUGINS"
"""The environment variable with folders of plug-ins, separated as in PATH."""
GROUPS = {"source": "corpus.sources", "filter": "corpus.filters", "extractor": "corpus.extractors"}
"""Kind of plug-in -> its group of entry points. An identifier has none: it is named in full."""

REFERENCE_PATTERN = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[^\W\d]\w*)?")

_folders: list[str] = []
"""Folders of plug-ins, absolute, in the order in which they were named."""
_loaded_codes: dict[str, str] = {}
"""The root of a plug-in -> the hash of its code when this process imported it."""


@dataclass(frozen=True)
class Plugin:
    """A plug-in that was found: `reference` as the manifest has it, its module and class, and where its code is.

    `attribute` is empty for a filter that is a module. `root` is the module's file, or the folder of its package.
    """

    reference: str
    module: str
    attribute: str
    root: str

    @property
    def code(self) -> str:
        """The hash of the code, 32 hex digits. Cost: reads the files of the package."""
        return hash_code(self.root)


def is_reference(name: str) -> bool:
    """Return whether a name is written `module:Class`."""
    return ":" in name and REFERENCE_PATTERN.fullmatch(name) is not None


def add_folders(folders: Iterable[str]) -> None:
    """Let modules of these folders be plug-ins, after those of CORPUS_PLUGINS. Raises UserError for a missing one."""
    named = [("--plugins", folder) for folder in folders]
    from_environment = os.environ.get(PLUGINS_VARIABLE, "").split(os.pathsep)
    named = [(PLUGINS_VARIABLE, folder) for folder in from_environment if folder] + named
    for option, folder in named:
        path = os.path.abspath(os.path.expanduser(folder))
        if not os.path.isdir(path):
            raise UserError(f"{option} {folder}: no such folder")
        if path not in _folders:
            _folders.append(path)
        if path not in sys.path:
            sys.path.append(path)  # last: nothing that is installed is replaced
            importlib.invalidate_caches()


def plugin_folders() -> list[str]:
    """Return the folders that the user named, absolute."""
    return list(_folders)


def find_plugin(name: str, kind: str, beside: str | None = None) -> Plugin:
    """Find a plug-in by reference or short name, without importing it. Raises UserError, one line, if there is none.

    `kind` is source, filter, extractor or identifier; `beside` the folder of the manifest, whose own modules are
    refused unless the user named the folder. A filter may be a module without a class.
    """
    add_folders(())
    reference = name if is_reference(name) else _short_names(kind).get(name, name)
    if not REFERENCE_PATTERN.fullmatch(reference) or (":" not in reference and kind != "filter"):
        raise UserError(f"{name!r} is not a plug-in: it is written module:Class")
    module, _, attribute = reference.partition(":")
    spec = _find_spec(module)
    top = module.partition(".")[0]
    if beside is not None and (spec is None or _is_only_beside(top, beside)) and _lies_in(top, beside):
        raise UserError(
            f"{name}: {module} lies beside the manifest, and code that comes with a manifest is only run if you say "
            f"so: --plugins {beside} (or {PLUGINS_VARIABLE})"
        )
    if spec is None:
        missing = f"{name}: no module named {module} is installed"
        if _folders:
            raise UserError(f"{missing} or lies in {', '.join(_folders)}")
        raise UserError(f"{missing}: install it, or name its folder with --plugins DIR")
    for folder in _folders:
        here = PathFinder.find_spec(top, [folder])
        first = _find_spec(top)
        if here is not None and first is not None and _place(first) != _place(here):
            raise UserError(
                f"{name}: {top} is both {_place(here)} and {_place(first)}: give the one in {folder} another name"
            )
    if not spec.has_location and not spec.submodule_search_locations:
        raise UserError(f"{name}: {module} is part of Python, not a plug-in")
    return Plugin(name, module, attribute, _code_root(module, spec))


def is_plugin_name(name: str, kind: str) -> bool:
    """Return whether a name is written `module:Class`, or is the short name of an installed plug-in."""
    return is_reference(name) or name in _short_names(kind)


def list_short_names(kind: str) -> list[str]:
    """Return the short names of installed plug-ins of a kind, sorted."""
    return sorted(_short_names(kind))


@cache
def _short_names(kind: str) -> Mapping[str, str]:
    if kind not in GROUPS:
        return {}
    return {point.name: point.value for point in metadata.entry_points(group=GROUPS[kind])}


def load_plugin(plugin: Plugin) -> object:
    """Import a plug-in and return its class, or its module. What it prints goes to standard error.

    Raises UserError if it cannot be imported, and RunError if its code has changed since this process imported it.
    """
    code = plugin.code
    before = _loaded_codes.setdefault(plugin.root, code)
    if before != code:
        raise RunError(
            f"the plug-in {plugin.reference} was changed ({plugin.root}) while it was in use: start again"
        )
    try:
        with output_to_errors():
            module = importlib.import_module(plugin.module)
    except (Exception, SystemExit) as error:
        raise UserError(f"{plugin.reference} cannot be imported: {describe_error(error)}") from error
    if not plugin.attribute:
        return module
    if not hasattr(module, plugin.attribute):
        raise UserError(f"{plugin.reference}: {plugin.module} has no {plugin.attribute}")
    loaded: object = getattr(module, plugin.attribute)
    return loaded


@contextlib.contextmanager
def output_to_errors() -> Iterator[None]:
    """Send what is printed to standard error: standard output is the command's own."""
    with contextlib.redirect_stdout(sys.stderr or io.StringIO()):
        yield


def describe_error(error: BaseException) -> str:
    """Return an exception as one line: its type and message."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300].removesuffix(": ")


def check_version(reference: str, thing: object) -> int:
    """Return the `version` of a plug-in's class. Raises UserError if it is no whole number."""
    version = getattr(thing, "version", None)
    if isinstance(version, bool) or not isinstance(version, int):
        raise UserError(f"{reference} has no `version`, a whole number to increase when its results change")
    return version


def hash_code(root: str) -> str:
    """Return the hash of a file, or of all files below a folder but compiled and hidden ones: 32 hex digits."""
    digest = hashlib.blake2b(digest_size=16)
    for path in _list_code(Path(root)):
        name = path.name if path == Path(root) else path.relative_to(root).as_posix()
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _list_code(root: Path) -> list[Path]:
    if not root.is_dir():
        return [root]
    files = []
    for folder, folders, names in os.walk(root, followlinks=False):
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        files += [
            Path(folder, name)
            for name in names
            if not name.startswith(".") and not name.endswith((".pyc", "~"))
        ]
    return sorted(file for file in files if file.is_file())


def _find_spec(name: str) -> ModuleSpec | None:
    """Find a module as an import would, but import none of its packages."""
    path = None
    spec = None
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        full = ".".join(parts[:depth])
        spec = None
        for finder in sys.meta_path:
            spec = finder.find_spec(full, path) if hasattr(finder, "find_spec") else None
            if spec is not None:
                break
        if spec is None:
            return None
        path = spec.submodule_search_locations
        if path is None and depth < len(parts):
            return None
    return spec


def _place(spec: ModuleSpec) -> str:
    """Return the file or folder of a module."""
    if spec.submodule_search_locations:
        return os.path.realpath(next(iter(spec.submodule_search_locations)))
    return os.path.realpath(spec.origin or "")


def _lies_in(top: str, folder: str) -> bool:
    """Return whether a top-level module lies in a folder that the user has not named."""
    if os.path.realpath(folder) in map(os.path.realpath, _folders):
        return False
    return PathFinder.find_spec(top, [folder]) is not None


def _is_only_beside(top: str, folder: str) -> bool:
    """Return whether a top-level module is found in a folder only because that is Python's current one."""
    spec = _find_spec(top)
    if spec is None or os.path.dirname(_place(spec)) != os.path.realpath(folder):
        return False
    named = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    places = {os.path.realpath(path) for path in named}
    return os.path.realpath(folder) not in places and os.path.realpath(folder) in (
        os.path.realpath(os.getcwd()),
        os.path.realpath(os.path.dirname(sys.argv[0] or ".")),
    )


def _code_root(module: str, spec: ModuleSpec) -> str:
    """Return the folder of the outermost package with an `__init__.py` that holds a module, or the module's file."""
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        package = _find_spec(".".join(parts[:depth]))
        if package is not None and package.submodule_search_locations and package.origin:
            return _place(package)
    return os.path.realpath(spec.origin) if spec.origin else _place(spec)
