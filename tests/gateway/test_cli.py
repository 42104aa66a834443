import re
import signal
import subprocess
import tomllib
from pathlib import Path

import httpx
import pytest

from schemas.vocabulary import Scope
from tests.gateway.commandline import COMMAND, Blockloom, blockloom

__all__ = ["blockloom"]

ROOT = Path(__file__).parents[2]
PAGES = '{"kind": "page", "slug": "home", "title": "Home", "slots": []}\n'


def test_the_version_is_the_packages(blockloom: Blockloom) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert blockloom("--version").out == f"blockloom {declared}\n"


# --- settings ---


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("BLOCKLOOM_PORT", "http", "BLOCKLOOM_PORT (--port): Input should be a valid integer"),
        ("BLOCKLOOM_EVENT_WEIGHTS", "{like", "event_weights"),
        ("BLOCKLOOM_ADMIN_TOKEN", "short", "BLOCKLOOM_ADMIN_TOKEN: give BLOCKLOOM_ADMIN_TOKEN 24 characters"),
        ("BLOCKLOOM_CONSENT", "maybe", "BLOCKLOOM_CONSENT: Input should be 'opt-in' or 'opt-out'"),
        ("BLOCKLOOM_DATABASE", "my database", "BLOCKLOOM_DATABASE: String should match"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(
    name: str, value: str, told: str, blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    ran = blockloom("serve")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert ran.err.startswith("SETTING ")
    assert told in ran.err


def test_trusting_only_documents_that_nobody_named_is_refused(
    blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLOCKLOOM_ONLY_TRUSTED", "true")
    ran = blockloom("serve")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert ran.err.startswith(
        "SETTING BLOCKLOOM_ONLY_TRUSTED: name the manifest in BLOCKLOOM_TRUSTED_DOCUMENTS"
    )


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("{", "are not JSON"),
        ('{"a": "{"}', "  a: Syntax Error"),
        ('{"a": "{ nonsense }"}', "  a: Cannot query field 'nonsense' on type 'Query'."),
    ],
)
def test_a_document_that_cannot_be_trusted_stops_serving_before_it_starts(
    manifest: str, told: str, blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "persisted-documents.json"
    path.write_text(manifest)
    monkeypatch.setenv("BLOCKLOOM_TRUSTED_DOCUMENTS", str(path))
    ran = blockloom("serve", "--port", 0)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("BAD_INPUT ")
    assert told in ran.err


def test_options_win_over_the_environment(blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKLOOM_MONGODB_URL", "nonsense")
    ran = blockloom("spaces", "list", "--mongodb", "mongodb+nonsense://")
    assert ran.err.startswith("BAD_INPUT BLOCKLOOM_MONGODB_URL cannot be used: 'mongodb+nonsense://'")


def test_a_store_that_is_away_is_said_in_one_sentence(blockloom: Blockloom) -> None:
    ran = blockloom("spaces", "list", "--mongodb", "mongodb://127.0.0.1:1/?directConnection=true")
    assert ran.code == 1
    assert ran.err.startswith("STORE_UNAVAILABLE ")
    assert "Traceback" not in ran.err


def test_what_nobody_foresaw_ends_without_a_traceback(
    blockloom: Blockloom, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("the sky is falling")

    monkeypatch.setattr("gateway.commands.schema.build_schema", broken)
    ran = blockloom("schema")
    assert (ran.code, ran.err) == (
        1,
        "INTERNAL RuntimeError: the sky is falling; BLOCKLOOM_LOG_LEVEL=debug tells where\n",
    )


# --- spaces and tokens ---


def test_spaces_are_made_once_and_listed(blockloom: Blockloom) -> None:
    assert blockloom("spaces", "create", "shop").code == 0
    assert blockloom("spaces", "create", "shop").code == 0
    assert blockloom("spaces", "list").out == "main\nshop\n"


def test_a_name_that_cannot_be_a_spaces_is_refused(blockloom: Blockloom) -> None:
    assert blockloom("spaces", "create", "My Shop").err.startswith("BAD_INPUT 'My Shop' cannot name a space")


def test_a_token_is_printed_alone_listed_without_itself_and_revoked(blockloom: Blockloom) -> None:
    made = blockloom("tokens", "create", "web", "--scope", Scope.DELIVERY, "--publishable", "--days", 30)
    token = made.out.strip()
    assert re.fullmatch(r"blp_[\w-]{43}", token)

    listed = blockloom("tokens", "list").out
    assert token not in listed
    (id_,) = re.findall(
        r"^ ([0-9a-f]{16})  web +delivery \(publishable\) +" + token[-4:], listed, re.MULTILINE
    )

    assert blockloom("tokens", "revoke", id_).out == "Revoked.\n"
    assert id_ not in blockloom("tokens", "list").out
    assert blockloom("tokens", "revoke", id_).err.startswith("NOT_FOUND no such token in this space")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["bad", "--scope", "editor", "--publishable"], "BAD_INPUT a publishable token may carry"),
        (["bad", "--scope", "editor", "--space", "nowhere"], "NOT_FOUND there is no space 'nowhere'"),
    ],
)
def test_a_token_that_could_not_be_right_is_refused(
    arguments: list[str], told: str, blockloom: Blockloom
) -> None:
    ran = blockloom("tokens", "create", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith(told)


# --- schema ---


def test_the_schema_has_the_types_of_the_space_or_those_of_every_space(
    blockloom: Blockloom, tmp_path: Path
) -> None:
    types = tmp_path / "types.yaml"
    types.write_text(
        "blockTypes: [{name: Quote, schema: {type: object, properties: {saying: {type: string}}}}]"
    )
    assert blockloom("load", types).code == 0

    assert "union BlockContent = RichText\n" in blockloom("schema").out
    assert "union BlockContent = RichText | Quote\n" in blockloom("schema", "--space", "main").out


def test_the_committed_schema_is_the_one_that_is_served() -> None:
    served = subprocess.run([COMMAND, "schema"], capture_output=True, text=True, check=True).stdout
    committed = (ROOT / "schemas" / "schema.graphql").read_text()
    assert committed == served, "it is stale: run `blockloom schema --write schemas/schema.graphql`"


def test_the_schema_is_written_to_a_file_that_can_be_written(blockloom: Blockloom, tmp_path: Path) -> None:
    assert blockloom("schema", "--write", tmp_path / "s.graphql").code == 0
    assert "type Query {" in (tmp_path / "s.graphql").read_text()
    assert blockloom("schema", "--write", tmp_path / "no" / "s.graphql").err.startswith("BAD_INPUT ")


# --- serving, and a data folder that has one owner ---


def test_a_served_gateway_owns_its_folder_answers_and_stops(blockloom: Blockloom, tmp_path: Path) -> None:
    pages = tmp_path / "pages.ndjson"
    pages.write_text(PAGES)
    there = ["--data", tmp_path / "data"]
    own = {"BLOCKLOOM_DATABASE": "blockloom", "PATH": ""}
    subprocess.run([COMMAND, "load", pages, *there], env=own, check=True, capture_output=True)
    with subprocess.Popen(
        [COMMAND, "serve", "--port", "0", *there], env=own, stdout=subprocess.PIPE
    ) as served:
        assert served.stdout is not None
        address = served.stdout.readline().decode().split()[-1]
        token = served.stdout.readline().decode().split()[-1]
        second = subprocess.run([COMMAND, "load", pages, *there], env=own, capture_output=True, check=False)
        doctor = subprocess.run([COMMAND, "doctor", *there], env=own, capture_output=True, check=False)
        answer = httpx.post(
            address,
            json={"query": '{page(slug: "home") {title}}'},
            headers={"authorization": f"Bearer {token}"},
        )
        served.send_signal(signal.SIGTERM)
        assert served.wait(20) == 0
    assert answer.json() == {"data": {"page": {"title": "Home"}}}
    assert (second.returncode, doctor.returncode) == (1, 1)
    assert second.stderr.decode().startswith(f"ENGINE data folder {tmp_path}/data is in use by process")
    assert f"data folder {tmp_path}/data is in use by process {served.pid}" in doctor.stdout.decode()


def test_a_port_that_is_taken_is_said_with_the_mend(blockloom: Blockloom) -> None:
    ran = blockloom("serve", "--host", "203.0.113.1")
    assert ran.code == 1
    assert "BAD_INPUT cannot listen on 203.0.113.1:8000" in ran.err
    assert "--port" in ran.err
