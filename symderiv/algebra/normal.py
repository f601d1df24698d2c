"""The normal form: every index expression as a sum of canonical terms.

A term is  rational · sum over bound variables · product of integer powers of atoms. Two
expressions with equal normal forms are equal for all sizes and all values of their atoms; the
converse holds for polynomial expressions, not for every quotient. The normal form only decides
and searches, it is never printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb, gcd

from symderiv.algebra.binding import (
    free_variables,
    outer_first,
    range_variables,
    substitute,
    within_ranges,
)
from symderiv.algebra.canonical import Monomial, atom_key, decimal, term_key
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
    add,
    mul,
    power,
    sum_over,
    winner_range,
)
from symderiv.algebra.index import (
    Index,
    Size,
    Var,
    as_index,
    fresh,
    guards,
    is_nonnegative,
    is_zero,
    substitute_axis,
)

_EXPAND_LIMIT = 12  # a larger positive power of a sum stays an atom
_TERM_LIMIT = 150  # and so does what would be multiplied out to more terms than this,
_KEY_LIMIT = 100_000  # or to a longer text; a square in a square in a square doubles each time
_COMPOUND = Apply | Add | Sum | Select | SizeOf  # atoms with something to expand inside


@dataclass(frozen=True)
class Term:
    """``coefficient · Σ_bound · Π atom^power``; atoms are in normal form themselves."""

    coefficient: Fraction
    bound: tuple[Var, ...]
    monomial: Monomial

    def expr(self) -> Expr:
        """The term as a tree."""
        factors = [power(atom, p) for atom, p in self.monomial]
        return mul(Number(self.coefficient), sum_over(self.bound, mul(*factors)))


@dataclass(frozen=True)
class Normal:
    """A sum of terms with distinct canonical keys, in the order of the keys."""

    terms: tuple[Term, ...]
    key: str

    def expr(self) -> Expr:
        """The normal form as a tree."""
        return add(*(term.expr() for term in self.terms))

    @property
    def is_zero(self) -> bool:
        """Whether there is no term left."""
        return not self.terms


@lru_cache(maxsize=200_000)
def normal(expr: Expr) -> Normal:
    """The normal form. Raises ZeroDivisionError where the expression divides by zero.

    ``Partial`` nodes must have been given a meaning first (ValueError).
    """
    form = collect(_expand(expr))
    _require_no_index_of_its_own(form, free_variables(expr))
    return form


def _require_no_index_of_its_own(form: Normal, free: frozenset[Var]) -> None:
    """Whatever is not bound in a form was free in the expression, or bounds a range."""
    for term in form.terms:
        left = _free(term) - free - set(term.bound)
        if left and not left <= within_ranges(free):
            raise AssertionError("a normal form has lost a sum")


def equal(left: Expr, right: Expr) -> bool:
    """Whether both normal forms are the same (sufficient for equality at all sizes)."""
    return left == right or normal(left).key == normal(right).key


def collect(terms: Iterable[Term]) -> Normal:
    """Add up terms of equal canonical key and drop those that vanish."""
    total: dict[str, Term] = {}
    for term in terms:
        key = term_key(term.bound, term.monomial)
        known = total.get(key)
        coefficient = term.coefficient + (known.coefficient if known else 0)
        if coefficient:
            total[key] = Term(coefficient, term.bound, term.monomial)
        else:
            total.pop(key, None)
    ordered = sorted(total)
    return Normal(
        tuple(total[k] for k in ordered),
        " + ".join(f"{decimal(total[k].coefficient)}·{k}" for k in ordered),
    )


def _expand(expr: Expr) -> list[Term]:
    match expr:
        case Number(value):
            return [Term(value, (), ())] if value else []
        case SizeOf(index):
            return _expand_size(index)
        case Access():
            return [_atom(expr)]
        case Delta(left, right):
            return reduce_term(_atom(expr)) if left != right else [_ONE]
        case Bracket():
            return reduce_term(_atom(expr))
        case Select(at, var, body):
            return [_atom(Select(at, var, normal(body).expr()))]
        case Apply(function, args, orders):
            return [_atom(Apply(function, tuple(normal(a).expr() for a in args), orders))]
        case Add(terms):
            return [t for part in terms for t in _expand(part)]
        case Sum(var, body) if var.axis.only is not None:
            return _expand(substitute(body, {var: var.axis.only}))
        case Sum(var, body):
            bound = [var]
            while isinstance(body, Sum) and body.var not in bound and body.var.axis.only is None:
                bound.append(body.var)
                body = body.body
            inner = (_apart(t, set(bound)) for t in _expand(body))
            opened = (Term(t.coefficient, (*bound, *t.bound), t.monomial) for t in inner)
            return [r for t in opened for r in reduce_term(t)]
        case Mul(factors):
            return _expand_product([(f, 1) for f in factors])
        case Pow(base, exponent):
            return _expand_product([(base, exponent)])
        case Partial():
            raise ValueError("a partial derivative has no normal form; expand its meaning first")
    raise TypeError(f"not a tree of index notation: {expr!r}")


_ONE = Term(Fraction(1), (), ())


def _atom(expr: Expr, exponent: int = 1) -> Term:
    return Term(Fraction(1), (), ((expr, exponent),))


def _expand_size(index: Index) -> list[Term]:
    terms = [Term(Fraction(index.const), (), ())] if index.const else []
    for symbol, coefficient in index.terms:
        atom = _atom(SizeOf(as_index(symbol)))
        terms.append(Term(Fraction(coefficient), (), atom.monomial))
    return terms


def _expand_product(factors: list[tuple[Expr, int]]) -> list[Term]:
    """Multiply out; powers of one and the same sum are added up first, so that they cancel."""
    number = Fraction(1)
    entries: dict[Expr, int] = {}
    scalar: list[Term] = [_ONE]
    compounds: dict[str, tuple[Normal, int]] = {}
    pending = list(factors)
    while pending:
        base, exponent = pending.pop()
        match base:
            case Mul(inner):
                pending.extend((f, exponent) for f in inner)
                continue
            case Pow(inner_base, p):
                pending.append((inner_base, p * exponent))
                continue
            case Number(value):
                number *= value**exponent
                continue
            case Access():
                entries[base] = entries.get(base, 0) + exponent
                continue
            case Delta() | Bracket() if exponent > 0:  # 0 or 1: every power is the first
                entries[base] = 1
                continue
        form = normal(base)
        if form.is_zero:
            if exponent < 0:
                raise ZeroDivisionError("division by an expression that is identically zero")
            return []
        only = form.terms[0] if len(form.terms) == 1 and not form.terms[0].bound else None
        if only is not None and _invertible(only):
            scalar = _product(scalar, [_raise(only, exponent)])
            continue
        if only is not None and exponent < 0:
            raise ZeroDivisionError("division by an expression that is zero for some indices")
        content, primitive = _primitive(form)
        if primitive.is_zero:  # as brackets say that are met only now
            if exponent < 0:
                raise ZeroDivisionError("division by an expression that is identically zero")
            return []
        scalar = _product(scalar, [_raise(content, exponent)])
        known = compounds.get(primitive.key)
        compounds[primitive.key] = (primitive, exponent + (known[1] if known else 0))
    common = Term(number, (), tuple((entry, p) for entry, p in entries.items() if p))
    result: Iterable[Term] = _product(scalar, [common])
    for key in sorted(compounds):
        primitive, exponent = compounds[key]
        result = list(result)
        if 0 < exponent <= _EXPAND_LIMIT and _few(len(result), primitive, exponent):
            for n in range(exponent):
                result = _product(result, primitive.terms)
                result = collect(result).terms if n else result
        elif exponent:
            result = _product(result, [_atom(primitive.expr(), exponent)])
    return list(result)


def _few(others: int, form: Normal, exponent: int) -> bool:
    """Whether a power of a sum, times so many other terms, can be multiplied out."""
    if others == exponent == 1:
        return True
    terms = len(form.terms)
    products = others * comb(terms + exponent - 1, exponent)
    return products <= _TERM_LIMIT and products * exponent * len(form.key) <= _KEY_LIMIT * terms


def _invertible(term: Term) -> bool:
    """Whether powers of the term are powers of its atoms: none of them is 0 or 1 by index."""
    return not any(isinstance(atom, Delta | Bracket | Select) for atom, _ in term.monomial)


def _raise(term: Term, exponent: int) -> Term:
    if exponent == 1:
        return term
    return Term(
        term.coefficient**exponent, term.bound, tuple((a, p * exponent) for a, p in term.monomial)
    )


def _primitive(form: Normal) -> tuple[Term, Normal]:
    """``form = content · primitive``: the content is a number times the atoms common to all.

    The first coefficient of the primitive part is 1. What is divided by where there is something
    to sum stays there.
    """
    common: dict[Expr, int] = dict(form.terms[0].monomial)
    for term in form.terms:
        powers = dict(term.monomial)
        bound = set(term.bound)
        whole = all(is_nonnegative(v.axis.size - 1) for v in bound)
        common = {
            atom: min(p, powers[atom])
            for atom, p in common.items()
            if atom in powers
            and (p > 0) == (powers[atom] > 0)
            and (p > 0 or whole)
            and not isinstance(atom, Delta | Bracket | Select)
            and bound.isdisjoint(free_variables(atom))
        }
    atoms = tuple(common.items())
    if common:
        form = collect(_product(form.terms, [_raise(Term(Fraction(1), (), atoms), -1)]))
        if form.is_zero:
            return _ONE, form
    coefficient = form.terms[0].coefficient
    content = Term(coefficient, (), atoms)
    if coefficient == 1:
        return content, form
    return content, collect(
        Term(t.coefficient / coefficient, t.bound, t.monomial) for t in form.terms
    )


def _product(left: Iterable[Term], right: Iterable[Term]) -> list[Term]:
    result = []
    right = list(right)
    for a in left:
        for b in right:
            first = _apart(a, _free(b)) if a.bound else a
            other = _apart(b, _free(first) | set(first.bound)) if b.bound else b
            monomial = _merged((*first.monomial, *other.monomial))
            bound = first.bound + other.bound
            result += _settled(Term(first.coefficient * other.coefficient, bound, monomial))
    return result


def _settled(term: Term) -> list[Term]:
    """The term itself, unless it has deltas or brackets to decide."""
    special = any(isinstance(atom, Delta | Bracket | Select) for atom, _ in term.monomial)
    return reduce_term(term) if special else [term]


def _merged(atoms: Iterable[tuple[Expr, int]]) -> Monomial:
    """A product of powers with equal atoms merged, whatever their bound variables are called."""
    powers: dict[Expr, int] = {}
    alike: dict[str, Expr] = {}
    for atom, p in atoms:
        if atom not in powers and isinstance(atom, _COMPOUND):
            atom = alike.setdefault(atom_key(atom, {}), atom)
        powers[atom] = powers.get(atom, 0) + p
    return tuple((a, p) for a, p in powers.items() if p)


def _free(term: Term) -> set[Var]:
    """The variables that occur in a term or in its ranges; also those it binds, if they occur."""
    found = {v for atom, _ in term.monomial for v in free_variables(atom)}
    return found.union(*(range_variables(v) for v in term.bound))


def _apart(term: Term, taken: set[Var]) -> Term:
    """The term with none of its bound variables among those taken."""
    clash = [v for v in term.bound if v in taken]
    return _renamed(term, clash) if clash else term


def _renamed(term: Term, clash: list[Var]) -> Term:
    """The term with some bound variables new (ranges that depend on them follow, outer first)."""
    mapping: dict[Var, Index] = {}
    bound = []
    for v in term.bound:
        axis = substitute_axis(v.axis, mapping)
        if v in clash or axis is not v.axis:
            renamed = fresh(axis, v.name)
            mapping[v] = as_index(renamed)
            v = renamed
        bound.append(v)
    return Term(term.coefficient, tuple(bound), _substituted(term.monomial, mapping))


def _substituted(monomial: Monomial, mapping: Mapping[Var, Index]) -> Monomial:
    return _merged((substitute(atom, mapping), p) for atom, p in monomial)


def reduce_term(term: Term) -> list[Term]:
    """Collapse deltas, decide brackets, sum out variables that do not occur.

    ``Σ_k [k = i] f(k) = f(i)`` if i is in the range of k, which stays as a bracket unless the
    ranges imply it; ``Σ_k 1`` is the size of the axis. The result may be several terms, since
    a size such as T - 1 is a sum.
    """
    bound = list(term.bound)
    powers: dict[Expr, int] = {}
    solved: dict[Expr, int] = {}  # deltas between free indices, already used on all the rest
    queue = list(term.monomial)
    changed = False
    while queue:
        atom, p = queue.pop()
        match atom:
            case Delta(left, right):
                difference = _shortest(left - right)
                decided = is_zero(difference)
                if decided is False:
                    return []
                if decided:
                    continue
                chosen = _solvable(difference, bound)
                if chosen is None:
                    powers[_signed_delta(difference)] = 1
                    continue
                variable, solution = chosen
                mapping = {variable: solution}
                changed = changed or any(
                    isinstance(a, _COMPOUND) and variable in free_variables(a)
                    for a, _ in (*queue, *powers.items())
                )
                queue = list(_substituted((*queue, *powers.items()), mapping))
                powers = {}
                for known in [d for d in solved if variable in free_variables(d)]:
                    del solved[known]
                    queue.append((substitute(known, mapping), 1))
                if variable not in bound:
                    solved[_signed_delta(difference)] = 1
                    continue
                bound.remove(variable)
                limits = guards(solution, variable.axis)
                if limits is None:
                    return []
                queue.extend((Bracket(e), 1) for e in limits)
                bound, moved = _moved(bound, mapping)
                if moved:
                    queue = list(_substituted((*queue, *solved.items()), moved))
                    solved = {}
            case Bracket(index):
                index = _reduced(index)
                decided = is_nonnegative(index)
                if decided is False:
                    return []
                if decided is None:
                    powers[Bracket(index)] = 1
            case Select():
                powers[atom] = 1
            case _:
                powers[atom] = powers.get(atom, 0) + p
    for implied in [Bracket(_reduced(e)) for a in powers for e in winner_range(a)]:
        powers.pop(implied, None)
    monomial = tuple((a, p) for a, p in (powers | solved).items() if p)
    reduced = Term(term.coefficient, tuple(bound), monomial)
    opened = _renormalised(reduced) if changed else [reduced]
    return [t for part in opened for t in _sum_out(part)]


def _renormalised(term: Term) -> list[Term]:
    """After a substitution, atoms that contain others are put into normal form again."""
    kept: list[tuple[Expr, int]] = []
    rest: list[tuple[Expr, int]] = []
    for atom, p in term.monomial:
        (rest if isinstance(atom, _COMPOUND) else kept).append((atom, p))
    if not rest:
        return [term]
    # both parts stand below the same binders, so they are not made apart as factors are
    outside = Term(term.coefficient, (), tuple(kept))
    taken = {*term.bound, *_free(outside)}
    result: list[Term] = []
    for inner in (_apart(t, taken) for t in _expand_product(rest)):
        monomial = _merged((*outside.monomial, *inner.monomial))
        bound = (*term.bound, *inner.bound)
        result += _settled(Term(outside.coefficient * inner.coefficient, bound, monomial))
    return result


def _moved(bound: list[Var], mapping: dict[Var, Index]) -> tuple[list[Var], dict[Var, Index]]:
    moved: dict[Var, Index] = {}
    kept = []
    for v in bound:
        axis = substitute_axis(v.axis, {**mapping, **moved})
        if axis is not v.axis:
            renamed = fresh(axis, v.name)
            moved[v] = as_index(renamed)
            v = renamed
        kept.append(v)
    return outer_first(kept), moved


def _solvable(difference: Index, bound: list[Var]) -> tuple[Var, Index] | None:
    """A variable of coefficient ±1 and the index it must equal: bound ones, then the latest."""
    candidates = [(s, c) for s, c in difference.terms if isinstance(s, Var) and abs(c) == 1]
    in_sizes = {
        v for s, _ in difference.terms if isinstance(s, Size) and s.at for v in s.at.variables
    }
    candidates = [(s, c) for s, c in candidates if s not in in_sizes]
    if not candidates:
        return None
    for variable, c in sorted(candidates, key=lambda sc: (sc[0] in bound, sc[0].uid), reverse=True):
        rest = difference - as_index(variable) * c
        if variable not in bound or not _ranges_over(variable, rest, bound):
            return variable, rest * -c
    return None


def _ranges_over(variable: Var, rest: Index, bound: list[Var]) -> bool:
    """Whether a bound variable in ``rest`` has a range that depends on ``variable``."""
    seen = set(rest.variables)
    while True:
        wider = seen | {u for v in seen if v in bound for u in range_variables(v)}
        if wider == seen:
            return variable in seen
        seen = wider


def _signed_delta(difference: Index) -> Delta:
    """``[e = 0]`` and ``[-e = 0]`` are the same; keep the one whose first term is positive."""
    if difference.terms and difference.terms[-1][1] < 0:
        difference = difference * -1
    return Delta(difference, Index(0))


def _shortest(difference: Index) -> Index:
    """An index that is 0 where this one is: of 2i - 2j it is i - j, of 2i - 2j + 1 it is 1."""
    divisor = gcd(*(c for _, c in difference.terms))
    if divisor > 1 and difference.const % divisor:
        return Index(1)
    if divisor > 1:
        terms = tuple((s, c // divisor) for s, c in difference.terms)
        return Index(difference.const // divisor, terms)
    return difference


def _reduced(index: Index) -> Index:
    divisor = gcd(*(c for _, c in index.terms)) if index.terms else 1
    if divisor > 1:  # a·e + c >= 0  is  e + floor(c/a) >= 0 for integers
        return Index(index.const // divisor, tuple((s, c // divisor) for s, c in index.terms))
    return index


def _sum_out(term: Term) -> list[Term]:
    used: set[Var] = set()
    for atom, _ in term.monomial:
        used |= free_variables(atom)
    kept = list(term.bound)
    sizes: list[Index] = []
    divided = any(p < 0 for _, p in term.monomial)  # which asks for a value unless a range is empty
    for v in reversed(term.bound):
        size = v.axis.size
        bounds_another = any(v in range_variables(w) for w in kept if w is not v)
        if v in used or bounds_another or not is_nonnegative(size - 1 if divided else size):
            used |= range_variables(v)
        else:
            kept.remove(v)
            sizes.append(size)
            used |= set(size.variables)
    inside = [Term(term.coefficient, (), term.monomial)]
    for size in sizes:
        inside = _product(inside, _expand_size(size))
    return [Term(t.coefficient, tuple(kept), t.monomial) for t in inside]
