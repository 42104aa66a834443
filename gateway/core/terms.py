"""On what terms a request may use a visitor's data: what holds of those who said nothing, and what it says itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateway.core.consent import KEEPING, Answer, Consents, Said, latest
from schemas.vocabulary import Purpose

EVERY = tuple(Purpose)


@dataclass(frozen=True, slots=True)
class Terms:
    """A request's own word stands above what the visitor said before; that above the browser's, and the default."""

    default: bool = False  # of visitors who said nothing: True is opt-out
    gpc: bool = False  # Global Privacy Control: a refusal, until the visitor says otherwise here
    said: Said = field(default_factory=dict)

    def saying(self, said: Said) -> "Terms":
        return replace(self, said=said) if said else self

    def answers(self, at: float) -> Consents:
        """The request's word as the visitor's answers of that moment."""
        return {purpose: Answer(granted, at) for purpose, granted in self.said.items()}

    def allow(self, consents: Consents, purpose: Purpose, at: float = float("inf")) -> bool:
        """`at`: the moment of the request's own word, where a later answer may be known by now."""
        if self.said:
            consents = latest(consents, self.answers(at))
        answer = consents.get(purpose)
        return answer.granted if answer else self.default and not self.gpc

    def keep(self, consents: Consents, at: float = float("inf")) -> bool:
        """Whether anything may be kept at all."""
        return any(self.allow(consents, purpose, at) for purpose in KEEPING)

    def granted(self, consents: Consents) -> tuple[Purpose, ...]:
        if not consents and not self.said:
            return EVERY if self.default and not self.gpc else ()
        return tuple(purpose for purpose in Purpose if self.allow(consents, purpose))


class Defaults:
    """What holds of visitors who said nothing, by the country that they are in."""

    def __init__(self, otherwise: str, countries: Mapping[str, str]) -> None:
        """Each `opt-in` or `opt-out`."""
        self._otherwise = otherwise == "opt-out"
        self._countries = {country: word == "opt-out" for country, word in countries.items()}

    @property
    def by_country(self) -> bool:
        return bool(self._countries)

    def of(self, country: str | None) -> bool:
        """Whether they count as having agreed. `country`: ISO 3166-1, None where it is not known."""
        return self._countries.get(country or "", self._otherwise)
