"""How much a document may ask for, found before anything is validated or executed.

Three looks, each at what the one before has let through: at the text (before it is parsed), at the document
(before it is validated, which takes quadratic time for fields that are merged), at the cost (before it is
executed). strawberry's and graphql-core's own limiters come too late for that: they are asked while validating,
write fragments out one by one, and know no cost; what they are good for, tokens and introspection, is theirs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_introspection_query,
    get_operation_ast,
    parse,
    validate,
)

from gateway.operations.amounts import CEILING, Amount, valued
from gateway.operations.costs import WORK, Count, Counting, Exhausted
from gateway.operations.depths import Circular, deepest
from gateway.operations.inflow import excess
from gateway.operations.limits import Limits
from gateway.operations.refusals import beyond
from gateway.operations.scanning import Scan
from gateway.operations.sizes import ASSUMED, Sizes

INTROSPECTIONS = 2  # how often the whole schema, with all that tools ask of it, one operation may cost

# What a scan counts, and how it is refused, in this order: (count and limit, code, sentence).
_COUNTED = (
    ("tokens", "TOO_LARGE", "the query has more than {limit} tokens: send values as variables, or several requests"),
    ("longest", "TOO_LARGE", "a value or name in the query has more than {limit} characters: send it as a variable"),
    ("nesting", "TOO_DEEP", "brackets are nested deeper than {limit} levels: ask less deeply, or send variables"),
    ("variables", "TOO_LARGE", "the query has more than {limit} variables: gather them in input objects or lists"),
    ("directives", "TOO_LARGE", "the query has more than {limit} directives: put one on a fragment, not on each field"),
    ("arguments", "TOO_LARGE", "the query has more than {limit} arguments, all told: send objects as variables"),
    ("fragments", "TOO_LARGE", "the query has more than {limit} fragments: ask in several requests"),
    ("operations", "TOO_LARGE", "the document has more than {limit} operations: send only what is to be executed"),
    ("spreads", "TOO_COMPLEX", "fragments are spread more than {limit} times: ask in several requests"),
    ("aliases", "TOO_COMPLEX", "the query has more than {limit} aliases: ask in several requests"),
    ("repeats", "TOO_COMPLEX", "a field is selected more than {limit} times in the same place: select it once"),
    ("root_fields", "TOO_COMPLEX", "an operation has more than {limit} fields at its root: ask in several requests"),
)  # fmt: skip
_SENTENCES = {
    "root_fields": "an operation has more than {limit} fields at its root: ask in several requests",
    "fields": "the query has more than {limit} fields with its fragments written out: ask in several requests",
    "comparisons": "fields are selected again and again in the same place: select each once",
}
_MOST_UNKNOWN = 10  # fields; more are not worth a look at each


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one operation. `fixed` is None where it depends on variables."""

    values: Amount
    introspected: Amount
    limit: int
    limit_introspected: int

    @property
    def fixed(self) -> int | None:
        return self.values if isinstance(self.values, int) else None

    def of(self, variables: Mapping[str, Any]) -> int:
        return valued(self.values, variables)

    def refusal(self, variables: Mapping[str, Any]) -> GraphQLError | None:
        """For a request with these variables, as they were sent."""
        found = self.of(variables)
        if found > self.limit:
            message = (
                f"{found:,} values could come back, {self.limit:,} may: ask for fewer fields, or for "
                "shorter lists (first, last, limit)"
            )
            return beyond("TOO_COMPLEX", message, self.limit, found, found < CEILING)
        found = valued(self.introspected, variables)
        if found > self.limit_introspected:
            message = "this introspection asks for much more than the whole schema: ask for less at once"
            return beyond("TOO_COMPLEX", message, self.limit_introspected, found, found < CEILING)
        return None


