"""The exchange form: index expressions in SymPy, with symbolic sizes or written out in numbers.

``to_indexed`` keeps sizes and gives ``Indexed`` and ``Sum``; every bound index is a new ``Dummy``,
so that SymPy's own ``subs`` and ``diff`` have no name to capture. ``to_matrix`` and ``Concrete``
write everything out at sizes that are numbers, one symbol an entry. This module imports SymPy:
import it inside the function that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Bracket,
    Delta,
    Expr,
    Mul,
    Number,
    Partial,
    Pow,
    Select,
    SizeOf,
    Sum,
    Tensor,
    indices_of,
    ranges_of,
    tensors_in,
    walk,
)
from symderiv.algebra.index import Axis, Index, Size, Var, as_index
from symderiv.calculus.functions import scalar
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.sympy_bridge import to_sympy

Where = tuple[int, ...]
Env = Mapping[Var, int]
Atom = Callable[[Tensor, Where], Any]

# --- Symbolic sizes ------------------------------------------------------------------------------


def to_indexed(
    expr: Expr,
    names: Mapping[Var, Any] | None = None,
    *,
    unfold: bool = True,
    called: Callable[[Tensor], str] = lambda tensor: tensor.name,
) -> Any:
    """The expression with ``Indexed``, ``Sum``, ``KroneckerDelta`` and ``Piecewise``.

    ``names`` gives the SymPy symbols of free indices; the others are called by their own letters,
    numbered where two would be the same. ``called`` names the tensors. With ``unfold`` functions
    of the tables are written by their definitions, else they are ``sympy.Function`` of their name.
    Raises ValueError for a derivative ``∂e/∂t`` that is not worked out and for the winner of a
    maximum.
    """
    return _Indexed(_free_names(expr, names or {}), unfold, called).convert(expr)


def _free_names(expr: Expr, given: Mapping[Var, Any]) -> dict[Var, Any]:
    taken = {t.name for t in tensors_in(expr)} | {str(s) for s in given.values()}
    taken |= {s.name for node in walk(expr) for s in _sizes(node)}
    found = dict(given)
    for variable in sorted(free_variables(expr) - set(given), key=lambda v: v.uid):
        name, n = variable.name, 1
        while name in taken:
            n += 1
            name = f"{variable.name}{n}"
        taken.add(name)
        found[variable] = sympy.Symbol(name, integer=True)
    return found


def _sizes(node: Expr) -> Iterator[Size]:
    held = (*indices_of(node), *ranges_of(node))
    yield from (s for index in held for s, _ in index.terms if isinstance(s, Size))


@dataclass(frozen=True)
class _Indexed:
    names: Mapping[Var, Any]
    unfold: bool
    called: Callable[[Tensor], str]

    def convert(self, expr: Expr) -> Any:
        if self.unfold:
            return to_sympy(expr, self.leaf)
        match expr:
            case Number(value):
                return sympy.Rational(value.numerator, value.denominator)
            case Add(terms):
                return sympy.Add(*map(self.convert, terms))
            case Mul(factors):
                return sympy.Mul(*map(self.convert, factors))
            case Pow(base, exponent):
                return sympy.Pow(self.convert(base), exponent)
            case Apply(name, args, orders):
                return self.applied(name, [self.convert(a) for a in args], orders)
            case _:
                return self.leaf(expr)

    def leaf(self, expr: Expr) -> Any:
        """What is no arithmetic: entries, sizes, deltas, brackets, sums."""
        match expr:
            case Access(tensor, ()):
                return sympy.Symbol(self.called(tensor), real=True)
            case Access(tensor, indices):
                base = sympy.IndexedBase(sympy.Symbol(self.called(tensor), real=True))
                return base[tuple(map(self.index, indices))]
            case SizeOf(index):
                return self.index(index)
            case Delta(left, right):
                return sympy.KroneckerDelta(self.index(left), self.index(right))
            case Bracket(index):
                return sympy.Piecewise((1, self.index(index) >= 0), (0, True))
            case Sum(var, body):
                bound = sympy.Dummy(var.name, integer=True)
                inner = _Indexed({**self.names, var: bound}, self.unfold, self.called)
                limits = (bound, self.index(var.axis.start), self.index(var.axis.stop))
                return sympy.Sum(inner.convert(body), limits)
            case Select():
                raise ValueError("the winner of a maximum has no closed form in SymPy")
            case Partial():
                raise ValueError("a derivative that is not worked out has no exchange form")
        raise TypeError(f"not a tree of index notation: {expr!r}")

    def index(self, index: Index) -> Any:
        return sympy.Add(
            index.const,
            *(c * (self.names[s] if isinstance(s, Var) else self.size(s)) for s, c in index.terms),
        )

    def size(self, size: Size) -> Any:
        symbol = sympy.Symbol(size.name, integer=True, positive=True)
        return symbol if size.at is None else sympy.IndexedBase(symbol)[self.index(size.at)]

    def applied(self, name: str, args: list[Any], orders: tuple[int, ...]) -> Any:
        """f(args); a derivative is f's own, by dummy arguments, at ``args``."""
        if scalar(name).definition is None:
            slots: list[Expr] = [Access(Tensor(f"slot-{n}"), ()) for n in range(len(args))]
            images = dict(zip(slots, args, strict=True))
            return to_sympy(Apply(name, tuple(slots), orders), lambda e: images[e])
        function = sympy.Function(scalar(name).python_name, real=True)
        if not any(orders):
            return function(*args)
        dummies = [sympy.Dummy(f"t{n}", real=True) for n in range(len(args))]
        counts = [(d, n) for d, n in zip(dummies, orders, strict=True) if n]
        return sympy.Subs(sympy.Derivative(function(*dummies), *counts), dummies, args)


