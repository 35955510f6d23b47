"""Plug-ins: sources, filters, extractors and identifiers that a manifest names as `module:Class`.

A plug-in is found without importing anything. Its module is an installed one, or lies in a folder that the user named
(`--plugins DIR`, CORPUS_PLUGINS): code that merely lies beside a manifest is never run. An entry point of one of
`GROUPS` is a short name for `module:Class`.

The hash of a plug-in's code is part of every fingerprint of what it made: the hash of its file or, inside a package,
of all files of the package.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import os
import re
import site
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from corpus.errors import RunError, UserError, describe_briefly

PLUGINS_VARIABLE = "CORPUS_PLUGINS"
"""The environment variable with folders of plug-ins, separated as in PATH."""
GROUPS = {"source": "corpus.sources", "filter": "corpus.filters", "extractor": "corpus.extractors"}
"""Kind of plug-in -> its group of entry points. An identifier has none: it is named in full."""

MAX_CODE_FILES = 20_000
REFERENCE_PATTERN = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[^\W\d]\w*)?")

_folders: list[str] = []
"""Folders of plug-ins, absolute, in the order in which they were named."""
_loaded_codes: dict[str, str] = {}
"""The root of a plug-in -> the hash of its code when this process imported it."""
_codes: dict[str, str] = {}
"""The root of a plug-in -> the hash of its code as this process saw it last."""
_output_lock = threading.RLock()


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
        _codes[self.root] = hash_code(self.root)
        return _codes[self.root]


def codes_in_use() -> dict[str, str]:
    """Return the hashes of the code of all plug-ins that were asked for, by where they are."""
    return dict(sorted(_codes.items()))


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
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or "__main__" in module.split("."):
        raise UserError(f"{name}: {module} is part of Python, not a plug-in")
    spec = _find_spec(module)
    stray = _find_stray_folder(top, spec, beside)
    if stray is not None:
        where = (
            "beside the manifest"
            if beside is not None and _is_below(stray, beside)
            else "in the current folder"
        )
        raise UserError(
            f"{name}: {module} lies {where}, and code that comes with a manifest is only run if you say so: "
            f"--plugins {stray} (or {PLUGINS_VARIABLE})"
        )
    if spec is None:
        if kind == "filter" and _find_spec(f"corpus.filters.{module}") is not None:
            raise UserError(f"{name} is a filter of corpus: its signals are measured anyway")
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
        raise UserError(f"{name}: {module} has no file")
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
        with _output_to_errors():
            module = importlib.import_module(plugin.module)
    except (Exception, SystemExit) as error:
        raise UserError(f"{plugin.reference} cannot be imported: {describe_briefly(error)}") from error
    if not plugin.attribute:
        return module
    if not hasattr(module, plugin.attribute):
        raise UserError(f"{plugin.reference}: {plugin.module} has no {plugin.attribute}")
    loaded: object = getattr(module, plugin.attribute)
    return loaded


@contextlib.contextmanager
def _output_to_errors() -> Iterator[None]:
    """Send what is printed, by Python or below it, to standard error: standard output is the command's own."""
    with _output_lock, contextlib.ExitStack() as stack:
        if sys.stderr is not None:
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        try:
            saved = os.dup(1)
            os.dup2(2, 1)
        except OSError:  # no such streams, as in some notebooks and services
            yield
            return
        stack.callback(os.close, saved)
        stack.callback(os.dup2, saved, 1)
        yield


def load_class(plugin: Plugin, method: str) -> type:
    """Import a plug-in and return its class, which has a version and this method, written `measure(page)`.

    Raises UserError, one line, if it has not.
    """
    return check_class(plugin.reference, load_plugin(plugin), method)


def check_class(reference: str, loaded: object, method: str) -> type:
    """Return what a plug-in is, if that is a class with a version and this method. Raises UserError if it is not."""
    if not isinstance(loaded, type):
        raise UserError(f"{reference} is a {type(loaded).__name__}, not a class")
    check_version(reference, loaded)
    if not callable(getattr(loaded, method.partition("(")[0], None)):
        raise UserError(f"{reference} has no method `{method}`")
    return loaded


