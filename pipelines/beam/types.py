"""What the pipelines use of Beam, with types: its own functions have none, or are not exported where mypy is strict.

Importing it loads Beam, which takes most of a second, so it is imported where a pipeline is built.
Nothing here adds to what Beam's name does. `output` is the type of the elements that come out; Beam takes their coder
from it. What Beam types itself (`beam.Pipeline`, `beam.DoFn`, `beam.CombineFn`) is used as it is.
"""

# Beam's transforms, counters and worker have no annotations: here alone they are called all the same.
# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeAlias

import apache_beam as beam
from apache_beam.coders import RowCoder
from apache_beam.coders.typecoders import registry
from apache_beam.options.pipeline_options import _BeamArgumentParser
from apache_beam.pvalue import PCollection as PCollection
from apache_beam.runners.runner import create_runner as create_runner
from apache_beam.transforms.window import GlobalWindow, GlobalWindows
from apache_beam.utils.windowed_value import WindowedValue

OptionParser: TypeAlias = _BeamArgumentParser
"""What Beam's option classes put their flags into: an `argparse.ArgumentParser`."""
Transform: TypeAlias = beam.PTransform[Any, Any]
"""What stands to the right of `|`; `"label" >> transform` names it."""


def create(elements: Iterable[object], output: object) -> Transform:
    """Return Beam's `Create` without the reshuffle that Beam appends by default."""
    return _giving(beam.Create(elements, reshuffle=False), output)


def par_do(work: beam.DoFn, output: object) -> Transform:
    """Beam's `ParDo`."""
    return _giving(beam.ParDo(work), output)


def par_do_tagged(work: beam.DoFn, output: object, tag: str) -> Transform:
    """Beam's `ParDo` with a second output: the result has the attributes `main` and what `tag` says."""
    tagged: Any = _giving(beam.ParDo(work), output)
    outputs: Transform = tagged.with_outputs(tag, main="main")
    return outputs


def map_each(function: Callable[..., object], *arguments: object, output: object) -> Transform:
    """Beam's `Map`: `function(element, *arguments)` for every element."""
    return _giving(beam.Map(function, *arguments), output)


def flat_map(function: Callable[..., Iterable[object]], *arguments: object, output: object) -> Transform:
    """Beam's `FlatMap`: all that `function(element, *arguments)` gives, for every element."""
    return _giving(beam.FlatMap(function, *arguments), output)


def keep_if(predicate: Callable[..., bool], *arguments: object, output: object) -> Transform:
    """Beam's `Filter`: the elements for which `predicate(element, *arguments)` is true."""
    return _giving(beam.Filter(predicate, *arguments), output)


def combine_per_key(combiner: Any, output: object) -> Transform:
    """Beam's `CombinePerKey`; `combiner` has the methods of a `CombineFn`."""
    return _giving(beam.CombinePerKey(_Combining(combiner)), output)


class _Combining(beam.CombineFn):
    """Beam's `CombineFn` with the methods of another object, whose module need not import Beam."""

    def __init__(self, combiner: Any) -> None:
        self.combiner = combiner

    def create_accumulator(self) -> Any:
        return self.combiner.create_accumulator()

    def add_input(self, accumulator: Any, element: Any) -> Any:
        return self.combiner.add_input(accumulator, element)

    def merge_accumulators(self, accumulators: Iterable[Any]) -> Any:
        return self.combiner.merge_accumulators(accumulators)

    def extract_output(self, accumulator: Any) -> Any:
        return self.combiner.extract_output(accumulator)


def in_sequence(steps: Mapping[str, Transform], output: object) -> Transform:
    """Return one transform that applies several, each with its label, to what the one before gives."""
    return _giving(_Sequence(steps), output)


class _Sequence(beam.PTransform[Any, Any]):
    """Transforms one after the other."""

    def __init__(self, steps: Mapping[str, Transform]) -> None:
        super().__init__()
        self.steps = steps

    def expand(self, collection: Any) -> Any:
        for label, step in self.steps.items():
            collection = collection | label >> step
        return collection


def group_by_key() -> Transform:
    """Beam's `GroupByKey`: (key, value) elements to (key, values)."""
    return beam.GroupByKey()


def reshuffle() -> Transform:
    """Beam's `Reshuffle`: the same elements, dealt out anew."""
    return beam.Reshuffle()


def flatten() -> Transform:
    """Beam's `Flatten`: several collections as one."""
    return beam.Flatten()


def tag_output(tag: str, element: object) -> object:
    """Beam's `TaggedOutput`: an element for the output named `tag`."""
    return beam.pvalue.TaggedOutput(tag, element)


def put_in_window(element: object, timestamp: Any, window: Any) -> object:
    """Beam's `WindowedValue`: an element that keeps its time and window, whenever it comes out."""
    if isinstance(element, beam.pvalue.TaggedOutput):
        return tag_output(element.tag, put_in_window(element.value, timestamp, window))
    return WindowedValue(element, timestamp, (window,))


def put_in_global_window(element: object) -> object:
    """Return an element for the end of a bundle in a pipeline without windows."""
    return WindowedValue(element, GlobalWindow().max_timestamp(), (GlobalWindow(),))


def is_windowed(collection: PCollection[Any]) -> bool:
    """Return whether a collection is divided into windows."""
    return not isinstance(collection.windowing.windowfn, GlobalWindows)


def register_row(*types: type) -> None:
    """Give NamedTuples Beam's `RowCoder`; without this they would be pickled."""
    for each in types:
        registry.register_coder(each, RowCoder)


@cache
def coder_of(row_type: type) -> Any:
    """Return the coder registered for a type, with `encode` and `decode`. Making a `RowCoder` costs .2 ms, so once."""
    return registry.get_coder(row_type)


def run_worker(arguments: list[str]) -> None:
    """Run one of Beam's worker processes until it is asked to end; the environment says for which pipeline."""
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(arguments)


def _giving(transform: Transform, output: object) -> Transform:
    """Return a transform with the type of its output elements set."""
    typed: Transform = transform.with_output_types(output)
    return typed
