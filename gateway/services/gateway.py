"""The whole deployment: its store, its spaces, its tokens."""

import asyncio
import logging
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from gateway.core.context import COUNTRY_DATABASE, ContextReader
from gateway.core.keys import Keys
from gateway.errors import NotFound, StoreUnavailable
from gateway.services.audit import FLUSH_SECONDS, Audit
from gateway.services.background import every
from gateway.services.bots import Bots
from gateway.services.keys import open_keys
from gateway.services.rates import Rates
from gateway.services.space import Space, new_process_name
from gateway.services.tokens import Tokens
from gateway.settings import Settings
from gateway.storage.client import Storage
from schemas.vocabulary import Scope

log = logging.getLogger(__name__)

MAIN = "main"  # the space that needs no ceremony


class Gateway:
    def __init__(self, storage: Storage, settings: Settings, alone: bool) -> None:
        """`alone`: no other process writes to this store."""
        self.storage = storage
        self.settings = settings
        self.keys: Keys
        self.audit: Audit
        self.tokens: Tokens
        self.bots = Bots(settings)
        self.rates = Rates(settings)
        self.reader = ContextReader(
            settings.country_database or COUNTRY_DATABASE,
            settings.trusted_proxies,
            settings.locale,
            settings.trust_cdn_headers,
            self.bots.ranges.hold,
        )
        self.secret = b""
        self.process = new_process_name()
        self._alone = alone
        self._spaces: dict[str, Space] = {}
        self._opening = asyncio.Lock()
        self._recording: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.storage.prepare()
        self.secret = await self.storage.control.secret("signing", secrets.token_bytes(32))
        self.keys = await open_keys(self.storage.control, self.settings)
        kept = timedelta(days=self.settings.audit_days)
        self.audit = Audit(self.storage.audit, self.process, self.keys, kept)
        await self.audit.open()
        self.tokens = Tokens(self.storage.control, self.audit)
        recording = every(FLUSH_SECONDS, self.audit.flush, "writing the audit log")
        self._recording = asyncio.create_task(recording, name="audit")
        await self.create_space(MAIN)

    async def close(self) -> None:
        for space in self._spaces.values():
            await space.close()
        await self.rates.close()
        await self._stop_recording()
        self.storage.close()

    async def _stop_recording(self) -> None:
        if self._recording is None:
            return
        self._recording.cancel()
        await asyncio.gather(self._recording, return_exceptions=True)
        with suppress(StoreUnavailable):  # then what it waited to tell is lost
            await self.audit.flush()

    async def create_space(self, name: str) -> Space:
        """The space of that name, made if it is not there."""
        self.storage.space(name)  # refuses names that cannot be one
        await self.storage.control.create_space(name, datetime.now(UTC))
        return await self.space(name)

    async def space(self, name: str) -> Space:
        """Raises NotFound. A space is opened at its first use and stays open."""
        if name in self._spaces:
            return self._spaces[name]
        async with self._opening:
            if name not in self._spaces:
                if name not in {space.name for space in await self.storage.control.spaces()}:
                    raise NotFound(
                        f"there is no space {name!r}; make it with `blockloom spaces create {name}`"
                    )
                self._spaces[name] = await self._open(name)
        return self._spaces[name]

    async def first_token(self) -> str | None:
        """The administrator's token where none exists yet; None when there is one already."""
        given = self.settings.admin_token
        if given is not None:
            await self.tokens.register(given.get_secret_value(), MAIN, {Scope.ADMIN}, "first administrator")
            return None
        if await self.storage.control.tokens():
            return None
        token, _ = await self.tokens.create(MAIN, {Scope.ADMIN}, "first administrator")
        return token

    async def _open(self, name: str) -> Space:
        store = self.storage.space(name)
        space = Space(name, store, self.settings, self.process, self._alone, self.keys, self.audit)
        await space.open()
        return space
