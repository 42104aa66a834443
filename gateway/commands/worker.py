"""One of the processes that `blockloom serve --workers N` starts; its settings are those of the environment.

Through the pipes: the store's URL comes in, whether it is ready goes out, the word to serve comes in.
"""

import asyncio
import os
import socket
import sys

import orjson

from gateway.app import build_app
from gateway.commands.serve import until_stopped
from gateway.commands.terminal import run, settings_of
from gateway.errors import BlockloomError
from gateway.server import serving, settle
from gateway.services.running import running
from gateway.settings import Settings


async def work(settings: Settings, listening: socket.socket, supervisor: asyncio.StreamReader) -> None:
    try:
        async with running(settings) as gateway:
            app = build_app(gateway)
            await app.ready()
            _say(token=await gateway.first_token())
            settle()
            if not await supervisor.readline():
                return
            async with serving(app, settings.host, settings.port, settings.log_level, listening):
                alone = asyncio.create_task(_unsupervised(supervisor))
                await until_stopped()
                alone.cancel()
    except BlockloomError as error:
        _say(refused=error.message)
        sys.exit(1)


def _say(**said: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(said) + b"\n")
    sys.stdout.flush()


async def _unsupervised(supervisor: asyncio.StreamReader) -> None:
    """Nobody would start us again, nor free the port for who comes next; what is acknowledged is in the log."""
    await supervisor.read()
    os._exit(1)


async def _start(listening: socket.socket) -> None:
    supervisor = asyncio.StreamReader()
    pipe = asyncio.StreamReaderProtocol(supervisor)
    await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, sys.stdin)
    told = orjson.loads(await supervisor.readline())
    await work(settings_of(mongodb_url=told["url"]), listening, supervisor)


if __name__ == "__main__":
    run(_start(socket.socket(fileno=int(sys.argv[1]))), settings_of())
