import base64
from typing import Any

import pytest

from gateway.collect.keys import of_body, of_headers, of_query


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        ({}, None),
        ({"authorization": "Bearer blp_x"}, "blp_x"),
        ({"authorization": "bearer  blp_x "}, "blp_x"),
        ({"authorization": basic(b"blp_x:")}, "blp_x"),
        ({"authorization": basic(b"any:blp_x")}, "blp_x"),
        ({"authorization": basic(b"blp_x")}, "blp_x"),
        ({"authorization": "Basic !!"}, None),
        ({"authorization": basic(b"\xff:")}, None),
        ({"authorization": "Digest blp_x"}, None),
        ({"authorization": "Bearer"}, None),
        ({"x-write-key": "site:blp_x"}, "blp_x"),
        ({"x-write-key": "blp_x"}, "blp_x"),
    ],
)
def test_a_key_stands_in_a_header(headers: dict[str, str], key: str | None) -> None:
    assert of_headers(headers) == key


@pytest.mark.parametrize(
    ("document", "key"),
    [({"writeKey": "k"}, "k"), ({"key": "k"}, "k"), ({"writeKey": ["k"]}, None), ([], None), (None, None)],
)
def test_a_key_stands_in_the_body(document: Any, key: str | None) -> None:
    assert of_body(document) == key


def test_a_key_stands_in_the_address() -> None:
    assert of_query("a=1&tid=k", "key", "tid") == "k"
    assert of_query("a=1", "key") is None
    assert of_query("&".join(["a=1"] * 500), "a") is None
