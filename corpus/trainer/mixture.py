"""Replace the dataset's mixture: `corpus train --mixture`, a file or a preset of manifests/mixtures/.

    weights: {web: 3, wikipedia: 1}     # or epochs: {wikipedia: 2}
    temperature: 0.3                    # over languages, as in a manifest
    max_epochs: 4                       # no stream is read more often; what it would have had goes to the others

The result is one weight per stream, fixed when a run begins.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import Field, ValidationError

from corpus.data import list_data, read_data
from corpus.errors import UserError
from corpus.suggestions import describe_wrong_value, list_choices
from corpus.tokens import options
from corpus.tokens.mixture import resolve_mixture
from corpus.trainer.dataset import DatasetStream


class TrainingMixture(options.MixtureOptions):
    """A mixture as in a manifest, with a bound on repetition."""

    max_epochs: float | None = Field(default=None, gt=0, allow_inf_nan=False)


def read_mixture(name: str, workspace: str | None = None) -> TrainingMixture:
    """Read a mixture from a YAML file, or the preset of that name: one of the workspace's `mixtures/`, or of corpus."""
    path, presets = Path(name), list_data("mixtures")
    try:
        if workspace is not None and not path.exists():
            own = Path(workspace, "mixtures", f"{name}.yaml")
            path = own if own.is_file() else path
        is_preset = name in presets and not path.exists()
        text = read_data("mixtures", name)[0] if is_preset else path.read_text(encoding="utf-8")
        return TrainingMixture.model_validate(yaml.safe_load(text))
    except OSError:
        raise UserError(f"--mixture {name}: no such file or preset: {list_choices(name, presets)}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(key) for key in first["loc"])
        raise UserError(
            f"--mixture {name}: {place + ': ' if place else ''}{describe_wrong_value(first)}"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"--mixture {name} is not YAML: {str(error).splitlines()[0]}") from None


def check_sources(mixture: TrainingMixture, present: Collection[str]) -> None:
    """Raise UserError if a mixture with weights or epochs does not name a source that is there."""
    named = mixture.weights if mixture.weights is not None else mixture.epochs
    if named is not None and (unknown := sorted(set(present) - named.keys())):
        raise UserError(
            f"--mixture does not list the source {unknown[0]}, only {', '.join(sorted(named))}: "
            "copy it and list every source of the corpus"
        )


def compute_shares(
    mixture: TrainingMixture, streams: Sequence[DatasetStream], tokens: float | None
) -> dict[str, float]:
    """Return the weight of every stream, by its name, in a run of `tokens`.

    Raises UserError for a source that the mixture does not name, and if `max_epochs` leaves too little text.
    """
    present = {stream.source for stream in streams}
    check_sources(mixture, present)
    named = mixture.weights if mixture.weights is not None else mixture.epochs
    if named is not None:
        named = {source: value for source, value in named.items() if source in present}
    known = options.MixtureOptions(
        weights=named if mixture.weights is not None else None,
        epochs=named if mixture.weights is None else None,
        temperature=mixture.temperature,
    )
    sizes = {(stream.source, stream.language): stream.tokens for stream in streams}
    weights = {f"{row.source}/{row.language}": row.weight for row in resolve_mixture(known, sizes)}
    if mixture.max_epochs is None:
        return weights
    if tokens is None:
        raise UserError(
            "max_epochs needs a run of known length: use --steps or --tokens instead of --minutes"
        )
    most = {stream.name: mixture.max_epochs * stream.tokens / tokens for stream in streams}
    return cap_weights(weights, most)


def cap_weights(weights: Mapping[str, float], most: Mapping[str, float]) -> dict[str, float]:
    """Scale weights to sum to 1, none above its bound; the excess is given to the others in proportion."""
    if sum(most[name] for name, weight in weights.items() if weight > 0) < 1:
        raise UserError("max_epochs leaves too little text for this run: shorten the run or raise max_epochs")
    fixed: dict[str, float] = {}
    while True:
        free = {name: weight for name, weight in weights.items() if name not in fixed and weight > 0}
        room = 1 - sum(fixed.values())
        total = sum(free.values())
        scaled = {name: weight * room / total for name, weight in free.items()} if free else {}
        over = [name for name, weight in scaled.items() if weight > most[name]]
        if not over:
            return {name: fixed.get(name, scaled.get(name, 0.0)) for name in weights}
        fixed.update({name: most[name] for name in over})
