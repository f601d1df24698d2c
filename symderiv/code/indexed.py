"""Index form to NumPy text where there is no matrix form: ``np.einsum("ijk,jk->i", T, A)``.

An array is written with its axes in an order that is asked for; a missing axis is put in by
``None``, so that broadcasting repeats along it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from symderiv.algebra.binding import free_variables, substitute
from symderiv.algebra.expr import (
    Access,
    Add,
    Apply,
    Delta,
    Expr,
    Mul,
    Pow,
    Select,
    SizeOf,
    Sum,
    mul,
    walk,
)
from symderiv.algebra.index import Index, Var, as_index
from symderiv.code.emit import Emitter
from symderiv.code.functions import NoCode
from symderiv.code.pieces import ATOM, PRODUCT, SUM, UNARY, Kind, Piece, all_reads, joined_text

_LETTERS = "ijklmnopqrstuvwxyzabcdefgh"


@dataclass(frozen=True)
class Indexed:
    """Writes index expressions with any number of axes."""

    emitter: Emitter

    def array(self, expr: Expr, order: Sequence[Var]) -> Piece:
        """The expression as an array over ``order``, or one that broadcasts to it."""
        axes = [v for v in order if v in free_variables(expr)]
        piece = self._over(expr, axes)
        if not axes or len(axes) == len(order):
            return replace(piece, full=len(axes) == len(order))
        places = ", ".join(":" if v in axes else "None" for v in order)
        if places.startswith("None") and "None" not in places[5:]:
            return replace(piece, full=False)  # a leading axis is put in by broadcasting
        column = self.emitter.naming.column(piece.text) if places == ":, None" else None
        text = column or f"{piece.at(ATOM)}[{places}]"
        return replace(piece, text=text, strength=ATOM, full=False)

    def _over(self, expr: Expr, axes: Sequence[Var]) -> Piece:
        if not axes and not _sums(expr):
            return self.emitter.number(expr)
        match expr:
            case Access():
                return self._access(expr, axes)
            case Add(terms):
                pieces = [self.array(term, axes) for term in terms]
                return Piece(joined_text(pieces), SUM, _kind(axes), all_reads(pieces))
            case Pow(base, exponent):
                return self.emitter.power(self.array(base, axes), exponent)
            case Apply(name, args, orders):
                pieces = [self.array(arg, axes) for arg in args]
                text = self.emitter.functions.call(name, orders, [p.text for p in pieces])
                return Piece(text, ATOM, _kind(axes), all_reads(pieces))
            case Delta(left, right) if [left.variable, right.variable] in (
                list(axes),
                list(axes)[::-1],
            ):
                size = self.emitter.number(SizeOf(axes[0].axis.size))
                return Piece(f"np.eye({size.text})", ATOM, "matrix", size.reads)
            case Delta(left, right) if [left.variable or right.variable] == list(axes):
                return self._one_hot(right - left if left.variable else left - right, axes[0])
            case Select(at, var, body):
                return self._winner(at, var, body, axes)
            case Sum(var, body) if _is_maximum(var, body):
                assert isinstance(body, Mul)
                entry = next(f for f in body.factors if not isinstance(f, Select))
                inner = self._full(entry, [*axes, var])
                text = f"np.max({inner.text}, axis=-1)" if axes else f"np.max({inner.text})"
                return Piece(text, ATOM, _kind(axes), inner.reads)
            case Mul() | Sum():
                return self._product(expr, axes)
        raise NoCode(f"no NumPy form of {type(expr).__name__}")

    def _full(self, expr: Expr, order: Sequence[Var]) -> Piece:
        """An array with all of these axes. Raises NoCode where it has fewer."""
        if any(v not in free_variables(expr) for v in order):
            raise NoCode("a maximum over what does not depend on its index")
        return self.array(expr, order)

    def _winner(self, at: Index, var: Var, body: Expr, axes: Sequence[Var]) -> Piece:
        """``[i = argmax]`` over i: rows of the identity, one for each maximum."""
        place = at.variable
        if place is None or place not in axes or place.axis != var.axis:
            raise NoCode("the winner of a maximum at an index that is more than a letter")
        if place in free_variables(body):
            raise NoCode("the winner of a maximum that depends on where it is asked for")
        others = [v for v in axes if v != place]
        inner = self._full(body, [*others, var])
        size = self.emitter.number(SizeOf(var.axis.size))
        which = f"np.argmax({inner.text}, axis=-1)" if others else f"np.argmax({inner.text})"
        text = f"np.eye({size.text})[{which}]"
        if [*others, place] != list(axes):
            if len(axes) != 2:
                raise NoCode("the winner of a maximum along an axis in between")
            text += ".T"
        return Piece(text, ATOM, _kind(axes), inner.reads | size.reads)

    def _one_hot(self, difference: Index, var: Var) -> Piece:
        """``[2 = i]`` over i: a row of the identity."""
        place = difference + var - var.axis.start
        if any(True for _ in place.variables):
            raise NoCode(f"a delta of {var.name} that is more than a letter")
        size, at = (self.emitter.number(SizeOf(n)) for n in (var.axis.size, place))
        return Piece(f"np.eye({size.text})[{at.text}]", ATOM, "vector", size.reads | at.reads)

    def _access(self, expr: Access, axes: Sequence[Var]) -> Piece:
        tensor = expr.tensor
        indices = [i.variable for i in expr.indices[tensor.ordered :]]
        if not set(indices) <= set(axes):  # einsum would sum over it
            raise NoCode(f"an index of {tensor.name} is more than a letter")
        name = self.emitter.naming.python(tensor, expr.member)
        reads = self.emitter.reads_of(tensor, expr.member)
        if self.emitter.kind(tensor) == "column":
            name = f"{name}[:, 0]"
        if indices == list(axes):
            return Piece(name, ATOM, _kind(axes), reads)
        if len(axes) == 2 and indices == [axes[1], axes[0]]:
            return Piece(f"{name}.T", ATOM, "matrix", reads)
        letters = _letters([*axes, *(v for v in indices if v is not None)])
        spelled = "".join(letters[v] for v in indices if v is not None)
        text = f'np.einsum("{spelled}->{"".join(letters[v] for v in axes)}", {name})'
        return Piece(text, ATOM, _kind(axes), reads)

    def _product(self, expr: Expr, axes: Sequence[Var]) -> Piece:
        bound: list[Var] = []
        while isinstance(expr, Sum):
            if expr.var.axis.ordered:
                raise NoCode("a sum over layers without a matrix form")
            bound.append(expr.var)
            expr = expr.body
        factors = expr.factors if isinstance(expr, Mul) else (expr,)
        live = [*axes, *bound]
        plain = [f for f in factors if free_variables(f).isdisjoint(live) and not _sums(f)]
        arrays = [f for f in factors if f not in plain]
        if not bound:
            pieces = [self.array(f, axes) for f in arrays]
            text = " * ".join(p.at(UNARY) for p in pieces)
            body = Piece(text, PRODUCT, _kind(axes), all_reads(pieces))
            return self.emitter.quotient(mul(*plain), body) if plain else body
        letters = _letters(live)
        own = [[v for v in live if v in free_variables(f)] for f in arrays]
        unused = [v for v in bound if not any(v in vs for vs in own)]
        plain += [SizeOf(v.axis.size) for v in unused]
        if not arrays:
            return self.emitter.number(mul(*plain))
        pieces = [self.array(f, vs) for f, vs in zip(arrays, own, strict=True)]
        spelled = ",".join("".join(letters[v] for v in vs) for vs in own)
        result = "".join(letters[v] for v in axes)
        given = ", ".join(p.text for p in pieces)
        text = f'np.einsum("{spelled}->{result}", {given})'
        body = Piece(text, ATOM, _kind(axes), all_reads(pieces))
        return self.emitter.quotient(mul(*plain), body) if plain else body


def _letters(variables: Sequence[Var]) -> dict[Var, str]:
    return dict(zip(dict.fromkeys(variables), _LETTERS, strict=False))


def _kind(axes: Sequence[Var]) -> Kind:
    if not axes:
        return "number"
    return "vector" if len(axes) == 1 else "matrix"


def _is_maximum(var: Var, body: Expr) -> bool:
    """Whether Σ body is Σ_k a[k] [k = argmax a], the largest of the a[k]."""
    match body:
        case Mul((Select(at, inner, entries), entry)) | Mul((entry, Select(at, inner, entries))):
            return at.variable == var and substitute(entries, {inner: as_index(var)}) == entry
    return False


def _sums(expr: Expr) -> bool:
    return any(isinstance(node, Sum) for node in walk(expr))
