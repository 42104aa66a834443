"""The one sandboxed Jinja2 environment: a block type's `template` turns a block into HTML.

Templates come from whoever edits content, so they are held twice. When one is compiled, only what is
listed here passes (`_SYNTAX`, `_FILTERS`, `_TESTS`): no calls, no arithmetic, no macros, no imports,
loops at most two deep. When it is rendered, each turn of a loop and each length that is walked is paid
from a purse, and the output is bounded. So no page waits for a template, whatever it and the data are.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeVar

import jinja2
import orjson
from jinja2 import filters, meta, nodes
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from content_blocks.blocks import Document

MAX_SOURCE = 20_000  # characters of a template
MAX_OUTPUT = 200_000  # characters of HTML
MAX_STEPS = 100_000  # nodes evaluated in loops, and units of 64 characters or entries walked
MAX_LOOPS = 2  # one inside the other
MAX_DEPTH = 40  # of the syntax tree; Jinja2 takes time for deep expressions

NAMES = frozenset({"data", "device", "geo", "time", "visitor", "segments", "page", "block"})


class TemplateProblem(ValueError):
    """A template that cannot be used or rendered; `line` counts from 1, None when it is not known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {message}" if line else message)
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Template:
    """`contextual`: it reads more than `data`, so visitors may see different HTML for the same block."""

    source: str
    contextual: bool
    _compiled: jinja2.Template = field(repr=False, compare=False)

    def render(self, data: Document, facts: Document) -> str:
        """HTML with every value escaped; what is missing renders as nothing. Raises TemplateProblem."""
        names = {name: facts[name] for name in NAMES & facts.keys()}
        token = _purse.set([MAX_STEPS])
        try:
            return self._bounded({**names, "data": data})
        except TemplateProblem:
            raise
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise TemplateProblem(f"cannot be rendered with this data: {error}") from error
        finally:
            _purse.reset(token)

    def _bounded(self, names: Document) -> str:
        pieces, length = [], 0
        for piece in self._compiled.generate(names):
            length += len(piece)
            if length > MAX_OUTPUT:
                raise TemplateProblem(f"makes more than {MAX_OUTPUT // 1000} KB of HTML from this data")
            pieces.append(piece)
        return "".join(pieces)


def compile_template(source: str) -> Template:
    """Raises TemplateProblem with the line of what is not allowed or cannot be read."""
    if len(source) > MAX_SOURCE:
        raise TemplateProblem(f"is longer than {MAX_SOURCE // 1000} KB")
    try:
        tree = _environment.parse(source)
        _check(tree, loops=0, depth=0)
        read = meta.find_undeclared_variables(tree)
        _check_names(tree, read)
        return Template(source, read - {"data"} != set(), _environment.from_string(_Paid().visit(tree)))
    except jinja2.TemplateSyntaxError as error:
        raise TemplateProblem(error.message or "cannot be read", error.lineno) from error
    except (jinja2.TemplateError, ValueError, RecursionError, SyntaxError, MemoryError) as error:
        if isinstance(error, TemplateProblem):
            raise
        raise TemplateProblem(f"cannot be compiled: {error}") from error


# --- what may be written ---

_SYNTAX = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Slice, nodes.Filter, nodes.Test, nodes.If, nodes.For, nodes.CondExpr, nodes.And, nodes.Or,
    nodes.Not, nodes.Compare, nodes.Operand, nodes.Neg, nodes.List, nodes.Tuple,
)  # fmt: skip
_LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_INSTEAD: Mapping[type[nodes.Node], str] = {
    nodes.Call: "calls are not allowed; use a filter such as {{ data.name|upper }}",
    nodes.Concat: "'~' is not allowed; write the values one after the other",
    nodes.Include: "a template stands alone: it cannot include another",
    nodes.Extends: "a template stands alone: it cannot extend another",
    nodes.Import: "a template stands alone: it cannot import another",
    nodes.FromImport: "a template stands alone: it cannot import another",
    nodes.BinExpr: "arithmetic is not allowed; put the result into the data",
    nodes.Dict: "objects belong into the data",
}


