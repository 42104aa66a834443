"""The command `blockloom`, run in this process on the session's engine, or as a process of its own."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.cli import main

COMMAND = Path(sys.executable).parent / "blockloom"


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Blockloom = Callable[..., Ran]


@pytest.fixture
def blockloom(
    engine_url: str, prefix: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Blockloom:
    monkeypatch.setenv("BLOCKLOOM_MONGODB_URL", engine_url)
    monkeypatch.setenv("BLOCKLOOM_DATABASE", prefix)

    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capfd.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run
