"""Where the gateway's time goes under load, sampled from outside."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from rig import wrk
from rig.rounds import Target

RATE = 200  # samples a second
SHOWN = 40


def sample(target: Target, file: Path, seconds: float) -> None:
    """Writes collapsed stacks, as flame graphs are drawn from, and prints the functions that were seen most."""
    command = shutil.which("py-spy", path=Path(sys.executable).parent) or shutil.which("py-spy")
    if command is None:
        raise SystemExit("py-spy is missing: .venv/bin/pip install py-spy; or see in_process.py --profile")
    options = ["--pid", str(target.server.pid), "--format", "raw", "--output", str(file), "--rate", str(RATE)]
    spying = subprocess.Popen(
        [command, "record", *options, "--nonblocking", "--duration", str(round(seconds))],
        stdout=subprocess.DEVNULL,
    )
    try:
        run = wrk.run(target.server, target.requests, seconds + 2, target.connections)
        if spying.wait():
            raise SystemExit(
                "py-spy could not look into the gateway; as another user's process it needs root"
            )
    finally:
        spying.terminate()
    print(f"{run.per_second:,.0f} requests a second, {run.cpu:,.0f} us of CPU each, sampling included")
    print("\n".join(_seen(file.read_text(), run.cpu)))


def _seen(stacks: str, cpu: float) -> list[str]:
    """Each function by itself and with what it called, as microseconds of a request."""
    alone: Counter[str] = Counter()
    within: Counter[str] = Counter()
    for line in stacks.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [re.sub(r":\d+\)$", ")", frame) for frame in stack.split(";")]
        alone[frames[-1]] += int(count)
        within.update(dict.fromkeys(frames, int(count)))
    share = cpu / (alone.total() or 1)
    head = f"{'us alone':>10}{'us within':>11}"
    return [
        head,
        *(f"{n * share:>10.1f}{within[name] * share:>11.1f}  {name}" for name, n in alone.most_common(SHOWN)),
    ]
