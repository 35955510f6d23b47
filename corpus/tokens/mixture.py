"""The mixture: how often each source and language is drawn, by weights, epochs or a temperature, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from corpus.errors import UserError
from corpus.tokens.options import MixtureOptions


@dataclass(frozen=True, kw_only=True, slots=True)
class MixtureShare:
    """A row of the mixture table, as in table 2.2 of GPT-3 (Brown et al. 2020).

    `weight` is its share of the drawn tokens; `epochs` the number of times that its tokens are seen
    in a run that draws as many tokens as the whole table has (twice that in a run twice as long).
    """

    source: str
    language: str
    tokens: int
    weight: float
    epochs: float


def resolve_mixture(options: MixtureOptions, tokens: Mapping[tuple[str, str], int]) -> list[MixtureShare]:
    """Return the mixture over (source, language), sorted; those without tokens are left out.

    Weights sum to 1. Without options everything is seen once: the weight is the share of all tokens. Inside
    a source with a weight, languages keep their proportions. The temperature comes last: a language with
    weight w gets w ** temperature, normalized, and its sources keep their proportions.
    Raises UserError if the options leave nothing to draw.
    """
    present = {key: count for key, count in sorted(tokens.items()) if count > 0}
    if not present:
        return []
    total = sum(present.values())
    weights = {key: count * multiplier for key, count, multiplier in _apply_multipliers(options, present)}
    drawn = sum(weights.values())
    if drawn <= 0:
        raise UserError(
            "the mixture leaves nothing to draw: every source with tokens has weight 0", ("mixture",)
        )
    weights = {key: weight / drawn for key, weight in weights.items()}
    if options.temperature != 1:
        weights = _apply_temperature(weights, options.temperature)
    return [
        MixtureShare(
            source=source,
            language=language,
            tokens=count,
            weight=weights[source, language],
            epochs=weights[source, language] * total / count,
        )
        for (source, language), count in present.items()
    ]


def gather_streams(shares: list[MixtureShare], streams: Mapping[tuple[str, str], str]) -> list[MixtureShare]:
    """Return the same table over (source, stream); `streams` maps each source's language to its stream.

    Languages that share the shards of `other` are drawn together, with the sum of their weights.
    """
    gathered: dict[tuple[str, str], tuple[int, float]] = {}
    total = sum(share.tokens for share in shares)
    for share in shares:
        key = (share.source, streams.get((share.source, share.language), share.language))
        tokens, weight = gathered.get(key, (0, 0.0))
        gathered[key] = (tokens + share.tokens, weight + share.weight)
    return [
        MixtureShare(
            source=source, language=language, tokens=tokens, weight=weight, epochs=weight * total / tokens
        )
        for (source, language), (tokens, weight) in sorted(gathered.items())
    ]


def _apply_multipliers(
    options: MixtureOptions, present: Mapping[tuple[str, str], int]
) -> list[tuple[tuple[str, str], int, float]]:
    """Return (key, tokens, weight of one token before normalization) for every source and language."""
    if options.weights is not None:
        sizes: dict[str, int] = {}
        for (source, _), count in present.items():
            sizes[source] = sizes.get(source, 0) + count
        return [
            (key, count, options.weights.get(key[0], 1.0) / sizes[key[0]]) for key, count in present.items()
        ]
    epochs = options.epochs or {}
    return [(key, count, epochs.get(key[0], 1.0)) for key, count in present.items()]


def _apply_temperature(
    weights: dict[tuple[str, str], float], temperature: float
) -> dict[tuple[str, str], float]:
    languages: dict[str, float] = {}
    for (_, language), weight in weights.items():
        languages[language] = languages.get(language, 0.0) + weight
    powers = {language: weight**temperature for language, weight in languages.items() if weight > 0}
    norm = sum(powers.values())
    return {
        (source, language): weight * (powers[language] / norm / languages[language]) if weight > 0 else 0.0
        for (source, language), weight in weights.items()
    }
