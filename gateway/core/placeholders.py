"""Ids that name nobody: what a program writes where it has no id, and the addresses that testers type.

Taken for a person's, one of them would make a single person of all who were sent with it.
"""

import re
from collections.abc import Collection

from gateway.errors import BadIdentity

NOBODY = frozenset({
    "0", "-1", "anonymous", "anonymous_user", "default", "distinct_id", "distinctid", "email", "false", "guest",
    "id", "n/a", "na", "nan", "nil", "no_id", "nobody", "none", "not_authenticated", "not set", "(not set)", "null",
    "(null)", "<null>", "[null]", "[object object]", "test", "true", "undefined", "unknown", "user", "user_id",
    "userid", "visitor_id", "void",
})  # fmt: skip
TESTERS = frozenset({
    "a", "abc", "admin", "email", "example", "foo", "info", "john.doe", "me", "name", "nobody", "noreply", "no-reply",
    "null", "sample", "someone", "test", "test1", "tester", "testing", "undefined", "user",
})  # fmt: skip
TEST_DOMAINS = frozenset({
    "domain.com", "email.com", "example.com", "example.net", "example.org", "localhost", "mail.com", "test.com",
    "test.test", "yourdomain.com",
})  # fmt: skip
_EMPTY = re.compile(r"[0\s{}\-_.\"']*")  # with a UUID of zeros


def identity(id_: str, more: Collection[str] = ()) -> str:
    """An id that may be somebody's. Raises BadIdentity."""
    if is_placeholder(id_, more):
        raise BadIdentity(f"{id_!r} names nobody; leave it out until there is a real id")
    return id_


def is_placeholder(id_: str, more: Collection[str] = ()) -> bool:
    """Upper and lower case alike; `more` is a deployment's own, in lower case."""
    text = id_.strip().strip("\"'").casefold()
    name, at, domain = text.partition("@")
    tester = bool(at) and name.partition("+")[0] in TESTERS and domain in TEST_DOMAINS
    return tester or text in NOBODY or text in more or _EMPTY.fullmatch(text) is not None
