"""Lemmas: the stated derivatives of the tables, and the losses on logits, proved.

This is the only module of ``proof`` that looks at a stated derivative, and it does so to prove
it: SymPy differentiates the definition (piece by piece at kinks), and the difference from what
is stated must vanish. Proved lemmas are kept in ``lemmas.json`` by a hash of the definition,
the statement and the domain; a changed row is proved anew, and a test proves every entry again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from itertools import product
from math import comb, prod
from pathlib import Path
from typing import Any

from symderiv.algebra.binding import replace_accesses
from symderiv.algebra.expr import (
    ONE,
    ZERO,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    Tensor,
    children,
    length,
    walk,
    with_parts,
)
from symderiv.algebra.normal import equal
from symderiv.calculus.functions import (
    POSITIVE,
    REAL,
    Domain,
    ScalarFunction,
    VectorFunction,
    rows,
    scalar,
    symbols,
    unfold,
)
from symderiv.calculus.losses import LOGITS
from symderiv.calculus.reference import text
from symderiv.calculus.sympy_bridge import to_sympy
from symderiv.proof.defined import Granted
from symderiv.proof.needs import divisors, needs
from symderiv.proof.reals import inside
from symderiv.proof.scalar import Question, atoms_of, decide, decide_scalar, step
from symderiv.proof.verdict import Status, Verdict

VERSION = 2  # raise it when a decider changes its word
MAX_DEGREE = 40  # of a stated derivative
MAX_LENGTH = 1000  # nodes of one
MAX_TERMS = 2000  # of one that is multiplied out
DIGITS = 60
NOTHING, GAP, ROUGH = 1e-40, 1e-20, 1e-9  # what counts as 0, as close by, and as different
CACHE = Path(__file__).with_name("lemmas.json")
VALUE = Access(Tensor("value"), ())


# --- Stated derivatives ----------------------------------------------------------------------


def derivative_verdict(
    function: str, argument: int, args: tuple[Access, ...], value: Access, stated: Expr
) -> Verdict:
    """Is the derivative of ``function`` by that argument ``stated``? From the cache if it is there.

    ``args`` are the scalars that ``stated`` calls the arguments, and ``value`` the one that it
    calls the function's own value.
    """
    canonical = dict(zip(args, symbols(scalar(function)), strict=True)) | {value: VALUE}
    if not set(atoms_of(stated)) <= set(canonical):
        return Verdict(Status.UNDECIDED, "it speaks of more than the arguments and the value")
    if length(stated) > MAX_LENGTH or _degree(stated) > MAX_DEGREE or _terms(stated) > MAX_TERMS:
        return Verdict(Status.UNDECIDED, "of too high a degree, or too long")
    stated = _named(stated, canonical)
    found = _cache().get(_key(function, argument, stated))
    return found if found is not None else _prove(function, argument, stated)


def _named(expr: Expr, names: Mapping[Access, Access]) -> Expr:
    """An expression with other names for its entries, and nothing else changed."""
    if isinstance(expr, Access):
        return names.get(expr, expr)
    parts = children(expr)
    return with_parts(expr, (_named(part, names) for part in parts)) if parts else expr


def _degree(expr: Expr) -> int:
    """How often factors are multiplied when all powers are multiplied out, functions left alone."""
    match expr:
        case Number():
            return 0
        case Mul(factors):
            return sum(map(_degree, factors))
        case Pow(base, exponent):
            return abs(exponent) * _degree(base)
        case Apply("power", (base, Number(value)), _):
            return int(abs(value) * max(_degree(base), 1))
    return max(map(_degree, children(expr)), default=1)


def _terms(expr: Expr) -> int:
    """The terms of the longest part that is multiplied out, at most."""
    return max(_longest(expr), max(map(_terms, children(expr)), default=1))


def _longest(expr: Expr) -> int:
    match expr:
        case Add(terms):
            return sum(map(_longest, terms))
        case Mul(factors):
            return prod(map(_longest, factors))
        case Pow(base, exponent):
            count = _longest(base)
            return comb(count + abs(exponent) - 1, abs(exponent))
    return 1


def _hides(stated: Expr, formula: Expr) -> bool:
    """Whether a part may vanish when a statement is worked out, or be 0 without showing it.

    So 0 · log z, prelu(0, 1/z) and log 6 − log 2 − log 3 do; π and what the table has do not.
    """
    known = set(walk(formula))
    for node in walk(stated):
        match node:
            case Mul(factors) if ZERO in factors:
                return True
            case Apply(_, args, _) if any(not atoms_of(e) for e in args) and node not in known:
                return True
    return False


def table_verdict(function: str, argument: int) -> Verdict:
    """The verdict on the table's stated derivative. Raises KeyError if nothing is stated."""
    stated = _stated(function, argument)
    return derivative_verdict(function, argument, symbols(scalar(function)), VALUE, stated)


