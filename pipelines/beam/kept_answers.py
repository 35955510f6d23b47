"""Keep what Beam works out of the same steps and options again and again: a fifth of the start of a small build.

It reads the signatures of every method of a step some eight times, those of methods that all steps share for each of
them (3,400 in a build of one page), and makes a parser of arguments each time that it looks at an option, some 430
times in the pipelines of one build.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType, MethodType
from typing import Any
from weakref import WeakKeyDictionary


def keep_answers() -> None:
    """Let Beam, which has been imported, ask for each answer once a step, or once a method of a class, and once for
    options and a kind of them.

    Views of the same options share their values, so one of each kind does for all.
    """
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.transforms import core, userstate

    core.get_signature = _keep_by_function(core.get_signature)  # type: ignore[attr-defined]
    userstate.get_dofn_specs = _keep_by_object(userstate.get_dofn_specs)
    PipelineOptions.view_as = _keep_by_object(PipelineOptions.view_as)  # type: ignore[method-assign]


def _keep_by_object(ask: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that asks once for each first argument, while it lives, and each of the others."""
    answers: WeakKeyDictionary[Any, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()

    @wraps(ask)
    def keep(asked: Any, *others: Any) -> Any:
        known = answers.setdefault(asked, {})
        if others not in known:
            known[others] = ask(asked, *others)
        return known[others]

    return keep


def _keep_by_function(ask: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that asks once for the methods of all objects that are the same function."""
    answers: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    @wraps(ask)
    def keep(asked: Any) -> Any:
        function = asked.__func__ if type(asked) is MethodType else None
        if type(function) is not FunctionType:
            return ask(asked)
        if function not in answers:
            answers[function] = ask(asked)
        return answers[function]

    return keep
