"""How near a place is: great-circle distance by the haversine formula, on a sphere of 6,371 km."""

from collections.abc import Mapping
from math import asin, cos, isfinite, radians, sin, sqrt
from typing import Any

from content_blocks.conditions.operands import Operator
from content_blocks.conditions.values import Test, is_number, value_at

EARTH_KM = 6_371.0088
_HALF_WAY_ROUND_KM = 20_040


def distance_km(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Degrees in, kilometres out."""
    a, b = radians(lat), radians(other_lat)
    across = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(other_lon - lon) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(across)))


def _about_near(circle: Any) -> str | None:
    if not isinstance(circle, Mapping) or set(circle) != {"lat", "lon", "km"}:
        return 'needs a point and kilometres, as in {"lat": 51.5, "lon": -0.12, "km": 50}'
    if not (_within(circle["lat"], 90) and _within(circle["lon"], 180)):
        return "needs a latitude from -90 to 90 and a longitude from -180 to 180"
    if not _within(circle["km"], _HALF_WAY_ROUND_KM) or circle["km"] <= 0:
        return f"needs kilometres over 0, at most {_HALF_WAY_ROUND_KM:,}"
    return None


def _within(value: Any, limit: float) -> bool:
    return is_number(value) and -limit <= value <= limit


def near(circle: Any) -> Test:
    lat, lon, km = circle["lat"], circle["lon"], circle["km"]

    def test(place: Any) -> bool:
        there = value_at(place, ("lat",)), value_at(place, ("lon",))
        if not all(is_number(degrees) and isfinite(degrees) for degrees in there):
            return False
        return bool(distance_km(lat, lon, *there) <= km)

    return test


PLACE_OPERATORS = {"$near": Operator("own", "is within {}", _about_near, near, lambda circle: ("lat", "lon"))}
