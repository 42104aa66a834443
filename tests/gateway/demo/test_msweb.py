import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import islice
from pathlib import Path

import orjson
import pytest

from gateway.core.bundles import Existing, bundle_warnings, check_bundle, read_bundle
from gateway.demo import msweb
from gateway.demo.msweb.families import FAMILIES, GENERAL, families

REBUILD = Path(__file__).parents[3] / "examples" / "datasets" / "msweb.py"
ORIGINALS = os.environ.get("BLOCKLOOM_TEST_MSWEB")
END = datetime(2026, 11, 22, 12, tzinfo=UTC)

DST = """\
I,4,"www.microsoft.com","created by getlog.pl"
A,1287,1,"International AutoRoute","/autoroute"
A,1000,1,"regwiz ","/regwiz"
C,"10001",10001
V,1000,1
V,1287,1
C,"10002",10002
V,1287,1
"""


def rebuild(source: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(REBUILD), str(source), "--out", str(out)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


# --- the bundle ---


def test_the_areas_are_a_bundle_without_problems() -> None:
    bundle, unreadable = read_bundle(orjson.dumps(msweb.areas()), "msweb.json")

    assert [*unreadable, *check_bundle(bundle, Existing()), *bundle_warnings(bundle)] == []


def test_each_area_is_a_block_tagged_by_its_families() -> None:
    blocks = {block["key"]: block for block in msweb.areas()["blocks"]}

    assert len(blocks) == 294 + len(["welcome"])
    assert blocks["area-1083"] == {
        "key": "area-1083",
        "type": "Area",
        "tags": {"office": 1.0, "data": 1.0, "support": 1.0},
        "data": {"title": "MS Access Support", "url": "/msaccesssupport"},
    }


# --- the families ---


@pytest.mark.parametrize(
    ("title", "url", "expected"),
    [
        ("MS Word Development", "/worddev", ["office", "developer"]),
        ("Developer Workshop", "/workshop", ["web-building", "developer"]),  # not the Works of Office
        ("MS Works", "/works", ["office"]),
        ("WorldWide Offices - US Districts", "/usa", ["company", "americas"]),  # nor its Office
        ("Source Safe Support", "/ssafesupport", ["developer", "support"]),
        ("Hardware Supprt", "/hardwaresupport", ["support", "hardware"]),
        ("International IE content", "/ie_intl", ["internet"]),
        ("MS in K-12 Education", "/k-12", ["education"]),
        ("misc", "/misc", [GENERAL]),
    ],
)
def test_the_words_of_title_and_url_tell_the_family(title: str, url: str, expected: list[str]) -> None:
    assert families(title, url) == expected


def test_every_family_has_areas_and_hardly_an_area_has_none() -> None:
    areas = [block["tags"] for block in msweb.areas()["blocks"] if block["type"] == "Area"]
    sizes = {family: sum(family in tags for tags in areas) for family in (*FAMILIES, GENERAL)}

    assert min(sizes.values()) >= 2
    assert sizes[GENERAL] <= 3


# --- the visits ---


def test_a_visit_is_a_view_event_of_a_known_area() -> None:
    first = next(msweb.visits(end=END))

    assert first == {
        "id": "msweb-10001-1000",
        "visitor": "msweb-10001",
        "type": "view",
        "block": "area-1000",
        "occurredAt": "2026-11-15T12:00:00.000+00:00",
    }


def test_every_visit_of_the_training_set_lies_in_the_week_before_the_end() -> None:
    events = list(msweb.visits(end=END))
    known = {block["key"] for block in msweb.areas()["blocks"]}
    times = [datetime.fromisoformat(event["occurredAt"]) for event in events]
    days = [(at - END) // timedelta(days=1) for at in times]

    assert len({event["id"] for event in events}) == len(events) == 98_654
    assert len({event["visitor"] for event in events}) == 32_711
    assert {event["block"] for event in events} <= known
    assert END - timedelta(days=7) <= min(times) <= max(times) < END
    assert all(abs(days.count(day) - len(events) / 7) < 0.02 * len(events) for day in range(-7, 0))


def test_a_limit_takes_the_first_visits_and_the_same_end_gives_the_same_events() -> None:
    assert list(msweb.visits(5, end=END)) == list(islice(msweb.visits(end=END), 5))


# --- the converter ---


def test_the_original_format_becomes_a_record_a_line(tmp_path: Path) -> None:
    for name in ("anonymous-msweb.data", "anonymous-msweb.test"):
        (tmp_path / name).write_text(DST)

    done = rebuild(tmp_path, tmp_path / "out")

    assert done.returncode == 0, done.stderr
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == {
        "areas.json": '[\n{"id":1000,"title":"regwiz","url":"/regwiz"},\n'
        '{"id":1287,"title":"International AutoRoute","url":"/autoroute"}\n]\n',
        "visits.json": "[\n[1000,1287],\n[1287]\n]\n",
        "visits-test.json": "[\n[1000,1287],\n[1287]\n]\n",
    }


def test_a_gap_between_visitors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "anonymous-msweb.data").write_text(DST.replace("10002", "10003"))

    done = rebuild(tmp_path, tmp_path / "out")

    assert done.returncode != 0
    assert "10003 is out of order" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_original_files_give_the_shipped_ones_byte_for_byte(tmp_path: Path) -> None:
    """Originals are read where a folder is named; else they are written from what is shipped, in their format."""
    source = Path(ORIGINALS) if ORIGINALS else as_dst(tmp_path / "originals")
    done = rebuild(source, tmp_path / "out")

    assert done.returncode == 0, done.stderr
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == resources.files(msweb).joinpath(path.name).read_bytes()


def as_dst(folder: Path) -> Path:
    """The shipped data in the lines of the original files: A (area), C (visitor), V (visit)."""
    folder.mkdir()
    shipped = resources.files(msweb)
    areas = json.loads(shipped.joinpath("areas.json").read_text())
    named = [f'A,{area["id"]},1,"{area["title"]}","{area["url"]}"' for area in reversed(areas)]
    for name, visits in (("data", "visits.json"), ("test", "visits-test.json")):
        lines = ['I,4,"www.microsoft.com","created by getlog.pl"', *named]
        for number, opened in enumerate(json.loads(shipped.joinpath(visits).read_text()), 10001):
            lines += [f'C,"{number}",{number}', *(f"V,{area},1" for area in opened)]
        (folder / f"anonymous-msweb.{name}").write_text("\n".join(lines) + "\n", encoding="ascii")
    return folder