def create(reference: str, loaded: type, options: Mapping[str, Any] | None = None) -> Any:
    """Return an object of a plug-in's class. Raises UserError, one line, if it cannot be created."""
    try:
        return loaded(**(options or {}))
    except Exception as error:
        raise UserError(f"{reference} cannot be created: {describe_briefly(error)}") from error


def name_plugin(reference: str, error: str) -> str:
    """Return an error that begins with the plug-in it is about."""
    return error if error.startswith(reference) else f"{reference}: {error}"


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
        base = Path(root) if Path(root).is_dir() else Path(root).parent
        name = path.relative_to(base).as_posix()
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _list_code(root: Path) -> list[Path]:
    if not root.is_dir():
        return _list_siblings(root)
    files: list[Path] = []
    for folder, folders, names in os.walk(root, followlinks=True):
        if len(files) > MAX_CODE_FILES:
            raise UserError(
                f"{root}: more than {MAX_CODE_FILES:,} files of code: put the plug-in in a package of its own"
            )
        folders[:] = [name for name in folders if name != "__pycache__" and not name.startswith(".")]
        files += [
            Path(folder, name)
            for name in names
            if not name.startswith(".") and not name.endswith((".pyc", "~"))
        ]
    return sorted(file for file in files if file.is_file())


def _list_siblings(module: Path) -> list[Path]:
    """Return a module's file, and those of the modules and packages beside it that it imports, directly or not."""
    waiting, files = [module], {module}
    while waiting and len(files) <= MAX_CODE_FILES:
        try:
            tree = ast.parse(waiting.pop().read_bytes())
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += (
                [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            )
            for top in {name.partition(".")[0] for name in names}:
                beside = module.parent / f"{top}.py"
                package = module.parent / top
                near = [beside] if beside.is_file() else []
                near += _list_code(package) if (package / "__init__.py").is_file() else []
                for file in near:
                    if file not in files:
                        files.add(file)
                        waiting += [file] if file.suffix == ".py" else []
    return sorted(files)


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


def _is_below(path: str, folder: str) -> bool:
    """Return whether a path is a folder or lies in it, links followed."""
    real = os.path.realpath(folder)
    return os.path.realpath(path) == real or os.path.realpath(path).startswith(real.rstrip(os.sep) + os.sep)


def _find_stray_folder(top: str, spec: ModuleSpec | None, beside: str | None) -> str | None:
    """Return the folder of a module that nobody installed or named: beside the manifest, or Python's current one."""
    named = [*_folders, *(path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path)]
    if spec is None:
        if beside is None or any(_is_below(beside, folder) for folder in named):
            return None
        return beside if PathFinder.find_spec(top, [beside]) is not None else None
    place = _place(spec)
    if any(_is_below(place, folder) for folder in [*named, *_installed_folders()]):
        return None
    current = [folder for folder in (os.getcwd(), os.path.dirname(sys.argv[0])) if folder]
    outer = _find_spec(top)
    entry = os.path.dirname(_place(outer)) if outer is not None else ""
    is_stray = (beside is not None and _is_below(place, beside)) or any(
        os.path.realpath(folder) == entry for folder in current
    )
    if not is_stray or top in metadata.packages_distributions():
        return None
    return entry


@cache
def _installed_folders() -> tuple[str, ...]:
    """Return the folders that packages are installed in."""
    return (*site.getsitepackages(), site.getusersitepackages())


def _code_root(module: str, spec: ModuleSpec) -> str:
    """Return the folder of the outermost package with an `__init__.py` that holds a module.

    Of a module in packages without one, its folder; of a module in no package, its file.
    """
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        package = _find_spec(".".join(parts[:depth]))
        if package is not None and package.submodule_search_locations and package.origin:
            return _place(package)
    if spec.origin and len(parts) == 1:
        return os.path.realpath(spec.origin)
    return os.path.dirname(os.path.realpath(spec.origin)) if spec.origin else _place(spec)
