"""What the selections of an operation are read with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from graphql import (
    FragmentDefinitionNode,
    GraphQLAbstractType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

Fields: TypeAlias = list[FieldDetails]


@dataclass(frozen=True)
class Scope:
    """`included` has the values of the variables that `@skip` and `@include` name."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    included: Mapping[str, Any]

    @cached_property
    def _details(self) -> dict[str, FragmentDetails]:
        return {name: FragmentDetails(node) for name, node in self.fragments.items()}

    @cached_property
    def _values(self) -> VariableValues:
        return VariableValues({}, dict(self.included))

    def root(self, type_: GraphQLObjectType) -> GroupedFieldSet:
        """Raises GraphQLError for a condition that has no value."""
        return collect_fields(
            self.schema, self._details, self._values, type_, self.operation
        ).grouped_field_set

    def below(self, type_: GraphQLObjectType, fields: Fields) -> GroupedFieldSet:
        return collect_subfields(
            self.schema, self._details, self._values, self.operation, type_, fields
        ).grouped_field_set

    def possible(self, type_: GraphQLAbstractType) -> list[GraphQLObjectType]:
        return list(self.schema.get_possible_types(type_))

    def is_possible(self, type_: GraphQLObjectType) -> bool:
        """Whether an abstract type may turn out to be this one."""
        return bool(type_.interfaces) or any(
            isinstance(other, GraphQLUnionType) and type_ in other.types
            for other in self.schema.type_map.values()
        )
