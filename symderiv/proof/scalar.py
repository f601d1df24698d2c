"""Scalar identities, decided piece by piece: the tower proves, certified points refute.

At every [c > 0] the real line is cut in two open pieces; the points with c = 0 (kinks) are
excluded. A piece that linear arithmetic shows to be empty is skipped. The identity is proved
if on every other piece the tower proves it and some point was found where both sides have a
value; it is refuted by one certified point; all else is undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import Any

from symderiv.algebra.expr import Access, Add, Apply, Expr, Mul, Number, Pow, SizeOf, children
from symderiv.calculus.functions import REAL, Domain
from symderiv.calculus.sympy_bridge import to_sympy
from symderiv.proof import balls
from symderiv.proof.tower import OutsideTower, Undefined, proves_zero
from symderiv.proof.verdict import Status, Verdict

PIECES = 128  # no definition of a table has more than 12
TRIES = 24  # points tried on a piece that is not proved
SCOPE = "all values in the domain, kinks excluded"
NOWHERE = "no point at which both sides have a value"


@dataclass(frozen=True)
class Question:
    """``left = right`` in SymPy; ``names`` and ``domains`` say what its symbols are.

    ``atomic``: the symbols are independent of each other, so that a point is a counterexample.
    """

    left: Any
    right: Any
    names: Mapping[Any, str]
    domains: Mapping[Any, Domain]
    atomic: bool = True


def decide_scalar(left: Expr, right: Expr, domains: Mapping[Expr, Domain] | None = None) -> Verdict:
    """Decide ``left = right`` for all real values of the entries in them, within ``domains``.

    Definitions of functions are unfolded; entries of tensors are independent variables, sizes
    are positive, and anything else that is no arithmetic is a variable, of which nothing is
    refuted.
    """
    import sympy

    atoms = list(dict.fromkeys(a for side in (left, right) for a in atoms_of(side)))
    symbols = {atom: sympy.Dummy(f"x{k:03}") for k, atom in enumerate(atoms)}
    sides = [to_sympy(side, symbols.__getitem__, step()) for side in (left, right)]
    known = dict(domains or {})
    return decide(
        Question(
            sides[0],
            sides[1],
            {s: name_of(a) for a, s in symbols.items()},
            {s: known.get(a, SIZE if isinstance(a, SizeOf) else REAL) for a, s in symbols.items()},
            all(isinstance(a, (Access, SizeOf)) for a in atoms),
        )
    )


SIZE = Domain("a size", Fraction(0))  # points have whole numbers for it


def atoms_of(expr: Expr) -> list[Expr]:
    """The subtrees that are no arithmetic and no function of scalars, in order."""
    match expr:
        case Number():
            return []
        case Add() | Mul() | Pow() | Apply():
            return [a for child in children(expr) for a in atoms_of(child)]
        case _:
            return [expr]


def name_of(atom: Expr) -> str:
    """How a counterexample calls an atom."""
    match atom:
        case Access(tensor, indices):
            inside = ",".join(i.key({v: v.name for v in i.variables}) for i in indices)
            return f"{tensor.name}[{inside}]" if indices else tensor.name
        case SizeOf(index):
            return index.key({v: v.name for v in index.variables})
        case _:
            return type(atom).__name__


@cache
def step() -> Any:
    """[c > 0] as a SymPy function that is flat: its derivative is 0."""
    import sympy

    class positive(sympy.Function):  # type: ignore[misc]
        def fdiff(self, argindex: int = 1) -> Any:
            return sympy.Integer(0)

    return positive


def decide(question: Question) -> Verdict:
    """Proved, refuted with a point, or undecided."""
    import sympy

    discrete = {s: d for s, d in question.domains.items() if d.values}
    free = {s: REAL if s in discrete else d for s, d in question.domains.items()}
    general = Question(question.left, question.right, question.names, free, False)
    verdict = _decide(general if discrete else question)
    if verdict.status is Status.PROVED or not discrete:
        return verdict
    symbol, domain = next(iter(discrete.items()))
    verdicts = []
    for value in domain.values:
        image = {symbol: sympy.Rational(value.numerator, value.denominator)}
        rest = {s: d for s, d in question.domains.items() if s is not symbol}
        left, right = question.left.xreplace(image), question.right.xreplace(image)
        found = decide(Question(left, right, question.names, rest, question.atomic))
        if found.status is Status.REFUTED:
            point = {question.names[symbol]: str(value), **(found.counterexample or {})}
            return Verdict(found.status, found.method, seed=found.seed, counterexample=point)
        verdicts.append(found)
    undecided = (v for v in verdicts if v.status is not Status.PROVED)
    return next(undecided, verdicts[0])


def _decide(question: Question) -> Verdict:
    box = {s: (d.low, d.high) for s, d in question.domains.items()}
    near = _centres(question)
    whole = {s for s, d in question.domains.items() if d is SIZE}
    count, unproved = 0, 0
    for piece in _pieces(_Piece(question.left, question.right, _denominators(question)), box):
        count += 1
        if count > PIECES:
            return Verdict(Status.UNDECIDED, f"more than {PIECES} pieces", SCOPE)
        try:
            narrow = _narrowed(box, piece.conditions)
            _require_denominators(piece, narrow)
            proved = proves_zero(piece.left - piece.right, narrow, piece.conditions)
        except OutsideTower:
            proved = False
        except Undefined:  # on this piece a side has no value
            unproved += 1
            continue
        symbols = sorted(question.domains, key=lambda s: s.name)
        points = (
            point
            for point in balls.candidates(symbols, box, near, whole)
            if balls.holds_at(piece.conditions, point)
        )
        if proved:
            both = piece.left + piece.right
            if not any(balls.is_defined(both, p) for p in points):
                return Verdict(Status.UNDECIDED, NOWHERE, SCOPE)
            continue
        unproved += 1
        if question.atomic:
            for _, point in zip(range(TRIES), points, strict=False):
                values = balls.differ(piece.left, piece.right, point)
                if values is not None:
                    return _refuted(question, point, values)
    if unproved:
        return Verdict(Status.UNDECIDED, "exp/log tower and balls", SCOPE)
    if not count:
        return Verdict(Status.UNDECIDED, NOWHERE, SCOPE)
    pieces = f", {count} pieces" if count > 1 else ""
    return Verdict(Status.PROVED, f"exp/log tower{pieces}", SCOPE)


def _refuted(question: Question, point: Mapping[Any, Fraction], values: tuple[str, str]) -> Verdict:
    named = {question.names[s]: str(v) for s, v in sorted(point.items(), key=lambda i: i[0].name)}
    return Verdict(
        Status.REFUTED,
        "balls exclude equality at a point, recomputed with 60 digits",
        "one point",
        seed=balls.SEED,
        counterexample={**named, "left": values[0], "right": values[1]},
    )


# --- Pieces ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Piece:
    """Both sides where every condition is positive; no [c > 0] is left in them."""

    left: Any
    right: Any
    denominators: tuple[Any, ...]
    conditions: tuple[Any, ...] = ()

    def cut(self, image: Mapping[Any, Any], conditions: tuple[Any, ...]) -> _Piece:
        """The part of it where also these conditions hold, and brackets have these values."""
        below = tuple(d.xreplace(image) for d in self.denominators)
        return _Piece(self.left.xreplace(image), self.right.xreplace(image), below, conditions)


def _denominators(question: Question) -> tuple[Any, ...]:
    """What both sides divide by, also where a factor that a piece makes 0 would hide it."""
    import sympy

    powers = question.left.atoms(sympy.Pow) | question.right.atoms(sympy.Pow)
    return tuple(p.base for p in sympy.ordered(powers) if p.exp.is_negative)


def _require_denominators(piece: _Piece, narrow: Mapping[Any, Any]) -> None:
    """Raise Undefined where a denominator is 0 on the whole piece."""
    for base in piece.denominators:
        try:
            if proves_zero(base, narrow, piece.conditions):
                raise Undefined
        except OutsideTower:
            continue


def _pieces(whole: _Piece, box: balls.Box) -> Iterator[_Piece]:
    import sympy

    sides = (whole.left, whole.right, *whole.denominators)
    steps = frozenset().union(*(side.atoms(step()) for side in sides))
    innermost = [s for s in steps if not s.args[0].has(step())]
    if not innermost:
        yield whole
        return
    chosen = next(iter(sympy.ordered(innermost)))
    condition = sympy.expand(chosen.args[0])
    for number, side in ((1, condition), (0, -condition)):
        if side.is_Rational and not (side > 0 or number == 0 == side):
            continue
        further = whole.conditions if side.is_Rational else (*whole.conditions, side)
        if further and _empty(further, box):
            continue
        yield from _pieces(whole.cut({chosen: sympy.Integer(number)}, further), box)


def _linear(expr: Any) -> dict[Any, Fraction]:
    """Coefficients by monomial; whatever is no rational number counts as a variable."""
    import sympy

    found = sympy.expand(expr).as_coefficients_dict()
    return {m: Fraction(int(c.p), int(c.q)) for m, c in found.items() if c}


def _empty(conditions: tuple[Any, ...], box: balls.Box) -> bool:
    """Whether linear combination of the conditions (each > 0) gives a contradiction.

    Fourier and Motzkin's elimination over the monomials: exact, and sound because monomials
    are only taken to be less related than they are.
    """
    import sympy

    rows = [_linear(c) for c in conditions]
    for symbol, (low, high) in box.items():
        if low is not None:
            rows.append({symbol: Fraction(1), sympy.S.One: -low})
        if high is not None:
            rows.append({symbol: Fraction(-1), sympy.S.One: high})
    variables = sorted({m for row in rows for m in row if m != 1}, key=sympy.default_sort_key)
    for variable in variables:
        up = [r for r in rows if r.get(variable, 0) > 0]
        down = [r for r in rows if r.get(variable, 0) < 0]
        rows = [r for r in rows if not r.get(variable)]
        if len(rows) + len(up) * len(down) > 400:
            return False
        rows += [_combine(a, b, variable) for a in up for b in down]
    return any(row.get(sympy.S.One, Fraction(0)) <= 0 for row in rows)


def _narrowed(box: balls.Box, conditions: tuple[Any, ...]) -> dict[Any, tuple[Any, Any]]:
    """The intervals of the symbols, cut by the conditions a x + b > 0 on single symbols."""
    import sympy

    ends = dict(box)
    for condition in conditions:
        row = _linear(condition)
        constant = row.pop(sympy.S.One, Fraction(0))
        if len(row) == 1 and (symbol := next(iter(row))) in ends:
            low, high = ends[symbol]
            end = -constant / row[symbol]
            if row[symbol] > 0:
                ends[symbol] = (end if low is None else max(low, end), high)
            else:
                ends[symbol] = (low, end if high is None else min(high, end))
    return {s: (_exact(low), _exact(high)) for s, (low, high) in ends.items()}


def _exact(end: Fraction | None) -> Any:
    import sympy

    return None if end is None else sympy.Rational(end.numerator, end.denominator)


def _combine(
    up: Mapping[Any, Fraction], down: Mapping[Any, Fraction], variable: Any
) -> dict[Any, Fraction]:
    scaled = {m: c / up[variable] for m, c in up.items()}
    for monomial, c in down.items():
        scaled[monomial] = scaled.get(monomial, Fraction(0)) - c / down[variable]
    return {m: c for m, c in scaled.items() if c and m != variable}


def _centres(question: Question) -> list[Fraction]:
    """Where single variables cross a kink: -b/a for every condition a x + b."""
    import sympy

    found = set()
    for side in (question.left, question.right):
        for chosen in side.atoms(step()):
            row = _linear(chosen.args[0])
            constant = row.pop(sympy.S.One, Fraction(0))
            found |= {-constant / c for c in row.values()}
    return sorted(found)
