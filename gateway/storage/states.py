"""Small named documents that several processes move by compare-and-set."""

from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from gateway.storage.failures import READ_SECONDS, WRITE_SECONDS, guarded
from gateway.storage.indexes import Database


@dataclass(frozen=True, slots=True)
class State:
    version: int
    body: bytes


class StateStore:
    def __init__(self, db: Database) -> None:
        self._states = db["states"]

    @guarded(within=READ_SECONDS)
    async def get(self, name: str) -> State | None:
        found = await self._states.find_one({"_id": name})
        return State(found["version"], found["body"]) if found else None

    @guarded(within=WRITE_SECONDS)
    async def put(self, name: str, body: bytes, expected_version: int) -> bool:
        """Version 0 is "not there yet". False: somebody else was faster, read again."""
        document = {"_id": name, "version": expected_version + 1, "body": body}
        if expected_version:
            same = {"_id": name, "version": expected_version}
            return (await self._states.replace_one(same, document)).matched_count == 1
        try:
            await self._states.insert_one(document)
        except DuplicateKeyError:
            return False
        return True
