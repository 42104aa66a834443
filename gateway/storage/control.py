"""What a deployment keeps beyond its spaces: their names, the tokens, the secrets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import DuplicateKeyError

from gateway.storage.failures import READ_SECONDS, WRITE_SECONDS, guarded
from gateway.storage.indexes import Database


@dataclass(frozen=True, slots=True)
class Space:
    name: str
    created: datetime


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token without the token: only its digest is kept."""

    digest: str
    name: str
    space: str
    scopes: tuple[str, ...]
    publishable: bool
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    last_four: str = ""


class ControlStore:
    def __init__(self, db: Database) -> None:
        self._spaces = db["spaces"]
        self._tokens = db["tokens"]
        self._secrets = db["secrets"]

    @guarded(within=WRITE_SECONDS)
    async def create_space(self, name: str, at: datetime) -> bool:
        """False: it was there already."""
        try:
            await self._spaces.insert_one({"_id": name, "created": at})
        except DuplicateKeyError:
            return False
        return True

    @guarded(within=READ_SECONDS)
    async def spaces(self) -> list[Space]:
        found = await self._spaces.find({}).to_list(None)
        return sorted((Space(s["_id"], s["created"]) for s in found), key=lambda space: space.name)

    @guarded(within=WRITE_SECONDS)
    async def create_token(self, token: StoredToken) -> bool:
        """False: a token of this digest is there already."""
        try:
            await self._tokens.insert_one(_document(token))
        except DuplicateKeyError:
            return False
        return True

    @guarded(within=READ_SECONDS)
    async def find_token(self, digest: str) -> StoredToken | None:
        found = await self._tokens.find_one({"_id": digest})
        return _token(found) if found else None

    @guarded(within=READ_SECONDS)
    async def tokens(self, space: str | None = None) -> list[StoredToken]:
        """Revoked ones too, oldest first."""
        found = await self._tokens.find({} if space is None else {"space": space}).to_list(None)
        return sorted(map(_token, found), key=lambda token: (token.created, token.digest))

    @guarded(within=WRITE_SECONDS)
    async def revoke_token(self, digest: str, at: datetime) -> bool:
        """False: no such token, or it was revoked before."""
        there = {"_id": digest, "revoked": None}
        return (await self._tokens.update_one(there, {"$set": {"revoked": at}})).modified_count == 1

    @guarded(within=WRITE_SECONDS)
    async def secret(self, name: str, candidate: bytes) -> bytes:
        """The deployment's secret of that name: the first candidate that any process ever offered."""
        found = await self._secrets.find_one({"_id": name})
        if found is None:
            try:
                await self._secrets.insert_one({"_id": name, "value": candidate})
            except DuplicateKeyError:
                found = await self._secrets.find_one({"_id": name})
        return bytes(found["value"]) if found else candidate

    @guarded(within=READ_SECONDS)
    async def find_secret(self, name: str) -> bytes | None:
        found = await self._secrets.find_one({"_id": name})
        return bytes(found["value"]) if found else None

    @guarded(within=WRITE_SECONDS)
    async def replace_secret(self, name: str, old: bytes, new: bytes) -> bool:
        """False: it is another one by now."""
        change = {"$set": {"value": new}}
        return (await self._secrets.update_one({"_id": name, "value": old}, change)).matched_count == 1

    @guarded(within=WRITE_SECONDS)
    async def drop_secret(self, name: str) -> bool:
        """False: there was none."""
        return (await self._secrets.delete_one({"_id": name})).deleted_count == 1


def _document(token: StoredToken) -> dict[str, Any]:
    return {
        "_id": token.digest,
        "name": token.name,
        "space": token.space,
        "scopes": list(token.scopes),
        "publishable": token.publishable,
        "created": token.created,
        "expires": token.expires,
        "revoked": token.revoked,
        "lastFour": token.last_four,
    }


def _token(found: dict[str, Any]) -> StoredToken:
    return StoredToken(
        digest=found["_id"],
        name=found["name"],
        space=found["space"],
        scopes=tuple(found["scopes"]),
        publishable=found["publishable"],
        created=found["created"],
        expires=found["expires"],
        revoked=found["revoked"],
        last_four=found["lastFour"],
    )