def prove_stated_derivative(function: str, argument: int) -> Verdict:
    """The same, proved here and now."""
    return _prove(function, argument, _stated(function, argument))


def _stated(function: str, argument: int) -> Expr:
    stated = _formula(function, argument)
    if stated is None:
        name = scalar(function).arguments[argument]
        raise KeyError(f"no derivative of {function} by {name} is stated")
    return stated


def _formula(function: str, argument: int) -> Expr | None:
    """The stated derivative of the table, if there is one."""
    row = scalar(function)
    formula = row.derivatives[argument]
    return formula and formula(*symbols(row), VALUE)


def _is_analytic(stated: Expr) -> bool:
    """Whether it has no brackets: then it is true wherever it has a value.

    Identities are proved between the places where brackets change; at these, and where a bracket
    says nothing that depends on an argument, a formula could have any value.
    """
    applied = [node for node in walk(unfold(stated)) if isinstance(node, Apply)]
    return not any(node.function == "positive" or any(node.orders) for node in applied)


def _prove(function: str, argument: int, stated: Expr) -> Verdict:
    """d/dx definition = stated, with the definition inserted for the value."""
    import sympy

    row = scalar(function)
    places = symbols(row)
    dummies: dict[Expr, Any] = {place: sympy.Dummy(f"x{k}") for k, place in enumerate(places)}
    definition = row(*places)
    inserted = replace_accesses(stated, {VALUE: definition}.get)
    whole = to_sympy(definition, dummies.__getitem__, step())
    left = sympy.diff(whole, dummies[places[argument]])
    right = to_sympy(inserted, dummies.__getitem__, step())
    names = {dummies[place]: place.tensor.name for place in places}
    domains = {dummies[p]: d for p, d in zip(places, row.domain, strict=True)}
    verdict = decide(Question(left, right, names, domains))
    if verdict.status is not Status.PROVED:
        return verdict
    formula = _formula(function, argument)
    own = stated == formula  # with the conventions of its function
    if not own and _hides(stated, formula or ONE):
        return Verdict(Status.UNDECIDED, "it has parts that vanish when it is worked out")
    if not own and not _is_analytic(stated):
        return Verdict(Status.UNDECIDED, "it has brackets and is not the one of the table")
    if not _kinks(right) <= _kinks(whole) or _excludes(stated):
        return Verdict(Status.UNDECIDED, "it has a kink where the function has none")
    dummies[VALUE] = whole  # as it stands, 1/(1/z) divides by z
    below = [to_sympy(e, dummies.__getitem__, step()) for e in divisors([stated, unfold(inserted)])]
    if any(map(_may_be_zero, below)):
        return Verdict(Status.UNDECIDED, "it divides by 0")
    if not _bases(*below) <= _divisors(whole, left):
        return Verdict(Status.UNDECIDED, "it divides by what the function does not")
    if _leaps(right, domains):
        return Verdict(Status.UNDECIDED, "it leaps where the derivative does not")
    known: Mapping[Expr, Domain] = dict(zip(places, row.domain, strict=True))
    if not (own or _is_defined(stated, definition, known)):
        return Verdict(Status.UNDECIDED, "it may have no value where the function has one")
    return verdict


def _is_defined(stated: Expr, definition: Expr, known: Mapping[Expr, Domain]) -> bool:
    """Whether a stated derivative has its roots, logarithms and the like where the function has.

    Those of an argument that is ``known`` to lie in their domain are. Without any of its own it is
    true wherever it has a value, as far as the function goes: analytic functions that agree on a
    part of it agree on all of it.
    """
    granted = Granted()
    granted.grant([unfold(definition)])
    for need in (*needs(stated), *needs(unfold(stated))):
        node = need.subject
        if need.nonzero or not isinstance(node, Apply):
            continue
        domains = zip(node.args, scalar(node.function).domain, strict=True)
        if all(d is REAL or known.get(e) == d for e, d in domains):
            continue
        at_an_end = any(
            e in known and known[e].closed for e in node.args
        )  # as log y in 0 log 0 = 0
        if at_an_end or not granted.meets(need):
            return False
    return True


