from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.errors import UserError
from corpus.tokens.mixture import MixtureShare, gather_streams, resolve_mixture
from corpus.tokens.options import MixtureOptions

WEB_AND_WIKI = {
    ("web", "eng_Latn"): 800,
    ("web", "cmn_Hans"): 100,
    ("wiki", "eng_Latn"): 50,
    ("wiki", "cmn_Hans"): 50,
}


def weights(options: MixtureOptions, tokens: dict[tuple[str, str], int] = WEB_AND_WIKI) -> dict[str, float]:
    return {f"{s.source} {s.language}": round(s.weight, 6) for s in resolve_mixture(options, tokens)}


def test_by_default_every_token_is_seen_once() -> None:
    assert weights(MixtureOptions()) == {
        "web cmn_Hans": 0.1,
        "web eng_Latn": 0.8,
        "wiki cmn_Hans": 0.05,
        "wiki eng_Latn": 0.05,
    }
    assert {share.epochs for share in resolve_mixture(MixtureOptions(), WEB_AND_WIKI)} == {1.0}


def test_weights_are_shares_of_what_is_drawn_whatever_the_size_of_a_source() -> None:
    assert weights(MixtureOptions(weights={"wiki": 3})) == {
        "web cmn_Hans": round(0.25 / 9, 6),
        "web eng_Latn": round(0.25 * 8 / 9, 6),
        "wiki cmn_Hans": 0.375,
        "wiki eng_Latn": 0.375,
    }


def test_epochs_are_times_a_source_is_read_beside_the_others() -> None:
    shares = resolve_mixture(MixtureOptions(epochs={"wiki": 3}), WEB_AND_WIKI)
    epochs = {share.source: share.epochs for share in shares}
    assert epochs["wiki"] / epochs["web"] == pytest.approx(3)
    assert sum(s.weight for s in shares if s.source == "wiki") == pytest.approx(300 / 1200)


def test_a_temperature_evens_out_languages_and_leaves_their_sources_in_proportion() -> None:
    shares = {
        (s.source, s.language): s.weight
        for s in resolve_mixture(MixtureOptions(temperature=0.5), WEB_AND_WIKI)
    }
    english = shares["web", "eng_Latn"] + shares["wiki", "eng_Latn"]
    chinese = shares["web", "cmn_Hans"] + shares["wiki", "cmn_Hans"]
    assert english / chinese == pytest.approx((850 / 150) ** 0.5)
    assert shares["web", "eng_Latn"] / shares["wiki", "eng_Latn"] == pytest.approx(16)


def test_the_table_of_gpt_3() -> None:
    billions = {"crawl": 410, "webtext": 19, "books1": 12, "books2": 55, "wikipedia": 3}
    tokens = {(source, "eng_Latn"): count * 10**9 for source, count in billions.items()}
    given_weights = {"crawl": 60, "webtext": 22, "books1": 8, "books2": 8, "wikipedia": 3}
    shares = resolve_mixture(MixtureOptions(weights=given_weights), tokens)
    epochs = {s.source: s.epochs * 300 / 499 for s in shares}
    assert epochs == pytest.approx(
        {"crawl": 0.44, "webtext": 3.4, "books1": 2.0, "books2": 0.43, "wikipedia": 3.0}, rel=0.05
    )


def test_a_source_of_weight_zero_is_never_drawn() -> None:
    drawn = weights(MixtureOptions(weights={"wiki": 0}, temperature=0.3))
    assert drawn["wiki eng_Latn"] == drawn["wiki cmn_Hans"] == 0
    assert sum(drawn.values()) == pytest.approx(1)


def test_nothing_to_draw() -> None:
    assert resolve_mixture(MixtureOptions(), {}) == []
    with pytest.raises(UserError, match="leaves nothing to draw"):
        resolve_mixture(MixtureOptions(epochs={"web": 0, "wiki": 0}), WEB_AND_WIKI)


def test_languages_that_share_shards_are_drawn_together() -> None:
    shares = resolve_mixture(MixtureOptions(temperature=0.5), WEB_AND_WIKI)
    streams = {key: "other" if key[0] == "wiki" else key[1] for key in WEB_AND_WIKI}
    gathered = gather_streams(shares, streams)
    assert [(s.source, s.language, s.tokens) for s in gathered] == [
        ("web", "cmn_Hans", 100),
        ("web", "eng_Latn", 800),
        ("wiki", "other", 100),
    ]
    assert gathered[2].weight == pytest.approx(sum(s.weight for s in shares if s.source == "wiki"))


names = st.sampled_from(["a", "b", "c"])
languages = st.sampled_from(["eng_Latn", "cmn_Hans", "tha_Thai", "arb_Arab"])
multipliers = st.dictionaries(names, st.floats(0.01, 100))
options = st.one_of(
    st.builds(lambda w, t: MixtureOptions(weights=w, temperature=t), multipliers, st.floats(0.05, 1)),
    st.builds(lambda e, t: MixtureOptions(epochs=e, temperature=t), multipliers, st.floats(0.05, 1)),
)


@given(options, st.dictionaries(st.tuples(names, languages), st.integers(0, 10**13), min_size=1))
def test_weights_sum_to_one_and_epochs_follow_from_them(
    mixture: MixtureOptions, tokens: dict[tuple[str, str], int]
) -> None:
    shares = resolve_mixture(mixture, tokens)
    total = sum(tokens.values())
    assert {(s.source, s.language): s.tokens for s in shares} == {k: n for k, n in tokens.items() if n}
    if total:
        assert sum(s.weight for s in shares) == pytest.approx(1)
    for share in shares:
        assert isinstance(share, MixtureShare) and 0 < share.weight <= 1 + 1e-9
        assert share.epochs * share.tokens == pytest.approx(share.weight * total)


@given(st.dictionaries(st.tuples(names, languages), st.integers(1, 10**9), min_size=1))
def test_a_lower_temperature_never_takes_from_a_smaller_language_for_a_larger(
    tokens: dict[tuple[str, str], int],
) -> None:
    def by_language(temperature: float) -> dict[str, float]:
        result: dict[str, float] = {}
        for share in resolve_mixture(MixtureOptions(temperature=temperature), tokens):
            result[share.language] = result.get(share.language, 0) + share.weight
        return result

    natural, flat = by_language(1), by_language(0.3)
    smallest, largest = min(natural, key=natural.__getitem__), max(natural, key=natural.__getitem__)
    assert flat[smallest] >= natural[smallest] - 1e-9
    assert flat[largest] <= natural[largest] + 1e-9
