"""A real Redis for the tests that need one."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

PATIENCE = 20.0  # seconds


@contextmanager
def running_redis(port: int | None = None) -> Iterator[str]:
    """The URL. Without Debian's redis-server the test is skipped, but not in CI."""
    command = shutil.which("redis-server")
    if command is None:
        if os.environ.get("CI"):
            pytest.fail("redis-server is missing: apt-get install redis-server")
        pytest.skip("redis-server is missing: apt-get install redis-server")
    port = port or free_port()
    with tempfile.TemporaryDirectory() as folder:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder]
        process = subprocess.Popen([command, *options], stdout=subprocess.DEVNULL)
        try:
            _answering(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(PATIENCE)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _answering(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as found:
            found.sendall(b"PING\r\n")
            if found.recv(16).startswith(b"+PONG"):
                return
        time.sleep(0.02)
    raise TimeoutError("redis-server did not start")
