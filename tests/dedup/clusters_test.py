"""Who stays, against a walk written out plainly; and hand-made cases."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from corpus.dedup.clusters import (
    EDGE_DTYPE,
    LEVEL_EXACT,
    LEVEL_NAMES,
    MEMBER_DTYPE,
    choose_removed,
    reduce_to_stars,
)

WIDTH = 100


def components(links: Iterable[tuple[Hashable, Hashable]]) -> list[set[Any]]:
    """What hangs together, by joining sets."""
    found: list[set[Any]] = []
    for link in links:
        touched = [one for one in found if one & set(link)]
        found = [one for one in found if one not in touched] + [set(link).union(*touched)]
    return found


@dataclass(frozen=True)
class Document:
    content: int
    url: int = 0
    quality: float = 0.5


def decided(
    documents: list[Document], similar: dict[tuple[int, int], int], closure: str = "best", seed: int = 0
) -> dict[int, tuple[str, int, float | None, int]]:
    """Document to (level, the one that stands for it, similarity, size). `similar`: contents to matches."""
    links: list[tuple[Hashable, Hashable]] = [
        (("content", one), ("content", other)) for one, other in similar
    ]
    for at, document in enumerate(documents):
        links.append((("document", at), ("content", document.content)))
        if document.url:
            links.append((("document", at), ("url", document.url)))
    members = np.zeros(len(documents), MEMBER_DTYPE)
    for root, component in enumerate(components(links)):
        for kind, at in component:
            if kind == "document":
                members["root"][at] = root
    members["number"] = np.arange(len(documents))
    members["content"] = [document.content for document in documents]
    members["url"] = [document.url for document in documents]
    members["quality"] = [document.quality for document in documents]
    members["id"][:, 1] = np.arange(len(documents))
    edges = np.array([(one, other, matches) for (one, other), matches in similar.items()], EDGE_DTYPE)
    random = np.random.default_rng(seed)
    removed = choose_removed(random.permutation(members), random.permutation(edges), WIDTH, closure)  # type: ignore[arg-type]
    return {
        row["number"].item(): (
            LEVEL_NAMES[row["level"]],
            int(row["kept"][1]),
            None if np.isnan(row["similarity"]) else round(float(row["similarity"]), 6),
            row["size"].item(),
        )
        for row in removed
    }


def plainly(
    documents: list[Document], similar: dict[tuple[int, int], int]
) -> dict[int, tuple[str, int, float | None, int]]:
    both = {**similar, **{(other, one): matches for (one, other), matches in similar.items()}}
    kept: list[int] = []
    found: dict[int, tuple[str, int, float | None]] = {}
    for at in sorted(range(len(documents)), key=lambda at: (-documents[at].quality, at)):
        one = documents[at]
        same = [k for k in kept if documents[k].content == one.content]
        address = [k for k in kept if one.url and documents[k].url == one.url]
        near = [k for k in kept if (documents[k].content, one.content) in both]
        if same:
            found[at] = ("exact", same[0], 1.0)
        elif address:
            found[at] = ("url", address[0], None)
        elif near:
            found[at] = ("minhash", near[0], both[documents[near[0]].content, one.content] / WIDTH)
        else:
            kept.append(at)
    return {
        at: (level, k, similarity, 1 + sum(other[1] == k for other in found.values()))
        for at, (level, k, similarity) in found.items()
    }


DOCUMENTS = st.lists(
    st.builds(Document, st.integers(0, 8), st.integers(0, 6), st.sampled_from([0.0, 0.25, 0.5])), max_size=24
)
SIMILAR = st.dictionaries(
    st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda pair: pair[0] < pair[1]),
    st.integers(70, 100),
)


@given(DOCUMENTS, SIMILAR, st.integers(0, 5))
def test_best_is_the_plain_walk(
    documents: list[Document], similar: dict[tuple[int, int], int], seed: int
) -> None:
    here = {document.content for document in documents}
    similar = {pair: matches for pair, matches in similar.items() if set(pair) <= here}
    found = decided(documents, similar, seed=seed)
    assert found == plainly(documents, similar)
    assert not {kept for _, kept, _, _ in found.values()} & set(found), "nothing goes for what itself went"


@given(DOCUMENTS, SIMILAR, st.integers(0, 5))
def test_transitive_keeps_the_best_of_each_component(
    documents: list[Document], similar: dict[tuple[int, int], int], seed: int
) -> None:
    here = {document.content for document in documents}
    similar = {pair: matches for pair, matches in similar.items() if set(pair) <= here}
    found = decided(documents, similar, "transitive", seed)
    links: list[tuple[int, int]] = [(at, at) for at in range(len(documents))]
    for one, left in enumerate(documents):
        for other, right in enumerate(documents[:one]):
            pair = tuple(sorted((left.content, right.content)))
            if left.content == right.content or left.url == right.url != 0 or pair in similar:
                links.append((one, other))
    for component in components(links):
        best, *others = sorted(component, key=lambda at: (-documents[at].quality, at))
        assert best not in found
        assert all(found[at][1] == best and found[at][3] == len(component) for at in others)


def test_a_chain_keeps_both_ends() -> None:
    """The middle goes for the best end; the other end resembles only what went, and stays."""
    chain = [Document(0, quality=0.9), Document(1, quality=0.5), Document(2, quality=0.1)]
    similar = {(0, 1): 80, (1, 2): 75}
    assert decided(chain, similar) == {1: ("minhash", 0, 0.8, 2)}
    assert decided(chain, similar, "transitive") == {1: ("minhash", 0, 0.8, 3), 2: ("minhash", 0, None, 3)}


def test_exact_before_url_before_minhash() -> None:
    documents = [Document(0, url=7, quality=0.9), Document(0, url=7), Document(1, url=7), Document(2)]
    assert decided(documents, {(0, 1): 99, (0, 2): 70}) == {
        1: ("exact", 0, 1.0, 4),
        2: ("url", 0, None, 4),
        3: ("minhash", 0, 0.7, 4),
    }


def test_copies_of_a_near_duplicate_go_for_the_same_document() -> None:
    documents = [Document(0, quality=0.9), Document(1), Document(1), Document(1)]
    assert decided(documents, {(0, 1): 90}) == {at: ("minhash", 0, 0.9, 4) for at in (1, 2, 3)}


def test_another_copy_stays_where_the_first_went_for_its_url() -> None:
    """The best copy of content 1 is an old version of a page; the other copy stands elsewhere, and stays."""
    documents = [
        Document(0, url=7, quality=0.9),
        Document(1, url=7, quality=0.5),
        Document(1, url=8, quality=0.1),
    ]
    assert decided(documents, {}) == {1: ("url", 0, None, 2)}


def test_only_a_url_ties_it() -> None:
    documents = [Document(0, quality=0.9), Document(1, url=7), Document(2, url=7)]
    assert decided(documents, {(0, 1): 90}, "transitive") == {
        1: ("minhash", 0, 0.9, 3),
        2: ("url", 0, None, 3),
    }


def test_nothing_at_all() -> None:
    for closure in ("best", "transitive"):
        assert len(choose_removed(np.empty(0, MEMBER_DTYPE), np.empty(0, EDGE_DTYPE), WIDTH, closure)) == 0  # type: ignore[arg-type]
    assert reduce_to_stars(np.empty((0, 2), np.int64)).shape == (0, 2)


def test_a_hundred_thousand_copies() -> None:
    members = np.zeros(100_000, MEMBER_DTYPE)
    members["number"] = members["id"][:, 1] = np.arange(100_000)
    removed = choose_removed(members, np.empty(0, EDGE_DTYPE), WIDTH, "best")
    assert len(removed) == 99_999
    assert (removed["level"] == LEVEL_EXACT).all()
    assert (removed["size"] == 100_000).all()


LINKS = st.lists(
    st.tuples(st.integers(0, 1 << 50), st.integers(0, 30)).map(lambda pair: (pair[0] % 31, pair[1]))
)


@given(LINKS, st.integers(0, 1 << 45), st.integers(1, 5))
def test_stars_are_components_and_may_be_taken_in_parts(
    links: list[tuple[int, int]], offset: int, parts: int
) -> None:
    made = np.array(links, np.int64).reshape(-1, 2) + offset
    expected = {node: min(component) for component in components(made.tolist()) for node in component}
    assert dict(reduce_to_stars(made).tolist()) == expected
    reduced = np.concatenate([reduce_to_stars(made[part::parts]) for part in range(parts)])
    np.testing.assert_array_equal(reduce_to_stars(reduced), reduce_to_stars(made))
