"""Load as fast as it is answered, with wrk."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.processes import Server

CONNECTIONS = 16
SCRIPT = Path(__file__).with_name("requests.lua")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}  # as milliseconds
SIZES = {"B": 1.0, "KB": 1024.0, "MB": 1024.0**2, "GB": 1024.0**3}


@dataclass(frozen=True)
class Run:
    per_second: float
    median: float  # milliseconds
    worst: float  # milliseconds that 99 in 100 stay under
    cpu: float  # of the server, microseconds a request
    children_cpu: float  # of what the server started
    size: float  # bytes of an answer with its head


def require() -> None:
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")


def write(file: Path, requests: Sequence[bytes]) -> None:
    file.write_bytes(b"".join(b"%d\n%b" % (len(request), request) for request in requests))


def run(server: Server, requests: Path, seconds: float, connections: int = CONNECTIONS) -> Run:
    """Raises SystemExit where a request failed: a server that refuses is quick."""
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{max(1, round(seconds))}s",
        "--timeout",
        "30s",
        "--latency",
    ]
    before = server.cpu(), server.children_cpu()
    said = subprocess.run(
        [*command, "-s", SCRIPT, f"{server.address}/graphql", "--", requests],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    own, others = server.cpu() - before[0], server.children_cpu() - before[1]
    if wrong := re.search(r"(Non-2xx|Socket errors).*", said):
        raise SystemExit(f"{server.name}: {wrong[0]}")
    count, size, unit = re.search(r"(\d+) requests in [^,]+, ([\d.]+)([KMG]?B) read", said).groups()  # type: ignore[union-attr]
    return Run(
        per_second=float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),  # type: ignore[index]
        median=_milliseconds(said, 50),
        worst=_milliseconds(said, 99),
        cpu=own / int(count) * 1e6,
        children_cpu=others / int(count) * 1e6,
        size=float(size) * SIZES[unit] / int(count),
    )


def _milliseconds(said: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s|m)\b", said)
    assert found, said
    return float(found[1]) * UNITS[found[2]]
