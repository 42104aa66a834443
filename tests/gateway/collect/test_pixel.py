import pytest

from gateway.collect.collected import Circumstances, CollectedEvent
from gateway.collect.pixel import GIF, NO_NUMBER, UNREADABLE, parse
from tests.gateway.collect.made import Collecting

NOW = 1_800_000_000.0


def test_the_parameters_are_the_fields_of_an_event() -> None:
    query = "key=k&_=1&id=i&visitor=v&block=hero&value=2&p.size=M&url=https%3A%2F%2Fshop.example%2F"
    assert parse(query, NOW) == [
        CollectedEvent(
            "i", "impression", "v", NOW, ours=True, block="hero", value=2.0, properties={"size": "M"},
            around=Circumstances("https://shop.example/"),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("visitor=v&value=nan", NO_NUMBER.code),
        ("visitor=%FF", UNREADABLE.code),
        ("&".join(f"p.{n}=1" for n in range(99)), UNREADABLE.code),
        ("type=view", "BAD_INPUT"),
        ("visitor=v&redirect=https://evil.example", "BAD_INPUT"),
    ],
)
def test_what_is_no_event_is_refused(query: str, code: str) -> None:
    (found,) = parse(query, NOW)
    assert found.code == code  # type: ignore[union-attr]


@pytest.mark.asyncio(loop_scope="package")
async def test_a_picture_is_sent_whatever_becomes_of_the_event(found: Collecting) -> None:
    key = await found.token()
    good = await found.http.get("/v1/pixel.gif", params={"key": key, "visitor": "pixel", "block": "hero"})
    bad = await found.http.get("/v1/pixel.gif", params={"key": key})
    nobody = await found.http.get("/v1/pixel.gif", params={"key": "blp_no", "visitor": "pixel"})
    assert [(answer.status_code, answer.content) for answer in (good, bad, nobody)] == [
        (200, GIF),
        (200, GIF),
        (401, GIF),
    ]
    assert (good.headers["content-type"], good.headers["cache-control"]) == ("image/gif", "no-store")
    assert await found.kept("pixel") == [("impression", "hero", None)]