def _kinks(expr: Any) -> set[Any]:
    """What the brackets of a SymPy expression ask to be positive, each up to a positive factor.

    Identities are proved between the places where brackets change. A stated derivative has the
    brackets of the definition alone, and as they stand there: then both are continued alike to
    such a place, where the function may well have a derivative.
    """
    arguments = {bracket.args[0].expand().primitive()[1] for bracket in expr.atoms(step())}
    return {argument for argument in arguments if not argument.is_Rational}


def _divisors(*exprs: Any) -> set[Any]:
    """What SymPy expressions divide by, or raise to a power that may be negative."""
    import sympy

    powers = (power for expr in exprs for power in expr.atoms(sympy.Pow))
    bases = (p.base for p in powers if not (p.exp.is_Integer and p.exp.is_positive))
    return _bases(*bases)


def _bases(*exprs: Any) -> set[Any]:
    """Expressions up to numbers as factors, and up to powers."""
    bases = (expr.as_base_exp()[0] for expr in exprs)
    found = {base.expand().primitive()[1] for base in bases if not base.is_number}
    return {max(base, (-base).expand(), key=str) for base in found}


def _may_be_zero(number: Any) -> bool:
    """Whether an expression is a number, and may be 0."""
    if not number.is_number:
        return False
    value = number.evalf(DIGITS)
    return not (value.is_finite and abs(value) > NOTHING)


def _leaps(stated: Any, places: Mapping[Any, Domain]) -> bool:
    """Whether it has a value of its own where a bracket changes, and the same on both sides.

    There the function has a derivative, which is what it is on both sides; identities are proved
    between such places alone. Looked at in numbers.
    """
    import mpmath
    import sympy

    brackets = {"positive": lambda c: int(c > NOTHING)}
    value = sympy.lambdify(list(places), stated, [brackets, "mpmath"])
    with mpmath.workdps(DIGITS):
        for point, end, place in _edges(stated, places):
            near = []
            for gap in (-GAP, 0, GAP):
                try:
                    near.append(value(*({**point, place: end + gap}[p] for p in places)))
                except (ZeroDivisionError, ValueError, TypeError):
                    break
            if len(near) == 3 and abs(near[0] - near[2]) < ROUGH < abs(near[0] - near[1]):
                return True
    return False


def _edges(stated: Any, places: Mapping[Any, Domain]) -> Iterator[tuple[dict[Any, Any], Any, Any]]:
    """Points at which a bracket changes: the other arguments, and where the last of them is."""
    import mpmath
    import sympy

    for bracket, place in product(stated.atoms(step()), places):
        (argument,) = bracket.args
        if place not in argument.free_symbols or places[place].values:
            continue
        inner = sorted(argument.atoms(step()), key=str)
        for sides, seed in product(product((0, 1), repeat=len(inner)), range(1, 4)):
            smooth = argument.xreplace(dict(zip(inner, sides, strict=True)))
            drawn = {p: inside(d, 31 * n + 7 * seed) for n, (p, d) in enumerate(places.items())}
            others = {p: sympy.Rational(v.numerator, v.denominator) for p, v in drawn.items()}
            del others[place]
            point = {p: mpmath.mpf(v.numerator) / v.denominator for p, v in drawn.items()}
            for root in sympy.solve(smooth.xreplace(others), place):
                if root.is_real and places[place].contains(Fraction(str(root.evalf(20)))):
                    yield point, mpmath.mpf(str(root.evalf(DIGITS))), place


def _excludes(stated: Expr) -> bool:
    """Whether a formula may be another one where [c > 0] and [-c > 0] are both 0."""
    jumping = [
        node.args[0]
        for node in walk(stated)
        if isinstance(node, Apply) and any(k.jumps for k in scalar(node.function).kinks)
    ]
    return any(equal(one, -other) for one in jumping for other in jumping)


# --- Losses on logits ------------------------------------------------------------------------


def fusion_verdict(loss: str, activation: str) -> Verdict:
    """loss(activation(z), y) is the loss on logits that LOGITS names; from the cache if there."""
    found = _cache().get(_fusion_key(loss, activation))
    return found if found is not None else prove_fusion(loss, activation)


