"""The preview in a real browser: a click becomes an event, and the page changes before one's eyes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.app import build_app
from gateway.demo.stages import stages
from gateway.server import serving
from gateway.services.gateway import Gateway
from tests.gateway.console.browser import Browser, browsing

SHOWN = "[...document.querySelectorAll('[data-block]')].map(({ dataset }) => dataset.block + '/' + dataset.variant)"
TOLD = "document.querySelector('.told').textContent"


@pytest.fixture
async def address(gateway: Gateway) -> AsyncIterator[str]:
    async with serving(build_app(gateway, open_access=True, stages=stages()), "127.0.0.1", 0) as address:
        yield address


@pytest.fixture
async def browser(address: str, tmp_path: Path) -> AsyncIterator[Browser]:
    async with browsing(tmp_path) as browser:
        await browser.call(
            "Network.setUserAgentOverride", userAgent="Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0"
        )
        yield browser


async def test_a_click_changes_the_page_and_the_story_can_begin_again(browser: Browser, address: str) -> None:
    await browser.open(f"{address}/preview/shop/home?persona=haruka")
    before = await browser.run(SHOWN)

    await browser.run("document.querySelector('[data-slot=featured] [data-action=add_to_cart]').click()")
    await browser.until(f"{TOLD}.startsWith('Add to cart')")
    changed = await browser.run("document.querySelectorAll('[data-changed]').length")
    assert len(set(await browser.run(SHOWN)) - set(before)) == changed > 2
    assert f"{changed} blocks changed" in await browser.run(TOLD)

    await browser.run("document.querySelector('[data-story]').click()")
    await browser.until(f"{TOLD}.startsWith('Begun again')")
    assert await browser.run(SHOWN) == before
    assert browser.said == []


async def test_a_link_of_a_block_counts_as_a_click_on_it(browser: Browser, address: str) -> None:
    await browser.open(f"{address}/preview/shop/home?persona=haruka")

    await browser.run("document.querySelector('[data-slot=journal] [data-block] a').click()")
    await browser.until(f"{TOLD}.startsWith('Click on story-')")

    assert await browser.run("document.querySelectorAll('#known .interests li').length") > 0
    assert browser.said == []


async def test_a_refusal_is_told(browser: Browser, address: str, gateway: Gateway) -> None:
    await browser.open(f"{address}/preview/shop/home?persona=haruka")
    await browser.run("document.querySelector('#known').dataset.visitor = ''")

    await browser.run("document.querySelector('[data-action=like]').click()")

    await browser.until(f"{TOLD}.startsWith('That did not work: visitor has 1 to 200')")


async def test_turning_a_knob_asks_for_the_page_again(browser: Browser, address: str) -> None:
    await browser.open(f"{address}/preview/shop/home?persona=haruka")

    async with browser.loading():
        await browser.run(
            "{ const { country } = document.querySelector('.controls').elements;"
            " country.value = 'AU'; country.dispatchEvent(new Event('change', { bubbles: true })) }"
        )

    assert "country=AU" in await browser.run("location.search")
    assert "seasonal/rainy-season" not in await browser.run(SHOWN)
