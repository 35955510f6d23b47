"""Train the extractor from folders of gold, and judge it on sites that it has not seen.

The same folders give the same bytes: pages are in the order of their names, random numbers have a fixed seed, and
sites, not pages, are divided by a hash, so that no site is on both sides. The second look is learned from estimates of
models that have not seen the page's site, since those of the model that learned it are surer than it will ever be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from corpus.errors import UserError
from corpus.extract.html.blocks import block_model
from corpus.extract.html.blocks.block_model import BlockModel, SecondLook, read_model, write_model
from corpus.extract.html.blocks.features import FEATURES
from corpus.extract.html.blocks.main_blocks import extract_blocks_text
from corpus.extract.html.blocks.second_look import ESTIMATE_FEATURES
from corpus.extract.html.blocks.training.examples import (
    BARE_SHARE,
    Example,
    PageTokens,
    ReadText,
    SeenExample,
    gather_tokens,
    join_batch,
    join_seen,
    look_at,
    make_bare,
    make_example,
    make_lexicon,
)
from corpus.extract.html.blocks.training.gold_pages import GoldFolder, GoldPage
from corpus.extract.html.blocks.training.network import (
    SECOND_LOOK_UNITS,
    Alone,
    Batch,
    Network,
    to_integers,
    to_second_look,
)
from corpus.extract.html.blocks.training.scores import Scores
from corpus.extract.html.empty_anchors import close_empty_anchors
from corpus.extract.html.page_depth import is_too_deep
from corpus.languages.identify import Identifier

FEW_PAGES = 200
"""Pages below which those of a folder count twice, so that its kind is not lost among the others."""
PAGES_A_STEP = 24
RATE = 3e-3
WARM_STEPS = 100
SECOND_LOOK_EPOCHS = 6
TEACHER_SEED = 100
"""Distance between the seeds of a network and of its teachers."""
MIN_LANGUAGE_BYTES = 200
"""Bytes of gold text whose language is told."""

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ExtractorOptions:
    """How an extractor is trained; `folds` is into how many parts the sites are divided for its scores and its second
    look (0: it has neither), `teachers` how many networks are learned first, of which it learns as well."""

    epochs: int = 10
    folds: int = 5
    teachers: int = 3
    seed: int = 0


def train_extractor(
    folders: Sequence[GoldFolder],
    out: str,
    options: ExtractorOptions,
    read_other: ReadText,
    *,
    keep: str | None = None,
    report: Report = print,
) -> dict[str, Any]:
    """Train on all pages, write the model to `out` and its card to `out`.card.json, and return the card.

    Its scores are of models trained without the sites that they judge; `keep` is a folder that gets these. For
    `read_other` see `examples.make_example`.
    """
    examples = list(_make_examples(folders, read_other, report))
    if not examples:
        raise UserError("no page of these folders has both text and gold")
    scores: dict[str, Any] = {}
    again = None
    if options.folds:
        models, again = fit_parts(examples, options, report)
        if keep is not None:
            Path(keep).mkdir(parents=True, exist_ok=True)
            for fold, model in enumerate(models):
                Path(keep, f"part-{fold}.npz").write_bytes(write_model(model))
        scores = score_folders(folders, lambda page: models[fold_of(page.site, options.folds)])
    report(f"all: {len(examples):,} pages")
    content = write_model(replace(fit(examples, options), again=again))
    Path(out).write_bytes(content)
    card = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "version": block_model.VERSION,
        "data": [
            {
                "folder": folder.name,
                "pages": len(folder.pages),
                "sites": len({page.site for page in folder.pages}),
            }
            for folder in folders
        ],
        "training": asdict(options),
        "scores": scores,
    }
    Path(f"{out}.card.json").write_text(
        json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return card


def evaluate_extractor(file: str, folders: Sequence[GoldFolder]) -> dict[str, Any]:
    """Return the scores of a model on folders of gold. Raises UserError if it is none."""
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}") from None
    model = read_model(content, file)
    return score_folders(folders, lambda page: model)


def score_folders(
    folders: Sequence[GoldFolder], choose: Callable[[GoldPage], BlockModel]
) -> dict[str, dict[str, dict[str, float | int | None]]]:
    """Return the scores of each folder, by what is in it: `all`, each page type, each language."""
    identifier = Identifier()
    result = {}
    for folder in folders:
        groups: dict[str, Scores] = {}
        for page in folder.pages:
            html = close_empty_anchors(page.html)
            text = None if is_too_deep(html) else extract_blocks_text(html, choose(page)).text
            gold = page.text if page.text is not None else "\n".join(page.wanted)
            names = ["all", page.kind]
            if len(gold.encode("utf-8", "replace")) >= MIN_LANGUAGE_BYTES:
                names.append(identifier.identify(gold, None)[0])
            for name in names:
                groups.setdefault(name, Scores()).add(text or "", page.text, page.wanted, page.unwanted)
        result[folder.name] = {name: scores.to_row() for name, scores in sorted(groups.items())}
    return result


def fold_of(site: str, folds: int) -> int:
    """Return the part that a site belongs to."""
    return int.from_bytes(hashlib.sha256(site.encode("utf-8", "replace")).digest()[:8], "big") % folds


def fit_parts(
    examples: Sequence[Example], options: ExtractorOptions, report: Report
) -> tuple[list[BlockModel], SecondLook]:
    """Return the models of the parts, each learned without the sites of one, and the second look of all pages."""
    parts = [fold_of(example.gold.site, options.folds) for example in examples]
    models = []
    for fold in range(options.folds):
        rest = [example for example, part in zip(examples, parts, strict=True) if part != fold]
        report(f"part {fold + 1} of {options.folds}: {len(rest):,} pages")
        models.append(fit(rest, options))
    random = np.random.default_rng(options.seed)
    seen, seen_parts = [], []
    for example, part in zip(examples, parts, strict=True):
        bare = make_bare(example, random) if random.random() < BARE_SHARE else None
        for one in (example, bare):
            if one is not None:
                seen.append(look_at(one, models[part]))
                seen_parts.append(part)
    for fold in range(options.folds):
        others = [one for one, part in zip(seen, seen_parts, strict=True) if part != fold]
        models[fold] = replace(models[fold], again=fit_second_look(others, options))
    return models, fit_second_look(seen, options)


def fit(examples: Sequence[Example], options: ExtractorOptions) -> BlockModel:
    """Return the model, without a second look, that is learned from some examples.

    It is learned half from their labels and half from what the teachers make of them, which differ from it by their
    seeds alone: what they agree on is less of a guess than the labels of few pages are.
    """
    random = np.random.default_rng(options.seed)
    lexicon = make_lexicon(examples)
    bare = [make_bare(example, random) for example in examples if random.random() < BARE_SHARE]
    examples = [*examples, *(example for example in bare if example is not None)]
    tokens = [gather_tokens(example.page, lexicon) for example in examples]

    def learn(labelled: Sequence[Example], seed: int, random: np.random.Generator) -> Network:
        def join(chosen: Sequence[int]) -> Batch:
            return join_batch([labelled[one] for one in chosen], [tokens[one] for one in chosen], random)

        network = Network(examples[0].features.shape[1], len(lexicon), seed)
        _learn(network, len(labelled), options.epochs, join, random)
        return network

    seeds = [options.seed + TEACHER_SEED * at for at in range(1, options.teachers + 1)]
    teachers = [learn(examples, seed, np.random.default_rng(seed)) for seed in seeds]
    labelled = [_soften(example, page, teachers) for example, page in zip(examples, tokens, strict=True)]
    return to_integers(learn(labelled, options.seed, random), lexicon, {})


def _soften(example: Example, tokens: PageTokens, teachers: Sequence[Network]) -> Example:
    """Return an example whose labels are the mean of its own and of the teachers' estimates."""
    if not teachers:
        return example
    batch = join_batch([example], [tokens])
    estimates = sum(1 / (1 + np.exp(-teacher.run(batch)[0])) for teacher in teachers) / len(teachers)
    return replace(example, labels=((example.labels + estimates) / 2).astype(np.float32))


