"""The connection to the store, and the databases that lie behind it."""

import re
from datetime import UTC
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import PyMongoError

from gateway.errors import BadInput
from gateway.storage.audit import AuditStore
from gateway.storage.content import ContentStore
from gateway.storage.control import ControlStore
from gateway.storage.decisions import DecisionStore
from gateway.storage.drafts import DraftStore
from gateway.storage.events import EventStore
from gateway.storage.failures import READ_SECONDS, guarded
from gateway.storage.indexes import CONTROL_INDEXES, Database, Retention, ensure, missing, space_indexes
from gateway.storage.profiles import ProfileStore
from gateway.storage.states import StateStore

_SPACE = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")

# What holds unless the URL says otherwise. A dead server must be noticed within a second: pages are
# served without it. Retries are not here: a real MongoDB keeps the driver's default, the embedded engine's
# URL turns them off.
_DEFAULTS: dict[str, Any] = {
    "w": "majority",
    "journal": True,
    "serverSelectionTimeoutMS": 500,
    "connectTimeoutMS": 2_000,
    "socketTimeoutMS": 20_000,  # callers wait less; this frees the thread of a call that nobody waits for
    "appname": "blockloom",
}


class SpaceStore:
    """All that one space keeps, in a database of its own: no query can forget whose it is."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.drafts = DraftStore(db)
        self.content = ContentStore(db)
        self.events = EventStore(db)
        self.profiles = ProfileStore(db)
        self.decisions = DecisionStore(db)
        self.states = StateStore(db)

    async def prepare(self, retention: Retention | None = None) -> None:
        """Make the indexes; once at start is enough."""
        await ensure(self._db, space_indexes(retention or Retention()))

    async def missing_indexes(self) -> list[str]:
        """By collection and name, as `events.open_1`."""
        return await missing(self._db, space_indexes(Retention()))


class Storage:
    def __init__(self, client: AsyncIOMotorClient[dict[str, Any]], prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._spaces: dict[str, SpaceStore] = {}
        self.control = ControlStore(self._database(prefix))
        self.audit = AuditStore(self._database(prefix))

    def space(self, name: str) -> SpaceStore:
        """The same object for the same name; raises BadInput for a name that cannot be one."""
        if not _SPACE.fullmatch(name):
            raise BadInput(
                f"{name!r} cannot name a space; use up to 32 lower-case letters, digits and hyphens"
            )
        if name not in self._spaces:
            self._spaces[name] = SpaceStore(self._database(f"{self._prefix}_{name}"))
        return self._spaces[name]

    async def prepare(self) -> None:
        await ensure(self._client[self._prefix], CONTROL_INDEXES)

    @guarded(within=READ_SECONDS)
    async def ping(self) -> None:
        await self._client.admin.command("ping")

    def close(self) -> None:
        self._client.close()

    def _database(self, name: str) -> Database:
        found: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)
        return self._client.get_database(name, codec_options=found)


def connect(url: str, prefix: str = "blockloom") -> Storage:
    """Open a pool on the running loop; nothing is sent yet. Raises BadInput for a URL that is none."""
    if not url.startswith(("mongodb://", "mongodb+srv://")):
        raise BadInput(f"BLOCKLOOM_MONGODB_URL cannot be used: {url!r} does not begin with mongodb://")
    try:
        said = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
        defaults = {name: value for name, value in _DEFAULTS.items() if name.lower() not in said}
        client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(url, **defaults)
    except (PyMongoError, ValueError) as error:
        raise BadInput(f"BLOCKLOOM_MONGODB_URL cannot be used: {error}") from error
    return Storage(client, prefix)
