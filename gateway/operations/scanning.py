"""What the tokens of a document tell without a tree: how many, how deep, how often the same.

A tree costs twenty times as much as this one pass over a regular expression's matches. The pass knows strings,
block strings and comments, so that these fool nobody. Of a text that is no GraphQL it counts something; the
parser says what is wrong with it.
"""

import re
from collections.abc import Callable, Collection, Mapping
from itertools import islice
from math import isfinite

INTEGERS = range(-(2**63), 2**64)  # what JSON can carry on
_DIGITS = 20  # of the longest of them
_STEP = 200  # tokens
_OPERATIONS = {"query", "mutation", "subscription"}
_SPREADS = {"...", "... on"}

# Every alternative takes what it has taken for good (++ and the like), so the time is linear, whatever the text.
_TOKEN = re.compile(
    r"""[A-Za-z_][A-Za-z_0-9]*+
    | \.\.\. | [!$&():=@\[\]{|}]
    | -?+[0-9][0-9A-Za-z_.+-]*+
    | \"{3} (?: [^"\\]++ | \\(?:"{3})?+ | "(?!"") )*+ (?:"{3})?+
    | " (?: [^"\\\n\r]++ | \\[^\n\r] )*+ "?+
    | \#[^\n\r]*+
    | [^ \t\n\r,\ufeff]""",
    re.VERBOSE,
)


class Scan:
    """What was counted so far. `names`: of all fields and types of a schema, to find those that are none of them."""

    def __init__(self, text: str, names: Collection[str]) -> None:
        self.tokens = 0
        self.longest = 0  # characters of a token
        self.nesting = 0  # of brackets of all kinds
        self.operations = 0
        self.fragments = 0
        self.variables = 0
        self.directives = 0
        self.arguments = 0  # and fields of objects among them
        self.spreads = 0
        self.aliases = 0
        self.repeats = 0  # of the selection that stands most often between the same braces
        self.root_fields = 0  # selections of an operation
        self.unknown: list[str] = []
        self.unfit = ""  # a number that JSON has not
        self._names = names
        self._open = 0
        self._parentheses = 0
        self._selections: list[dict[str, int]] = []
        self._in_fragment = False
        self._before = ""
        self._matches = _TOKEN.finditer(text)

    def more(self) -> bool:
        """Count some more; False where nothing was left."""
        before = self.tokens
        for match in islice(self._matches, _STEP):
            self._read(match.group())
        return self.tokens > before

    def _read(self, word: str) -> None:
        self.tokens += 1
        self.longest = max(self.longest, len(word))
        if word[0] != "#":
            _READ.get(word[0], Scan._name)(self, word)
            self._before = "... on" if word == "on" and self._before == "..." else word

    def _name(self, word: str) -> None:
        if self._parentheses:
            return
        if self._selections:
            self._selected(word)
        elif word == "fragment":
            self.fragments += 1
            self._in_fragment = True
        elif word in _OPERATIONS:
            self.operations += 1
            self._in_fragment = False

    def _selected(self, word: str) -> None:
        before = self._before
        if before == "@" or (before == "..." and word == "on"):
            return
        if before != "..." and word not in self._names:
            self.unknown.append(word)  # unless a colon follows: an alias
        if before != ":":
            self.spreads += before == "..."
            self._count(before + word if before in _SPREADS else word)

    def _count(self, key: str) -> None:
        keys = self._selections[-1]
        keys[key] = count = keys.get(key, 0) + 1
        self.repeats = max(self.repeats, count)

    def _colon(self, _: str) -> None:
        if self._parentheses:
            self.arguments += 1
        elif self._selections:
            self.aliases += 1
            if self.unknown and self.unknown[-1] == self._before:
                self.unknown.pop()

    def _opened(self, word: str) -> None:
        self._open += 1
        self.nesting = max(self.nesting, self._open)
        if word == "(":
            self._parentheses += 1
        elif word == "{" and not self._parentheses:
            self._selections.append({})

    def _closed(self, word: str) -> None:
        self._open -= 1
        if word == ")":
            self._parentheses = max(0, self._parentheses - 1)
        elif word == "}" and not self._parentheses and self._selections:
            keys = self._selections.pop()
            if not self._selections and not self._in_fragment:
                self.root_fields = max(self.root_fields, sum(not key.startswith("...") for key in keys))
            self._in_fragment = self._in_fragment and bool(self._selections)

    def _directive(self, _: str) -> None:
        self.directives += 1

    def _variable(self, _: str) -> None:
        self.variables += not self._selections

    def _number(self, word: str) -> None:
        whole = word.removeprefix("-").isdecimal()
        if (whole and (len(word) > _DIGITS or int(word) not in INTEGERS)) or (
            not whole and not _finite(word)
        ):
            self.unfit = word

    def _nothing(self, word: str) -> None:
        pass


def _finite(word: str) -> bool:
    try:
        return isfinite(float(word))
    except ValueError:  # no number at all, which the parser says
        return True


_READ: Mapping[str, Callable[[Scan, str], None]] = {
    **dict.fromkeys("([{", Scan._opened),
    **dict.fromkeys(")]}", Scan._closed),
    **dict.fromkeys("-0123456789", Scan._number),
    ":": Scan._colon,
    "@": Scan._directive,
    "$": Scan._variable,
    **dict.fromkeys('"#!&=|.', Scan._nothing),
}
