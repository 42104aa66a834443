"""Devices: the User-Agent, Client Hints, the CDNs' headers and what the client says."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.context import hints
from gateway.core.context.devices import described, device
from gateway.core.context.findings import Finding

GOLDEN = json.loads(Path("tests/golden/user_agents.json").read_text("utf-8"))
WINDOWS_CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36"
)
LINUX_CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36"
)
CHROME_BRANDS = '"Chromium";v="124", "Google Chrome";v="124", "Not-A.Brand";v="99"'


def facts(**headers: str) -> Any:
    return device({name.replace("_", "-"): value for name, value in headers.items()}, True).facts


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["agent"][:60])
def test_a_user_agent_is_recognised(row: dict[str, Any]) -> None:
    found = facts(user_agent=row["agent"])
    assert {"agent": row["agent"], **{name: found.get(name) for name in row if name != "agent"}} == row


def test_hints_are_believed_before_the_user_agent() -> None:
    found = device(
        {
            "user-agent": WINDOWS_CHROME,
            "sec-ch-ua": CHROME_BRANDS,
            "sec-ch-ua-full-version-list": '"Not-A.Brand";v="99.0.0.0", "Google Chrome";v="124.0.6367.60"',
            "sec-ch-ua-mobile": "?0",
            "sec-ch-ua-platform": '"Windows"',
            "sec-ch-ua-platform-version": '"15.0.0"',
        },
        True,
    )
    assert found == Finding(
        {
            "type": "desktop",
            "os": "Windows",
            "osVersion": "11",
            "browser": "Chrome",
            "browserVersion": "124.0.6367.60",
            "bot": False,
            "touch": False,
        },
        {
            "type": "sec-ch-ua-mobile",
            "os": "sec-ch-ua-platform",
            "osVersion": "sec-ch-ua-platform-version",
            "browser": "sec-ch-ua-full-version-list",
            "browserVersion": "sec-ch-ua-full-version-list",
            "bot": "user-agent",
        },
    )


def test_a_version_that_the_browser_has_frozen_is_not_believed() -> None:
    assert "osVersion" not in facts(user_agent=WINDOWS_CHROME, sec_ch_ua_platform='"Windows"')


def test_an_android_tablet_that_asks_for_desktop_pages_is_a_tablet() -> None:
    found = facts(
        user_agent=LINUX_CHROME,
        sec_ch_ua=CHROME_BRANDS,
        sec_ch_ua_mobile="?0",
        sec_ch_ua_platform='"Android"',
        sec_ch_ua_platform_version='"14.0.0"',
        sec_ch_ua_model='"SM-X710"',
    )
    assert found == {
        "type": "tablet",
        "os": "Android",
        "osVersion": "14.0.0",
        "browser": "Chrome",
        "browserVersion": "124",
        "model": "SM-X710",
        "bot": False,
        "touch": True,
    }


def test_a_television_is_no_tablet_though_its_hints_look_like_one() -> None:
    agent = (
        "Mozilla/5.0 (Linux; Android 10; BRAVIA 4K VH2) AppleWebKit/537.36 Chrome/98.0.4758.101 Safari/537.36"
    )
    found = facts(user_agent=agent, sec_ch_ua_mobile="?0", sec_ch_ua_platform='"Android"')
    assert found["type"] == "tv"


def test_a_headless_browser_is_a_bot_though_its_user_agent_hides_it() -> None:
    found = facts(user_agent=LINUX_CHROME, sec_ch_ua='"HeadlessChrome";v="124", "Chromium";v="124"')
    assert (found["type"], found["bot"]) == ("bot", True)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (CHROME_BRANDS, ("Chrome", "124")),
        ('" Not A;Brand";v="99", "Chromium";v="96", "Microsoft Edge";v="96"', ("Edge", "96")),
        ('"Opera";v="109", "Not:A-Brand";v="8", "Chromium";v="123"', ("Opera", "109")),
        ('"Not(A:Brand";v="99", "Brave";v="133", "Chromium";v="133"', ("Brave", "133")),
        ('"Not?A_Brand";v="8", "Chromium";v="108"', ("Chromium", "108")),
        ('"\\"Not\\\\A;Brand";v="99", "Chromium";v="90"', ("Chromium", "90")),
        ('"Notion Browser";v="2", "Chromium";v="120"', ("Notion Browser", "2")),
        ("Chromium;v=1", (None, None)),
        ('"Chromium', (None, None)),
        ("", (None, None)),
    ],
)
def test_the_brand_is_found_among_engines_and_made_up_ones(
    header: str, expected: tuple[str | None, str | None]
) -> None:
    assert hints.browser(header) == expected


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("15.0.0", "11"),
        ("13.0.0", "11"),
        ("10.0.0", "10"),
        ("0.3.0", "8.1"),
        ("0.1", "7"),
        ("0.0.0", None),
        ("x", None),
    ],
)
def test_windows_says_the_version_of_an_interface(version: str, expected: str | None) -> None:
    assert hints.windows_version(version) == expected


@pytest.mark.parametrize(
    ("mobile", "system", "form_factors", "expected"),
    [
        ("?1", "Android", "", "mobile"),
        ("?0", "Android", "", "tablet"),
        ("?0", "macOS", "", "desktop"),
        ("?0", "Chrome OS", '"Tablet"', "tablet"),
        ("?1", "Android", '"XR", "Mobile"', "mobile"),
        ("?0", None, "", None),
        ("yes", "Windows", "", None),
    ],
)
def test_hints_tell_the_type(
    mobile: str, system: str | None, form_factors: str, expected: str | None
) -> None:
    assert hints.device_type(mobile, system, form_factors) == expected


def test_cloudfront_says_mobile_of_a_tablet_too() -> None:
    found = facts(
        user_agent="Amazon CloudFront",
        cloudfront_is_mobile_viewer="true",
        cloudfront_is_tablet_viewer="true",
        cloudfront_is_desktop_viewer="false",
        cloudfront_is_ios_viewer="true",
    )
    assert found == {"type": "tablet", "os": "iOS", "bot": False, "touch": True}


def test_cloudflare_names_the_type() -> None:
    assert facts(cf_device_type="desktop")["type"] == "desktop"


IPHONE = Finding.of(
    {"type": "mobile", "os": "iOS", "osVersion": "17.4", "browser": "Safari", "bot": False}, "user-agent"
)
CRAWLER = Finding.of({"type": "bot", "bot": True, "browser": "Googlebot"}, "user-agent")


@pytest.mark.parametrize(
    ("said", "read", "expected"),
    [
        (
            {"model": "iPhone15,2"},
            IPHONE,
            {"type": "mobile", "os": "iOS", "osVersion": "17.4", "browser": "Safari", "model": "iPhone15,2"},
        ),
        ({"os": "Android"}, IPHONE, {"type": "mobile", "os": "Android", "browser": "Safari"}),
        ({"type": "desktop"}, IPHONE, {"type": "desktop"}),
        ({"type": "mobile"}, CRAWLER, {"type": "mobile"}),
        ({"bot": False}, CRAWLER, {"type": "unknown", "browser": "Googlebot"}),
    ],
)
def test_what_is_said_of_another_device_drops_what_was_read_of_this_one(
    said: dict[str, Any], read: Finding, expected: dict[str, Any]
) -> None:
    found = described(Finding.of(said, "context"), read).facts
    touch = expected["type"] in ("mobile", "tablet")
    assert found == {**expected, "bot": False, "touch": touch}


@pytest.mark.parametrize("said", [{"bot": True}, {"type": "bot"}])
def test_who_says_that_it_is_a_bot_is_one(said: dict[str, Any]) -> None:
    found = described(Finding.of(said, "context"), IPHONE).facts
    assert (found["type"], found["bot"]) == ("bot", True)


def test_a_user_agent_without_end_is_cut() -> None:
    assert facts(user_agent="Mozilla/5.0 (iPhone) " + "x" * 100_000)["type"] == "mobile"
