from hypothesis import given
from hypothesis import strategies as st

from gateway.api.persisted import Automatic, is_hash


@given(st.lists(st.integers(0, 30)), st.integers(1, 10), st.integers(4, 200))
def test_what_is_kept_stays_within_its_bounds(asked: list[int], kept: int, kept_bytes: int) -> None:
    automatic = Automatic(kept, kept_bytes)
    for number in asked:
        automatic.keep(str(number), "x" * number)
    there = [number for number in range(31) if automatic.find(str(number)) is not None]
    assert len(there) <= kept
    assert sum(4 * number for number in there) <= kept_bytes
    if asked and 4 * asked[-1] <= kept_bytes:
        assert asked[-1] in there


def test_those_asked_for_least_go_first() -> None:
    automatic = Automatic(2)
    automatic.keep("a", "a")
    automatic.keep("b", "b")
    assert automatic.find("a") == "a"
    automatic.keep("c", "c")
    assert [automatic.find(name) for name in "abc"] == ["a", None, "c"]


def test_a_hash_is_that_of_the_text_in_utf8() -> None:
    assert is_hash("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "")
    assert not is_hash("E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855", "")
    assert not is_hash("é", "é")
