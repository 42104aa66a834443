"""What editors ask and do."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import strawberry

from gateway.api.inputs import plain, utc
from gateway.api.mutations import mutations
from gateway.api.queries import queries
from gateway.api.request import Info
from gateway.errors import BadInput, NotFound, Problem, TooLarge
from gateway.services.author import Item, Published
from gateway.storage.control import StoredToken
from schemas.authoring import (
    BlockInput,
    BlockTypeInput,
    ContentConnection,
    ContentEdge,
    ContentItem,
    ContentRef,
    ExperimentInput,
    NewToken,
    PageInput,
    Publication,
    RevisionInfo,
    SavedContent,
    SegmentInput,
    TokenInfo,
    VariantInput,
)
from schemas.connections import page_info
from schemas.outcomes import ContentProblem
from schemas.vocabulary import Kind, Scope

MOST = 100
LONGEST_NOTE = 1_000


@queries.field(Scope.EDITOR)
async def content(
    info: Info, kind: Kind, first: int = 20, after: str | None = None, state: str | None = None
) -> ContentConnection:
    """Documents of one kind by their keys, drafts and published ones."""
    if not 0 <= first <= MOST:
        raise BadInput(f"first must lie between 0 and {MOST}")
    items, more = await info.context.space.authoring.items(kind, first, after, state)
    edges = [ContentEdge(cursor=item.key, node=_item(item)) for item in items]
    return ContentConnection(edges=edges, page_info=page_info([e.cursor for e in edges], more, after))


@queries.field(Scope.EDITOR)
async def content_item(info: Info, kind: Kind, key: str) -> ContentItem | None:
    """One document; null when there is none."""
    try:
        return _item(await info.context.space.authoring.item(kind, key))
    except NotFound:
        return None


@queries.field(Scope.EDITOR)
async def revisions(info: Info, first: int = 20) -> list[RevisionInfo]:
    """What was published when and by whom, newest first."""
    found = await info.context.space.authoring.revisions(min(max(first, 0), MOST))
    return [
        RevisionInfo(
            revision=one.number, at=one.at, by=one.by, note=one.note, published=one.put, removed=one.removed
        )
        for one in found
    ]


@mutations.field(Scope.EDITOR)
async def save_block_type(
    info: Info, block_type: BlockTypeInput, expect_version: int | None = None
) -> SavedContent:
    """Save a block type as a draft. Blocks of the type must fit its new schema."""
    return await _save(info, Kind.BLOCK_TYPE, plain(block_type), expect_version)


@mutations.field(Scope.EDITOR)
async def save_segment(info: Info, segment: SegmentInput, expect_version: int | None = None) -> SavedContent:
    """Save a segment as a draft."""
    return await _save(info, Kind.SEGMENT, plain(segment), expect_version)


@mutations.field(Scope.EDITOR)
async def save_block(info: Info, block: BlockInput, expect_version: int | None = None) -> SavedContent:
    """Save a block with all of its variants as a draft."""
    return await _save(info, Kind.BLOCK, plain(block), expect_version)


@mutations.field(Scope.EDITOR)
async def save_variant(
    info: Info, block: str, variant: VariantInput, expect_version: int | None = None
) -> SavedContent:
    """Save one variant in a draft of its block: in its place if the key is there, else as the last."""
    authoring = info.context.space.authoring
    before = await authoring.item(Kind.BLOCK, block)
    document = orjson.loads(before.body)
    changed = plain(variant)
    variants = [changed if old["key"] == changed["key"] else old for old in document.get("variants") or ()]
    document["variants"] = variants if changed in variants else [*variants, changed]
    expected = before.version if expect_version is None else expect_version
    return await _save(info, Kind.BLOCK, document, expected)


@mutations.field(Scope.EDITOR)
async def save_page(info: Info, page: PageInput, expect_version: int | None = None) -> SavedContent:
    """Save a page as a draft."""
    return await _save(info, Kind.PAGE, plain(page), expect_version)


@mutations.field(Scope.EDITOR)
async def save_experiment(
    info: Info, experiment: ExperimentInput, expect_version: int | None = None
) -> SavedContent:
    """Save the plan of an experiment as a draft."""
    return await _save(info, Kind.EXPERIMENT, plain(experiment), expect_version)


@mutations.field(Scope.EDITOR)
async def discard_draft(info: Info, item: ContentRef) -> bool:
    """Throw a draft away; what is published stays. False: there was no draft."""
    return await info.context.space.authoring.discard(item.kind, item.key)


@mutations.field(Scope.EDITOR)
async def move_drafts(info: Info, items: list[ContentRef], action: str) -> list[ContentItem]:
    """Move drafts along: submit, reject, cancel, archive or restore."""
    moved = await info.context.space.authoring.act(_refs(items), action, info.context.caller.name)
    return [_item(item) for item in moved]


@mutations.field(Scope.EDITOR)
async def schedule(info: Info, items: list[ContentRef], at: datetime) -> list[ContentItem]:
    """Publish these drafts at that moment, together."""
    scheduled = await info.context.space.authoring.schedule(_refs(items), utc(at), info.context.caller.name)
    return [_item(item) for item in scheduled]


@mutations.field(Scope.EDITOR)
async def publish(info: Info, items: list[ContentRef] | None = None, note: str = "") -> Publication:
    """Publish drafts, all of them when none is named, as one new revision: all or nothing."""
    refs = None if items is None else _refs(items)
    by = info.context.caller.name
    return _publication(await info.context.space.authoring.publish(refs, by=by, note=_checked(note)))


@mutations.field(Scope.EDITOR)
async def unpublish(info: Info, items: list[ContentRef], note: str = "") -> Publication:
    """Take content off the pages; it stays as a draft. Refused while something published needs it."""
    by = info.context.caller.name
    return _publication(await info.context.space.authoring.unpublish(_refs(items), by, _checked(note)))


@mutations.field(Scope.EDITOR)
async def rollback(info: Info, revision: int) -> Publication:
    """Publish anew what was published at an earlier revision."""
    return _publication(await info.context.space.authoring.rollback(revision, info.context.caller.name))


@queries.field(Scope.ADMIN)
async def tokens(info: Info) -> list[TokenInfo]:
    """The valid tokens of this space, never the tokens themselves."""
    return [_token(token) for token in await info.context.gateway.tokens.of_space(info.context.space.name)]


@mutations.field(Scope.ADMIN)
async def create_token(
    info: Info, name: str, scopes: list[str], publishable: bool = False, days: int | None = None
) -> NewToken:
    """A new token for this space; it is shown this once."""
    known = {str(scope) for scope in Scope}
    if unknown := sorted(set(scopes) - known):
        raise BadInput(f"unknown scopes {', '.join(unknown)}; known are {', '.join(sorted(known))}")
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise BadInput("name a token with 1 to 100 printable characters, so that it can be told apart")
    if days is not None and not 0 < days <= 3660:
        raise BadInput("days must lie between 1 and 3660")
    lives = None if days is None else timedelta(days=days)
    token, stored = await info.context.gateway.tokens.create(
        info.context.space.name,
        [Scope(scope) for scope in scopes],
        name,
        publishable,
        lives,
        info.context.caller.name,
    )
    return NewToken(token=token, info=_token(stored))


@mutations.field(Scope.ADMIN)
async def revoke_token(info: Info, id: strawberry.ID) -> bool:  # noqa: A002
    """Make a token worthless, within seconds in every process."""
    caller = info.context.caller
    await info.context.gateway.tokens.revoke(id, info.context.space.name, caller.name)
    return True


async def _save(
    info: Info, kind: Kind, document: Mapping[str, Any], expect_version: int | None
) -> SavedContent:
    item, warnings = await info.context.space.authoring.save(
        kind, document, info.context.caller.name, expect_version
    )
    return SavedContent(item=_item(item), warnings=_problems(warnings))


def _refs(items: Sequence[ContentRef]) -> list[tuple[str, str]]:
    if not 0 < len(items) <= 1_000:
        raise BadInput("name 1 to 1000 items")
    return [(item.kind, item.key) for item in items]


def _checked(note: str) -> str:
    if len(note) > LONGEST_NOTE:
        raise TooLarge(f"a note may have {LONGEST_NOTE} characters")
    return note


def _item(item: Item) -> ContentItem:
    return ContentItem(
        kind=Kind(item.kind),
        key=item.key,
        state=item.state,
        version=item.version,
        document=orjson.loads(item.body),
        published_revision=item.published_revision,
        updated_at=item.updated,
        publish_at=item.publish_at,
    )


def _publication(published: Published) -> Publication:
    return Publication(
        revision=published.revision,
        published=published.put,
        removed=published.removed,
        warnings=_problems(published.warnings),
    )


def _problems(problems: Sequence[Problem]) -> list[ContentProblem]:
    return [ContentProblem(**asdict(problem)) for problem in problems]


def _token(token: StoredToken) -> TokenInfo:
    return TokenInfo(
        id=strawberry.ID(token.digest[:16]),
        name=token.name,
        scopes=list(token.scopes),
        publishable=token.publishable,
        created_at=token.created.astimezone(UTC),
        expires_at=token.expires,
    )