class Bounds:
    """`sizes`: how long lists are assumed to be, by "Type.field"; `assumed`, all others."""

    def __init__(
        self, schema: GraphQLSchema, limits: Limits, sizes: Mapping[str, int], assumed: int = ASSUMED
    ) -> None:
        self._schema = schema
        self.limits = limits
        self._sizes = Sizes(schema, sizes, assumed)
        self._names = _names(schema)
        self._limit_introspected = INTROSPECTIONS * self._whole_introspection()

    def text(self, text: str) -> GraphQLError | None:
        """Before parsing: in time proportional to the limits."""
        limit = self.limits.characters
        if len(text) > limit:
            message = f"the query has {len(text):,} characters, {limit:,} may be: send values as variables"
            return beyond("TOO_LARGE", message, limit, len(text))
        scan = Scan(text, self._names)
        error = None
        while error is None and scan.more():
            error = next(self._scanned(scan), None)
        return error

    def _scanned(self, scan: Scan) -> Iterator[GraphQLError]:
        for name, code, sentence in _COUNTED:
            limit, actual = getattr(self.limits, name), getattr(scan, name)
            if actual > limit:
                yield beyond(code, sentence.format(limit=limit), limit, actual, counted=False)
        if scan.unfit:
            message = f"{scan.unfit[:40]} is no number of 64 bits: send longer ones as text"
            yield GraphQLError(message, extensions={"code": "BAD_INPUT"})
        if len(scan.unknown) > _MOST_UNKNOWN:
            some = ", ".join(name[:40] for name in scan.unknown[:5])
            message = f"the schema has none of these: {some}, ..."
            yield GraphQLError(message, extensions={"code": "GRAPHQL_VALIDATION_FAILED"})

    def document(self, document: DocumentNode) -> list[GraphQLError]:
        """Before validating."""
        try:
            found = self._documented(document)
        except Circular as error:
            message = f"fragments spread each other in a circle: {error}"
            found = GraphQLError(message, extensions={"code": "GRAPHQL_VALIDATION_FAILED"})
        except Exhausted:
            message = "the query merges too many fields: select each once, and use fewer fragments"
            found = beyond("TOO_COMPLEX", message, WORK, WORK, counted=False)
        return [found] if found else []

    def _documented(self, document: DocumentNode) -> GraphQLError | None:
        limits = self.limits
        depth = deepest(document)
        if depth > limits.depth:
            message = f"the query is {depth} levels deep, {limits.depth} may be: ask in several requests"
            return beyond("TOO_DEEP", message, limits.depth, depth)
        return (None if limits.introspection else self._introspecting(document)) or self._merged(document)

    def _introspecting(self, document: DocumentNode) -> GraphQLError | None:
        errors = validate(self._schema, document, [NoSchemaIntrospectionCustomRule], max_errors=1)
        if not errors:
            return None
        message = "this server does not tell its schema: introspection is switched off"
        return GraphQLError(message, errors[0].nodes, extensions={"code": "INTROSPECTION_DISABLED"})

    def _merged(self, document: DocumentNode) -> GraphQLError | None:
        operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        alone = operations[0] if len(operations) == 1 else None
        counting = Counting(self._schema, self._sizes, document, alone, impossible=True)
        counts = [counting.operation(node) for node in operations]
        for node in document.definitions:
            if isinstance(node, FragmentDefinitionNode) and node.name.value not in counting.reached:
                counting.fragment(node)  # that nothing spreads is validated as well
        found = {
            "root_fields": max((count.roots for count in counts), default=0),
            "fields": sum(count.fields for count in counts),
            "comparisons": counting.comparisons,
        }
        error = next(self._beyond(found), None)
        if error is None and alone:  # no need to validate what is too dear whatever the variables
            cost = self._cost(counts[0])
            error = cost.refusal({}) if cost.fixed is not None else None
        return error

    def _beyond(self, found: Mapping[str, int]) -> Iterator[GraphQLError]:
        for name, actual in found.items():
            limit = getattr(self.limits, name)
            if actual > limit:
                yield beyond("TOO_COMPLEX", _SENTENCES[name].format(limit=limit), limit, actual)

    def cost(self, document: DocumentNode, operation: OperationDefinitionNode) -> Cost:
        """Of an operation in a document that `document` let through, and that is valid."""
        return self._cost(self._count(document, operation))

    def _cost(self, count: Count) -> Cost:
        return Cost(count.values, count.introspected, self.limits.cost, self._limit_introspected)

    def variables(
        self, operation: OperationDefinitionNode, variables: Mapping[str, Any]
    ) -> GraphQLError | None:
        """Before they are coerced."""
        return excess(self._schema, operation, variables, self.limits.values)

    def _whole_introspection(self) -> int:
        text = get_introspection_query(
            specified_by_url=True,
            directive_is_repeatable=True,
            schema_description=True,
            one_of=True,
            input_value_deprecation=True,
        )
        document = parse(text)
        operation = get_operation_ast(document)
        return valued(self._count(document, operation).introspected, {}) if operation else 0

    def _count(self, document: DocumentNode, operation: OperationDefinitionNode) -> Count:
        return Counting(self._schema, self._sizes, document, operation).operation(operation)


def _names(schema: GraphQLSchema) -> frozenset[str]:
    fields = (name for type_ in schema.type_map.values() for name in getattr(type_, "fields", ()))
    return frozenset((*fields, *schema.type_map, "__typename", "__schema", "__type"))
