"""What a resolver knows of the request it serves."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

from gateway.core.access import Caller
from gateway.core.context import ContextReader
from gateway.core.editions import Edition
from gateway.services.gateway import Gateway
from gateway.services.space import Space
from schemas.pages import PageTypes
from schemas.vocabulary import Scope


@dataclass
class Request:
    """`edition` and `types` belong together, and stay the same for the whole request."""

    gateway: Gateway
    space: Space
    caller: Caller
    edition: Edition
    types: PageTypes
    contents: Mapping[str, type]
    headers: Mapping[str, str]
    client_ip: str | None
    degraded: set[str] = field(default_factory=set)
    renew: Callable[[], Awaitable[Caller]] | None = None  # for connections: they may outlive their token

    async def require(self, scope: Scope) -> None:
        """Raises Forbidden, and Unauthenticated once a connection's token has expired or was revoked."""
        if self.renew is not None:
            self.caller = await self.renew()
        self.caller.require(scope)

    @property
    def reader(self) -> ContextReader:
        return self.gateway.reader

    @cached_property
    def gpc(self) -> bool:
        return self.headers.get("sec-gpc", "").strip() == "1"


Info = strawberry.Info[Request, None]


def selected(info: Info, *path: str) -> frozenset[str]:
    """Names of the fields selected below `path` of this root field, whatever their aliases or depth.

    Not those of `content`: they are a block type's own words, and may be the same as ours.
    """
    raw = info._raw_info
    memo = getattr(raw, "memo", None)  # of a compiled operation
    if memo is None:
        return _selected(raw, path)
    key = raw.path.key, path
    if key not in memo:
        memo[key] = _selected(raw, path)
    found: frozenset[str] = memo[key]
    return found


def _selected(raw: GraphQLResolveInfo[Any], path: tuple[str, ...]) -> frozenset[str]:
    level = list(raw.field_nodes)
    for name in path:
        level = [
            node for parent in level for node in _fields(parent.selection_set, raw) if node.name.value == name
        ]
    names: set[str] = set()
    while level:
        below = [node for parent in level for node in _fields(parent.selection_set, raw)]
        names.update(node.name.value for node in below)
        level = [node for node in below if node.name.value != "content"]
    return frozenset(names)


def _fields(selection: SelectionSetNode | None, raw: Any) -> list[FieldNode]:
    found: list[FieldNode] = []
    for node in selection.selections if selection else ():
        if isinstance(node, FieldNode):
            found.append(node)
        elif isinstance(node, InlineFragmentNode):
            found += _fields(node.selection_set, raw)
        elif isinstance(node, FragmentSpreadNode):
            found += _fields(raw.fragments[node.name.value].selection_set, raw)
    return found
