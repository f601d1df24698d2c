"""Plants one error in a Python file, by its syntax tree; knows nothing of what the file is about.

What says nothing is left alone: texts (docstrings, names, printed strings), types, decorators,
calls that change the type of a value and not the value (``tuple(x)``, ``Fraction(0)``), and the
guard ``strict=True``. Nor is the order touched where none is meant: that of the terms of a sum and
the factors of a product, of what follows ``in`` or stands in ``isinstance``, and of the rows of a
table, which have names. A mutant is named by the function it is in, its kind, what it turns into
what, and a count: its name does not change when lines move.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

SWAPPED_OPERATORS: dict[type, type] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
SWAPPED_COMPARISONS: dict[type, type] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
SWAPPED_NAMES = {
    pair[k]: pair[1 - k]
    for pair in (
        ("ONE", "ZERO"),
        ("any", "all"),
        ("min", "max"),
        ("exp", "log"),
        ("sin", "cos"),
        ("start", "stop"),
        ("left", "right"),
        ("add", "mul"),
        ("_sigmoid", "_softplus"),
        ("normal_pdf", "normal_cdf"),
        ("positive", "sign"),
    )
    for k in (0, 1)
}
TEXTS = {"why", "latex", "call", "numpy", "numpy_derivatives", "scipy", "factor", "uses", "kinks"}
GUARDS = {"strict"}  # zip(..., strict=True) refuses, and computes nothing
CONVERSIONS = {"tuple", "list", "frozenset", "Fraction", "MappingProxyType"}
BODIES = (ast.FunctionDef, ast.If, ast.For, ast.While, ast.With, ast.match_case)


@dataclass(frozen=True)
class Mutant:
    """One planted error, the ``number``-th of its file."""

    file: str
    line: int
    where: str
    kind: str
    before: str
    after: str
    count: int
    number: int

    @property
    def key(self) -> str:
        """A name that stays when lines move."""
        place = f"{self.file}:{self.where} {self.kind}: {self.before} -> {self.after}"
        return place if not self.count else f"{place} #{self.count}"

    @property
    def id(self) -> str:
        """The key, short."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:10]


Edit = Callable[[], None]


def mutants(path: Path, file: str) -> list[Mutant]:
    """Every error that can be planted in a file, in the order of the source."""
    return [mutant for mutant, _ in _named(ast.parse(path.read_text(encoding="utf-8")), file)]


def planted(path: Path, mutant: Mutant) -> ast.Module:
    """The syntax tree of a file with that error in it. Raises LookupError."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for other, edit in _named(tree, mutant.file):
        if other.key == mutant.key:
            edit()
            return ast.fix_missing_locations(tree)
    raise LookupError(mutant.key)


def _named(tree: ast.Module, file: str) -> Iterator[tuple[Mutant, Edit]]:
    counts: dict[tuple[str, ...], int] = {}
    for number, (where, node, kind, before, after, edit) in enumerate(_walk(tree, "")):
        name = (where, kind, before, after)
        count = counts[name] = counts.get(name, -1) + 1
        line = getattr(node, "lineno", 0)
        yield Mutant(file, line, where, kind, before, after, count, number), edit


# --- Where errors can be planted --------------------------------------------------------------


def _walk(node: ast.AST, where: str) -> Iterator[tuple[str, ast.AST, str, str, str, Edit]]:
    """Sites of a node and of all below it, without texts, types and decorators."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        where = f"{where}.{node.name}" if where else node.name
    for members in _members(node):
        members.members = True  # type: ignore[attr-defined]
    yield from ((where, n, kind, b, a, edit) for n, kind, b, a, edit in _at(node))
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_comment", "bases", "keywords"):
            if name == "keywords" and isinstance(node, ast.Call):
                for keyword in node.keywords:
                    if keyword.arg not in TEXTS | GUARDS:
                        yield from _walk(keyword, _row(node, where))
            continue
        if isinstance(node, ast.Raise | ast.Assert):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_text(child) and not _typing(child):
                yield from _walk(child, where)


def _members(node: ast.AST) -> list[ast.AST]:
    """What has no order: the tuple of ``x in (a, b)``, ``isinstance(x, (A, B))``, a product."""
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
        return list(node.comparators)
    if isinstance(node, ast.Call) and _called(node) == "isinstance":
        return list(node.args[1:])
    if isinstance(node, ast.Call) and _called(node) in ("Add", "Mul", "ordered_product"):
        return list(node.args)
    return []


def _row(call: ast.Call, where: str) -> str:
    """Rows of tables are told apart by their name."""
    for keyword in call.keywords:
        if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
            return f"{where}[{keyword.value.value}]"
    return where


