"""What may be asked of the audit log."""

from datetime import datetime
from typing import cast

import strawberry
from strawberry.scalars import JSON

from gateway.api.inputs import utc
from gateway.api.queries import queries
from gateway.api.request import Info
from gateway.services.evidence import Recorded, Wanted, page
from gateway.services.gateway import MAIN
from schemas.audit import AuditConnection, AuditEdge, AuditEntry
from schemas.connections import page_info
from schemas.vocabulary import AuditKind, Scope


@queries.field(Scope.AUDIT)
async def audit(
    info: Info,
    first: int = 50,
    after: str | None = None,
    kinds: list[AuditKind] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AuditConnection:
    """What was done with personal data in this space, by whom; newest first, within seconds."""
    request = info.context
    wanted = Wanted(
        spaces=_spaces(request.space.name),
        kinds=tuple(kinds or ()),
        since=since and utc(since),
        until=until and utc(until),
    )
    found = await page(request.gateway.storage.audit, request.gateway.keys.public, wanted, first, after)
    edges = [AuditEdge(cursor=entry.cursor, node=_entry(entry)) for entry in found.entries]
    cursors = [edge.cursor for edge in edges]
    return AuditConnection(
        edges=edges, page_info=page_info(cursors, found.more, after), doubtful=list(found.doubtful)
    )


def _spaces(name: str) -> tuple[str, ...]:
    """What is of no space, such as an unknown token, is for those who look after the deployment."""
    return (name, "") if name == MAIN else (name,)


def _entry(entry: Recorded) -> AuditEntry:
    return AuditEntry(
        id=strawberry.ID(entry.id),
        at=entry.at,
        kind=AuditKind(entry.kind),
        space=entry.space,
        actor=entry.actor,
        subject=entry.subject,
        details=cast(JSON, dict(entry.details)),
    )
