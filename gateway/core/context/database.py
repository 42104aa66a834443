"""Country, and more where the file knows it, of an IP address: any MaxMind DB (.mmdb) file."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb

from gateway.core.context.addresses import public_address
from gateway.core.context.countries import known_country
from gateway.core.context.findings import NOTHING, Finding
from gateway.core.context.times import known_zone
from gateway.core.context.values import coordinate, text
from gateway.errors import BadInput

# Where each fact lies in a record: MaxMind's shape, then the flat one of ip-location-db.
_PATHS: Mapping[str, tuple[tuple[str | int, ...], ...]] = {
    "country": (("country", "iso_code"), ("registered_country", "iso_code"), ("country_code",)),
    "region": (("subdivisions", 0, "iso_code"), ("state1",)),
    "city": (("city", "names", "en"), ("city",)),
    "lat": (("location", "latitude"), ("latitude",)),
    "lon": (("location", "longitude"), ("longitude",)),
    "zone": (("location", "time_zone"), ("timezone",)),
}


class CountryDatabase:
    """Opened once (memory-mapped); the answers for the addresses seen last are kept."""

    def __init__(self, path: Path, remembered: int = 8192) -> None:
        try:
            self._reader = maxminddb.open_database(path)
        except (OSError, maxminddb.InvalidDatabaseError) as error:
            raise BadInput(
                f"The country database {path} cannot be read ({error}): name a MaxMind DB (.mmdb) file."
            ) from error
        self.find = lru_cache(remembered)(self._find)

    def _find(self, address: str) -> Finding:
        parsed = public_address(address)
        if parsed is None:
            return NOTHING
        try:
            record = self._reader.get(parsed)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return NOTHING  # an IPv6 address in a file for IPv4, or a damaged record: unknown, not an error
        return place_in(record)


def place_in(record: object) -> Finding:
    """The facts `country region city lat lon zone` of a record, as far as it has them."""
    return Finding.of(
        {
            "country": known_country(_string(record, "country") or ""),
            "region": text(_string(record, "region")),
            "city": text(_string(record, "city")),
            "lat": coordinate(_first(record, "lat"), 90),
            "lon": coordinate(_first(record, "lon"), 180),
            "zone": known_zone(_string(record, "zone") or ""),
        },
        "ip",
    )


def _string(record: object, fact: str) -> str | None:
    value = _first(record, fact)
    return value if isinstance(value, str) else None


def _first(record: object, fact: str) -> Any:
    found = (_at(record, path) for path in _PATHS[fact])
    return next((value for value in found if isinstance(value, str | float | int)), None)


def _at(record: object, path: tuple[str | int, ...]) -> object:
    value: Any = record
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and value:
            value = value[0]
        else:
            return None
    return value
