from collections.abc import Mapping

import pytest

from gateway.api.origins import allowed_origin, loopback


@pytest.mark.parametrize(
    ("headers", "origins", "allowed"),
    [
        ({}, [], True),
        ({"host": "a.example"}, [], True),
        ({"host": "a.example", "origin": "https://a.example"}, [], True),
        ({"host": "A.example:8000", "origin": "http://a.Example:8000"}, [], True),
        ({"host": "[::1]:8000", "origin": "http://[::1]:8000"}, [], True),
        ({"host": "a.example", "origin": "https://a.example:8443"}, [], False),
        ({"host": "a.example", "origin": "https://b.example"}, [], False),
        ({"host": "a.example", "origin": "https://b.example"}, ["https://b.example"], True),
        ({"host": "a.example", "origin": "https://b.example"}, ["*"], True),
        ({"host": "a.example", "origin": "https://a.example.evil.example"}, [], False),
        ({"host": "a.example", "origin": "https://evil.example/https://a.example"}, [], False),
        ({"host": "null", "origin": "null"}, [], False),
        ({"host": "", "origin": ""}, [], False),
        ({"host": "", "origin": "http://"}, [], False),
        ({"origin": "https://a.example"}, [], False),
    ],
)
def test_a_page_may_call_its_own_host_and_those_that_list_it(
    headers: Mapping[str, str], origins: list[str], allowed: bool
) -> None:
    assert allowed_origin(headers, origins) is allowed


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LOCALHOST:8000", True),
        ("127.0.0.1:8000", True),
        ("127.8.9.1", True),
        ("[::1]:8000", True),
        ("[::1]", True),
        ("", False),
        ("evil.example:8000", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("127.0.0.1@evil.example", False),
        ("192.168.0.1", False),
        ("203.0.113.1", False),
        ("[::1", False),
        ("\xff", False),
    ],
)
def test_only_names_of_this_machine_are_local(host: str, local: bool) -> None:
    assert loopback({"host": host}) is local
