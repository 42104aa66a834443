import pytest

from gateway.core.placeholders import is_placeholder


@pytest.mark.parametrize(
    "id_",
    [
        "null", "NULL", " undefined ", "None", "anonymous", "NaN", "0", "0000", '"null"', "guest", "", "  ", "-",
        "00000000-0000-0000-0000-000000000000", "{00000000-0000-0000-0000-000000000000}", "[object Object]",
        "test@test.com", "Test@Test.com", "user@example.com", "test+1@example.org", "foo@localhost",
    ],
)  # fmt: skip
def test_what_stands_for_no_id_is_nobody(id_):
    assert is_placeholder(id_)


@pytest.mark.parametrize(
    "id_",
    [
        "ann", "u1", "1", "10", "ann@example.com", "test@blockloom.dev", "nullable",
        "user@shop.example", "test-visitor", "00000000-0000-0000-0000-00000000000a",
    ],
)  # fmt: skip
def test_what_may_be_somebodys_is_taken(id_):
    assert not is_placeholder(id_)


def test_a_deployment_names_its_own():
    assert is_placeholder("Kiosk-7", {"kiosk-7"})
    assert not is_placeholder("kiosk-7")
