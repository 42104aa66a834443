"""Python that is being written: its lines, and the values that they name."""

from collections.abc import Callable
from typing import Any


class Source:
    """One module's worth of functions, executed once when it is complete."""

    def __init__(self, **names: Any) -> None:
        self._lines: list[str] = []
        self._names: dict[str, Any] = dict(names)
        self._known: dict[tuple[str, int], str] = {}

    def name(self, stem: str, value: Any) -> str:
        """A name of its own for a value; the same value keeps its name."""
        key = stem, id(value)
        if key not in self._known:
            self._known[key] = f"{stem}{len(self._known)}"
            self._names[self._known[key]] = value
        return self._known[key]

    def function(self, stem: str) -> str:
        """A name for a function whose lines come later."""
        name = f"{stem}{len(self._known)}"
        self._known[name, -1] = name
        return name

    def write(self, *lines: str) -> None:
        self._lines += lines

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def load(self, name: str) -> Callable[..., Any]:
        """The function of that name."""
        exec(compile(self.text, "<operation>", "exec"), self._names)  # noqa: S102  # names and code are ours
        found: Callable[..., Any] = self._names[name]
        return found
