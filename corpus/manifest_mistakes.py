"""Validate what a manifest has, and say of each thing that is wrong what it is, where, and what may be meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import count, islice
from typing import Any, Protocol, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from corpus.formats.yaml_lines import KeyPath
from corpus.languages.names import WrongLanguageError
from corpus.suggestions import describe_wrong_value, find_nearest, suggest_names

TRAINING_KEYS = {
    (
        "mixture",
        "max_epochs",
    ): "it is for training: write it into a file for `corpus train DIR --mixture FILE`"
}
"""Keys that a user may miss here, by the section where they are looked for: where they belong."""
QUOTED_WORD = re.compile(r"'([^']*)'")

Model = TypeVar("Model", bound=BaseModel)


class NotedFile(Protocol):
    """A manifest's file: the lines of its keys, and the mistakes that are noted of it."""

    @property
    def lines(self) -> Mapping[KeyPath, int]: ...

    def note(self, path: KeyPath, message: str) -> None: ...


def validate(
    source_file: NotedFile,
    model: type[Model],
    content: dict[str, Any],
    where: KeyPath,
    lacks: bool = False,
) -> Model | None:
    """Return the model of what a manifest has at `where`, without what is wrong in it; None where that is needed.

    Each mistake is noted once: what is wrong is taken out, and the rest is checked again until nothing more comes up.
    `lacks` says that parts of it are out already.
    """
    removed: set[KeyPath] = {("sources",)} if lacks else set()
    while True:
        try:
            return model.model_validate(content)
        except ValidationError as error:
            problems = _list_distinct(error.errors(), content)
        before = len(removed)
        meant = _list_meant_keys(problems, model)
        for place, problem in problems:
            in_file = _find_in_file(place, removed)
            is_misspelt = problem["type"] == "missing" and problem["loc"] in meant
            if not is_misspelt and not any(gone[: len(in_file)] == in_file for gone in removed):
                path, message = _describe_problem(source_file, problem, in_file, where, model)
                source_file.note(path, message)
        for place, problem in reversed(problems):
            if isinstance(problem.get("ctx", {}).get("error"), WrongLanguageError):
                place = place[: len(problem["loc"])]  # it names all wrong ones of its list
            if place:
                removed.add(_find_in_file(place, removed))
                _remove_value(content, place)
        if len(removed) == before:
            return None


def _list_meant_keys(problems: list[tuple[KeyPath, Any]], model: type[BaseModel]) -> set[tuple[Any, ...]]:
    """Return the keys, by their paths in the model, that unknown keys of it are taken for."""
    meant = set()
    for _, problem in problems:
        *above, key = problem["loc"] or ("",)
        if problem["type"] == "extra_forbidden":
            meant |= {(*above, name) for name in find_nearest(str(key), list_keys(model, above), 1)}
    return meant


def _list_distinct(problems: list[Any], content: Any) -> list[tuple[KeyPath, Any]]:
    """Return pydantic's errors by the value in the content that each is about, in their order; of several about one
    value, one inside the other, an unknown key, else the first."""
    chosen: list[tuple[KeyPath, Any]] = []
    for problem in sorted(problems, key=lambda problem: problem["type"] != "extra_forbidden"):
        place = _find_value(content, problem)
        if not any(
            place[: len(other)] == other or other[: len(place)] == place for other, _ in chosen if other
        ):
            chosen.append((place, problem))
    order = {id(problem): at for at, problem in enumerate(problems)}
    return sorted(chosen, key=lambda entry: order[id(entry[1])])


def _find_value(content: Any, problem: Any) -> KeyPath:
    """Return the place of the value that an error is about: the innermost one of its path that the content has."""
    path: list[str | int] = []
    cause = problem.get("ctx", {}).get("error")
    steps = list(problem["loc"])
    if isinstance(cause, WrongLanguageError):
        given = problem["input"]
        steps.append(list(given)[cause.at] if isinstance(given, Mapping) else cause.at)
    for step in steps:
        is_item = isinstance(content, list) and isinstance(step, int) and step < len(content)
        if is_item or (isinstance(content, dict) and step in content):
            content = content[step]
        elif isinstance(content, BaseModel) or problem["type"] != "missing":
            continue
        else:
            return (*path, step)
        path.append(step)
    return tuple(path)


