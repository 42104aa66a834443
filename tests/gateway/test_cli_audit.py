import asyncio
import re
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from gateway.core.keys import Keys
from gateway.core.receipts import erasure, issue
from gateway.services.audit import Audit
from gateway.services.keys import open_keys
from gateway.settings import Settings
from gateway.storage.client import connect
from schemas.vocabulary import AuditKind
from tests.documents import ROOT
from tests.gateway.commandline import Blockloom, blockloom

__all__ = ["blockloom"]

KEY = "a secret that is long enough to be a key"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKLOOM_KEYS", f'["{KEY}"]')


class Deployment:
    """A store that a gateway once worked on."""

    def __init__(self, url: str, prefix: str) -> None:
        self._url, self._prefix = url, prefix

    async def keys(self) -> Keys:
        storage = connect(self._url, self._prefix)
        try:
            return await open_keys(storage.control, Settings())
        finally:
            storage.close()

    async def _write(self, process: str, actors: tuple[str, ...]) -> None:
        storage = connect(self._url, self._prefix)
        keys = await open_keys(storage.control, Settings())
        audit = Audit(storage.audit, process, keys, timedelta(days=730))
        await audit.open()
        subject = keys.pseudonyms("main").of("ann")
        for actor in actors:
            await audit.write(AuditKind.ERASURE, "main", actor, subject, {"events": 3})
        audit.note(AuditKind.TOKEN_REFUSED, "", "")
        await audit.flush()
        storage.close()

    def write(self, process: str, *actors: str) -> None:
        asyncio.run(self._write(process, actors))

    async def _delete(self, bucket: str) -> None:
        client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(self._url)
        await client[self._prefix]["audit"].delete_one({"_id": bucket})
        client.close()

    def delete(self, bucket: str) -> None:
        asyncio.run(self._delete(bucket))

    def receipt(self) -> str:
        keys = asyncio.run(self.keys())
        claims = erasure("main", keys.pseudonyms("main").of("ann"), 1_796_500_000, {"events": 3}, "p-2")
        return issue(keys.signing, claims)


@pytest.fixture
def deployment(engine_url: str, prefix: str) -> Deployment:
    return Deployment(engine_url, prefix)


# --- verify and heads ---


def test_a_whole_log_is_proven(blockloom: Blockloom, deployment: Deployment) -> None:
    deployment.write("p", "eve", "website")
    deployment.write("q", "eve")
    ran = blockloom("audit", "verify")
    assert (ran.code, ran.out) == (0, "Whole: 7 entries in 5 buckets of 2 chains.\n")


def test_a_log_that_nobody_wrote_yet_is_whole(blockloom: Blockloom) -> None:
    assert blockloom("audit", "verify").out == "Whole: 0 entries in 0 buckets of 0 chains.\n"


def test_what_is_missing_is_said_exactly_with_an_exit_code_of_its_own(
    blockloom: Blockloom, deployment: Deployment
) -> None:
    deployment.write("p", "eve", "website", "eve")
    deployment.delete("p-000000000002")
    ran = blockloom("audit", "verify")
    assert (ran.code, ran.out) == (3, "p: bucket 2 (entries 3 to 3): missing: taken away before its time\n")
    assert "Broken in 1 place" in ran.err
    assert blockloom("audit", "heads").code == 3


def test_an_end_that_was_taken_away_is_found_by_heads_that_were_kept(
    blockloom: Blockloom, deployment: Deployment, tmp_path: Path
) -> None:
    deployment.write("p", "eve", "website")
    kept = tmp_path / "heads"
    kept.write_text(blockloom("audit", "heads").out)
    assert re.fullmatch(r"p 3 \S{44} \S+\n", kept.read_text())
    assert blockloom("audit", "verify", "--expect", kept).code == 0
    deployment.delete("p-000000000003")
    assert blockloom("audit", "verify").code == 0
    ran = blockloom("audit", "verify", "--expect", kept)
    assert ran.code == 3
    assert ran.out.startswith("p: bucket 3: missing, though what was expected names it")


def test_heads_that_were_not_kept_whole_are_refused(blockloom: Blockloom, tmp_path: Path) -> None:
    kept = tmp_path / "heads"
    kept.write_text("\np 3 abc\n")
    ran = blockloom("audit", "verify", "--expect", kept)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(f"BAD_INPUT {kept}:2 is no head")
    assert "cannot be read" in blockloom("audit", "verify", "--expect", tmp_path / "none").err


