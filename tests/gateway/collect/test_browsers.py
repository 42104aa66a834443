"""Scripts in a real browser, on a page of another site: our own, Segment's, RudderStack's, and one that speaks GA4."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.collect.script import SCRIPT
from gateway.server import serving
from tests.gateway.collect.made import Collecting
from tests.gateway.console.browser import Browser, browsing
from tests.npm import FOLDER, require_packages

pytestmark = pytest.mark.asyncio(loop_scope="package")

CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
BRANDS = [{"brand": "Google Chrome", "version": "142"}, {"brand": "Chromium", "version": "142"}]
PAGES: dict[str, str] = {}  # by name; each test puts its own here


async def page(request: Request) -> HTMLResponse:
    return HTMLResponse(f"<!doctype html><title>Shop</title>{PAGES[request.path_params['name']]}<p>Boots")


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def site() -> AsyncIterator[str]:
    require_packages()
    packages = StaticFiles(directory=FOLDER / "node_modules")
    app = Starlette(routes=[Route("/pages/{name}", page), Mount("/packages", packages)])
    async with serving(app, "127.0.0.1", 0) as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    async with browsing(tmp_path_factory.mktemp("browser"), f"--user-agent={CHROME}") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="package")
async def browser(opened: Browser, site: str) -> Browser:
    """One that has never been here."""
    await opened.open("about:blank")
    await disguised(opened)
    await opened.call("Storage.clearDataForOrigin", origin=site, storageTypes="all")
    opened.said.clear()
    return opened


async def disguised(browser: Browser) -> None:
    """As one that somebody looks at: what a browser without a window does is not kept."""
    hints = {"platform": "Linux", "platformVersion": "", "architecture": "x86", "model": "", "mobile": False}
    metadata = {"brands": BRANDS, "fullVersionList": BRANDS, **hints}
    await browser.call("Emulation.setUserAgentOverride", userAgent=CHROME, userAgentMetadata=metadata)


async def relayed(found: Collecting, attributes: str) -> str:
    return (
        f'<script src="{found.address}/v1/collect.js" data-key="{await found.token()}" {attributes}></script>'
    )


async def test_the_script_is_small() -> None:
    assert len(SCRIPT) < 3 * 1024


async def test_what_is_pushed_into_the_data_layer_is_relayed(
    found: Collecting, site: str, browser: Browser
) -> None:
    before = """<script>
      dataLayer = [{event: "gtm.js"}, {user_id: "u-1"}, {event: "page_view"}];
      function gtag() { dataLayer.push(arguments); }
    </script>"""
    PAGES["layer"] = before + await relayed(found, 'data-visitor="layer"')
    await browser.open(f"{site}/pages/layer?utm_source=news")
    await browser.run("""
        dataLayer.push({event: "add_to_cart", ecommerce: {value: 80, items: [{item_id: "boot"}]}, el: document.body});
        gtag("event", "purchase", {value: 80, items: [{item_id: "boot"}]});
        gtag("config", "G-1", {});
    """)
    assert await found.until_kept(3, "layer") == [
        ("page_view", None, None),
        ("add_to_cart", "boot", 80.0),
        ("purchase", "boot", 80.0),
    ]
    events = await found.events("layer")
    assert events[0].properties == {
        "context": {"url": f"{site}/pages/layer", "campaign": {"source": "news"}, "locale": "en-US"}
    }
    assert browser.said == []


async def test_what_waits_when_the_visitor_leaves_is_sent_as_a_beacon(
    found: Collecting, site: str, browser: Browser
) -> None:
    PAGES["leaving"] = await relayed(found, 'data-visitor="leaving" data-layer="events"')
    await browser.open(f"{site}/pages/leaving")
    async with browser.loading():
        await browser.run('events.push({event: "like", block: "boot"}); location.href = "about:blank"')
    assert await found.until_kept(1, "leaving") == [("like", "boot", None)]


async def test_a_visitor_without_an_id_is_given_one_that_stays(
    found: Collecting, site: str, browser: Browser
) -> None:
    PAGES["stays"] = await relayed(found, "")
    await browser.open(f"{site}/pages/stays")
    assert await browser.run("localStorage.length") == 0
    await browser.run('dataLayer.push({event: "like"})')
    await browser.until("localStorage.length === 1")
    visitor = await browser.run('localStorage.getItem("blockloom.visitor")')
    await browser.open(f"{site}/pages/stays")
    await browser.run('dataLayer.push({event: "share"})')
    assert await found.until_kept(2, visitor) == [("like", None, None), ("share", None, None)]


async def test_nothing_is_relayed_or_kept_where_analytics_are_refused(
    found: Collecting, site: str, browser: Browser
) -> None:
    PAGES["refused"] = await relayed(found, "")
    await browser.open(f"{site}/pages/refused")
    await browser.run("""
        function gtag() { dataLayer.push(arguments); }
        gtag("consent", "default", {analytics_storage: "denied"});
        dataLayer.push({event: "like"});
        for (let number = 0; number < 30; number++) dataLayer.push({event: "share"});
        gtag("consent", "update", {analytics_storage: "granted"});
        dataLayer.push({event: "click"});
    """)
    await browser.until("localStorage.length === 1")
    visitor = await browser.run('localStorage.getItem("blockloom.visitor")')
    assert await found.until_kept(1, visitor) == [("click", None, None)]


async def test_events_wait_while_they_cannot_be_sent(found: Collecting, site: str, browser: Browser) -> None:
    PAGES["away"] = await relayed(found, 'data-visitor="away"')
    await browser.open(f"{site}/pages/away")
    await browser.call("Network.enable")
    offline = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    await browser.call("Network.emulateNetworkConditions", offline=True, **offline)
    await browser.run("""
        window.failed = 0;
        const before = window.fetch;
        window.fetch = (...all) => before(...all).catch((error) => { window.failed++; throw error; });
        dataLayer.push({event: "like"});
    """)
    await browser.until("window.failed > 0")
    await browser.call("Network.emulateNetworkConditions", offline=False, **offline)
    assert await found.until_kept(1, "away") == [("like", None, None)]


async def test_segments_script_tells_of_a_visit(found: Collecting, site: str, browser: Browser) -> None:
    host = found.address.removeprefix("http://")
    api = f'{{apiKey: "{await found.token()}", apiHost: "{host}/v1", protocol: "http"}}'
    PAGES["segment"] = f"""
    <script src="/packages/@segment/analytics-next/dist/umd/index.js"></script>
    <script>
      const settings = {api};
      AnalyticsNext.AnalyticsBrowser.load(
        {{writeKey: settings.apiKey, cdnSettings: {{integrations: {{"Segment.io": settings}}}}}},
      ).then(async ([analytics]) => {{
        analytics.setAnonymousId("segment-web");
        await analytics.page("Boots");
        await analytics.track("Product Added", {{product_id: "boot", price: 80}});
        await analytics.identify("u-web", {{plan: "gold"}});
        window.done = true;
      }});
    </script>"""
    await browser.open(f"{site}/pages/segment")
    await browser.until("window.done")
    assert await found.until_kept(2, "segment-web") == [
        ("page_view", None, None),
        ("add_to_cart", "boot", 80.0),
    ]
    assert await found.until_traits("segment-web") == {"plan": "gold"}


async def test_rudderstacks_script_tells_of_a_visit(found: Collecting, site: str, browser: Browser) -> None:
    source = {"source": {"id": "s", "config": {}, "enabled": True, "destinations": []}}
    PAGES["rudder"] = f"""
    <script src="/packages/@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js"></script>
    <script>
      const analytics = new rudderanalytics.RudderAnalytics();
      analytics.load("{await found.token()}", "{found.address}", {{
        getSourceConfig: () => ({str(source).replace("True", "true")}), configUrl: location.origin,
        logLevel: "ERROR",
      }});
      analytics.setAnonymousId("rudder-web");
      analytics.track("Product Added", {{product_id: "boot", price: 80}});
    </script>"""
    await browser.open(f"{site}/pages/rudder")
    assert await found.until_kept(1, "rudder-web") == [("add_to_cart", "boot", 80.0)]


async def test_a_small_script_for_google_analytics_tells_of_a_page(
    found: Collecting, site: str, browser: Browser
) -> None:
    PAGES["google"] = f"""
    <script>
      localStorage.setItem("clientId", "google-web");
      window.minimalAnalytics = {{
        trackingId: "{await found.token()}", analyticsEndpoint: "{found.address}/g/collect", defineGlobal: true,
      }};
    </script>
    <script src="/packages/@minimal-analytics/ga4/dist/index.js"></script>
    <script>track(); track({{type: "add_to_cart", event: {{"epn.value": 80, "ep.sku": "boot"}}}});</script>"""
    await browser.open(f"{site}/pages/google")
    assert sorted(await found.until_kept(2, "google-web")) == [
        ("add_to_cart", "boot", 80.0),
        ("page_view", None, None),
    ]
