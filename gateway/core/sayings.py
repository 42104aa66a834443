"""What a request or an event says of consent: `{"tcf": "CP...", "analytics_storage": "denied", "gcs": "G101"}`."""

from collections.abc import Mapping
from typing import Any

from gateway.core import consent_mode, tcf
from gateway.core.consent import Said, joined, whole


def said_of(given: Any) -> Said:
    """Of several words on a purpose, no stands; what is no object says nothing."""
    if not isinstance(given, Mapping) or not given:
        return {}
    said = consent_mode.of_signals(given)
    said = joined(said, consent_mode.of_parameters(_text(given, "gcs"), _text(given, "gcd")))
    if given.get("tcf") is not None:
        said = joined(said, tcf.said_by(str(given["tcf"])))
    return whole(said)


def _text(given: Mapping[str, Any], name: str) -> str | None:
    found = given.get(name)
    return found if isinstance(found, str) else None
