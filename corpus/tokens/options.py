"""The manifest's options on tokens: `tokenizer`, `mixture` and `tokens`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ByteSize, ConfigDict, Field, model_validator

END_OF_TEXT = "<|endoftext|>"

SPACELESS_CLASSES = r"\p{Han}\p{Hiragana}\p{Katakana}ーｰ\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
"""Scripts written without spaces; the two signs of long vowels in Japanese belong to no script."""
DEFAULT_PATTERN = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{M}}\p{{N}}]?[\p{{L}}\p{{M}}&&[^{SPACELESS_CLASSES}]]+",
        rf" ?[\p{{L}}\p{{M}}&&[{SPACELESS_CLASSES}]]+",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*",
        r"\s{0,64}[\r\n]{1,64}",
        r"\s{1,64}(?!\S)",
        r"\s",
    ]
)
"""The pattern that splits text before pairs are merged; no merge crosses a boundary.

The lines are, in this order: a word with the one space or sign before it, marks included (Hindi vowel
signs and Arabic vowel points are marks: without them words would break in the middle); a run of a script
written without spaces, apart from other scripts; digits in groups of up to three; signs, with the line
breaks after them; line breaks with the space before them; other space, leaving one for the next word.
This is GPT-4's pattern with marks and the spaceless scripts added, and bounds on space: without them
tiktoken runs out of stack on a million spaces. Bounds on letters would cost a third of its speed and gain
nothing there (measured: 15 against 10 MB/s; four million letters on end take 1.6 s).
"""


class _OptionsModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenizerOptions(_OptionsModel):
    """`tokenizer: {vocabulary: 32000}` trains a tokenizer; `tokenizer: path/to/tokenizer.json` uses an existing one.

    With an existing tokenizer all keys but `path`, `end_of_text` and `max_unknown` would have no effect, so they are
    rejected.
    """

    path: str | None = None
    vocabulary: Annotated[int, Field(ge=257, le=2**20)] = 32_000
    """Total number of tokens: 256 bytes, end-of-text, and the merges."""
    sample_bytes: Annotated[ByteSize, Field(gt=0)] = ByteSize(256_000_000)
    """UTF-8 bytes of training documents that the tokenizer is trained on, over all languages."""
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.3
    """A language's share of the sample is its share of the corpus to this power: 1 keeps the proportions, 0 makes all
    equal; .3 as in XLM-R (Conneau et al. 2020)."""
    min_frequency: Annotated[int, Field(ge=1)] = 2
    """A pair seen less often in the sample is not merged: a small sample gives a smaller vocabulary."""
    pattern: Annotated[str, Field(min_length=1)] = DEFAULT_PATTERN
    end_of_text: Annotated[str, Field(min_length=1)] | None = None
    """The token that ends every document: `<|endoftext|>` by default; in an existing tokenizer the first
    of the usual names that it has."""
    keep: bool = False
    """Whether a vocabulary that the workspace has stays, so that models trained on it go on fitting, whatever input is
    added. It then depends on the first build's input."""
    max_unknown: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of a language's tokens that may be the unknown token of a given tokenizer."""

    @model_validator(mode="before")
    @classmethod
    def _expand_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_given_or_trained(self) -> TokenizerOptions:
        if self.path is not None:
            changed = {
                name
                for name in self.model_fields_set - {"path", "end_of_text", "max_unknown"}
                if getattr(self, name) != type(self).model_fields[name].default
            }
            if changed:
                raise ValueError(
                    f"a tokenizer given by path is not trained: {', '.join(sorted(changed))} would have no effect"
                )
        return self

    def training(self) -> dict[str, Any]:
        """Return the options that a trained vocabulary depends on, as JSON values."""
        return self.model_dump(mode="json", exclude={"path", "keep", "max_unknown"})


class MixtureOptions(_OptionsModel):
    """Options that decide how often the trainer draws from each source and language.

    `weights`: shares of the tokens drawn, by source, relative to each other (a source not named has 1).
    `epochs`: times each source is read while one that is not named is read once.
    `temperature`: languages are drawn in proportion to their amount to this power (1 keeps the proportions,
    towards 0 all are equal), each keeping the proportions of its sources; the T of "temperature sampling" is
    its inverse.
    """

    weights: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = None
    epochs: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = None
    temperature: float = 1.0

    @model_validator(mode="after")
    def _check_one_way(self) -> MixtureOptions:
        if self.weights is not None and self.epochs is not None:
            raise ValueError("weights and epochs both say how often a source is read: keep one of them")
        if not 0 < self.temperature <= 1:
            raise ValueError(
                f"temperature {self.temperature:g} is outside (0, 1]: it is the power on a language's "
                "amount, the inverse of the T of temperature sampling (T = 5 is 0.2)"
            )
        return self


class TokensOptions(_OptionsModel):
    """The shape of the token shards."""

    max_shard_tokens: Annotated[int, Field(ge=1, le=1_000_000_000)] = 100_000_000
    min_language_tokens: Annotated[int, Field(ge=0)] = 10_000
    """A language with fewer tokens in a source shares the shards of `language=other` there."""