# --- Sizes that are numbers ----------------------------------------------------------------------


def entry_symbol(tensor: Tensor, where: Where) -> Any:
    """The symbol of one entry: ``W1[2,3]``; the same entry has the same symbol everywhere."""
    inside = ",".join(map(str, where))
    return sympy.Symbol(f"{tensor.name}[{inside}]" if where else tensor.name, real=True)


@dataclass(frozen=True)
class Concrete:
    """Index notation written out where every size is a number."""

    sizes: Mapping[Size, int]

    def number(self, index: Index, env: Env) -> int:
        """The value of an affine index. Raises KeyError for a size without a number."""
        total = index.const
        for symbol, coefficient in index.terms:
            if isinstance(symbol, Var):
                total += coefficient * env[symbol]
            elif symbol.at is None:
                total += coefficient * self.sizes[symbol]
            else:
                at = as_index(self.number(symbol.at, env))
                total += coefficient * self.sizes[Size(symbol.name, at)]
        return total

    def span(self, axis: Axis, env: Env) -> range:
        """The values of an index on the axis."""
        return range(self.number(axis.start, env), self.number(axis.stop, env) + 1)

    def assignments(self, variables: Sequence[Var], env: Env | None = None) -> Iterator[Env]:
        """Every way to give values to the variables; later ranges may depend on earlier ones."""
        known = dict(env or {})
        if not variables:
            yield known
            return
        for n in self.span(variables[0].axis, known):
            yield from self.assignments(variables[1:], {**known, variables[0]: n})

    def equations(self, graph: Graph) -> Iterator[tuple[Definition, Env]]:
        """Every equation of a graph with numbers for its variables, a recurrence layer by layer."""
        for block in graph.blocks:
            if isinstance(block, Definition):
                yield from ((block, env) for env in self.assignments(block.variables))
                continue
            for n in self.span(block.var.axis, {}):
                for definition in block.definitions:
                    head, *rest = definition.variables
                    if n in self.span(head.axis, {}):
                        yield from ((definition, e) for e in self.assignments(rest, {head: n}))

    def where(self, indices: Sequence[Index], env: Env) -> Where:
        """The place that the indices point at."""
        return tuple(self.number(i, env) for i in indices)

    def spell(
        self, expr: Expr, env: Env, atom: Atom, right: Callable[[Access, Env], Any] | None = None
    ) -> Any:
        """The expression in the symbols that ``atom`` gives, sums and functions written out.

        ``right`` gives the right side of the equation of an entry, to differentiate a
        ``Partial``; without it that raises ValueError.
        """

        def leaf(e: Expr) -> Any:
            match e:
                case Access(tensor, indices):
                    return atom(tensor, self.where(indices, env))
                case SizeOf(index):
                    return sympy.Integer(self.number(index, env))
                case Delta(a, b):
                    return sympy.Integer(self.number(a, env) == self.number(b, env))
                case Bracket(index):
                    return sympy.Integer(self.number(index, env) >= 0)
                case Sum(var, body):
                    terms = [inside(body, {**env, var: n}) for n in self.span(var.axis, env)]
                    return sympy.Add(*terms)
                case Select(at, var, body):
                    wanted = self.number(at, env)
                    values = {n: inside(body, {**env, var: n}) for n in self.span(var.axis, env)}
                    winner = values.pop(wanted)
                    won = sympy.And(*(winner > other for other in values.values()))
                    return sympy.Piecewise((1, won), (0, True))
                case Partial(body, wrt) if right is not None:
                    whole = right(body, env) if isinstance(body, Access) else inside(body, env)
                    return sympy.diff(whole, inside(wrt, env))
            raise ValueError(f"cannot be written out: {type(e).__name__}")

        def inside(e: Expr, inner: Env) -> Any:
            return self.spell(e, inner, atom, right)

        return to_sympy(expr, leaf)


def to_matrix(
    expr: Expr,
    indices: Sequence[Var],
    sizes: Mapping[Size, int],
    atom: Atom = entry_symbol,
) -> Any:
    """The expression for all values of ``indices``: a column, a matrix, or an array of any order.

    ``indices`` are the expression's free indices in storage order. Raises ValueError where the
    range of an index depends on another one, for that has no rectangular shape.
    """
    concrete = Concrete(sizes)
    if any(v in indices for w in indices for v in w.axis.size.variables):
        raise ValueError("the size of one index depends on another; fix that index first")
    shape = [len(concrete.span(v.axis, {})) for v in indices]
    entries = [concrete.spell(expr, env, atom) for env in concrete.assignments(indices)]
    return as_array(entries, shape)


def as_array(entries: Sequence[Any], shape: Sequence[int]) -> Any:
    """An immutable matrix (a column for one index), or an N-dimensional array for three or more."""
    if len(shape) > 2:
        return sympy.ImmutableDenseNDimArray(list(entries), tuple(shape))
    rows, columns = (*shape, 1, 1)[:2]
    return sympy.ImmutableDenseMatrix(rows, columns, list(entries))
