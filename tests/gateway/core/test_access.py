import pytest

from gateway.core.access import Caller, digest_of, new_token
from gateway.errors import Forbidden
from schemas.vocabulary import Scope


def test_a_caller_may_what_the_scopes_say():
    caller = Caller("main", frozenset({Scope.DELIVERY}), "site")
    caller.require(Scope.DELIVERY)
    with pytest.raises(Forbidden, match="the scope events; create one with `blockloom tokens create`"):
        caller.require(Scope.EVENTS)


@pytest.mark.parametrize("scope", Scope)
def test_an_administrator_may_everything(scope):
    Caller("main", frozenset({Scope.ADMIN}), "root").require(scope)


@pytest.mark.parametrize("scope", set(Scope) - {Scope.ADMIN})
def test_no_other_scope_gives_more_than_itself(scope):
    caller = Caller("main", frozenset({scope}), "one")
    assert [other for other in Scope if caller.may(other)] == [scope]


def test_tokens_are_long_different_and_told_apart_at_a_glance():
    secret, publishable = new_token(False), new_token(True)
    assert secret.startswith("bls_")
    assert publishable.startswith("blp_")
    assert len(secret) == len(publishable) >= 40
    assert len({new_token(False) for _ in range(100)}) == 100


def test_what_is_stored_does_not_hold_the_token():
    token = new_token(False)
    assert digest_of(token) == digest_of(token) != digest_of(token + "x")
    assert token not in digest_of(token)
