"""The exp/log tower: a decider of scalar identities of which only "zero" is an answer.

An expression is rewritten as a rational function of its symbols and of *generators*, each a
real number built from the ones before:

    exp(m / D)      for a monomial m of the exponent
    log |f|         for an irreducible polynomial f
    |f| ** (1/D)    for an irreducible polynomial f
    erf(u), atan(u), sin(m), cos(m), pi

with exp(a + b) = exp(a) exp(b), log(f g) = log |f| + log |g| for f g > 0, and the relations
r**D = |f|, sin**2 = 1 - cos**2. Every rewriting holds wherever both sides are defined and real,
so a numerator that reduces to 0 proves the identity there. A numerator that does not says
nothing: generators may be related in a way that the tower does not know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import lcm
from typing import Any

Interval = tuple[Any, Any]  # open, None for an infinite end; SymPy rationals


TURNS = 6  # addition theorems applied in one angle: the terms double with each
EXPONENT = 64
SIZE = 4000  # operations in an expression before it is brought over one denominator


class OutsideTower(ValueError):
    """A function that the tower has no generator for, or an expression too large for it."""


class Undefined(ValueError):
    """A division by something that is identically zero, or its logarithm."""


class _Refine(Exception):
    """A generator needs a finer root than it was made with; start again."""


def proves_zero(expr: Any, intervals: Mapping[Any, Interval], positive: Sequence[Any] = ()) -> bool:
    """Whether ``expr`` is 0 wherever it is defined, its symbols being in the open intervals.

    ``expr`` is a SymPy expression over plain symbols, ``positive`` lists what else is known to
    be > 0. False means "not proved". Raises OutsideTower and Undefined.
    """
    tower = _Tower(intervals, positive)
    for _ in range(12):
        try:
            return tower.vanishes(expr)
        except _Refine:
            continue
    return False


class _Tower:
    """The generators made so far; ``roots`` holds the D of every kernel, which may only grow."""

    def __init__(self, intervals: Mapping[Any, Interval], positive: Sequence[Any]) -> None:
        self._intervals = intervals
        self._positive = positive
        self._roots: dict[Any, int] = {}
        self._generators: dict[Any, Any] = {}
        self._meaning: dict[Any, tuple[str, Any, int]] = {}
        self._relations: list[tuple[Any, int, Any]] = []
        self._known: dict[Any, Any] = {}

    def vanishes(self, expr: Any) -> bool:
        import sympy

        self._known = {}
        flat = self.flat(expr)
        if flat.count_ops() > SIZE:
            raise OutsideTower("too large")
        numerator, denominator = sympy.fraction(sympy.together(flat))
        if self._reduce(denominator) == 0:
            raise Undefined
        return bool(self._reduce(numerator) == 0)

    # --- Rewriting --------------------------------------------------------------------------

    def flat(self, expr: Any) -> Any:
        """``expr`` as a rational function of symbols and generators."""
        if expr not in self._known:
            self._known[expr] = self._flat(expr)
        return self._known[expr]

    def _flat(self, expr: Any) -> Any:
        import sympy

        if expr.is_Rational or expr.is_Symbol:
            return expr
        if expr is sympy.pi:
            return self._generator("pi", sympy.Integer(1))
        if expr is sympy.E:
            return self._exp(sympy.Integer(1))
        if expr.is_Add:
            return sympy.Add(*map(self.flat, expr.args))
        if expr.is_Mul:
            return sympy.Mul(*map(self.flat, expr.args))
        if isinstance(expr, sympy.exp):
            return self._exp(self.flat(expr.args[0]))
        if expr.is_Pow:
            base, exponent = self.flat(expr.base), expr.exp
            if exponent.is_Integer:
                if abs(exponent) > EXPONENT:
                    raise OutsideTower("a large power")
                if exponent < 0 and self._reduce(sympy.numer(sympy.together(base))) == 0:
                    raise Undefined
                return base**exponent
            return self._exp(self.flat(exponent) * self._log(base))
        if isinstance(expr, sympy.log):
            return self._log(self.flat(expr.args[0]))
        if isinstance(expr, (sympy.erf, sympy.atan)):
            return self._odd(type(expr).__name__, self.flat(expr.args[0]))
        if isinstance(expr, (sympy.sin, sympy.cos)):
            sine, cosine = self._angle(self.flat(expr.args[0]))
            return sine if isinstance(expr, sympy.sin) else cosine
        if isinstance(expr, (sympy.sinh, sympy.cosh, sympy.tanh)):
            return self.flat(expr.rewrite(sympy.exp))
        raise OutsideTower(type(expr).__name__)

    def _exp(self, exponent: Any) -> Any:
        """exp(sum of c m) as the product of powers of generators."""
        import sympy

        result: Any = sympy.Integer(1)
        for coefficient, monomial in self._terms(exponent):
            kind, inner, _ = self._meaning.get(monomial, ("", None, 1))
            if kind == "log":
                result *= self._power_of(inner, coefficient)
            else:
                result *= self._fraction_of("exp", monomial, coefficient)
        return result

    def _power_of(self, base: Any, exponent: Any) -> Any:
        """|base| to a rational power."""
        sign = self._sign(base)
        if exponent.is_Integer and (sign or exponent % 2 == 0):
            return (sign * base if sign else base) ** exponent
        return self._fraction_of("root", base, exponent)

    def _fraction_of(self, kind: str, kernel: Any, exponent: Any) -> Any:
        """The generator of a kernel to a rational power, which its root D must make whole."""
        root = self._roots.setdefault((kind, kernel), 1)
        if (exponent * root).is_Integer:
            return self._generator(kind, kernel, root) ** (exponent * root)
        self._roots[kind, kernel] = lcm(root, int(exponent.q))
        raise _Refine

    def _log(self, argument: Any) -> Any:
        """log |c f g**2 ...| as a sum over the irreducible factors."""
        import sympy

        numerator, denominator = sympy.fraction(self._rational(argument))
        if numerator == 0:
            raise Undefined
        result: Any = sympy.Integer(0)
        for part, direction in ((numerator, 1), (denominator, -1)):
            number, factors = sympy.factor_list(part)
            for whole, sense in ((number.p, 1), (number.q, -1)):
                for prime, power in sympy.factorint(abs(int(whole))).items():
                    factor = self._generator("log", sympy.Integer(prime))
                    result += direction * sense * power * factor
            for factor, power in factors:
                result += direction * power * self._log_of(factor)
        return result

    def _log_of(self, factor: Any) -> Any:
        kind, kernel, root = self._meaning.get(factor, ("", None, 1))
        if kind == "exp":
            return kernel / root
        if kind == "root":
            return self._generator("log", kernel) / root
        return self._generator("log", factor)

    def _odd(self, name: str, argument: Any) -> Any:
        """f(-u) = -f(u), so that u and -u share a generator."""
        import sympy

        argument = self._rational(argument)
        if argument == 0:
            return sympy.Integer(0)
        numerator, _ = sympy.fraction(argument)
        order = self._order(numerator)
        leading = sympy.Poly(numerator, *order).LC() if order else numerator
        sign = 1 if leading > 0 else -1
        return sign * self._generator(name, self._rational(sign * argument))

    def _angle(self, argument: Any) -> tuple[Any, Any]:
        """sin and cos of a sum of multiples by the addition theorems."""
        import sympy

        sine: Any = sympy.Integer(0)
        cosine: Any = sympy.Integer(1)
        terms = self._terms(argument)
        if sum(abs(int(coefficient.p)) for coefficient, _ in terms) > TURNS:
            raise OutsideTower("a large multiple of an angle")
        for coefficient, monomial in terms:
            unit = monomial / int(coefficient.q)
            c = self._generator("cos", unit)
            s = self._generator("sin", unit)
            for _ in range(abs(int(coefficient.p))):
                turn = s if coefficient > 0 else -s
                sine, cosine = sine * c + cosine * turn, cosine * c - sine * turn
        return sine, cosine

    # --- Generators -------------------------------------------------------------------------

    def _generator(self, kind: str, kernel: Any, root: int = 1) -> Any:
        """The generator with that meaning, made on first use with its relation."""
        import sympy

        key = (kind, kernel, root)
        if key not in self._generators:
            symbol = sympy.Dummy(f"{kind}{len(self._generators)}")
            self._generators[key] = symbol
            self._meaning[symbol] = key
            if kind == "root":
                sign = self._sign(kernel)
                relation = (root, sign * kernel) if sign else (2 * root, kernel**2)
                self._relations.append((symbol, *relation))
            if kind == "sin":
                self._relations.append((symbol, 2, 1 - self._generator("cos", kernel) ** 2))
        return self._generators[key]

    def _sign(self, polynomial: Any) -> int:
        """1 if the polynomial is >= 0 on the whole domain, -1 if <= 0, 0 if neither is known."""
        import sympy

        if polynomial.is_Rational:
            return int(sympy.sign(polynomial))
        for known in self._positive:
            if polynomial.free_symbols == known.free_symbols:
                ratio = sympy.cancel(polynomial / known)
                if ratio.is_Rational:
                    return int(sympy.sign(ratio))
        terms = sympy.Poly(polynomial, *(order := self._order(polynomial))).terms()
        senses = {self._sense(order, exponents) * int(sympy.sign(c)) for exponents, c in terms}
        if len(senses) == 1:
            return senses.pop()
        if len(order) == 1 and all(e <= 1 for (e,), _ in terms):
            ends = self._intervals.get(order[0], (None, None))
            found = {int(sympy.sign(polynomial.subs(order[0], e))) for e in ends if e is not None}
            if None not in ends and len(found - {0}) == 1:
                return (found - {0}).pop()
            slope = int(sympy.sign(terms[0][1]))
            if ends[0] is not None and found <= {0, slope} and ends[1] is None:
                return slope
            if ends[1] is not None and found <= {0, -slope} and ends[0] is None:
                return -slope
        return 0

    def _sense(self, order: list[Any], exponents: tuple[int, ...]) -> int:
        """The sign of a monomial, 0 if not known."""
        sense = 1
        for symbol, exponent in zip(order, exponents, strict=True):
            if exponent % 2:
                kind = self._meaning.get(symbol, ("",))[0]
                low, high = self._intervals.get(symbol, (None, None))
                if kind in ("exp", "root", "pi") or (low is not None and low >= 0):
                    continue
                sense = -sense if high is not None and high <= 0 else 0
        return sense

    # --- Rational functions of the generators -----------------------------------------------

    def _order(self, expr: Any) -> list[Any]:
        """The symbols of an expression, in an order that does not change from run to run."""
        return sorted(expr.free_symbols, key=lambda s: (s.name, getattr(s, "dummy_index", 0)))

    def _rational(self, expr: Any) -> Any:
        """The canonical quotient of polynomials, relations used."""
        import sympy

        numerator, denominator = sympy.fraction(sympy.together(expr))
        denominator = self._reduce(denominator)
        if denominator == 0:
            raise Undefined
        return sympy.cancel(self._reduce(numerator) / denominator)

    def _terms(self, expr: Any) -> list[tuple[Any, Any]]:
        """``expr`` as a sum of rational coefficients times monomials (over one denominator)."""
        import sympy

        numerator, denominator = sympy.fraction(self._rational(expr))
        if numerator == 0:
            return []
        order = self._order(numerator)
        content, monic = denominator.as_content_primitive()
        if not order:
            return [(numerator / content, 1 / monic)]
        return [
            (
                coefficient / content,
                sympy.Mul(*(s**e for s, e in zip(order, exponents, strict=True))) / monic,
            )
            for exponents, coefficient in sympy.Poly(numerator, *order).terms()
        ]

    def _reduce(self, polynomial: Any) -> Any:
        """The polynomial modulo the relations, the latest generator first."""
        import sympy

        polynomial = sympy.expand(polynomial)
        for symbol, degree, image in reversed(self._relations):
            if polynomial.has(symbol):
                polynomial = sympy.expand(
                    sum(
                        c * image ** (e // degree) * symbol ** (e % degree)
                        for (e,), c in sympy.Poly(polynomial, symbol).terms()
                    )
                )
        return polynomial