def fit_second_look(seen: Sequence[SeenExample], options: ExtractorOptions) -> SecondLook:
    """Return the second look that is learned from examples with the estimates of a first."""
    random = np.random.default_rng(options.seed)
    network = Network(ESTIMATE_FEATURES + FEATURES, 0, options.seed, SECOND_LOOK_UNITS, Alone)

    def join(chosen: Sequence[int]) -> Batch:
        return join_seen([seen[one] for one in chosen], random)

    _learn(network, len(seen), SECOND_LOOK_EPOCHS, join, random)
    return to_second_look(network)


def _learn(
    network: Network,
    count: int,
    epochs: int,
    join: Callable[[Sequence[int]], Batch],
    random: np.random.Generator,
) -> None:
    """Let a network learn from `count` examples; `join` makes a batch of some."""
    steps = epochs * -(-count // PAGES_A_STEP)
    step = 0
    for _ in range(epochs):
        order = random.permutation(count)
        for at in range(0, count, PAGES_A_STEP):
            rate = RATE * min(1.0, (step + 1) / WARM_STEPS) * 0.5 * (1 + float(np.cos(np.pi * step / steps)))
            network.learn(join(order[at : at + PAGES_A_STEP].tolist()), rate)
            step += 1


def _make_examples(folders: Sequence[GoldFolder], read_other: ReadText, report: Report) -> Iterator[Example]:
    for folder in folders:
        report(f"reading {folder.name}: {len(folder.pages):,} pages")
        for page in folder.pages:
            page = replace(page, html=close_empty_anchors(page.html))
            if not is_too_deep(page.html) and (example := make_example(page, read_other)) is not None:
                yield from [example] * (2 if len(folder.pages) < FEW_PAGES else 1)
