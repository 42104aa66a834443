"""Every setting, as an environment variable `BLOCKLOOM_*`. docs/settings.md has the same table."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.core.events import WEIGHTS
from gateway.core.keys import SHORTEST
from gateway.core.memory import Learning
from gateway.core.sealing import PERSONAL
from gateway.operations.limits import Limits


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="BLOCKLOOM_", extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data: Path = Field(Path(".blockloom"), description="Folder of the embedded engine's data.")
    mongodb_url: SecretStr | None = Field(
        None, description="A `mongodb://` URL; without one the embedded engine is started."
    )
    database: str = Field(
        "blockloom",
        pattern=r"^[A-Za-z][A-Za-z0-9_]{0,30}$",
        description="Name of the control database and prefix of each space's database.",
    )
    admin_token: SecretStr | None = Field(
        None,
        description="The first administrator's token, 24 characters or more; else one is made and shown once.",
    )
    consent: Literal["opt-in", "opt-out"] = Field(
        "opt-in", description="Whether a visitor who was not asked yet counts as having refused or agreed."
    )
    country_database: Path | None = Field(
        None, description="A MaxMind-format file for IP look-ups; else the shipped country database."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=10, description="How many proxies stand in front, for `X-Forwarded-For`."
    )
    trust_cdn_headers: bool = Field(
        True,
        description="Whether a CDN's country headers are believed. Switch off when none stands in front.",
    )
    locale: str = Field("en", description="Locale of visitors who name none.")
    half_life_now: float = Field(
        20 * 60.0, ge=60, le=86400, description="Half-life of this session's interests, in seconds."
    )
    half_life_usual: float = Field(
        21 * 86400.0, ge=3600, le=366 * 86400, description="Half-life of lasting interests, in seconds."
    )
    now_share: float = Field(
        0.5, ge=0, le=1, description="Share of this session's interests in the blend used for choosing."
    )
    profile_names: int = Field(256, ge=16, le=2048, description="Names that an interest vector keeps.")
    event_weights: dict[str, float] = Field(
        {}, description="Weights of event types as JSON, over the built-in table."
    )
    events_days: int = Field(90, ge=1, le=3660, description="Days that events are kept.")
    profiles_days: int = Field(365, ge=1, le=3660, description="Days that a profile outlives its last event.")
    decisions_days: int = Field(7, ge=1, le=90, description="Days that decisions can be replayed.")
    audit_days: int = Field(
        730, ge=1, le=3660, description="Days that the audit log is kept; what is older expires."
    )
    keys: list[SecretStr] = Field(
        [],
        description="Secrets that seal and sign, as JSON, the newest first, each of 32 characters or more; "
        "else one is made and kept in the database.",
    )
    personal_traits: list[str] = Field(
        list(PERSONAL), description="Names of traits that are kept encrypted, as JSON."
    )
    profile_cache: int = Field(50_000, ge=1, description="Profiles held in memory, per space.")
    gather_ms: float = Field(
        2.0, ge=0, le=100, description="Milliseconds that events wait for company before a write."
    )
    fold_seconds: float = Field(
        10.0, ge=0.05, le=60, description="Seconds between foldings of acknowledged events into profiles."
    )
    refresh_seconds: float = Field(
        0.25, ge=0.05, le=60, description="Seconds between looks for a newly published revision."
    )
    signals_seconds: float = Field(
        30.0, ge=1, le=3600, description="Seconds between updates of popularity from the event log."
    )
    max_body: int = Field(1_048_576, ge=1024, description="Bytes that a request's body may have.")
    query_characters: int = Field(
        Limits().characters, ge=1000, le=1_000_000, description="Characters that a query may have."
    )
    query_tokens: int = Field(
        Limits().tokens, ge=200, le=50_000, description="Tokens (names, values, marks) that a query may have."
    )
    query_depth: int = Field(Limits().depth, ge=5, le=30, description="Levels of fields in a query.")
    query_aliases: int = Field(Limits().aliases, ge=0, le=5_000, description="Aliases that a query may have.")
    query_root_fields: int = Field(
        Limits().root_fields, ge=1, le=500, description="Fields at the root of an operation."
    )
    query_cost: int = Field(
        Limits().cost, ge=1000, le=10_000_000, description="Values that an operation may ask for."
    )
    introspection: bool = Field(True, description="Whether the schema is told to who asks for it.")
    max_subscriptions: int = Field(
        20_000, ge=1, description="Subscribers' connections that a process holds, and operations over them."
    )
    cors_origins: list[str] = Field(
        [], description='Origins whose scripts may call, as JSON, like `["https://shop.example"]`.'
    )
    compression: bool = Field(
        True, description="Whether answers are compressed. Switch off behind a proxy or CDN that does it."
    )
    trusted_documents: Path | None = Field(
        None, description="A manifest of persisted documents, by graphql-codegen or Apollo's generator."
    )
    only_trusted: bool = Field(
        False, description="Whether only the documents of `BLOCKLOOM_TRUSTED_DOCUMENTS` are executed."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")

    @field_validator("admin_token")
    @classmethod
    def _long_enough(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None and len(token.get_secret_value()) < 24:
            raise ValueError(
                "give BLOCKLOOM_ADMIN_TOKEN 24 characters or more, or leave it out to have one made"
            )
        return token

    @field_validator("keys")
    @classmethod
    def _keys_are_long(cls, keys: list[SecretStr]) -> list[SecretStr]:
        secrets = [key.get_secret_value() for key in keys]
        if any(len(secret) < SHORTEST for secret in secrets) or len(set(secrets)) < len(secrets):
            raise ValueError(
                f"give each key {SHORTEST} characters or more and none twice; `openssl rand -base64 32` makes one"
            )
        return keys

    @field_validator("only_trusted")
    @classmethod
    def _some_are_trusted(cls, only: bool, others: ValidationInfo) -> bool:
        if only and others.data.get("trusted_documents") is None:
            raise ValueError("name the manifest in BLOCKLOOM_TRUSTED_DOCUMENTS, or nothing could be asked")
        return only

    @property
    def limits(self) -> Limits:
        return Limits(
            characters=self.query_characters,
            tokens=self.query_tokens,
            depth=self.query_depth,
            aliases=self.query_aliases,
            root_fields=self.query_root_fields,
            cost=self.query_cost,
            introspection=self.introspection,
        )

    @property
    def learning(self) -> Learning:
        return Learning(
            half_life_now=self.half_life_now,
            half_life_usual=self.half_life_usual,
            names=self.profile_names,
            weights={**WEIGHTS, **self.event_weights},
        )
