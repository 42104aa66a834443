"""What the law asks for, over the wire: receipts, copies, pseudonyms, what a request itself says, and the log of it."""

import zlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import jwt
import orjson
import pytest
import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient

from gateway.core.receipts import verify
from schemas.vocabulary import Scope
from tests.gateway.live import Client, Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALL = "CQq7FMAQq7FMAEsACAENAwFgAP_AAAAAAAYgAAAAAAAA.YAAAAAAAAAAA"
NONE = "CQq7FMAQq7FMAEsACAENAwFgAAAAAAAAAAYgAAAAAAAA.YAAAAAAAAAAA"
TRACK = """mutation($e: [EventInput!]!) { track(events: $e) {
  accepted rejected { code } visitors { id consent interests(first: 3) { tag } } } }"""
PAGE = """query($v: ID!, $c: ContextInput) { page(slug: "home", visitor: $v, context: $c) {
  basis slots { blocks { decision variant } } } }"""
VISITOR = "query($v: ID!) { visitor(id: $v) { id consent interests(first: 3) { tag } } }"
IDENTIFY = "mutation($v: ID!, $t: JSON!) { identify(visitor: $v, traits: $t) { id } }"
CONSENT = """mutation($v: ID!, $p: [ConsentPurpose!]!, $g: Boolean!) {
  consent(visitor: $v, purposes: $p, granted: $g) { id consent } }"""
FORGET = "mutation($v: ID!) { forget(visitor: $v) { profiles events vectors decisions receipt } }"
COPY = "query($v: ID!) { personalData(visitor: $v) }"
DECISION = "query($d: ID!) { decision(id: $d) { visitor same } }"
AUDIT = """query($k: [AuditKind!], $n: Int! = 50, $a: String) { audit(kinds: $k, first: $n, after: $a) {
  edges { cursor node { kind actor subject space details } } pageInfo { hasNextPage endCursor } doubtful } }"""


@pytest.fixture(scope="module")
def database() -> str:
    return f"t{uuid4().hex[:12]}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(engine_url: str, database: str) -> AsyncIterator[Live]:
    countries = {"US": "opt-out"}
    async with live(engine_url, database, alone=True, consent="opt-in", consent_countries=countries) as found:
        await found.load_shop()
        yield found


def bought(visitor: str, **fields: Any) -> dict[str, Any]:
    return {"type": "purchase", "visitor": visitor, "block": "mantel-shoes", **fields}


def saying(**consent: Any) -> dict[str, Any]:
    return {"context": {"consent": consent}}


async def track(client: Client, *events: dict[str, Any]) -> Any:
    return (await client.ask(TRACK, e=list(events)))["track"]


async def agreed(client: Client, visitor: str) -> None:
    await client.ask(CONSENT, v=visitor, p=["ANALYTICS", "PERSONALIZATION"], g=True)


async def audited(shop: Live, *kinds: str) -> list[dict[str, Any]]:
    """Newest first."""
    await shop.gateway.audit.flush()
    found = (await (await shop.client(Scope.AUDIT)).ask(AUDIT, k=list(kinds)))["audit"]
    assert found["doubtful"] == []
    return [edge["node"] for edge in found["edges"]]


# --- what a request says ---


async def test_what_an_event_says_is_the_visitors_answer_from_then_on(shop: Live) -> None:
    client = await shop.client()
    taken = await track(client, bought("says", **saying(tcf=ALL)))
    assert (taken["accepted"], taken["visitors"][0]["id"]) == (1, "says")
    assert len((await client.ask(VISITOR, v="says"))["visitor"]["consent"]) == 4
    assert (await track(client, bought("says")))["accepted"] == 1
    assert (await client.ask(PAGE, v="says"))["page"]["basis"] == "PERSONAL"


@pytest.mark.parametrize(
    "consent",
    [
        {"tcf": NONE},
        {"tcf": "damaged"},
        {"gcs": "G100"},
        {"gcd": "13p3p3p3p5"},
        {"signals": {"analytics_storage": "denied"}},
    ],
)
async def test_who_withdraws_with_an_event_is_not_learned_from_any_more(shop: Live, consent: Any) -> None:
    client = await shop.client()
    name = f"withdraws-{uuid4().hex}"
    await agreed(client, name)
    await track(client, bought(name))
    assert (await track(client, bought(name, **saying(**consent))))["rejected"] == [
        {"code": "CONSENT_REQUIRED"}
    ]
    assert (await client.ask(VISITOR, v=name))["visitor"] == {"id": name, "consent": [], "interests": []}
    assert (await track(client, bought(name)))["rejected"] == [{"code": "CONSENT_REQUIRED"}]