def test_a_log_of_another_key_is_not_proven(
    blockloom: Blockloom, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.write("p", "eve")
    monkeypatch.setenv("BLOCKLOOM_KEYS", f'["{KEY} and more", "{KEY}"]')
    deployment.write("q", "eve")
    assert blockloom("audit", "verify").code == 0
    monkeypatch.setenv("BLOCKLOOM_KEYS", f'["{KEY} and more"]')
    ran = blockloom("audit", "verify")
    assert ran.code == 3
    assert "is not among ours; put it back if BLOCKLOOM_KEYS had it" in ran.out


# --- show ---


def test_entries_are_shown_newest_first(blockloom: Blockloom, deployment: Deployment) -> None:
    deployment.write("p", "eve", "website")
    lines = blockloom("audit", "show").out.splitlines()
    assert [line.split("  ")[1:3] for line in lines] == [
        ["p-4", "token-refused"],
        ["p-3", "erasure"],
        ["p-2", "erasure"],
        ["p-1", "chain"],
    ]
    subject = asyncio.run(deployment.keys()).pseudonyms("main").of("ann")
    assert lines[1].split("  ")[3:] == ["main", "website", subject, '{"events":3}']


def test_entries_are_chosen_and_shown_as_json(blockloom: Blockloom, deployment: Deployment) -> None:
    deployment.write("p", "eve", "website")
    options = ["--kind", "erasure", "--kind", "export", "--space", "main", "--since", "1h", "--json"]
    found = [orjson.loads(line) for line in blockloom("audit", "show", *options).out.splitlines()]
    assert [(one["id"], one["actor"], one["details"]) for one in found] == [
        ("p-3", "website", {"events": 3}),
        ("p-2", "eve", {"events": 3}),
    ]
    assert len(blockloom("audit", "show", *options, "--last", 1).out.splitlines()) == 1
    assert blockloom("audit", "show", "--since", "2126-11-01").out == ""


def test_a_time_that_is_none_is_refused(blockloom: Blockloom) -> None:
    assert blockloom("audit", "show", "--since", "yesterday").err.startswith(
        "BAD_INPUT --since yesterday is no time; write 2026-11-01T12:00, or an age"
    )


def test_what_was_changed_is_not_shown(blockloom: Blockloom, deployment: Deployment, monkeypatch) -> None:
    deployment.write("p", "eve")
    monkeypatch.setenv("BLOCKLOOM_KEYS", f'["{KEY} and more", "{KEY}"]')
    blockloom("audit", "jwks")
    monkeypatch.setenv("BLOCKLOOM_KEYS", f'["{KEY} and more"]')
    ran = blockloom("audit", "show")
    assert (ran.code, ran.out) == (0, "")
    assert "p-000000000001 was changed and is not shown" in ran.err


# --- receipts and keys ---


def test_a_receipt_is_verified_by_the_store_or_by_its_public_keys_alone(
    blockloom: Blockloom, deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = deployment.receipt()
    file, keys = tmp_path / "receipt.txt", tmp_path / "jwks.json"
    file.write_text(receipt + "\n")
    keys.write_text(blockloom("audit", "jwks").out)
    by_store = blockloom("audit", "receipt", receipt)
    assert (by_store.code, orjson.loads(by_store.out)["erased"]) == (0, {"events": 3})
    monkeypatch.setenv("BLOCKLOOM_MONGODB_URL", "mongodb://127.0.0.1:1/?directConnection=true")
    assert blockloom("audit", "receipt", file, "--jwks", keys).out == by_store.out


def test_a_receipt_is_of_one_visitor(blockloom: Blockloom, deployment: Deployment) -> None:
    receipt = deployment.receipt()
    assert blockloom("audit", "receipt", receipt, "--visitor", "ann").code == 0
    assert (
        "not of this visitor of the space main"
        in blockloom("audit", "receipt", receipt, "--visitor", "bob").err
    )
    assert blockloom("audit", "receipt", receipt, "--visitor", "ann", "--space", "shop").code == 1


def test_what_proves_nothing_is_said(blockloom: Blockloom, deployment: Deployment, tmp_path: Path) -> None:
    receipt, keys = deployment.receipt(), tmp_path / "jwks.json"
    keys.write_text("[]")
    assert "Signature verification failed" in blockloom("audit", "receipt", receipt[:-20] + "A" * 20).err
    assert blockloom("audit", "receipt", "hello").err.startswith("BAD_INPUT this is no receipt")
    assert "no JSON Web Key Set" in blockloom("audit", "receipt", receipt, "--jwks", keys).err


def test_the_key_that_was_made_can_be_moved_to_the_setting(
    blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BLOCKLOOM_KEYS")
    made = blockloom("audit", "key").out.strip()
    public = blockloom("audit", "jwks").out
    assert "move it to BLOCKLOOM_KEYS" in blockloom("doctor").out
    monkeypatch.setenv("BLOCKLOOM_KEYS", f'["{KEY}"]')
    assert "fail  BLOCKLOOM_KEYS has none of the keys" in blockloom("doctor").out
    assert blockloom("audit", "key").out.strip() == made
    monkeypatch.setenv("BLOCKLOOM_KEYS", f'["{KEY}", "{made}"]')
    both = orjson.loads(blockloom("audit", "jwks").out)["keys"]
    assert both[1:] == orjson.loads(public)["keys"]
    assert "ok  BLOCKLOOM_KEYS fits (2); the first seals and signs" in blockloom("doctor").out
    assert "begun with keys of its operator" in blockloom("audit", "key").err


def test_every_kind_of_entry_is_listed() -> None:
    text = (ROOT / "docs" / "audit.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE) == [str(kind) for kind in AuditKind]
