from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from corpus.tokens.options import TokensOptions
from corpus.tokens.parts import PartBatch
from corpus.tokens.shards import OTHER_LANGUAGE, Part, assign_streams, plan_shards

batches = st.builds(
    lambda side, language, rows, tokens: PartBatch(side, language, rows, tokens, tokens * 4),
    st.sampled_from(["train", "valid"]),
    st.sampled_from(["eng_Latn", "cmn_Hans", "tha_Thai"]),
    st.integers(1, 9),
    st.integers(1, 50),
)
many_parts = st.lists(
    st.tuples(st.sampled_from(["web", "wiki"]), st.lists(batches, max_size=6)), max_size=8
).map(lambda found: [(source, f"s{i}", f"made{i}", index) for i, (source, index) in enumerate(found)])


def batch(tokens: int, language: str = "eng_Latn", side: str = "train") -> PartBatch:
    return PartBatch(side, language, 1, tokens, tokens * 4)


def test_a_shard_is_filled_in_the_order_of_the_parts() -> None:
    found: list[Part] = [
        ("web", "aa", "1", [batch(40), batch(40), batch(5, side="valid")]),
        ("web", "bb", "2", [batch(30), batch(200), batch(10)]),
        ("wiki", "cc", "3", [batch(10)]),
    ]
    shards = plan_shards(found, TokensOptions(max_shard_tokens=100, min_language_tokens=0))
    english = "language=eng_Latn/shard"
    assert [(shard.path, shard.tokens, shard.pieces) for shard in shards] == [
        (f"split=train/source=web/{english}-00000.arrow", 80, [("aa", [0, 1])]),
        (f"split=train/source=web/{english}-00001.arrow", 30, [("bb", [0])]),
        (f"split=train/source=web/{english}-00002.arrow", 200, [("bb", [1])]),
        (f"split=train/source=web/{english}-00003.arrow", 10, [("bb", [2])]),
        (f"split=train/source=wiki/{english}-00000.arrow", 10, [("cc", [0])]),
        (f"split=valid/source=web/{english}-00000.arrow", 5, [("aa", [2])]),
    ]


def test_languages_too_small_share_other_on_both_sides() -> None:
    found: list[Part] = [
        ("web", "aa", "1", [batch(50), batch(6, "tha_Thai"), batch(7, "cmn_Hans")]),
        ("web", "bb", "2", [batch(3, "tha_Thai", "valid"), batch(1, side="valid")]),
        ("wiki", "cc", "3", [batch(10, "tha_Thai")]),
    ]
    options = TokensOptions(min_language_tokens=10)
    assert assign_streams(found, options) == {
        ("web", "cmn_Hans"): OTHER_LANGUAGE,
        ("web", "eng_Latn"): "eng_Latn",
        ("web", "tha_Thai"): OTHER_LANGUAGE,
        ("wiki", "tha_Thai"): "tha_Thai",
    }
    shards = {(s.split, s.source, s.language): s.pieces for s in plan_shards(found, options)}
    assert shards["train", "web", OTHER_LANGUAGE] == [("aa", [1, 2])]
    assert shards["valid", "web", OTHER_LANGUAGE] == [("bb", [0])]
    assert len(shards) == 5


def test_a_shard_changes_its_fingerprint_with_what_it_is_made_of() -> None:
    def fingerprints(made_by: str, options: TokensOptions) -> list[str]:
        found: list[Part] = [("web", "aa", made_by, [batch(5), batch(6)]), ("web", "bb", "2", [batch(5)])]
        return [shard.fingerprint for shard in plan_shards(found, options)]

    options = TokensOptions(max_shard_tokens=11, min_language_tokens=0)
    first = fingerprints("1", options)
    assert len(set(first)) == 2
    changed = fingerprints("other", options)
    assert changed[0] != first[0] and changed[1] == first[1]
    assert fingerprints("1", TokensOptions(max_shard_tokens=12, min_language_tokens=0)) == first


def test_nothing_gives_no_shards() -> None:
    assert plan_shards([], TokensOptions()) == plan_shards([("web", "aa", "1", [])], TokensOptions()) == []


@given(many_parts, st.integers(1, 120), st.integers(0, 80))
def test_every_batch_is_in_one_shard_in_order_and_shards_keep_to_their_size(
    found: list[Part], largest: int, smallest_language: int
) -> None:
    options = TokensOptions(max_shard_tokens=largest, min_language_tokens=smallest_language)
    shards = plan_shards(found, options)
    index = {(name, number): b for _, name, _, part in found for number, b in enumerate(part)}
    placed = [(name, number) for shard in shards for name, numbers in shard.pieces for number in numbers]
    assert sorted(placed) == sorted(index)
    for shard in shards:
        inside = [index[name, number] for name, numbers in shard.pieces for number in numbers]
        assert {b.side for b in inside} == {shard.split}
        assert shard.tokens == sum(b.tokens for b in inside) and shard.rows == sum(b.rows for b in inside)
        assert shard.tokens <= largest or len(inside) == 1
        order = [(name, number) for name, numbers in shard.pieces for number in numbers]
        assert order == sorted(order)
        if shard.language != OTHER_LANGUAGE:
            assert {b.language for b in inside} == {shard.language}
    assert len({shard.path for shard in shards}) == len(shards)
