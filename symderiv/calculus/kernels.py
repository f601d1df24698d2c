"""Scalar SymPy expressions as fractions of polynomials over kernels: exp, log, roots and steps.

Kernels are treated as independent of one another after these laws, so equal fractions mean equal
values, off the kinks and where logarithms and roots are taken of positive numbers:
``e^(u+v) = e^u e^v``, ``log uv = log u + log v``, ``(x^(1/q))^q = x``, ``[x>0] + [-x>0] = 1`` and
``[x>0]² = [x>0]``. What is left over proves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sympy


@dataclass
class Kernels:
    """The kernels met so far, each a ``Dummy`` under a key that does not depend on the spelling."""

    _known: dict[Any, Any] = field(default_factory=dict)
    roots: list[tuple[Any, int, Any]] = field(default_factory=list)
    steps: list[Any] = field(default_factory=list)
    exponentials: list[Any] = field(default_factory=list)

    @property
    def alone(self) -> Any:
        """The one exponential, if there is no other kernel; else None."""
        return self.exponentials[0] if len(self.exponentials) == len(self._known) == 1 else None

    def zero(self, expr: Any) -> bool:
        """Whether the expression is certainly 0 (False says nothing)."""
        if expr == 0:
            return True
        try:
            return self._vanishes(self.rational(expr))
        except ZeroDivisionError:
            return False

    def _vanishes(self, value: Any) -> bool:
        """Case by case: every step on either side of its jump."""
        if value.has(sympy.zoo, sympy.nan, sympy.oo):
            return False
        step = next((s for s in self.steps if s in value.free_symbols), None)
        if step is not None:
            return all(self._vanishes(value.subs(step, side)) for side in (0, 1))
        numerator, denominator = sympy.fraction(sympy.together(value))
        numerator = sympy.expand(numerator)
        for root, order, base in reversed(self.roots):
            if numerator.has(root):
                top, bottom = sympy.fraction(sympy.together(base))
                numerator = sympy.expand(sympy.prem(numerator, bottom * root**order - top, root))
        return bool(numerator == 0) and not self._is_zero(denominator)

    @staticmethod
    def _is_zero(value: Any) -> bool:
        return bool(sympy.expand(value) == 0)

    # --- from SymPy ------------------------------------------------------------------------------

    def rational(self, expr: Any) -> Any:
        """The expression with a ``Dummy`` in place of every kernel. Raises ZeroDivisionError."""
        if expr.is_Symbol or expr.is_Rational:
            return expr
        if expr.is_Add or expr.is_Mul:
            return expr.func(*map(self.rational, expr.args))
        if expr.is_Pow and not isinstance(expr, sympy.exp):
            return self._power(expr.base, expr.exp)
        if isinstance(expr, sympy.exp):
            return self._exp(self.rational(expr.args[0]))
        if isinstance(expr, sympy.log):
            return self._log(self.rational(expr.args[0]))
        if isinstance(expr, sympy.Piecewise):
            return self._piecewise(expr)
        arguments = tuple(map(self._canonical, map(self.rational, expr.args)))
        return self._kernel((expr.func, arguments or expr))

    def _kernel(self, key: Any, name: str = "k") -> Any:
        return self._known.setdefault(key, sympy.Dummy(name))

    @staticmethod
    def _canonical(value: Any) -> Any:
        """One spelling for equal fractions."""
        if value.has(sympy.zoo, sympy.nan):
            raise ZeroDivisionError("division by zero")
        top, bottom = sympy.fraction(sympy.cancel(sympy.together(value)))
        return sympy.expand(top) / sympy.expand(bottom)

    def _power(self, base: Any, exponent: Any) -> Any:
        if exponent.is_Integer:
            return self.rational(base) ** exponent
        if exponent.is_Rational:
            inner = self._canonical(self.rational(base))
            key = ("root", exponent.q, inner)
            new = key not in self._known
            root = self._kernel(key, "r")
            if new:
                self.roots.append((root, int(exponent.q), inner))
            return root**exponent.p
        return self._exp(self.rational(exponent) * self._log(self.rational(base)))

    def _exp(self, argument: Any) -> Any:
        """One kernel for e^(u/2) of each monomial u, so that halves occur as well."""
        result = sympy.Integer(1)
        for term in sympy.Add.make_args(sympy.expand(self._canonical(argument))):
            number, rest = term.as_coeff_Mul()
            exponent = 2 * number
            if not exponent.is_Integer:
                rest, exponent = rest * abs(number), 2 * sympy.sign(number)
            if rest == 0:
                continue
            kernel = self._kernel(("exp", rest), "E")
            if kernel not in self.exponentials:
                self.exponentials.append(kernel)
            result *= kernel**exponent
        return result

    def _log(self, argument: Any) -> Any:
        """Sum of multiples of log|factor| over the irreducible factors."""
        value = sympy.together(self._canonical(argument))
        if value == 0:
            raise ZeroDivisionError("the logarithm of 0")
        total = sympy.Integer(0)
        for part, sign in zip(sympy.fraction(value), (1, -1), strict=True):
            content, factors = sympy.factor_list(part)
            for prime, times in sympy.factorint(abs(content.p)).items():
                total += sign * times * self._kernel(("log", sympy.Integer(prime)))
            for prime, times in sympy.factorint(content.q).items():
                total -= sign * times * self._kernel(("log", sympy.Integer(prime)))
            for factor, times in factors:
                total += sign * times * self._log_of_factor(factor)
        return total

    def _log_of_factor(self, factor: Any) -> Any:
        for key, kernel in self._known.items():
            if kernel == factor and key[0] == "exp":
                return key[1] / 2
            if kernel == factor and key[0] == "root":
                return self._log(key[2]) / key[1]
        opposite = sympy.expand(-factor)
        return self._kernel(("log", min(factor, opposite, key=sympy.default_sort_key)))

    def _piecewise(self, expr: Any) -> Any:
        total, left = sympy.Integer(0), sympy.Integer(1)
        for value, condition in expr.args:
            holds = self._holds(condition)
            if holds != 0:
                total += self.rational(value) * holds * left
            left *= 1 - holds
        return total

    def _holds(self, condition: Any) -> Any:
        """1 where the condition holds, 0 elsewhere; points of equality are kinks."""
        if condition in (sympy.true, sympy.false):
            return sympy.Integer(int(bool(condition)))
        if isinstance(condition, sympy.And):
            return sympy.Mul(*map(self._holds, condition.args))
        if isinstance(condition, sympy.Or):
            return 1 - sympy.Mul(*(1 - self._holds(c) for c in condition.args))
        if isinstance(condition, sympy.ITE):
            holds, yes, no = map(self._holds, condition.args)
            return holds * yes + (1 - holds) * no
        if not isinstance(condition, sympy.Rel) or condition.rel_op in ("==", "!="):
            raise ValueError(f"a condition without two sides: {condition.func.__name__}")
        argument = self._canonical(self.rational(condition.gts - condition.lts))
        number, rest = argument.as_coeff_Mul()
        opposite = sympy.expand(-rest)
        first = min(rest, opposite, key=sympy.default_sort_key)
        key = ("step", first)
        if key not in self._known:
            self.steps.append(self._kernel(key, "h"))
        step = self._known[key]
        return step if (first == rest) == bool(number > 0) else 1 - step


# --- Derivatives in terms of the value -----------------------------------------------------------


@dataclass(frozen=True)
class ClosedForm:
    """∂value/∂argument as SymPy found it, and the same in terms of the value where that is shorter.

    For σ: e⁻ᶻ/(1 + e⁻ᶻ)² and a(1 − a), after SymPy solved a = 1/(1 + e⁻ᶻ) for e⁻ᶻ and checked it.
    """

    definition: Any
    argument: Any
    value: Any
    derivative: Any
    closed: Any


@lru_cache(maxsize=64)
def pattern_slots(count: int) -> list[Any]:
    """Symbols for the arguments of a definition, the same for all entries that share it."""
    return [sympy.Dummy(f"t{n}", real=True) for n in range(count)]


@lru_cache(maxsize=4096)
def closed_form(definition: Any, argument: Any) -> ClosedForm:
    """Differentiate, and write the derivative in the value if one exponential can be eliminated."""
    value = sympy.Dummy("a", real=True)
    derivative = sympy.diff(definition, argument)
    kernels = Kernels()
    top, bottom = sympy.fraction(sympy.cancel(sympy.together(kernels.rational(definition))))
    slope = kernels.rational(derivative)
    closed = derivative
    kernel = kernels.alone
    if kernel is not None:
        equation = sympy.Poly(sympy.expand(value * bottom - top), kernel)
        step = int(equation.degree())
        if step and set(equation.monoms()) <= {(step,), (0,)}:
            high, low = equation.coeff_monomial(kernel**step), equation.coeff_monomial(1)
            solved = _eliminated(slope, kernel, step, -low / high)
            found = derivative if solved is None else turned(sympy.factor(sympy.cancel(solved)))
            new_poles = sympy.fraction(found)[1].free_symbols & definition.free_symbols
            shorter = sympy.count_ops(found) < sympy.count_ops(derivative) and not new_poles
            if shorter and kernels.zero(found.xreplace({value: definition}) - derivative):
                closed = found
    return ClosedForm(definition, argument, value, derivative, closed)


def _eliminated(slope: Any, kernel: Any, step: int, image: Any) -> Any:
    """``slope`` with kernel**step = image, or None if another power of the kernel is left."""
    parts = []
    for part in sympy.fraction(sympy.cancel(sympy.together(slope))):
        terms = sympy.Poly(sympy.expand(part), kernel).terms()
        offset = terms[0][0][0] % step
        if any(m % step != offset for (m,), _ in terms):
            return None
        parts.append((offset, sympy.Add(*(c * image ** (m // step) for (m,), c in terms))))
    (upper, top), (lower, bottom) = parts
    return top / bottom if upper == lower else None


def turned(expr: Any) -> Any:
    """-(a - 1)(a + 1) as (1 - a)(1 + a): a minus sign in front goes into such a factor."""
    if not expr.is_Mul or expr.args[0] != -1:
        return expr
    for factor in expr.args:
        if factor.is_Add and any(term.is_Rational and term < 0 for term in factor.args):
            return sympy.Mul(*(-f if f == factor else f for f in expr.args[1:]))
    return expr