async def test_properties_may_say_it_as_well(shop: Live) -> None:
    client = await shop.client()
    told = {"consent": {"analytics_storage": "granted", "personalization_storage": "granted"}}
    assert (await track(client, bought("props", properties=told)))["accepted"] == 1


async def test_a_page_is_chosen_on_the_terms_of_its_request_alone(shop: Live) -> None:
    client = await shop.client()
    await agreed(client, "page")
    refused = await client.ask(PAGE, v="page", c={"consent": {"tcf": NONE}})
    assert refused["page"]["basis"] == "CONTEXTUAL"
    assert refused["page"]["slots"]
    assert (await client.ask(PAGE, v="page"))["page"]["basis"] == "PERSONAL"
    assert (await client.ask(PAGE, v="stranger", c={"consent": {"tcf": ALL}}))["page"]["basis"] == "PERSONAL"
    assert (await client.ask(PAGE, v="stranger"))["page"]["basis"] == "CONTEXTUAL"


async def test_what_holds_without_a_word_depends_on_the_country(shop: Live) -> None:
    client = await shop.client()
    there = {"context": {"geo": {"country": "US"}}}
    here = {"context": {"geo": {"country": "DE"}}}
    taken = await track(client, bought("american", **there), bought("german", **here))
    assert (taken["accepted"], taken["rejected"]) == (1, [{"code": "CONSENT_REQUIRED"}])
    basis = [
        (await client.ask(PAGE, v="american", c=where["context"]))["page"]["basis"] for where in (there, here)
    ]
    assert basis == ["PERSONAL", "CONTEXTUAL"]


# --- what is kept ---


async def test_no_id_of_a_visitor_and_nothing_personal_stands_in_the_database(
    shop: Live, database: str, engine_url: str
) -> None:
    client = await shop.client()
    who, mail = "raw-visitor-id-0815", "ann@secret.example"
    await agreed(client, who)
    await track(client, bought(who, id="scan-1"))
    await client.ask(IDENTIFY, v=who, t={"email": mail, "plan": "gold"})
    decision = (await client.ask(PAGE, v=who))["page"]["slots"][0]["blocks"][0]["decision"]
    space = await shop.gateway.space("main")
    await space.decisions.flush()
    await space.profiles.fold()
    await shop.gateway.audit.flush()
    store = AsyncIOMotorClient[dict[str, Any]](engine_url)
    looked, pseudonym = set(), 0
    for name in (database, f"{database}_main"):
        for collection in await store[name].list_collection_names():
            async for document in store[name][collection].find({}):
                kept = _all_bytes(document)
                looked.add(collection)
                assert who.encode() not in kept, collection
                assert mail.encode() not in kept, collection
                pseudonym += space.key(who).encode() in kept
    store.close()
    assert looked >= {"events", "profiles", "decisions", "audit", "tokens"}
    assert pseudonym >= 4  # it is there, under another name
    assert (await client.ask(VISITOR, v=who))["visitor"]["id"] == who
    assert (await client.ask(DECISION, d=decision))["decision"] == {"visitor": who, "same": True}


def _all_bytes(value: Any) -> bytes:
    """What is in a document, with what is compressed in it inflated."""
    if isinstance(value, dict):
        return b"\n".join(_all_bytes(one) for pair in value.items() for one in pair)
    if isinstance(value, list):
        return b"\n".join(map(_all_bytes, value))
    if isinstance(value, bytes):
        try:
            return zlib.decompress(value)
        except zlib.error:
            return value
    return str(value).encode()


async def test_all_that_is_kept_of_a_visitor_expires(shop: Live, database: str, engine_url: str) -> None:
    store = AsyncIOMotorClient[dict[str, Any]](engine_url)
    key = (await shop.gateway.space("main")).key("raw-visitor-id-0815").encode()
    for name in (database, f"{database}_main"):
        for collection in await store[name].list_collection_names():
            indexes = (await store[name][collection].index_information()).values()
            (expiring, *_) = [index["key"][0][0] for index in indexes if "expireAfterSeconds" in index] or [
                None
            ]
            async for document in store[name][collection].find({}):
                if key in _all_bytes(document):
                    assert expiring is not None, collection
                    assert expiring in document, collection
    store.close()


