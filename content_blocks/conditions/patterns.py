"""Regular expressions from editors, matched in linear time (RE2), so that none can hang a page."""

from typing import Any

import re2  # type: ignore[import-untyped]

from content_blocks.conditions.values import Test

MAX_PATTERN = 500
MAX_SEARCHED = 2_000  # characters of a fact; what follows is not looked at
_MEMORY = 1 << 20  # bytes that one compiled pattern may use


def compiled(pattern: str, ignore_case: bool) -> Any:
    options = re2.Options()
    options.case_sensitive = not ignore_case
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _MEMORY
    return re2.compile(pattern, options)


def complaint(pattern: Any) -> str | None:
    if not isinstance(pattern, str):
        return "needs a regular expression as text"
    if len(pattern) > MAX_PATTERN:
        return f"takes a regular expression of at most {MAX_PATTERN} characters"
    try:
        compiled(pattern, ignore_case=False)
    except (re2.error, UnicodeEncodeError) as error:
        return f"is not a regular expression that can be used: {_reason(error)}"
    return None


def searches(pattern: str, ignore_case: bool, wanted: bool) -> Test:
    """Text that holds the pattern somewhere (or does not, if not `wanted`); what is not text holds none."""
    search = compiled(pattern, ignore_case).search

    def test(value: Any) -> bool:
        found = isinstance(value, str) and search(value[:MAX_SEARCHED]) is not None
        return found is wanted

    return test


def _reason(error: Exception) -> str:
    reason = error.args[0].decode(errors="replace") if isinstance(error, re2.error) else str(error)
    if reason.startswith(("invalid perl operator", "invalid escape sequence")):
        return f"{reason} (look-around and back-references are not available, patterns run in linear time)"
    return reason
