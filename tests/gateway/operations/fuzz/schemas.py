"""Random strawberry schemas, written as Python: what differs can be run by whoever reads the failure."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from types import ModuleType

import strawberry

from tests.gateway.operations.fuzz.defaults import default

NUMBERS = count()

HEAD = """
import datetime, decimal, enum, uuid
from typing import Annotated, Union
import strawberry
from strawberry import ID, UNSET, Info, Maybe
from strawberry.scalars import JSON
from tests.gateway.operations.fuzz.resolvers import SCALARS, Allowed, AllowedLater, Seen, Shout, Silent
from tests.gateway.operations.fuzz.resolvers import answer, later
from tests.gateway.operations.fuzz.worlds import Lazy
"""
TAIL = """
schema = strawberry.Schema({roots}, types=[{types}],
                           config=strawberry.schema.config.StrawberryConfig(scalar_map=SCALARS))
"""
SCALARS = ("int", "str", "bool", "float", "ID", "JSON", "Shout", "datetime.datetime", "datetime.date",
           "datetime.time", "decimal.Decimal", "uuid.UUID")  # fmt: skip
# Names that meet what generated Python may call its own.
NAMES = ("a", "b", "name", "long_name", "type_", "class_", "items", "v0", "o", "data", "x_1", "value")
ENUMS = (
    "@strawberry.enum\nclass {0}(enum.Enum):\n    RED = 'red'\n    BLUE = 'blue'",
    "@strawberry.enum\nclass {0}(enum.Enum):\n    ONE = 1\n    TWO = 2\n    NONE = 0",
    "@strawberry.enum\nclass {0}(str, enum.Enum):\n    RED = 'BLUE'\n    BLUE = 'RED'",
    "@strawberry.enum\nclass {0}(enum.IntEnum):\n    ONE = 1\n    TWO = 2",
    (
        "@strawberry.enum(name='Other{0}')\nclass {0}(enum.Enum):\n"
        "    RED = strawberry.enum_value('r', name='Rouge')\n    BLUE = 'b'"
    ),
    "@strawberry.enum(graphql_name_from='value')\nclass {0}(enum.StrEnum):\n    RED = 'rouge'\n    BLUE = 'bleu'",
)


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    schema: strawberry.Schema
    source: str


def made(chance: Random, size: int) -> Made:
    """A schema of about `size` times three types."""
    source = "\n".join(Writer(chance, size).lines())
    module = ModuleType(f"made_{next(NUMBERS)}")
    sys.modules[module.__name__] = module  # where strawberry looks up what is named before it is there
    try:
        exec(source, module.__dict__)  # noqa: S102  # we wrote it
    finally:
        del sys.modules[module.__name__]
    return Made(module.__dict__["schema"], source)


@dataclass(slots=True)
class Writer:
    chance: Random
    size: int
    flat: bool = False  # nothing awaited below the roots, no permissions, no `Maybe`: such schemas compile
    enums: list[str] = field(default_factory=list)
    inputs: dict[str, str | None] = field(default_factory=dict)  # each with one value of it, as Python
    interfaces: dict[str, tuple[set[str], list[str]]] = field(
        default_factory=dict
    )  # fields, itself and those above
    objects: list[str] = field(default_factory=list)
    unions: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        few = max(1, self.size)
        self.flat = self.chance.randrange(5) > 0
        self.enums = [f"E{n}" for n in range(self.chance.randrange(few + 1))]
        self.objects = [f"T{n}" for n in range(1 + self.chance.randrange(2 * few))]
        self.unions = [f"U{n}" for n in range(self.chance.randrange(few))]
        yield HEAD
        for name in self.enums:
            yield self.chance.choice(ENUMS).format(name)
        for number in range(self.chance.randrange(few + 1)):
            yield from self.input(f"In{number}")
        for number in range(self.chance.randrange(few + 1)):
            yield from self.interface(f"N{number}")
        for name in self.objects:
            yield from self.object(name)
        for name in self.unions:
            yield self.union(name)
        roots = ["Query", "Mutation"][: 1 + self.chance.randrange(2)]
        for root in roots:
            yield from self.root(root)
        yield from self.after
        yield TAIL.format(roots=", ".join(roots), types=", ".join(self.objects))

    # --- what is sent

    def input(self, name: str) -> Iterator[str]:
        one_of = not self.flat and self.chance.randrange(6) == 5
        yield f"@strawberry.input{'(one_of=True)' if one_of else ''}\nclass {name}:"
        given: dict[str, str | None] = {}
        for label in self.names(1, 4):
            kind = self.input_type()
            given[label] = default(self.chance, kind, self.known())
            yield f"    {label}: {self.member(label, kind, given[label], one_of)}"
        if not one_of and self.chance.randrange(4) == 3:
            yield f"    again: '{name} | None' = None"
        whole = all(given.values()) and not one_of
        self.inputs[name] = f"{name}({', '.join(f'{k}={v}' for k, v in given.items())})" if whole else None

    def known(self) -> dict[str, str | None]:
        return self.inputs | {name: f"next(iter({name}))" for name in self.enums}

    def member(self, name: str, kind: str, value: str | None, one_of: bool) -> str:
        """An input field, as it stands in the class."""
        bare = kind.removesuffix(" | None")
        if one_of:
            return f"Maybe[{bare}]"
        forms = [
            kind,
            f"{bare} | None",
            f"{bare} | None = None",
            f"{bare} | None = UNSET",
            f"{kind} = strawberry.field(name='{name}Sent')",
        ]
        if not self.flat:
            forms += [f"Maybe[{bare}]", f"Maybe[{bare} | None]"]
        if value is not None:
            forms += [f"{kind} = strawberry.field(default_factory=lambda: {value})"] * 2
        return self.chance.choice(forms)

    def input_type(self, depth: int = 0) -> str:
        return self.wrapped(
            self.chance.choice([*SCALARS[:4], *SCALARS, *self.enums * 2, *list(self.inputs) * 4]), depth
        )

    def arguments(self, names: Sequence[str]) -> str:
        """`, a: int = 3, ...`"""
        written = [
            self.argument(name, odd) for name, odd in zip(names, ("self", "from", "class"), strict=False)
        ]
        return "".join(f", {one}" for one in sorted(written, key=lambda one: " = " in one))

    def argument(self, name: str, odd: str) -> str:
        kind = self.input_type()
        bare = kind.removesuffix(" | None")
        needed = (
            kind if self.chance.randrange(4) == 0 else bare
        )  # one that may be null and has no default is odd
        value = default(self.chance, kind, self.known())
        renamed = self.chance.choice((odd, f"{name}Sent"))
        forms = [
            needed,
            f"{bare} | None = None",
            f"{bare} | None = UNSET",
            f'Annotated[{needed}, strawberry.argument(name="{renamed}")]',
        ]
        if not self.flat:
            forms += [f"Maybe[{bare}] = None", f"Maybe[{bare} | None] = None"]
        if value is not None:
            forms += [f"{kind} = {value}"] * 3
            forms += [f'Annotated[{kind}, strawberry.argument(name="{renamed}")] = {value}']
        return f"{name}: {self.chance.choice(forms)}"

    # --- what is answered

    def interface(self, name: str) -> Iterator[str]:
        above = self.chance.choice([None, *self.interfaces])
        inherited, line = self.interfaces.get(above or "", (set(), []))
        own = [label for label in self.names(1, 3) if label not in inherited]
        self.interfaces[name] = (inherited | set(own), [name, *line])
        self.objects.append(f"Only{name}")  # none without a type that implements it
        yield f"@strawberry.interface\nclass {name}({above or 'Lazy'}):"
        yield from self.fields(name, own)

    def object(self, name: str) -> Iterator[str]:
        above = self.above(name)
        inherited: set[str] = set()
        for one in above:
            inherited |= self.interfaces[one][0]
        yield f"@strawberry.type\nclass {name}({', '.join(above) or 'Lazy'}):"
        yield from self.fields(name, [label for label in self.names(1, 7) if label not in inherited])

    def above(self, name: str) -> list[str]:
        """Interfaces that share no field: a type may hold one of a name."""
        if name.startswith("Only"):
            return [name.removeprefix("Only")]
        chosen: list[str] = []
        for one in self.chance.sample(sorted(self.interfaces), min(2, len(self.interfaces))):
            if all(not self.interfaces[one][0] & self.interfaces[other][0] for other in chosen):
                chosen.append(one)
        return chosen[: self.chance.randrange(3)]

    def union(self, name: str) -> str:
        members = self.chance.sample(self.objects, min(len(self.objects), 1 + self.chance.randrange(3)))
        return f'{name} = Annotated[Union[{", ".join(members)}], strawberry.union("{name}")]'

    def fields(self, owner: str, names: Sequence[str]) -> Iterator[str]:
        yield "    pass"
        for name in names:
            form = self.chance.choice(FIELDS)
            yield from form(self, owner, name)

    def root(self, name: str) -> Iterator[str]:
        yield f"@strawberry.type\nclass {name}:"
        for number in range(2 + self.chance.randrange(4)):
            yield from resolved(self, name, f"root{number}")

    def output_type(self) -> str:
        composite = [*self.objects, *self.interfaces, *self.unions]
        leaves = [*SCALARS[:4], *SCALARS, *self.enums * 2]
        return self.wrapped(self.chance.choice(self.chance.choice([leaves, composite])))

    def root_type(self) -> str:
        composite = [*self.objects, *self.interfaces, *self.unions]
        return self.wrapped(self.chance.choice(composite)) if self.chance.randrange(5) else self.output_type()

    # --- both

    def wrapped(self, inner: str, depth: int = 0) -> str:
        shape = self.chance.choice(("{}", "{}", "{} | None", "{} | None", "list", "list | None"))
        if not shape.startswith("list"):
            return shape.format(inner)
        if depth == 3:
            return inner
        return shape.replace("list", f"list[{self.wrapped(inner, depth + 1)}]")

    def names(self, least: int, most: int) -> list[str]:
        return self.chance.sample(NAMES, least + self.chance.randrange(most - least + 1))


def plain(writer: Writer, owner: str, name: str) -> Iterator[str]:
    yield f'    {name}: "{writer.output_type()}"'


def renamed(writer: Writer, owner: str, name: str) -> Iterator[str]:
    options = writer.chance.choice((f"name='{name}Told'", "deprecation_reason='old'", "description='told'"))
    yield f'    {name}: "{writer.output_type()}" = strawberry.field({options})'


def computed(writer: Writer, owner: str, name: str) -> Iterator[str]:
    yield f'    {name}: "{writer.output_type()}"'
    writer.after.append(f"{owner}.{name} = property(lambda self: self.computed({name!r}))")


def preset(writer: Writer, owner: str, name: str) -> Iterator[str]:
    """Read from the class where the object has none."""
    yield f"    {name}: {writer.chance.choice(('int = 3', 'str | None = None', 'float = 1'))}"


def resolved(writer: Writer, owner: str, name: str) -> Iterator[str]:
    chance, root = writer.chance, owner in {"Query", "Mutation"}
    kind = writer.root_type() if root else writer.output_type()
    nested = writer.flat and not root
    options = chance.choice(PLAIN_OPTIONS if writer.flat else OPTIONS).format(name=name)
    if "Silent" in options and not kind.endswith("| None"):
        options = ""
    word, call = (
        ("async def", "await later") if not nested and chance.randrange(3) == 0 else ("def", "answer")
    )
    info = "info" if not nested and chance.randrange(4) == 0 else "None"
    names = writer.names(0, 3) if chance.randrange(3) else []
    taken = f"self{', info: Info' if info == 'info' else ''}{writer.arguments(names)}"
    given = ", ".join(f"{one!r}: {one}" for one in names)
    yield f"    @strawberry.field{options}"
    yield f'    {word} {name}({taken}) -> "{kind}":'
    yield f"        return {call}({owner!r}, {name!r}, self, {info}, {{{given}}})"


FIELDS: tuple[Callable[[Writer, str, str], Iterator[str]], ...] = (
    *[plain] * 8,
    renamed,
    computed,
    preset,
    *[resolved] * 3,
)
PLAIN_OPTIONS = (*[""] * 4, "(name='{name}Told')", "(deprecation_reason='old')")
OPTIONS = (
    *PLAIN_OPTIONS,
    "(permission_classes=[Allowed])",
    "(permission_classes=[AllowedLater])",
    "(extensions=[Seen()])",
    "(extensions=[Silent()])",
)
