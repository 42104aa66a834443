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
    AUDIT = "audit"  # read the audit log
    ADMIN = "admin"  # everything, and tokens


class AuditKind(StrEnum):
    """What the audit log tells of."""

    CONSENT = "consent"
    ACCESS = "access"  # a profile or its decisions were read
    EXPORT = "export"
    ERASURE = "erasure"
    JOINED = "joined"  # two identities became one
    PARTED = "parted"  # ... and two again
    PUBLICATION = "publication"
    TOKEN_CREATED = "token-created"
    TOKEN_USED = "token-used"  # for the first time in a process
    TOKEN_REFUSED = "token-refused"
    TOKEN_REVOKED = "token-revoked"
    CHAIN = "chain"  # the log vouches for its own chains
    LOST = "lost"  # how many entries could not be kept