async def test_conditions_read_personal_traits_and_ids_as_they_were_sent(shop: Live) -> None:
    client = await shop.client()
    await agreed(client, "condition")
    await client.ask(IDENTIFY, v="condition", t={"email": "ann@example.org"})
    block = {
        "key": "greeting", "type": "Card", "data": {"headline": "Hello"},
        "variants": [{"key": "ann", "when": {"visitor.traits.email": "ann@example.org", "visitor.id": "condition"},
                      "patch": {"headline": "Hello Ann"}}],
    }  # fmt: skip
    kinds = [{"name": "Card", "schema": {"type": "object", "properties": {"headline": {"type": "string"}}}}]
    place = {
        "slug": "greeting",
        "title": "G",
        "slots": [{"name": "top", "strategy": "rules", "block": "greeting"}],
    }
    await shop.load({"blockTypes": kinds, "blocks": [block], "pages": [place]}, "greetings")
    there = await shop.client(space="greetings")
    await agreed(there, "condition")
    await there.ask(IDENTIFY, v="condition", t={"email": "ann@example.org"})
    query = PAGE.replace('"home"', '"greeting"')
    shown = [
        (await there.ask(query, v=who))["page"]["slots"][0]["blocks"][0]["variant"]
        for who in ("condition", "bob")
    ]
    assert shown == ["ann", "default"]


# --- a copy, and erasure ---


async def test_a_person_is_given_everything(shop: Live) -> None:
    client = await shop.client()
    await agreed(client, "copy")
    await track(client, bought("copy", id="copy-1", value=80, properties={"size": "M"}))
    await client.ask(IDENTIFY, v="copy", t={"email": "ann@example.org", "plan": "gold"})
    await client.ask(PAGE, v="copy")
    found = (await client.ask(COPY, v="copy"))["personalData"]
    assert (found["visitor"], found["space"], found["otherIds"]) == ("copy", "main", [])
    assert found["traits"] == {"email": "ann@example.org", "plan": "gold"}
    (event,) = found["events"]
    assert {**event, "occurredAt": ""} == {
        "id": "copy-1", "type": "purchase", "block": "mantel-shoes", "value": 80.0, "properties": {"size": "M"},
        "occurredAt": "",
    }  # fmt: skip
    assert {name: word["granted"] for name, word in found["consents"].items()} == {
        "ANALYTICS": True, "PERSONALIZATION": True,
    }  # fmt: skip
    assert found["profile"]["conversions"] == 1
    (decision,) = found["decisions"]
    assert (decision["page"], decision["basis"]) == ("home", "PERSONAL")
    assert decision["chosen"]
    newest = (await audited(shop, "EXPORT"))[0]
    assert (newest["actor"], newest["details"]) == ("test", {"events": 1, "decisions": 1, "otherIds": 0})
    refused = await (await shop.client(Scope.EVENTS, Scope.DELIVERY)).refused(COPY, v="copy")
    assert refused["code"] == "FORBIDDEN"


async def test_of_who_was_never_here_there_is_nothing_to_give(shop: Live) -> None:
    found = (await (await shop.client()).ask(COPY, v="never"))["personalData"]
    assert (found["profile"], found["events"], found["decisions"], found["traits"]) == (None, [], [], {})


async def test_an_erasure_gives_a_receipt_that_anybody_can_verify(shop: Live) -> None:
    client = await shop.client()
    await agreed(client, "receipt")
    await track(client, bought("receipt"), bought("receipt"))
    await client.ask(PAGE, v="receipt")
    gone = (await client.ask(FORGET, v="receipt"))["forget"]
    receipt = gone.pop("receipt")
    assert gone == {"profiles": 1, "events": 2, "vectors": 2, "decisions": 1}
    served = (await shop.http.get("/.well-known/jwks.json")).json()
    key = jwt.PyJWKSet.from_dict(served).keys[0]
    claims = jwt.decode(receipt, key.key, ["EdDSA"], {"verify_iat": False})
    assert claims == verify(shop.gateway.keys.public, receipt)
    assert (claims["erased"], claims["space"]) == (gone, "main")
    assert claims["sub"] == (await shop.gateway.space("main")).key("receipt")
    newest = (await audited(shop, "ERASURE"))[0]
    assert (newest["subject"], newest["details"], newest["actor"]) == (claims["sub"], gone, "test")
    await agreed(client, "receipt")
    late = bought("receipt", occurredAt="2026-01-01T00:00:00Z")
    assert (await track(client, late))["rejected"][0]["code"] in ("ERASED", "BAD_TIME")


