from pathlib import Path

import orjson
import pytest

from gateway.core.bundles import read_bundle
from tests.gateway.commandline import Blockloom, blockloom

__all__ = ["blockloom"]

SHOP = Path(__file__).parents[2] / "gateway" / "demo" / "shop.yaml"

TYPES = """
blockTypes: [{name: Hero, schema: {type: object, properties: {headline: {type: string}}, required: [headline]}}]
"""
HERO = """
blocks: [{key: hero, type: Hero, tags: {travel: 1}, data: {headline: Welcome},
          variants: [{key: phone, when: {device.type: mobile}, patch: {headline: Hi}}]}]
pages: [{slug: home, title: Home, slots: [{name: hero, strategy: rules, block: hero}]}]
"""


def event(**given: object) -> dict[str, object]:
    return {"type": "click", "visitor": "ann", "block": "hero", "occurredAt": "2026-11-01T10:00:00Z", **given}


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    types, hero = tmp_path / "types.yaml", tmp_path / "hero.yaml"
    types.write_text(TYPES)
    hero.write_text(HERO)
    return [types, hero]


def lines(path: Path, *documents: dict[str, object]) -> Path:
    path.write_bytes(b"".join(orjson.dumps({"kind": "event", **document}) + b"\n" for document in documents))
    return path


# --- content ---


def test_files_may_refer_to_each_other(blockloom: Blockloom, files: list[Path]) -> None:
    assert blockloom("load", files[1]).code == 1
    ran = blockloom("load", *reversed(files))
    assert (ran.code, ran.out) == (0, "Published 3 documents, as revision 1.\n")
    again = blockloom("load", *files)
    assert again.out == "Nothing is new: all 3 documents are published already, at revision 1.\n"


@pytest.mark.parametrize("suffix", ["yaml", "json", "ndjson"])
def test_what_was_loaded_is_exported_and_loaded_again_without_loss(
    suffix: str, blockloom: Blockloom, tmp_path: Path
) -> None:
    first, second = tmp_path / f"first.{suffix}", tmp_path / f"second.{suffix}"
    assert blockloom("load", SHOP).code == 0
    assert blockloom("export", "--out", first).code == 0
    assert blockloom("spaces", "create", "copy").code == 0
    assert blockloom("load", first, "--space", "copy").code == 0
    assert blockloom("export", "--space", "copy", "--out", second).code == 0
    assert first.read_bytes() == second.read_bytes()

    loaded, exported = (read_bundle(path.read_bytes(), path.name)[0].documents for path in (SHOP, first))
    for kind, documents in loaded.items():
        assert len(documents) == len(exported[kind])
        assert all(document in exported[kind] for document in documents)


def test_an_export_without_a_file_can_be_piped(blockloom: Blockloom, files: list[Path]) -> None:
    blockloom("load", *files)
    ran = blockloom("export", "--format", "ndjson")
    assert [orjson.loads(line)["kind"] for line in ran.out.splitlines()] == ["blockType", "block", "page"]
    assert ran.err == "Exported 3 documents.\n"


def test_all_problems_are_listed_with_their_places_and_nothing_is_written(
    blockloom: Blockloom, files: list[Path], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        "blocks: [{key: a, type: Heroo, data: {}}, {key: b, type: Hero, data: {headline: 3}}]\n"
        "pages: [{slug: p, title: P, slots: [{name: s, strategy: rules, block: nowhere}]}]\n"
    )
    events = lines(tmp_path / "e.ndjson", event(type="consent"), event(occurredAt="2999-01-01T00:00:00Z"))
    ran = blockloom("load", *files, wrong, events)
    assert (ran.code, ran.out) == (1, "")
    told = ran.err.splitlines()
    assert told[-6] == "INVALID_CONTENT nothing was saved, since 5 things are wrong"
    assert sorted(line.split(": ")[0] for line in told[-5:]) == [
        f"  {events}:1#",
        f"  {events}:2#/occurredAt",
        f"  {wrong}#/blocks/0/type",
        f"  {wrong}#/blocks/1/data/headline",
        f"  {wrong}#/pages/0/slots/0/block",
    ]
    assert blockloom("export", "--format", "ndjson").out == ""