def _find_in_file(place: KeyPath, removed: set[KeyPath]) -> KeyPath:
    """Return the place in the file of a value in content that lacks what was removed: items of lists have moved up."""
    path: KeyPath = ()
    for step in place:
        if isinstance(step, int):
            gone = {other[-1] for other in removed if other[:-1] == path}
            step = next(islice((at for at in count() if at not in gone), step, None))
        path = (*path, step)
    return path


def _remove_value(content: Any, place: KeyPath) -> None:
    for step in place[:-1]:
        content = content[step]
    if isinstance(content, dict):
        content.pop(place[-1], None)
    elif isinstance(content, list) and isinstance(place[-1], int):
        del content[place[-1]]


def _describe_problem(
    source_file: NotedFile, problem: Any, place: KeyPath, where: KeyPath, model: type[BaseModel]
) -> tuple[KeyPath, str]:
    """Return the key and a message for one of pydantic's errors on a model, which the manifest has at `where`."""
    path: KeyPath = (*where, *place)
    while len(path) > len(where) and path not in source_file.lines and problem["type"] != "missing":
        path = path[:-1]
    message = describe_wrong_value(problem)
    given = problem.get("input")
    if problem["type"] == "extra_forbidden":
        path = (*where, *place)
        known = list_keys(model, problem["loc"][:-1])
        elsewhere = TRAINING_KEYS.get((str(path[0]), str(problem["loc"][-1])))
        advice = elsewhere or (suggest_names(str(problem["loc"][-1]), known) if known else "")
        message = f"unknown key: {advice}" if advice else "unknown key"
    elif problem["type"] == "literal_error":
        words = QUOTED_WORD.findall(str(problem["ctx"]["expected"]))
        message = f"{given!r} is not among its values: {suggest_names(str(given), words, 'say one of')}"
    elif (
        problem["type"] != "missing"
        and "input" in problem
        and not isinstance(given, dict | list)
        and repr(given) not in message
    ):
        message = f"{message} (it is {'empty' if given is None else repr(given)})"
        message = f"{message}{_suggest_form(problem, model)}"
    return path, message


def _suggest_form(problem: Any, model: type[BaseModel]) -> str:
    """Return how a lone value is written where a list or a mapping is expected: `: say [fineweb]`, or
    `: say {mode: fast}`; nothing where it would be wrong in there, too."""
    given = problem["input"]
    if not isinstance(given, str) or not given:
        return ""
    if problem["type"] in ("list_type", "tuple_type"):
        return f": say [{given}]"
    if problem["type"] == "model_type":
        for below in list_models(model, problem["loc"]):
            key = next(iter(below.model_fields))
            if _takes(below, {key: given}):
                return f": say {{{key}: {given}}}"
    return ""


def _takes(model: type[BaseModel], content: dict[str, Any]) -> bool:
    try:
        model.model_validate(content)
    except ValidationError:
        return False
    return True


def list_keys(model: type[BaseModel], path: Sequence[Any]) -> list[str]:
    """Return the keys that a model takes at a path below it; several models at one place (A or B) add up."""
    return list(dict.fromkeys(name for each in list_models(model, path) for name in each.model_fields))


def list_models(model: type[BaseModel], path: Sequence[Any]) -> list[type[BaseModel]]:
    """Return the models that may stand at a path below a model."""
    models = [model]
    for key in path:
        fields = [each.model_fields[key] for each in models if key in each.model_fields]
        if fields:
            models = [below for field in fields for below in _models_in(field.annotation)]
    return models


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the models that a type is made of: itself, or those in `A | None`, `dict[str, A]`, `list[A]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]