# --- the log ---


async def test_the_log_tells_who_did_what_with_personal_data(shop: Live) -> None:
    client = await shop.client()
    subject = (await shop.gateway.space("main")).key("told")
    await agreed(client, "told")
    decision = (await client.ask(PAGE, v="told"))["page"]["slots"][0]["blocks"][0]["decision"]
    await client.ask(VISITOR, v="told")
    await client.ask(DECISION, d=decision)
    mine = [(one["kind"], one["details"]) for one in await audited(shop) if one["subject"] == subject]
    assert mine == [
        ("ACCESS", {"field": "decision"}),
        ("ACCESS", {"field": "visitor"}),
        ("CONSENT", {"purposes": ["ANALYTICS", "PERSONALIZATION"], "granted": True}),
    ]


async def test_the_log_tells_of_tokens_and_publications(shop: Live) -> None:
    admin = await shop.client()
    made = (await admin.ask(
        'mutation { createToken(name: "site", scopes: ["delivery"]) { token info { id } } }'
    ))["createToken"]  # fmt: skip
    await shop.bearing(made["token"]).post("{ __typename }")
    await admin.ask("mutation($t: ID!) { revokeToken(id: $t) }", t=made["info"]["id"])
    await shop.bearing("bls_unknown").post("{ __typename }")
    tokens = await audited(shop, "TOKEN_CREATED", "TOKEN_USED", "TOKEN_REVOKED", "TOKEN_REFUSED")
    token = {"token": made["info"]["id"]}
    assert [one["kind"] for one in tokens if one["details"]["token"] == made["info"]["id"]] == [
        "TOKEN_REVOKED", "TOKEN_USED", "TOKEN_CREATED",
    ]  # fmt: skip
    unknown = next(one for one in tokens if one["kind"] == "TOKEN_REFUSED")
    assert (unknown["space"], unknown["actor"]) == ("", "")
    created = next(
        one for one in tokens if one["details"] == {**token, "name": "site", "scopes": ["delivery"]}
    )
    assert created["actor"] == "test"
    publication = (await audited(shop, "PUBLICATION"))[-1]
    assert (publication["actor"], publication["details"]["revision"]) == ("test", 1)


async def test_what_events_say_of_consent_is_told_once(shop: Live) -> None:
    client = await shop.client()
    subject = (await shop.gateway.space("main")).key("once")
    for _ in range(3):
        await track(client, bought("once", **saying(tcf=ALL)))
    told = [one for one in await audited(shop, "CONSENT") if one["subject"] == subject]
    assert [(one["actor"], set(one["details"].values())) for one in told] == [("an event", {True})]


async def test_the_log_is_read_page_by_page_and_by_nobody_else(shop: Live) -> None:
    client = await shop.client(Scope.AUDIT)
    await shop.gateway.audit.flush()
    first = (await client.ask(AUDIT, n=2))["audit"]
    assert (len(first["edges"]), first["pageInfo"]["hasNextPage"]) == (2, True)
    second = (await client.ask(AUDIT, n=2, a=first["pageInfo"]["endCursor"]))["audit"]
    assert not {edge["cursor"] for edge in first["edges"]} & {edge["cursor"] for edge in second["edges"]}
    others = await shop.client(Scope.DELIVERY, Scope.EVENTS, Scope.PROFILES, Scope.EDITOR)
    assert (await others.refused(AUDIT))["code"] == "FORBIDDEN"
    await shop.load({"blockTypes": []}, "elsewhere")
    there = (await (await shop.client(Scope.AUDIT, space="elsewhere")).ask(AUDIT))["audit"]
    assert {edge["node"]["space"] for edge in there["edges"]} <= {"elsewhere"}


async def test_the_log_holds_nothing_personal(shop: Live) -> None:
    assert b"raw-visitor-id-0815" not in orjson.dumps(await audited(shop))
