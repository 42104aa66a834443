import asyncio
import importlib.metadata
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import EngineError, StoreUnavailable
from gateway.storage import embedded
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine
from gateway.storage.engine_folder import EngineFolder
from gateway.storage.states import State

# Owns an engine, says where, writes something, and waits to be killed.
OWNER = """
import asyncio, sys
from pathlib import Path
from gateway.storage.client import connect
from gateway.storage.embedded import EmbeddedEngine

async def main():
    engine = EmbeddedEngine(Path(sys.argv[1]))
    storage = connect(await engine.start())
    await storage.space("main").states.put("kept", b"acknowledged", 0)
    print(engine.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def owned(path: Path) -> Iterator[EngineFolder]:
    folder = EngineFolder(path)
    folder.acquire()
    try:
        yield folder
    finally:
        folder.release()


@contextmanager
def process(*more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child that sleeps, once it has really begun."""
    code = "import time; print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code, *more], stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        yield child
        child.kill()


def assert_free(path: Path) -> None:
    with owned(path):
        pass


def kill_an_owner(path: Path) -> int:
    """The id of the engine that it leaves behind."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(path)], stdout=subprocess.PIPE) as owner:
        orphan = int(owner.stdout.readline())
        owner.kill()
    return orphan


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(condition, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - another process, it cannot set an event
            await asyncio.sleep(0.05)


async def answered(storage) -> bool:
    try:
        await storage.ping()
    except StoreUnavailable:
        return False
    return True


async def test_an_engine_that_dies_is_started_again_on_the_same_port_with_its_data(tmp_path):
    engine = EmbeddedEngine(tmp_path)
    url = await engine.start()
    storage = connect(url)
    states = storage.space("main").states
    await states.put("kept", b"acknowledged", 0)
    first = engine.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: engine.pid != first)
    async with asyncio.timeout(20):
        while not await answered(storage):
            pass
    assert engine.url == url
    assert await states.get("kept") == State(1, b"acknowledged")
    storage.close()
    await engine.stop()
    assert engine.pid is None


async def test_a_folder_has_one_owner(tmp_path):
    engine = EmbeddedEngine(tmp_path)
    await engine.start()
    with pytest.raises(
        EngineError, match=f"in use by process {os.getpid()}; stop it, or choose another --data"
    ):
        await EmbeddedEngine(tmp_path).start()
    await engine.stop()
    assert_free(tmp_path)


async def test_a_killed_owner_leaves_no_engine_and_its_folder_can_be_used_at_once(tmp_path):
    orphan = await asyncio.to_thread(kill_an_owner, tmp_path)
    engine = EmbeddedEngine(tmp_path)
    storage = connect(await engine.start())
    await until(lambda: not is_running(orphan), seconds=2)
    assert await storage.space("main").states.get("kept") == State(1, b"acknowledged")
    storage.close()
    await engine.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
async def test_an_engine_ends_with_its_owner_by_itself(tmp_path):
    orphan = await asyncio.to_thread(kill_an_owner, tmp_path)
    await until(lambda: not is_running(orphan))


def test_an_orphan_that_outlived_its_owner_is_ended(tmp_path):
    with process(str(EngineFolder(tmp_path).store)) as orphan:
        (tmp_path / "blockloom.lock").write_text(json.dumps({"pid": 1, "engine": orphan.pid}))
        with owned(tmp_path):
            assert orphan.wait(5) == -signal.SIGTERM


def test_another_process_that_got_the_number_of_a_dead_engine_is_left_alone(tmp_path):
    with process() as bystander:
        (tmp_path / "blockloom.lock").write_text(json.dumps({"pid": 1, "engine": bystander.pid}))
        with owned(tmp_path):
            assert bystander.poll() is None


@pytest.mark.parametrize("noted", ["", "{", "[]", "7", '{"pid": 1}'])
def test_a_lock_that_was_half_written_is_no_obstacle(tmp_path, noted):
    (tmp_path / "blockloom.lock").write_text(noted)
    with owned(tmp_path):
        assert json.loads((tmp_path / "blockloom.lock").read_text()) == {"pid": os.getpid(), "engine": None}


async def test_data_of_another_version_is_refused_with_the_way_out(tmp_path):
    note = {"engine": "secantusdb", "version": "0.6.0"}
    (tmp_path / "engine.json").write_text(json.dumps(note))
    with pytest.raises(EngineError, match=r"written by secantusdb 0\.6\.0.*blockloom export.*blockloom load"):
        await EmbeddedEngine(tmp_path).start()
    assert json.loads((tmp_path / "engine.json").read_text()) == note
    assert_free(tmp_path)


async def test_data_of_unknown_origin_is_refused(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "WiredTiger").touch()
    with pytest.raises(EngineError, match="of unknown version"):
        await EmbeddedEngine(tmp_path).start()


def test_the_folder_is_for_our_eyes_only_and_says_which_version_wrote_it(tmp_path):
    with owned(tmp_path / "new" / "data") as folder:
        folder.check_version("secantusdb", "1")
        folder.check_version("secantusdb", "1")
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.store.stat().st_mode) == 0o700
        assert json.loads((folder.path / "engine.json").read_text()) == {
            "engine": "secantusdb",
            "version": "1",
        }


async def test_a_folder_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match=r"cannot be used.*choose another --data"):
        await EmbeddedEngine(tmp_path / "file").start()


async def test_an_engine_that_is_not_installed_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "_ENGINE", "no-such-engine")
    with pytest.raises(EngineError, match=r'pip install "blockloom\[embedded\]".*BLOCKLOOM_MONGODB_URL'):
        await EmbeddedEngine(tmp_path).start()
    assert importlib.metadata.version("secantusdb")


async def test_a_port_in_use_is_refused(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=f"port {port} is in use"):
            await EmbeddedEngine(tmp_path, port).start()
    assert_free(tmp_path)


async def test_an_engine_that_cannot_start_shows_the_end_of_its_log(tmp_path):
    note = {"engine": "secantusdb", "version": importlib.metadata.version("secantusdb")}
    (tmp_path / "engine.json").write_text(json.dumps(note))
    (tmp_path / "store" / "WiredTiger.lock").mkdir(parents=True)
    with pytest.raises(EngineError, match=r"(?s)does not start.*WiredTiger"):
        await EmbeddedEngine(tmp_path).start()
    assert_free(tmp_path)


async def test_an_engine_that_dies_again_and_again_is_given_up_loudly(tmp_path, monkeypatch):
    told = []
    engine = EmbeddedEngine(tmp_path, on_failed=told.append)
    await engine.start()
    monkeypatch.setattr(embedded, "_QUICK_DEATHS", 2)
    first = engine.pid
    os.kill(first, signal.SIGKILL)
    await until(lambda: engine.pid != first)
    os.kill(engine.pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        await engine.failed.wait()
    assert "dies again and again" in told[0].message
    await engine.stop()


def test_the_log_is_rotated_at_a_start(tmp_path):
    folder = EngineFolder(tmp_path)
    folder.log.write_bytes(b"x" * 3_000_000)
    folder.open_log().close()
    assert folder.log.stat().st_size == 0
    assert (tmp_path / "engine.log.1").stat().st_size == 3_000_000
