from collections import Counter

import numpy as np
import pytest

from recommenders.feature_index import FeatureIndex
from recommenders.features import FeatureSpace, Terms
from recommenders.scorers import DEFAULT_WEIGHTS, Blend, Boost, Popularity, Query, Recency, Scorer, Similarity

NOW = 1_767_225_600.0
DAY = 86_400.0
BLOCKS = [
    Terms({"camping": 1.0}, Counter(tent=2)),
    Terms({"climbing": 1.0}, Counter(rope=1)),
    Terms({"camping": 0.5, "sale": 1.0}, Counter()),
]
NOBODY = Query({}, {}, NOW)
CAMPER = Query({"camping": 1.0}, {"climbing": 0.6, "text:tent": 0.8}, NOW)


def index_of(blocks):
    return FeatureIndex.build(FeatureSpace.fit(blocks), blocks)


class ScorerContract:
    """What every scorer keeps to; `scorer_of` builds one for the first `n` of the three blocks."""

    def scorer_of(self, n: int) -> Scorer:
        raise NotImplementedError

    @pytest.mark.parametrize("query", [NOBODY, CAMPER, Query({"alien": 1.0}, {"alien": -1.0}, 0.0)])
    @pytest.mark.parametrize("n", [0, 1, 3])
    def test_it_gives_every_row_one_finite_number(self, n, query):
        scores = self.scorer_of(n).score(query)
        assert scores.shape == (n,)
        assert scores.dtype == np.float64
        assert np.isfinite(scores).all()

    def test_it_rates_the_same_query_alike_every_time(self):
        scorer = self.scorer_of(3)
        first = scorer.score(CAMPER).tobytes()
        assert first == scorer.score(CAMPER).tobytes() == self.scorer_of(3).score(CAMPER).tobytes()

    def test_it_has_a_name_for_explanations(self):
        assert self.scorer_of(1).name.isidentifier()


class TestSimilarityToNow(ScorerContract):
    def scorer_of(self, n):
        return Similarity(index_of(BLOCKS[:n]), "now")


class TestSimilarityToUsual(ScorerContract):
    def scorer_of(self, n):
        return Similarity(index_of(BLOCKS[:n]), "usual")


class TestPopularity(ScorerContract):
    def scorer_of(self, n):
        return Popularity(np.array([100, 0, 10])[:n], np.array([30, 0, 9])[:n])


class TestRecency(ScorerContract):
    def scorer_of(self, n):
        return Recency(np.array([NOW, np.nan, NOW - DAY])[:n], DAY)


class TestBoost(ScorerContract):
    def scorer_of(self, n):
        return Boost(np.array([0.0, 0.5, -1.0])[:n])


class TestBlend(ScorerContract):
    def scorer_of(self, n):
        return Blend([Similarity(index_of(BLOCKS[:n]), "now"), Boost(np.array([0.0, 0.5, -1.0])[:n])])


def test_similarity_is_the_cosine_with_the_vector_it_is_named_after():
    index = index_of(BLOCKS)
    now, usual = (Similarity(index, name).score(CAMPER) for name in ("now", "usual"))
    assert now.tolist() == pytest.approx([0.8, 0.0, index.row(2)["camping"]])
    assert usual.tolist() == pytest.approx([0.8 * 0.6, 0.6 * 0.8, 0.0])


def test_one_lucky_click_does_not_lead_and_no_views_stand_in_the_middle():
    steady, lucky, unseen, dull = Popularity(np.array([1000, 1, 0, 1000]), np.array([300, 1, 0, 10])).score(
        NOBODY
    )
    assert steady == 1.0
    assert dull < unseen < lucky < steady


def test_with_no_clicks_at_all_popularity_says_nothing():
    assert Popularity(np.array([5, 0]), np.array([0, 0])).score(NOBODY).tolist() == [0.0, 0.0]
    assert Popularity(np.zeros(2), np.zeros(2), prior_strength=0.5).score(NOBODY).tolist() == [0.0, 0.0]


def test_recency_halves_with_every_half_life():
    published = np.array([NOW + DAY, NOW, NOW - DAY, NOW - 3 * DAY, np.nan])
    assert Recency(published, DAY).score(NOBODY).tolist() == [1.0, 1.0, 0.5, 0.125, 0.0]


@pytest.mark.parametrize("scorer", [Popularity(np.ones(2), np.ones(2)), Boost(np.ones(2))])
def test_scores_that_are_handed_out_again_cannot_be_written_to(scorer):
    with pytest.raises(ValueError, match="read-only"):
        scorer.score(NOBODY)[0] = 5.0


def test_the_parts_of_a_blend_add_up_to_its_score():
    index = index_of(BLOCKS)
    scorers = [
        Similarity(index, "now"),
        Similarity(index, "usual"),
        Popularity(np.array([9, 9, 9]), np.array([1, 2, 3])),
        Recency(np.full(3, NOW - DAY), DAY),
        Boost(np.array([0.0, 0.1, 0.0])),
    ]
    blend = Blend(scorers, {"recency": 0.5, "usual": 0.0})
    total = blend.score(CAMPER)
    for row in range(3):
        parts = blend.parts(CAMPER, row)
        assert list(parts) == ["now", "popularity", "recency", "boost"]
        assert sum(parts.values()) == pytest.approx(total[row])
    assert blend.parts(CAMPER, 1) == pytest.approx(
        {
            "now": 0.0,
            "popularity": DEFAULT_WEIGHTS["popularity"] * scorers[2].score(CAMPER)[1],
            "recency": 0.25,
            "boost": 0.1,
        }
    )


def test_a_blend_without_any_weight_rates_all_alike():
    blend = Blend([Boost(np.array([1.0, 2.0]))], {"boost": 0.0})
    assert blend.score(NOBODY).tolist() == [0.0, 0.0]


def test_an_unknown_weight_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match=r"no part of the score is called popularty; use boost"):
        Blend([Boost(np.zeros(1))], {"popularty": 1.0})


def test_a_blend_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one scorer"):
        Blend([])
