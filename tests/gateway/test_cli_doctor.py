import asyncio
from pathlib import Path

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from tests.gateway.commandline import Blockloom, blockloom

__all__ = ["blockloom"]


def test_all_is_well_with_a_store_that_was_opened_before(
    blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKLOOM_KEYS", '["a secret that is long enough to be a key"]')
    blockloom("spaces", "list")
    ran = blockloom("doctor")
    told = [tuple(line.split(maxsplit=1)) for line in ran.out.splitlines()]
    assert (ran.code, {state for state, _ in told}) == (0, {"ok", "set"})
    assert ("ok", "the store answers") in told
    assert ("ok", "space main has all of its indexes") in told
    assert ("ok", "BLOCKLOOM_KEYS fits (1); the first seals and signs") in told
    assert {("set", "BLOCKLOOM_MONGODB_URL=(hidden)"), ("set", "BLOCKLOOM_KEYS=(hidden)")} < set(told)


async def _drop_an_index(url: str, database: str) -> None:
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(url)
    await client[database]["events"].drop_index("open_1")
    client.close()


def test_a_missing_index_is_named(blockloom: Blockloom, engine_url: str, prefix: str) -> None:
    blockloom("spaces", "list")
    asyncio.run(_drop_an_index(engine_url, f"{prefix}_main"))
    ran = blockloom("doctor")
    assert ran.code == 0
    assert "warn  space main lacks the indexes events.open_1; the next start" in ran.out


def test_a_variable_that_is_no_setting_is_noticed(
    blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKLOOM_PROT", "80")
    assert "warn  BLOCKLOOM_PROT is no setting; did you mean BLOCKLOOM_PORT?" in blockloom("doctor").out


def test_a_country_database_that_cannot_be_read_fails(
    blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BLOCKLOOM_COUNTRY_DATABASE", str(tmp_path / "none.mmdb"))
    ran = blockloom("doctor")
    assert ran.code == 1
    assert f"fail  The country database {tmp_path}/none.mmdb cannot be read" in ran.out


@pytest.mark.parametrize(
    ("manifest", "state", "told"),
    [
        ('{"a": "{ page(slug: \\"home\\") { slug } }"}', "ok", "1 trusted documents in"),
        ('{"a": "{"}', "fail", "holds what cannot be trusted: a: Syntax Error"),
        (None, "fail", "cannot be read: No such file or directory"),
    ],
)
def test_trusted_documents_are_read(
    manifest: str | None,
    state: str,
    told: str,
    blockloom: Blockloom,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = tmp_path / "manifest.json"
    if manifest is not None:
        path.write_text(manifest)
    monkeypatch.setenv("BLOCKLOOM_TRUSTED_DOCUMENTS", str(path))
    ran = blockloom("doctor")
    assert ran.code == (state == "fail")
    assert any(line.split()[0] == state and told in line for line in ran.out.splitlines())


def test_a_store_that_is_away_fails(blockloom: Blockloom) -> None:
    ran = blockloom("doctor", "--mongodb", "mongodb://127.0.0.1:1/?directConnection=true")
    assert ran.code == 1
    assert "fail  the store does not answer" in ran.out


def test_before_the_first_start_the_engine_is_tried_elsewhere(
    blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BLOCKLOOM_MONGODB_URL")
    ran = blockloom("doctor", "--data", tmp_path / "new")
    assert (ran.code, list(tmp_path.iterdir())) == (0, [])
    assert f"ok  data folder {tmp_path}/new, made at the first start" in ran.out
    assert "ok  the embedded engine starts" in ran.out


def test_a_data_folder_that_is_a_file_fails(
    blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BLOCKLOOM_MONGODB_URL")
    (tmp_path / "file").touch()
    ran = blockloom("doctor", "--data", tmp_path / "file" / "data")
    assert ran.code == 1
    assert f"fail  data folder {tmp_path}/file/data cannot be written; choose another --data" in ran.out
