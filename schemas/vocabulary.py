"""The closed sets of words that clients, the core and the store share."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a visitor may agree to."""

    ANALYTICS = "ANALYTICS"  # remember what was done
    PERSONALIZATION = "PERSONALIZATION"  # learn interests, and choose by them
    EXPERIMENTATION = "EXPERIMENTATION"
    MARKETING = "MARKETING"


class Basis(StrEnum):
    """What a page was chosen by."""

    PERSONAL = "PERSONAL"
    CONTEXTUAL = "CONTEXTUAL"  # no consent, a bot, no visitor, or degraded


class Strategy(StrEnum):
    """How a variant was chosen."""

    RULES = "RULES"  # the first variant, in the editor's order, whose rule holds
    INTEREST = "INTEREST"  # the eligible variant nearest to the visitor's interests
    FEED = "FEED"  # many blocks, ranked
    FALLBACK = "FALLBACK"  # choosing failed: the default variant


class Kind(StrEnum):
    """What a bundle holds and editors save."""

    BLOCK_TYPE = "blockType"
    SEGMENT = "segment"
    BLOCK = "block"
    PAGE = "page"
    EXPERIMENT = "experiment"


class Scope(StrEnum):
    """What a token may do."""

    DELIVERY = "delivery"  # read pages and recommendations
    EVENTS = "events"  # send events and consent
    PROFILES = "profiles"  # read, identify and erase visitors; read decisions
    EDITOR = "editor"  # read drafts, save and publish content
    ADMIN = "admin"  # everything, and tokens
