"""Servers as child processes: started, found listening, weighed, and ended whatever happens."""

import os
import re
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
LISTENING = re.compile(rb"http://127\.0\.0\.1:(\d+)")
START_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Server:
    """Its `pid` serves; what that process started itself, like an engine, is weighed apart."""

    name: str
    pid: int
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Seconds, of all its threads."""
        return cpu_of(self.pid)

    def children_cpu(self) -> float:
        return sum(cpu_of(child) for child in children(self.pid))

    def resident(self) -> int:
        """Bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_SIZE


@contextmanager
def server(
    name: str, command: Sequence[str | Path], env: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Ready once it has printed where it listens.

    In a session of its own: a Ctrl-C is for us, and each server is then asked to end, once and in order.
    """
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, **(env or {})},
        start_new_session=True,
    )  # fmt: skip
    try:
        yield Server(name, process.pid, _port(name, process))
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _port(name: str, process: subprocess.Popen[bytes]) -> int:
    assert process.stdout
    said, until = b"", time.monotonic() + START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < until and selector.select(until - time.monotonic()):
            part = os.read(process.stdout.fileno(), 4096)
            said += part
            if found := LISTENING.search(said):
                return int(found[1])
            if not part:
                break
    raise SystemExit(f"{name} did not start: {said.decode().strip() or 'it said nothing'}")


def cpu_of(pid: int) -> float:
    """Seconds in user and system mode; 0 for a process that is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def children(pid: int) -> list[int]:
    """All below, however deep."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, tasks.read_text().split()):
            found += [child, *children(child)]
    return found
