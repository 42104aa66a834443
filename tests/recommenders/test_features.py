import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommenders.feature_index import FeatureIndex
from recommenders.features import WORDS_KEPT, FeatureSpace, Terms
from recommenders.interests import cosine

TENT = Terms({"camping": 1.0, "family": 0.5}, Counter(tent=3, light=1))
ROPE = Terms({"climbing": 1.0}, Counter(rope=2, light=1))
SALE = Terms({"camping": 1.0, "sale": -1.0}, Counter())
NOTE = Terms({}, Counter(note=1))
BARE = Terms({}, Counter())
BLOCKS = [TENT, ROPE, SALE, NOTE, BARE]

some_terms = st.builds(
    Terms,
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0.1, 1.0), max_size=4),
    st.dictionaries(st.sampled_from("uvwxyz"), st.integers(1, 9), max_size=5),
)
catalogues = st.lists(some_terms, max_size=12)


def index_of(blocks):
    return FeatureIndex.build(FeatureSpace.fit(blocks), blocks)


def idf(documents):
    return math.log((1 + len(BLOCKS)) / (1 + documents)) + 1


def test_a_vector_is_tf_idf_in_two_parts_of_fixed_lengths():
    vector = FeatureSpace.fit(BLOCKS).vector(TENT)
    tags = np.array([1.0 * idf(2), 0.5 * idf(1)])
    words = np.array([(1 + math.log(3)) * idf(1), idf(2)])
    expected = [*(0.8 * tags / np.linalg.norm(tags)), *(0.6 * words / np.linalg.norm(words))]
    names = ["camping", "family", "text:tent", "text:light"]
    assert vector == pytest.approx(dict(zip(names, expected, strict=True)), rel=1e-6)


def test_a_block_with_one_part_only_gets_its_whole_length_from_it():
    space = FeatureSpace.fit(BLOCKS)
    assert space.vector(NOTE) == {"text:note": 1.0}
    assert math.hypot(*space.vector(SALE).values()) == pytest.approx(1.0, rel=1e-6)
    assert space.vector(SALE)["sale"] < 0
    assert space.vector(BARE) == {}
    assert space.vector(Terms({"camping": 0.0}, Counter())) == {}


def test_unseen_names_weigh_as_much_as_the_rarest_or_more():
    vector = FeatureSpace.fit(BLOCKS).vector(Terms({"camping": 1.0, "unheard": 1.0}, {"rope": 1, "new": 1}))
    assert vector["unheard"] > vector["camping"]
    assert vector["text:new"] > vector["text:rope"]


def test_only_the_weightiest_words_are_kept_and_ties_go_to_the_first():
    counts = Counter({f"word{i}": 1 for i in range(WORDS_KEPT + 20)}) + Counter(word59=5)
    vector = FeatureSpace.fit([]).vector(Terms({}, counts))
    assert set(vector) == {"text:word59", *(f"text:word{i}" for i in range(WORDS_KEPT - 1))}


def test_long_blocks_beside_short_ones_each_keep_their_own_weightiest_words():
    lengthy = Terms({}, {f"word{i}": 1 + i % 7 for i in range(90)})
    other = Terms({}, {f"word{i}": 1 + i % 11 for i in range(50, 120)})
    blocks = [NOTE, lengthy, BARE, other, TENT]
    space = FeatureSpace.fit(blocks)
    index = FeatureIndex.build(space, blocks)
    for row in (1, 3):
        weights = {
            f"text:{word}": (1 + math.log(count)) * space.word_rarity[word]
            for word, count in blocks[row].words.items()
        }
        kept = sorted(weights, key=lambda name: -weights[name])[:WORDS_KEPT]
        length = math.hypot(*(weights[name] for name in kept))
        assert index.row(row) == pytest.approx({name: weights[name] / length for name in kept}, rel=1e-6)
    assert [index.row(row) for row in (0, 2, 4)] == [space.vector(blocks[row]) for row in (0, 2, 4)]


@settings(deadline=None)
@given(catalogues)
def test_every_vector_has_length_one_or_is_empty(blocks):
    space = FeatureSpace.fit(blocks)
    for block in blocks:
        length = math.hypot(*space.vector(block).values())
        assert length == pytest.approx(1.0, abs=1e-6) if block.tags or block.words else length == 0.0


@settings(deadline=None)
@given(catalogues)
def test_a_row_of_the_index_is_the_vector_of_its_block(blocks):
    space = FeatureSpace.fit(blocks)
    index = FeatureIndex.build(space, blocks)
    assert len(index) == len(blocks)
    assert [index.row(i) for i in range(len(blocks))] == [space.vector(block) for block in blocks]


@settings(max_examples=60, deadline=None)
@given(
    catalogues, st.dictionaries(st.sampled_from(["a", "b", "text:u", "text:z", "alien"]), st.floats(-1, 1))
)
def test_scores_are_the_dot_product_with_every_row(blocks, query):
    index = index_of(blocks)
    expected = [
        sum(value * index.row(i).get(name, 0.0) for name, value in query.items()) for i in range(len(blocks))
    ]
    scores = index.scores(query)
    assert scores.dtype == np.float64
    assert scores == pytest.approx(np.array(expected), abs=1e-9)
    assert scores.tobytes() == index.scores(dict(reversed(query.items()))).tobytes()


@settings(max_examples=60, deadline=None)
@given(catalogues, st.randoms())
def test_similarities_are_the_cosines_of_the_rows(blocks, rng):
    index = index_of(blocks)
    rows = rng.sample(range(len(blocks)), len(blocks))
    expected = [[cosine(index.row(a), index.row(b)) for b in rows] for a in rows]
    found = index.similarities(np.array(rows, np.intp))
    assert found.shape == (len(blocks), len(blocks))
    assert found == pytest.approx(np.array(expected).reshape(found.shape), abs=1e-5)


def test_a_catalogue_without_any_names_scores_nothing():
    index = index_of([BARE, BARE])
    assert index.scores({"camping": 1.0}).tolist() == [0.0, 0.0]
    assert index.similarities(np.array([0, 1])).tolist() == [[0.0, 0.0], [0.0, 0.0]]