def test_files_that_cannot_be_read_are_all_named(
    blockloom: Blockloom, files: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{\n,")
    ran = blockloom("load", *files, tmp_path / "none.yaml", broken)
    assert ran.code == 1
    assert f"  {tmp_path}/none.yaml: cannot be opened: No such file or directory\n" in ran.err
    assert f"  {broken}:2: cannot be read as JSON" in ran.err


def test_drafts_are_saved_and_not_published(blockloom: Blockloom, files: list[Path]) -> None:
    ran = blockloom("load", *files, "--drafts")
    assert ran.out == "Saved 3 documents as drafts; publish them with the mutation `publish`.\n"
    assert blockloom("export", "--format", "ndjson").out == ""


def test_what_should_be_looked_at_is_said_and_published(blockloom: Blockloom, tmp_path: Path) -> None:
    shadowed = tmp_path / "shadowed.yaml"
    shadowed.write_text(TYPES + HERO.replace("variants: [", "variants: [{key: all, when: {}}, "))
    ran = blockloom("load", shadowed)
    assert ran.code == 0
    assert f"warning {shadowed}#/blocks/0/variants/1: is never shown where rules choose" in ran.err


def test_a_space_that_is_not_there_is_no_target(blockloom: Blockloom, files: list[Path]) -> None:
    assert blockloom("load", *files, "--space", "nowhere").err.startswith("NOT_FOUND there is no space")


def test_a_file_that_cannot_be_written_is_said(blockloom: Blockloom, tmp_path: Path) -> None:
    ran = blockloom("export", "--out", tmp_path / "no" / "shop.yaml")
    assert (ran.code, ran.err.splitlines()[-1].split(" (")[0]) == (
        1,
        f"BAD_INPUT {tmp_path}/no/shop.yaml cannot be written",
    )


# --- events ---


@pytest.fixture
def agreed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKLOOM_CONSENT", "opt-out")


@pytest.mark.usefixtures("agreed")
def test_events_are_taken_once_however_old_and_exported_as_they_are(
    blockloom: Blockloom, files: list[Path], tmp_path: Path
) -> None:
    old = event(id="old", occurredAt="1999-12-31T23:59:59.250000+00:00", value=2.5, properties={"size": "M"})
    nameless = [event(visitor="ben"), event(visitor="ben")]
    log = lines(tmp_path / "log.ndjson", old, *nameless)

    first = blockloom("load", *files, log)
    assert first.out.splitlines()[-1] == "Took 3 events; 0 were known already."
    again = blockloom("load", log)
    assert (again.code, again.out) == (0, "Took 0 events; 3 were known already.\n")

    out = tmp_path / "out.ndjson"
    assert blockloom("export", "--events", "--out", out).err.endswith(
        f"Exported 3 documents and 3 events to {out}.\n"
    )
    bundle, problems = read_bundle(out.read_bytes(), out.name)
    exported = bundle.documents["event"]
    assert problems == []
    ann, ben = exported[0]["visitor"], exported[1]["visitor"]  # by pseudonyms
    assert len({ann, ben, "ann", "ben"}) == 4
    assert exported[0] == {**old, "visitor": ann}
    assert [{**each, "id": ""} for each in exported[1:]] == [
        {**event(visitor=ben, occurredAt="2026-11-01T10:00:00+00:00"), "id": ""}
    ] * 2

    assert blockloom("load", out).out.splitlines()[-1] == "Took 0 events; 3 were known already."


@pytest.mark.usefixtures("agreed")
def test_more_events_than_a_bucket_holds_are_all_taken_and_exported(
    blockloom: Blockloom, tmp_path: Path
) -> None:
    log = lines(tmp_path / "log.ndjson", *(event(id=f"e{i}", visitor=f"v{i % 50}") for i in range(1_201)))
    assert blockloom("load", log).out == "Took 1,201 events; 0 were known already.\n"
    ran = blockloom("export", "--events")
    assert {orjson.loads(line)["id"] for line in ran.out.splitlines()} == {f"e{i}" for i in range(1_201)}


def test_events_of_visitors_who_have_not_agreed_are_refused_aloud(
    blockloom: Blockloom, tmp_path: Path
) -> None:
    ran = blockloom("load", lines(tmp_path / "log.ndjson", event(), event(id="e2")))
    assert (ran.code, ran.out) == (1, "Took 0 events; 0 were known already.\n")
    assert "BAD_INPUT 2 events were refused: 2 because the visitor has not agreed to be remembered" in ran.err


def test_events_are_exported_as_ndjson_alone(blockloom: Blockloom, tmp_path: Path) -> None:
    ran = blockloom("export", "--events", "--out", tmp_path / "all.yaml")
    assert (ran.code, list(tmp_path.iterdir())) == (1, [])
    assert "use --format ndjson" in ran.err


@pytest.mark.usefixtures("agreed")
def test_an_erased_visitor_leaves_nothing(blockloom: Blockloom, tmp_path: Path) -> None:
    blockloom("load", lines(tmp_path / "log.ndjson", event(id="a"), event(id="b", visitor="ben")))
    copy = orjson.loads(blockloom("export", "--visitor", "ann").out)
    assert (copy["visitor"], [one["id"] for one in copy["events"]]) == ("ann", ["a"])
    erased = blockloom("erase", "ann")
    assert erased.err.startswith("Erased 1 profile, 1 events, 0 decisions.\n")
    claims = orjson.loads(blockloom("audit", "receipt", erased.out.strip(), "--visitor", "ann").out)
    assert claims["erased"] == {"profiles": 1, "events": 1, "vectors": 0, "decisions": 0}
    assert [orjson.loads(line)["id"] for line in blockloom("export", "--events").out.splitlines()] == ["b"]
    assert orjson.loads(blockloom("export", "--visitor", "ann").out)["events"] == []
    assert blockloom("erase", "nobody").err.startswith("Nothing was kept.\n")
    assert "leave --events" in blockloom("export", "--visitor", "ann", "--events").err
    kinds = {line.split("  ")[2] for line in blockloom("audit", "show").out.splitlines()}
    assert kinds >= {"erasure", "export"}
    assert blockloom("audit", "verify").code == 0
