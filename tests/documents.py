"""Reading documents as their readers do: code blocks in their order, commands as requests."""

import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

ROOT = Path(__file__).parents[1]


class Code(NamedTuple):
    language: str
    text: str


def code_of(path: Path) -> list[Code]:
    return [
        Code(*found)
        for found in re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL)
    ]


async def curl(client: httpx.AsyncClient, command: str, variables: dict[str, str]) -> Any:
    """What a `curl` of a document would be answered, for the options that the documents use."""
    for name, value in variables.items():
        command = command.replace(f"${name}", value)
    words = iter(shlex.split(command)[1:])
    url, headers, body, params = "", {}, None, {}
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(words)
        elif word == "--data-urlencode":
            name, _, value = next(words).partition("=")
            params[name] = value
        elif word.startswith("-"):
            assert word in {"-s", "-sG"}, word
        else:
            url = word
    method = "POST" if body is not None else "GET"
    answer = await client.request(method, urlsplit(url).path, headers=headers, params=params, content=body)
    return answer.json()