def _check(node: nodes.Node, loops: int, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise TemplateProblem(f"is nested deeper than {MAX_DEPTH} levels", node.lineno)
    if not isinstance(node, _SYNTAX):
        raise TemplateProblem(_refusal(node), node.lineno)
    if isinstance(node, nodes.For):
        loops += 1
        if node.recursive or loops > MAX_LOOPS:
            raise TemplateProblem(f"loops go at most {MAX_LOOPS} deep, and are not recursive", node.lineno)
    if isinstance(node, nodes.Filter | nodes.Test):
        _check_known(node)
    if isinstance(node, nodes.Name) and node.name in {"loop", "self"}:
        raise TemplateProblem(
            f"{node.name!r} has no value; there are loop.{', loop.'.join(sorted(_LOOP))}", node.lineno
        )
    if not _loop_state(node):
        for child in node.iter_child_nodes():
            _check(child, loops, depth + 1)


def _loop_state(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Getattr) and _is_loop(node.node) and node.attr in _LOOP


def _is_loop(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "loop"


def _refusal(node: nodes.Node) -> str:
    for kind, instead in _INSTEAD.items():
        if isinstance(node, kind):
            return instead
    return f"{type(node).__name__.lower()!r} is not allowed in a template"


def _check_known(node: nodes.Filter | nodes.Test) -> None:
    kind, known = ("filter", _FILTERS) if isinstance(node, nodes.Filter) else ("test", _TESTS)
    if node.name not in known:
        raise TemplateProblem(f"no {kind} {node.name!r}; there are {', '.join(sorted(known))}", node.lineno)
    if node.name == "join" and not all(_short(argument) for argument in node.args):
        raise TemplateProblem("join takes a short text, such as join(', ')", node.lineno)
    if node.kwargs or node.dyn_args or node.dyn_kwargs:
        raise TemplateProblem(f"{kind} {node.name!r} takes its arguments by position", node.lineno)


def _short(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Const) and isinstance(node.value, str) and len(node.value) <= 10


def _check_names(tree: nodes.Template, read: set[str]) -> None:
    for name in tree.find_all(nodes.Name):
        if name.name in read and name.name not in NAMES:
            raise TemplateProblem(f"no name {name.name!r}; there are {', '.join(sorted(NAMES))}", name.lineno)


# --- what it may cost ---

_purse: ContextVar[list[int]] = ContextVar("steps that this rendering has left")
_Value = TypeVar("_Value")


def _spend(steps: int) -> None:
    purse = _purse.get()
    purse[0] -= steps
    if purse[0] < 0:
        raise TemplateProblem("takes too many steps with this data: loop over less")


def _walked(value: _Value) -> _Value:
    """Pays for a text or a list that is about to be walked."""
    if isinstance(value, str | list | tuple | Mapping):
        _spend(1 + len(value) // 64)
    return value


def _looped(value: Any, body: int) -> Any:
    """Pays for a loop over this value, whose body has so many nodes."""
    if value is None or isinstance(value, Undefined):
        return ()
    if not isinstance(value, list | tuple | Mapping):
        raise TemplateProblem(f"loops go over lists, not over {type(value).__name__}")
    _spend(len(value) * body)
    return value


def _scalar(value: _Value) -> _Value:
    """Comparing lists and objects may cost their size, and says nothing that a template needs."""
    if isinstance(value, list | tuple | Mapping):
        raise TemplateProblem("compares a list or an object; compare texts and numbers")
    return _walked(value)


class _Paid(NodeTransformer):
    """Puts the payments into a checked template."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 (the visitor's naming)
        body = sum(1 for part in (*node.body, *node.else_) for _ in part.find_all(nodes.Node)) + 1
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "looped", nodes.Const(body))
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802
        self.generic_visit(node)
        node.expr = _filtered(node.expr, "scalar")
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, "walked" if operand.op in {"in", "notin"} else "scalar")
        return node


def _filtered(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, args, (), None, None, lineno=node.lineno)


# --- what is at hand ---


def _paying(function: Callable[..., Any]) -> Callable[..., Any]:
    # wraps() also carries over the mark that makes Jinja2 pass the environment or the autoescape state.
    passes_state = hasattr(function, "jinja_pass_arg")

    @wraps(function)
    def paid(*args: Any) -> Any:
        _walked(args[1] if passes_state else args[0])
        return _walked(function(*args))

    return paid


def _fixed(value: Any, places: int = 2) -> str:
    """A number with so many decimals, at most 6: `{{ data.price|fixed }}`."""
    if value is None or isinstance(value, Undefined):
        return ""
    return f"{float(value):.{max(0, min(int(places), 6))}f}"


def _parity(remainder: int) -> Callable[[Any], bool]:
    # Jinja2's own `odd` is `value % 2`, which formats a text: '%999999999d' would fill the memory.
    return lambda value: isinstance(value, int) and value % 2 == remainder


def _text(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return orjson.dumps(value).decode()
    return value


_FILTERS: Mapping[str, Callable[..., Any]] = {
    name: _paying(filters.FILTERS[name])
    for name in ("capitalize", "default", "e", "escape", "first", "join", "last", "length", "lower",
                 "title", "trim", "upper", "urlencode")
} | {"fixed": _fixed}  # fmt: skip
_TESTS: Mapping[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "mapping": lambda value: isinstance(value, Mapping),
    "sequence": lambda value: isinstance(value, list | tuple),
    "odd": _parity(1),
    "even": _parity(0),
}


class _Environment(ImmutableSandboxedEnvironment):
    """`data.items` is the field `items`: values are JSON, so there are fields and no methods."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (LookupError, TypeError, AttributeError):
            return self.undefined(obj=obj, name=argument)


def _make_environment() -> _Environment:
    made = _Environment(autoescape=True, undefined=jinja2.ChainableUndefined, finalize=_text, cache_size=0)
    made.globals.clear()
    made.filters = {**_FILTERS, "looped": _looped, "scalar": _scalar, "walked": _walked}
    made.tests = dict(_TESTS)
    return made


_environment = _make_environment()
