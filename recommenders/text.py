"""The words that people read in a JSON document, without those that only machines read."""

import html
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from sys import intern
from typing import Any
from unicodedata import normalize

READ_CHARACTERS = 20_000  # a longer text says what it is about long before
READ_DEPTH = 32

# Scripts without spaces between words, and Korean with its short ones: cut into overlapping pairs.
_PAIRED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
# Vowel signs and accents that belong to a word though Unicode does not count them as letters.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u109f"
_LETTERS = f"[^\\W_{_PAIRED}]"
_RUN = re.compile(f"[{_PAIRED}]+")
_TOKEN = re.compile(f"{_RUN.pattern}|{_LETTERS}+(?:[{_MARKS}]+{_LETTERS}*)*")

_TAG_OR_ADDRESS = re.compile(r"<[/!A-Za-z][^<>]*>|\b(?:https?://|www\.)\S+")
# In a single token: a path or mail address, a file name or domain, a colour, an id.
_MACHINE_TOKEN = re.compile(r"[/\\@_]|\.[A-Za-z][A-Za-z0-9]{1,4}$|^#[0-9A-Fa-f]{3,8}$|(?:\d\D*){4}")
# `sku`, `imageUrl`, `text_color`: the last word of a property's name.
_MACHINE_KEY = re.compile(
    r"(?:.*_|.*(?=[A-Z]))?(?i:id|key|sku|slug|url|uri|href|src|colou?r|icon|locale|currency)"
)

_ENGLISH = """
about above after again all also although always and any are around back because been before
being below between both but can could did does doing down during each either enough etc even
ever every few for from further get gets getting give had has have having here hers herself him
himself his how however into its itself just let like made make makes many may might more most
much must myself nor not now off once one only onto other others our ours ourselves out over own
per please same she should since some still such than that the their theirs them themselves then
there these they this those though through too under until upon use used using very was way well
were what when where which while who whom whose why will with within without would yes yet you
your yours yourself yourselves
"""
_STOP_WORDS = frozenset(_ENGLISH.split())


def words(text: str) -> Counter[str]:
    """Counts words of 3 to 30 letters and digits, case and common plural folded, stop words and numbers left out.

    Only the first `READ_CHARACTERS` are read.
    """
    folded = normalize("NFC", text[:READ_CHARACTERS].casefold())
    found: Counter[str] = Counter()
    for token, count in Counter(_TOKEN.findall(folded)).items():
        if _RUN.match(token):
            for pair in pairwise(token):
                found["".join(pair)] += count
        elif 3 <= len(token) <= 30 and token not in _STOP_WORDS and not token.isnumeric():
            found[intern(_singular(token))] += count  # thousands of blocks share their words
    return found


def text_of(data: Any) -> str:
    """All human-readable strings of a JSON document in their order, markup removed.

    URLs, ids, colours and file names are left out, told by the shape of the value or by the
    property's name. Stops after `READ_CHARACTERS`, and does not look deeper than `READ_DEPTH`.
    """
    found: list[str] = []
    room = READ_CHARACTERS
    for string in _strings(data, READ_DEPTH):
        found.append(html.unescape(_TAG_OR_ADDRESS.sub(" ", string[:room])))
        room -= len(string) + 1
        if room <= 0:
            break
    return "\n".join(found)


def _singular(word: str) -> str:
    """Takes the s off `tents` and `shoes`, not off `canvas`, `bus`, `tennis` or `dress`."""
    return word[:-1] if len(word) >= 5 and word[-1] == "s" and word[-2] not in "aious" else word


def _strings(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if not _for_machines(value):
            yield value
    elif depth and isinstance(value, Mapping):
        for key, inner in value.items():
            if not _MACHINE_KEY.fullmatch(key):
                yield from _strings(inner, depth - 1)
    elif depth and isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner, depth - 1)


def _for_machines(value: str) -> bool:
    """Only a lone ASCII token can be: scripts without spaces write whole sentences as one."""
    return value.isascii() and len(value.split(None, 1)) == 1 and bool(_MACHINE_TOKEN.search(value.strip()))
