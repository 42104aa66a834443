"""The folder that an embedded engine keeps its data in: one owner, one version, nothing left behind.

DIR/blockloom.lock   held with flock by the owner; names it and its engine: {"pid": 1, "engine": 2}
DIR/engine.json      which engine, in which version, wrote the store
DIR/engine.log       what the engine says, with the part before the last start in engine.log.1
DIR/store            the engine's files
"""

import fcntl
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import IO

from gateway.errors import EngineError

_LOG_BYTES = 2_000_000
_GRACE_SECONDS = 10.0


class EngineFolder:
    def __init__(self, data: Path) -> None:
        self.path = data
        self.store = data / "store"
        self.log = data / "engine.log"
        self._lock: IO[str] | None = None

    def acquire(self) -> None:
        """Make the folder ours. Raises EngineError when it cannot be made or another process owns it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.store.mkdir(mode=0o700, exist_ok=True)
            self.store.chmod(0o700)
            lock = (self.path / "blockloom.lock").open("a+")
        except OSError as error:
            raise EngineError(
                f"the data folder {self.path} cannot be used: {error.strerror}; choose another --data"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _read(lock).get("pid", "unknown")
            lock.close()
            raise EngineError(
                f"data folder {self.path} is in use by process {owner}; stop it, or choose another --data, "
                "or give both a mongodb:// URL"
            ) from None
        self._lock = lock
        self._end_orphan(_read(lock).get("engine"))
        self.note_engine(None)

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def note_engine(self, pid: int | None) -> None:
        """Write down whose the folder is, for the owner after us to read if we die."""
        if self._lock is None:
            return
        self._lock.seek(0)
        self._lock.truncate()
        json.dump({"pid": os.getpid(), "engine": pid}, self._lock)
        self._lock.flush()

    def check_version(self, engine: str, version: str) -> None:
        """Refuse files that another version wrote: the engine cannot read them."""
        note = self.path / "engine.json"
        mine = {"engine": engine, "version": version}
        if note.exists():
            wrote = json.loads(note.read_text())
        elif any(self.store.iterdir()):
            wrote = {"engine": engine, "version": "of unknown version"}
        else:
            note.write_text(json.dumps(mine))
            return
        if wrote != mine:
            raise EngineError(
                f"{self.path} was written by {wrote['engine']} {wrote['version']}, installed is "
                f"{engine} {version}; run `blockloom export` with the old version, choose a new --data, "
                "and `blockloom load` what was exported"
            )

    def open_log(self) -> IO[bytes]:
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        return self.log.open("ab")

    def log_tail(self, size: int = 2_000) -> str:
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - size))
            return log.read().decode(errors="replace").strip()

    def _end_orphan(self, pid: int | None) -> None:
        """End an engine whose owner died before it: it still holds the store's own lock."""
        if pid is None or not self._is_our_engine(pid):
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while self._is_our_engine(pid):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)

    def _is_our_engine(self, pid: int) -> bool:
        """Process ids are used again: only a process that was started on this very store is meant."""
        return str(self.store) in _arguments(pid)


def _arguments(pid: int) -> list[str]:
    """How a running process was called; empty when there is none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
        except OSError:
            return []
    shown = subprocess.run(  # noqa: S603 - a number is all that varies
        ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.split()


def _read(lock: IO[str]) -> dict[str, int]:
    lock.seek(0)
    try:
        found = json.loads(lock.read() or "{}")
    except ValueError:  # its owner died while writing it
        return {}
    return found if isinstance(found, dict) else {}
