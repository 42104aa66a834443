from hypothesis import given
from hypothesis import strategies as st

from gateway.collect.ids import derived, made, of_content

PARTS = st.lists(st.text(), min_size=1, max_size=4)


@given(PARTS, PARTS)
def test_an_id_is_the_same_for_the_same_parts_alone(one: list[str], other: list[str]) -> None:
    assert (derived("p", *one) == derived("p", *other)) == (one == other)


def test_protocols_do_not_know_each_others_ids() -> None:
    assert derived("a", "x") != derived("b", "x")


def test_the_order_of_names_does_not_matter() -> None:
    assert of_content("p", {"a": 1, "b": 2}) == of_content("p", {"b": 2, "a": 1})


def test_content_without_measure_has_an_id_of_its_own() -> None:
    deep: list[object] = []
    for _ in range(900):
        deep = [deep]
    assert of_content("p", deep).startswith("made-")


def test_made_ids_differ() -> None:
    assert made() != made()
