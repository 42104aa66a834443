"""How much a document may ask for."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one document, except for `cost`, which is of one operation."""

    characters: int = 64_000
    tokens: int = 3_000
    longest: int = 10_000  # characters of one token: a string, a number, a name
    nesting: int = 64  # of brackets of all kinds; what the parser can stand is above 100
    depth: int = 20
    operations: int = 100
    root_fields: int = 50
    aliases: int = 200
    fragments: int = 120
    spreads: int = 600
    directives: int = 300
    arguments: int = 500  # and fields of objects among them
    variables: int = 100
    repeats: int = 50  # of one selection between the same braces
    comparisons: int = 8_000  # pairs of fields that are merged
    fields: int = 5_000  # of all operations, fragments written out, of all possible types
    cost: int = 100_000  # values that can come back
    values: int = 8_000  # in the variables, what is JSON aside
    introspection: bool = True
