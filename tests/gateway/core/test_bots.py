from importlib.resources import files

import orjson
import pytest

from gateway.core.bots import CRAWLERS, Ranges, known_networks, network, networks_of, origin_of


@pytest.fixture(scope="module")
def known() -> Ranges:
    return Ranges(known_networks())


@pytest.mark.parametrize(
    "address",
    [
        "66.249.66.1",
        "::ffff:66.249.66.1",
        "66.249.66.1:4711",
        "2001:4860:4801:10::1",
        "157.55.39.1",
        "17.22.237.9",
    ],
)
def test_crawlers_ask_from_known_ranges(known: Ranges, address: str) -> None:
    assert known.hold(address)


@pytest.mark.parametrize(
    "address",
    [
        "81.2.69.142",  # a household
        "8.8.8.8",
        "3.5.140.2",  # a cloud, where servers speak for visitors
        "104.16.0.1",  # a CDN
        "165.225.0.1",  # a company's proxy
        "127.0.0.1",
        "10.0.0.1",
        "::1",
        "",
        "66.249.66.1.example",
        "x" * 10_000,
    ],
)
def test_people_and_their_servers_do_not(known: Ranges, address: str) -> None:
    assert not known.hold(address)


def test_every_crawler_of_the_table_has_ranges() -> None:
    shipped = orjson.loads((files("is_crawler") / "crawler-ip-ranges.json").read_bytes())
    assert [name for name in CRAWLERS if name not in shipped] == []
    assert len(known_networks()) > 4_000


def test_ranges_hold_their_ends_and_nothing_beside() -> None:
    ranges = Ranges(
        map(network, ["81.2.69.0/24", "81.2.69.128/25", "81.2.71.0/24", "2a01:4f8:c17:6648::/64"])
    )
    inside = ["81.2.69.0", "81.2.69.255", "81.2.71.0", "2a01:4f8:c17:6648::", "2a01:4f8:c17:6648:ffff::"]
    outside = ["81.2.68.255", "81.2.70.0", "81.2.72.0", "2a01:4f8:c17:6649::", "2a01:4f8:c17:6647:ffff::"]
    assert ([a for a in inside if not ranges.hold(a)], [a for a in outside if ranges.hold(a)]) == ([], [])


def test_without_ranges_nobody_is_in_one() -> None:
    assert not Ranges([]).hold("66.249.66.1")


def test_a_file_of_ranges_may_have_comments_and_single_addresses() -> None:
    lines = ["# ours", "", "81.2.69.0/24  # monitors", "81.2.71.9", "2a01:4f8::/32"]
    assert [str(net) for net in networks_of(lines)] == ["81.2.69.0/24", "81.2.71.9/32", "2a01:4f8::/32"]


@pytest.mark.parametrize(
    ("line", "why"),
    [("81.2.69", "81.2.69"), ("0.0.0.0/0", "too large"), ("::/0", "too large"), ("a/8", "a/8")],
)
def test_a_line_that_is_no_range_is_named(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^line 2: .*{why}"):
        networks_of(["81.2.69.0/24", line])


def test_one_customer_has_one_address_or_one_network_of_the_new_protocol() -> None:
    assert origin_of("81.2.69.142:99") == "81.2.69.142"
    assert (
        origin_of("2a01:4f8:c17:6648:1:2:3:4")
        == origin_of("[2a01:4f8:c17:6648::9]:80")
        == "2a01:4f8:c17:6648::"
    )
    assert [origin_of(address) for address in ("127.0.0.1", "10.1.2.3", "::1", "nobody")] == [None] * 4
