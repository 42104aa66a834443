import pytest

from gateway.errors import BadInput
from gateway.storage.client import connect
from gateway.storage.states import State


async def test_spaces_do_not_see_each_other(storage):
    shop, blog = storage.space("shop"), storage.space("blog")
    assert await shop.states.put("x", b"1", 0)
    assert await blog.states.get("x") is None
    assert await storage.space("shop").states.get("x") == State(1, b"1")


@pytest.mark.parametrize("name", ["", "Shop", "a b", "../x", "a.b", "a$b", "-a", "x" * 33, "ä"])
async def test_a_name_that_cannot_be_a_database_is_refused(storage, name):
    with pytest.raises(BadInput, match="cannot name a space"):
        storage.space(name)


@pytest.mark.parametrize("url", ["", "localhost", "http://x/", "mongodb://", "mongodb://h:port/"])
async def test_a_url_that_cannot_be_used_says_which_setting_to_mend(url):
    with pytest.raises(BadInput, match="BLOCKLOOM_MONGODB_URL"):
        connect(url)


@pytest.mark.parametrize(
    ("options", "concern", "retries"),
    [
        ("", {"w": "majority", "j": True}, True),
        ("?w=1&retryWrites=false", {"w": 1, "j": True}, False),
        ("?JOURNAL=false&W=2", {"w": 2, "j": False}, True),
    ],
)
async def test_the_url_has_the_last_word(options, concern, retries):
    storage = connect(f"mongodb://127.0.0.1:1/{options}")
    assert storage._client.write_concern.document == concern
    assert storage._client.options.retry_writes is retries
    storage.close()
