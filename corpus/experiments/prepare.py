"""Write what a comparison or a ladder trains on: tokenizer, held-out text, shards of every arm."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from corpus import storage
from corpus.errors import UserError
from corpus.experiments import arm_shards, epochs
from corpus.experiments.arm_shards import EncodedDocuments
from corpus.experiments.arms import (
    Arm,
    ArmSurvey,
    Key,
    read_validation_pieces,
    survey_workspace,
    train_common_tokenizer,
)
from corpus.experiments.comparison import SHUFFLED_NAME, SHUFFLED_SHARE, CompareOptions, Experiment, Say
from corpus.experiments.held_out import Clearing, HeldOutPiece, choose_pieces, leave_out_items, read_neutral
from corpus.experiments.paired import Cell
from corpus.storage.fingerprint import fingerprint
from corpus.tokens.encode import Encoder
from corpus.trainer.mixture import TrainingMixture, check_sources

MIN_WEIGHT = 0.005
"""A language with a smaller share of what the arms draw is left out of the measure: its text is noise there."""
WHAT_IF_FOLDER = "what-if"
"""Decisions of a workspace under other rules, which are there before the experiment is."""


def prepare(
    folder: Path, arms: Sequence[Arm], options: CompareOptions, say: Say = lambda line: None
) -> Experiment:
    """Write everything but the runs: tokenizer, held-out text, shards of every arm. What is there already is kept.

    Raises UserError for arms that cannot be compared, before anything is trained: too little text for the budget, no
    held-out text in any of their languages, another experiment in `folder`.
    """
    if len({arm.name for arm in arms}) != len(arms):
        raise UserError(
            f"two arms have the name {_first_twice([arm.name for arm in arms])}: name them A=DIR B=DIR"
        )
    if SHUFFLED_NAME in {arm.name for arm in arms}:
        raise UserError(f"an arm cannot be called {SHUFFLED_NAME}: that is a control's name")
    surveys = {arm.name: survey_workspace(arm.workspace) for arm in arms}
    for arm in arms:
        if isinstance(arm.mixture, TrainingMixture):
            check_sources(arm.mixture, {source for source, _ in surveys[arm.name].sizes})
    neutral = read_neutral(options.neutral, options.field) if options.neutral else []
    validation = (
        [piece for arm in arms for piece in read_validation_pieces(arm)] if options.validation else []
    )
    held_out = leave_out_items(
        neutral + _without_repeats(validation, neutral), [arm.workspace for arm in arms], say
    )
    if not held_out:
        raise UserError("no held-out text: the arms have no validation documents: name texts with --neutral")
    identity = fingerprint(
        [
            arm_shards.VERSION,
            options.json(),
            [arm.describe() | {"survey": surveys[arm.name].identity} for arm in arms],
            [dataclasses.asdict(piece) for piece in held_out],
            storage.sha256(options.tokenizer) if options.tokenizer else None,
        ]
    )
    _claim(folder, identity, arms, options)
    notes = _describe_tokenizers(arms, surveys, options)
    encoder = _make_tokenizer(folder, arms, options)
    every = (
        [*arms, replace(arms[0], name=SHUFFLED_NAME, shuffle=SHUFFLED_SHARE)]
        if options.controls
        else list(arms)
    )
    paths = {arm.name: folder / "arms" / arm.name for arm in every}
    if not all((path / "arm.json").exists() for path in paths.values()):
        _write_arms(paths, every, arms, surveys, encoder, options, held_out, neutral)
    facts = {
        name: json.loads((path / "arm.json").read_text(encoding="utf-8")) for name, path in paths.items()
    }
    pieces, weights, more = choose_measure(held_out, [facts[arm.name] for arm in arms], options)
    for line in [*notes, *more]:
        say(line)
    return Experiment(
        folder=folder,
        options=options,
        arms=tuple(arms),
        facts=facts,
        pieces=tuple(pieces),
        weights=weights,
        notes=(*notes, *more),
    )


def _first_twice(names: Sequence[str]) -> str:
    return next(name for name in names if names.count(name) > 1)


def _without_repeats(pieces: Sequence[HeldOutPiece], known: Sequence[HeldOutPiece]) -> list[HeldOutPiece]:
    """Return the pieces whose text is not there yet: two arms may validate with the same documents."""
    texts = {piece.text for piece in known}
    unique = []
    for piece in pieces:
        if piece.text not in texts:
            texts.add(piece.text)
            unique.append(piece)
    return unique


def _claim(folder: Path, identity: str, arms: Sequence[Arm], options: CompareOptions) -> None:
    """Write experiment.json. Raises UserError if the folder holds another experiment."""
    path = folder / "experiment.json"
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8"))["identity"] != identity:
            raise UserError(f"{folder} holds an experiment on other arms or settings: use another --out")
        return
    if folder.exists() and any(path.name != WHAT_IF_FOLDER for path in folder.iterdir()):
        raise UserError(f"{folder} is not empty and holds no experiment: use another --out")
    content = {
        "identity": identity,
        "arms": [{**arm.describe(), "workspace": arm.workspace} for arm in arms],
        "options": options.json(),
    }
    storage.write_text(str(path), json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _describe_tokenizers(
    arms: Sequence[Arm], surveys: Mapping[str, ArmSurvey], options: CompareOptions
) -> list[str]:
    if len({survey.tokenizer for survey in surveys.values()} - {None}) < 2:
        return []
    common = options.tokenizer or f"one of {options.vocabulary:,} tokens trained on all of them alike"
    names = ", ".join(arm.name for arm in arms)
    return [f"{names} were built with different tokenizers: all are encoded with {common}"]


def _make_tokenizer(folder: Path, arms: Sequence[Arm], options: CompareOptions) -> Encoder:
    path = folder / "tokenizer" / "tokenizer.json"
    if not path.exists():
        if options.tokenizer is not None:
            content = storage.read_bytes(options.tokenizer)
        else:
            content = train_common_tokenizer(arms, options.vocabulary)
        storage.write_bytes(str(path), content)
    return Encoder(path.read_bytes())


def _write_arms(
    paths: Mapping[str, Path],
    every: Sequence[Arm],
    arms: Sequence[Arm],
    surveys: Mapping[str, ArmSurvey],
    encoder: Encoder,
    options: CompareOptions,
    held_out: Sequence[HeldOutPiece],
    neutral: Sequence[HeldOutPiece],
) -> None:
    """Encode and write all arms. Memory: the tokens of all of them."""
    groups = frozenset().union(*(survey.held for survey in surveys.values()))
    known = {piece.text for piece in neutral}
    validation = [piece.text for piece in held_out if piece.text not in known]
    clearing = Clearing(known, validation)
    encoded: dict[str, EncodedDocuments] = {}
    weights: dict[str, dict[Key, float]] = {}
    for arm in every:
        survey = surveys[arms[0].name if arm.name == SHUFFLED_NAME else arm.name]
        encoded[arm.name] = arm_shards.encode_arm(arm, survey, encoder, groups, clearing, options.tokens)
        if not encoded[arm.name].streams:
            raise UserError(
                f"{arm.name}: nothing is left to train on without held-out text: name other --neutral texts"
            )
        weights[arm.name] = epochs.weigh_languages(arm.mixture, encoded[arm.name].sizes(), options.tokens)
    names = [arm.name for arm in arms]
    plans = epochs.match_epochs(
        [epochs.sum_sources(encoded[name].sizes()) for name in names],
        [epochs.sum_sources(weights[name]) for name in names],
        options.tokens,
        options.matching,
        options.target_tokens,
    )
    epochs.check_epochs(names, plans, options.tokens, options.max_epochs)
    planned: dict[str, dict[str, epochs.SourcePlan]] = dict(zip(names, plans, strict=True))
    for arm in every:
        own = planned[arms[0].name if arm.name == SHUFFLED_NAME else arm.name]
        arm_shards.write_arm(
            paths[arm.name],
            arm,
            encoded[arm.name],
            own,
            weights[arm.name],
            encoder,
            "../../../tokenizer/tokenizer.json",
        )


def choose_measure(
    held_out: Sequence[HeldOutPiece], facts: Sequence[Mapping[str, Any]], options: CompareOptions
) -> tuple[list[HeldOutPiece], dict[Cell, float], list[str]]:
    """Return the pieces that are measured, the weight of every cell, and what is to be said about languages.

    Languages are weighed by their share of what the arms draw on average; those below MIN_WEIGHT, and those that no arm
    draws, are not measured. Sources of one language count alike. Raises UserError if no drawn language has text.
    """
    shares: dict[str, float] = {}
    for fact in facts:
        for row in fact["languages"]:
            shares[row["language"]] = shares.get(row["language"], 0.0) + row["weight"] / len(facts)
    drawn = {language: share for language, share in shares.items() if share >= MIN_WEIGHT}
    pieces = choose_pieces([piece for piece in held_out if piece.language in drawn], options.held_out_bytes)
    cells = sorted({(piece.source, piece.language) for piece in pieces})
    if not cells:
        raise UserError(
            f"no held-out text in the languages of the arms ({', '.join(sorted(drawn))}): "
            "name texts in them with --neutral"
        )
    sources: dict[str, int] = {}
    for _, language in cells:
        sources[language] = sources.get(language, 0) + 1
    weights = {cell: drawn[cell[1]] / sources[cell[1]] for cell in cells}
    notes = []
    if unmeasured := sorted(drawn.keys() - sources.keys(), key=lambda language: -drawn[language]):
        share = sum(drawn[language] for language in unmeasured)
        notes.append(
            f"without held-out text, and so not measured: {', '.join(unmeasured)} ({share:.1%} of what is drawn): "
            "name texts in them with --neutral"
        )
    few = sorted({cell[1] for cell in cells if sum((p.source, p.language) == cell for p in pieces) < 5})
    if few:
        notes.append(
            f"fewer than five pieces of held-out text in {', '.join(few)}: their intervals will be wide"
        )
    return pieces, weights, notes