def prove_fusion(loss: str, activation: str) -> Verdict:
    """The same, proved here and now."""
    left, right, domains = _fusion(loss, activation)
    return decide_scalar(left, right, domains)


def _fusion(loss: str, activation: str) -> tuple[Expr, Expr, Mapping[Expr, Domain]]:
    """Both sides of the identity as trees over z, y and the sums both have in common.

    For a vector function, what is compared is the term of one unit; a sum over the units that
    occurs in both, such as that of exp, is one positive variable.
    """
    z = Access(Tensor("z", role=Role.PREACTIVATION), ())
    y = Access(Tensor("y", role=Role.TARGET), ())
    inner, outer, fused = rows()[activation], scalar(loss), rows()[LOGITS[loss, activation]]
    domains: dict[Expr, Domain] = {z: fused.domain[0], y: fused.domain[1]}
    sums: dict[str, Access] = {}

    def run(row: VectorFunction) -> Expr:
        values: dict[str, Expr] = {"z": z, "y": y}
        for part in row.parts:
            body = unfold(part.formula(*(values[name] for name in part.of)))
            if part.kind == "sum" and part is not row.parts[-1]:
                shared = Access(Tensor(f"sum{len(sums)}"), ())
                body = sums.setdefault(text(body), shared)
                domains[body] = POSITIVE
            values[part.name] = body
        return values[row.parts[-1].name]

    if isinstance(inner, VectorFunction) and isinstance(fused, VectorFunction):
        return outer(run(inner), y), run(fused), domains
    if isinstance(inner, ScalarFunction) and isinstance(fused, ScalarFunction):
        hyper = [Access(Tensor(name, role=Role.HYPERPARAMETER), ()) for name, _ in fused.hyper]
        domains |= dict(zip(hyper, fused.domain[2:], strict=True))
        return outer(inner(z), y, *hyper), fused(z, y, *hyper), domains
    raise TypeError(f"{loss} of {activation} mixes a scalar with a vector function")


# --- The cache -------------------------------------------------------------------------------


def _key(function: str, argument: int, stated: Expr) -> str:
    """Of a statement as it stands: what vanishes where it is worked out is part of it."""
    row = scalar(function)
    definition = text(unfold(row(*symbols(row))))
    return _hash("derivative", function, str(argument), definition, stated, row.domain)


def _fusion_key(loss: str, activation: str) -> str:
    left, right, domains = _fusion(loss, activation)
    return _hash("fusion", text(unfold(left)), text(unfold(right)), *domains.values())


def _hash(*parts: object) -> str:
    joined = "\n".join(map(repr, (VERSION, *parts)))
    return hashlib.sha256(joined.encode()).hexdigest()[:32]


@cache
def _cache() -> Mapping[str, Verdict]:
    """Proved lemmas by key."""
    if not CACHE.exists():
        return {}
    entries = json.loads(CACHE.read_text(encoding="utf-8"))["lemmas"]
    return {e["key"]: Verdict(Status.PROVED, e["method"], e["scope"]) for e in entries.values()}


def all_lemmas() -> Iterator[tuple[str, int]]:
    """Every function and argument for which a derivative is stated."""
    for row in rows().values():
        if isinstance(row, ScalarFunction):
            for argument, formula in enumerate(row.derivatives):
                if formula is not None:
                    yield row.name, argument


def rewrite_cache() -> None:
    """Prove everything again and write ``lemmas.json``; what is not proved is left out."""
    proved: dict[str, tuple[str, Verdict]] = {}
    for name, argument in all_lemmas():
        verdict = prove_stated_derivative(name, argument)
        title = f"{name} by {scalar(name).arguments[argument]}"
        proved[title] = _key(name, argument, _stated(name, argument)), verdict
    for loss, activation in LOGITS:
        verdict = prove_fusion(loss, activation)
        proved[f"{loss} of {activation}"] = _fusion_key(loss, activation), verdict
    entries = {
        title: {"key": key, "method": verdict.method, "scope": verdict.scope}
        for title, (key, verdict) in sorted(proved.items())
        if verdict.status is Status.PROVED
    }
    document = json.dumps({"version": VERSION, "lemmas": entries}, indent=1)
    CACHE.write_text(document + "\n", encoding="utf-8")
    _cache.cache_clear()