def _is_text(node: ast.AST) -> bool:
    """A docstring, or an import."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _typing(node: ast.AST) -> bool:
    """A definition of a type, ``IndexLike = Index | int`` or ``Lines = tuple[str, ...]``."""
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        return node.test.id == "TYPE_CHECKING"
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    if not isinstance(node.value, ast.Subscript | ast.BinOp):
        return False
    root: ast.AST = node.value
    while isinstance(root, ast.BinOp):
        root = root.left
    root = root.value if isinstance(root, ast.Subscript) else root
    name = node.targets[0].id
    return isinstance(root, ast.Name) and name[:1].isupper() and not name.isupper()


def _at(node: ast.AST) -> Iterator[tuple[ast.AST, str, str, str, Edit]]:
    """Errors at this node: (node, kind, before, after, edit)."""
    match node:
        case ast.BinOp(left, operator, right):
            if _texts(left) or _texts(right):
                return
            if type(operator) in SWAPPED_OPERATORS:
                swapped = SWAPPED_OPERATORS[type(operator)]()
                yield _field(node, "operator", "op", swapped)
            if isinstance(operator, ast.Sub | ast.Div | ast.Pow):
                yield _several(node, "operands swapped", left=right, right=left)
            yield _become(node, "operand dropped", left)
            yield _become(node, "operand dropped", right)
        case ast.UnaryOp(ast.USub() | ast.Not(), operand):
            yield _become(node, "sign or not dropped", operand)
        case ast.Constant(bool(value)):
            yield _field(node, "constant", "value", not value)
        case ast.Constant(int(value)):
            yield _field(node, "constant", "value", value + 1)
        case ast.Compare(_, [operator], _):
            if type(operator) in SWAPPED_COMPARISONS:
                yield _field(node, "comparison", "ops", [SWAPPED_COMPARISONS[type(operator)]()])
        case ast.BoolOp(operator, operands):
            other = ast.Or() if isinstance(operator, ast.And) else ast.And()
            yield _field(node, "and/or", "op", other)
            for n in range(len(operands)):
                rest = [*operands[:n], *operands[n + 1 :]]
                alone = rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest)
                yield _become(node, "condition dropped", alone)
        case ast.Call(_, args, keywords):
            plain = [a for a in args if not isinstance(a, ast.Starred)]
            if len(plain) == len(args) >= 2:
                if not _varargs(node):
                    yield _field(node, "arguments swapped", "args", [args[1], args[0], *args[2:]])
                yield _become(node, "call dropped", args[-1])
            elif len(plain) == len(args) == 1 and not keywords and _called(node) not in CONVERSIONS:
                yield _become(node, "call dropped", args[0])
            if len(args) >= 2 and _varargs(node):
                for n in range(len(args)):
                    yield _field(node, "argument dropped", "args", [*args[:n], *args[n + 1 :]])
        case ast.Tuple(elements, ast.Load()) | ast.List(elements, ast.Load()):
            if len(elements) >= 2 and not _unordered(node):
                swapped_pair = [elements[1], elements[0], *elements[2:]]
                yield _field(node, "elements swapped", "elts", swapped_pair)
            for n in range(len(elements) if len(elements) <= 4 else 0):
                if not _texts(elements[n]):
                    rest = [*elements[:n], *elements[n + 1 :]]
                    yield _field(node, "element dropped", "elts", rest)
        case ast.IfExp(_, body, orelse):
            yield _several(node, "branches swapped", body=orelse, orelse=body)
        case ast.Name(name, ast.Load()) if name in SWAPPED_NAMES:
            yield _field(node, "name", "id", SWAPPED_NAMES[name])
        case ast.Attribute(_, name, ast.Load()) if name in SWAPPED_NAMES:
            yield _field(node, "name", "attr", SWAPPED_NAMES[name])
        case ast.If(test, _, _) | ast.While(test, _, _):
            yield _field(node, "condition negated", "test", ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(_, _, conditions):
            for n in range(len(conditions)):
                rest = [*conditions[:n], *conditions[n + 1 :]]
                yield _field(node, "filter dropped", "ifs", rest)
    if isinstance(node, BODIES):
        for n, statement in enumerate(node.body):
            if isinstance(statement, ast.Expr | ast.AugAssign | ast.Continue | ast.Break):
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    continue
                yield _statement(node, n, statement)
    if isinstance(node, ast.match_case) and node.guard is not None:
        yield _field(node, "guard dropped", "guard", None)


def _texts(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _varargs(call: ast.Call) -> bool:
    """Calls that take any number of arguments, in this code base; they are sums and products."""
    return _called(call) in ("add", "mul", "ordered_product")


def _unordered(elements: ast.Tuple | ast.List) -> bool:
    """Texts, the rows of a table, and (as :func:`_walk` marked them) what follows ``in``."""
    first = elements.elts[0]
    named = isinstance(first, ast.Call) and any(k.arg == "name" for k in first.keywords)
    return named or hasattr(elements, "members") or any(map(_texts, elements.elts[:2]))


# --- Edits ------------------------------------------------------------------------------------


def _text(node: ast.AST) -> str:
    """A node on one line, and not too long."""
    if isinstance(node, ast.match_case):
        shown = f"case {ast.unparse(node.pattern)}"
        shown += f" if {ast.unparse(node.guard)}" if node.guard else ""
    elif isinstance(node, ast.If | ast.While):
        shown = f"if {ast.unparse(node.test)}"
    else:
        shown = ast.unparse(node)
    shown = " ".join(shown.split())
    return shown if len(shown) <= 110 else shown[:107] + "..."


def _field(
    node: ast.AST, kind: str, name: str, value: object
) -> tuple[ast.AST, str, str, str, Edit]:
    return _several(node, kind, **{name: value})


def _several(node: ast.AST, kind: str, **values: object) -> tuple[ast.AST, str, str, str, Edit]:
    before = _text(node)
    old = {name: getattr(node, name) for name in values}

    def edit() -> None:
        for name, value in values.items():
            setattr(node, name, value)

    edit()
    after = _text(ast.fix_missing_locations(node))
    for name, value in old.items():
        setattr(node, name, value)
    return node, kind, before, after, edit


def _become(node: ast.AST, kind: str, other: ast.AST) -> tuple[ast.AST, str, str, str, Edit]:
    def edit() -> None:
        node.__class__ = other.__class__  # type: ignore[assignment]
        node.__dict__.clear()
        node.__dict__.update(other.__dict__)

    return node, kind, _text(node), _text(other), edit


def _statement(node: ast.AST, n: int, statement: ast.stmt) -> tuple[ast.AST, str, str, str, Edit]:
    def edit() -> None:
        node.body[n] = ast.Pass()  # type: ignore[attr-defined]

    return statement, "statement dropped", _text(statement), "pass", edit
