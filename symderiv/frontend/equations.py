"""From statements to equations: what is inlined, what gets a name, what operators mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

from symderiv.algebra.binding import replace_accesses
from symderiv.algebra.expr import ZERO, Access, Expr, Number, Pow, Role, Tensor, add, mul, power
from symderiv.calculus.brackets import Guard, constant
from symderiv.calculus.conditions import Condition
from symderiv.calculus.functions import NONNEGATIVE, NONZERO, PI, REAL, Domain, real_power, scalar
from symderiv.calculus.graph import Definition
from symderiv.frontend import calls
from symderiv.frontend.cursor import MAX_EXPONENT
from symderiv.frontend.naming import Axes, Names, fitting
from symderiv.frontend.nodes import (
    Binary,
    Call,
    Compare,
    Index,
    Name,
    Node,
    Num,
    Transposed,
    Unary,
    children,
)
from symderiv.frontend.program import Statements
from symderiv.frontend.shapes import Misfit, Shapes, brief, constant_index
from symderiv.frontend.values import (
    Value,
    array,
    elementwise,
    number,
    product,
    size_of,
    taken,
    times,
    transposed,
    variables,
)

LIGHT = 3  # what has fewer nodes may be written twice

Form = tuple[str, tuple[object, ...], tuple[int, ...]]  # of a tree: its head, and its parts
_Asked = tuple[str, Expr, Domain, tuple[Guard, ...]]  # by a function of an entry, under brackets


@dataclass
class Equations:
    """The definitions made so far, and the value of every node that has a name.

    A step that is ``differentiated_by`` stands only where it is written: what is equal to it
    elsewhere is no function of it.
    """

    shapes: Shapes
    axes: Axes
    names: Names
    statements: Statements
    differentiated_by: Sequence[str] = ()
    arrays: dict[str, Value] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    named: dict[object, Value] = field(default_factory=dict)
    root: Node | None = None
    guards: list[tuple[Value, bool]] = field(default_factory=list)
    _asked: list[_Asked] = field(default_factory=list)
    _by_part: dict[int, tuple[list[tuple[Value, bool]], list[_Asked]]] = field(default_factory=dict)
    _numbers: dict[Form, int] = field(default_factory=dict)
    _keys: dict[int, tuple[Node, int]] = field(default_factory=dict)
    _uses: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._uses.update(self.key(node) for _, node in self.statements)
        for _, _, below in self._numbers:  # each tree counts once as a user of its parts
            self._uses.update(below)

    # --- the same part twice -------------------------------------------------------------------

    def key(self, node: Node) -> int:
        """A number that equal trees share."""
        known = self._keys.get(id(node))
        if known is not None:
            return known[1]
        below = tuple(self.key(child) for child in children(node))
        match node:
            case Num(value):
                rest: tuple[object, ...] = (value,)
            case Name(name):
                rest = (name,)
            case Call(name, _, primes, axis, keepdims):
                rest = (name, primes, axis, keepdims)
            case Unary(op, _) | Binary(op, _, _) | Compare(op, _, _):
                rest = (op,)
            case _:
                rest = ()
        form: Form = (type(node).__name__, rest, below)
        number_ = self._numbers.get(form)
        if number_ is None:
            number_ = self._numbers[form] = len(self._numbers)
        self._keys[id(node)] = (node, number_)
        return number_

    def repeats(self, node: Node) -> bool:
        """Whether different parts of the program use this one."""
        return self._uses[self.key(node)] > 1

    # --- equations -----------------------------------------------------------------------------

    def statement(self, name: str, node: Node, role: Role) -> None:
        """Record ``name = node``."""
        self.root = node
        key = self.key(node)
        if isinstance(node, Call) and calls.is_vector(node) and key not in self.named:
            result = calls.vector(self, node, name, role)
        else:
            result = self.define(name, self.value(node), role)
        self.arrays[name] = result
        if not isinstance(node, (Name, Num)) and name not in self.differentiated_by:
            self.named.setdefault(key, result)

    def define(
        self, name: str, value: Value, role: Role = Role.AUXILIARY,
        why: str = "", part_of: str = "", symbol: str = "",
    ) -> Value:  # fmt: skip
        """Record an equation; the value of the new name."""
        tensor = Tensor(name, variables(value.axes), role, symbol or name)
        self.definitions.append(Definition(tensor, *value.any_entry, why, part_of))
        return array(tensor)

    def name(self, value: Value, wanted: str, key: object) -> Value:
        """A name for a part; the same one when it comes again."""
        if key not in self.named:
            self.named[key] = self.define(self.names.new(wanted), value)
        return self.named[key]

    def value(self, node: Node) -> Value:
        """What a node is; by name if it has one, or needs one since its sums come again."""
        key = self.key(node)
        if key in self.named:
            self._ask_again(key)
            return self.named[key]
        before = len(self._asked)
        value = self._computed(node)
        self._by_part[key] = list(self.guards), self._asked[before:]
        if value.sums and node is not self.root and self.repeats(node):
            return self.name(value, fitting(node), key)
        return value

    def atom(
        self, node: Node, wanted: str = "", *, twice: bool = False, value: Value | None = None
    ) -> Value:
        """A node as part of a function or a power: without sums, and light if written twice.

        Its ``value`` is given where it is known; to find it again at each level takes 2^n steps.
        """
        value = self.value(node) if value is None else value
        if value.sums or (twice and value.weight > LIGHT):
            return self.name(value, wanted or fitting(node), self.key(node))
        return value

    def whole(self, node: Node, wanted: str) -> Value:
        """A node as an array that has a name, as what computes with whole arrays takes it."""
        value = self.value(node)
        indices, entry = value.any_entry
        if isinstance(entry, Access) and entry.indices == indices:
            return value
        return self.name(value, wanted, self.key(node))

    def constant(self, value: Value) -> Fraction | None:
        """The number that a value is, or None."""
        _, entry = value.any_entry
        return entry.value if isinstance(entry, Number) else None

    def elementwise(
        self, function: calls.Formula, node: Node, *args: Value, copies: int = 1
    ) -> Value:
        """A function of entries, over the axes of the node."""
        axes = [self.axes.of(d) for d in self.shapes.of(node)]
        return elementwise(function, axes, *args, copies=copies)

    # --- what is asked of arguments, also where it cancels ---------------------------------------

    def ask(self, function: str, value: Value, domain: Domain) -> None:
        """Record that a function ("" for a denominator) wants its argument in a domain."""
        if domain is REAL:
            return
        indices, entry = value.any_entry
        guards = tuple(
            Guard(argument.entry(indices[: argument.rank]), holds)
            for argument, holds in self.guards
            if argument.axes in ((), value.axes)
        )
        self._asked.append((function, entry, domain, guards))

    def _ask_again(self, key: int) -> None:
        """What a part asked when it was met first, without a bracket that it was met under."""
        guards, asked = self._by_part.get(key, ([], []))
        if all(guard in self.guards for guard in guards):
            return
        self._asked += [(function, entry, domain, ()) for function, entry, domain, _ in asked]

    @contextmanager
    def _where(self, guards: list[tuple[Value, bool]]) -> Iterator[None]:
        """What is asked inside is asked where these are so."""
        before = len(self.guards)
        self.guards += guards
        yield
        del self.guards[before:]

    def under(
        self, left: Value, right: Value, strict: bool, yes: Node, no: Node
    ) -> tuple[Value, Value]:
        """The values of two nodes: ``yes`` where left > right (or left ≥ right), else ``no``."""
        difference = _difference(left, right, strict)
        values = []
        for node, holds in ((yes, strict), (no, not strict)):
            with self._where([(difference, holds)]):
                values.append(self.value(node))
        return values[0], values[1]

    def conditions(self, kept: Sequence[Definition]) -> list[Condition]:
        """What was asked, in terms of the equations that are kept; the others are inserted."""
        made = {d.target: d for d in self.definitions if d not in kept}

        def inserted(access: Access) -> Expr | None:
            definition = made.get(access.tensor)
            body = definition.at(access) if definition else None
            return None if body is None else replace_accesses(body, inserted)

        return [
            Condition(
                kept[-1],
                function,
                (replace_accesses(argument, inserted),),
                domain,
                tuple(Guard(replace_accesses(g.argument, inserted), g.holds) for g in guards),
            )
            for function, argument, domain, guards in self._asked
        ]

    # --- operators -----------------------------------------------------------------------------

    def _computed(self, node: Node) -> Value:
        if _is_elementwise(node):
            return self._inside(node)
        before = self.guards  # entries of the parts are not those at which a bracket is
        self.guards = [guard for guard in before if not guard[0].axes]
        value = self._inside(node)
        self.guards = before
        return value

    def _inside(self, node: Node) -> Value:
        match node:
            case Num(value):
                return number(value)
            case Name(name):
                return self._variable(name)
            case Unary(_, operand):
                return self.elementwise(lambda x: -x, node, self.value(operand))
            case Binary("@", left, right):
                return product(self.value(left), self.value(right))
            case Binary("/", left, right):
                return self._quotient(node, left, right)
            case Binary("**", left, right):
                return self._power(node, left, right)
            case Binary("*", left, right):
                return self.elementwise(times, node, *self._factors(left, right))
            case Binary(op, left, right):
                return self.elementwise(_OPERATORS[op], node, self.value(left), self.value(right))
            case Compare():
                return calls.comparison(self, node)
            case Transposed(operand):
                return transposed(self.value(operand))
            case Index(base, indices):
                return taken(self.value(base), [constant_index(i) or 0 for i in indices])
            case Call():
                return calls.call(self, node)
        raise TypeError(f"no value: {node!r}")

    def _variable(self, name: str) -> Value:
        if name in self.arrays:
            return self.arrays[name]
        if self.shapes.is_size(name):
            return number(size_of(self.axes.of(self.shapes.sizes[name])))
        assert name == "pi"
        return number(PI)

    def _factors(self, left: Node, right: Node) -> list[Value]:
        """Two factors; where a comparison in one is false, nothing is asked by the other."""
        values = []
        for side, other in ((left, right), (right, left)):
            with self._where([self._guard(c) for c in _comparisons(other)]):
                values.append(self.value(side))
        return values

    def _guard(self, node: Compare) -> tuple[Value, bool]:
        (larger, smaller), strict = calls.ordered(self, node)
        return _difference(larger, smaller, strict), strict

    def _quotient(self, node: Node, left: Node, right: Node) -> Value:
        below = self.atom(right)
        if constant(below.any_entry[1]) == 0:
            raise Misfit(node, f"a division by {brief(right)}, which is 0", "")
        self.ask("", below, NONZERO)
        above = self.value(left)
        return self.elementwise(lambda x, y: mul(x, power(y, -1)), node, above, below)

    def _power(self, node: Node, left: Node, right: Node) -> Value:
        """x**2, x**-1, x**0.5 = sqrt(x), and x**p for x > 0."""
        value = self.value(right)
        exponent = self.constant(value) if value.rank == 0 else None
        if exponent is not None and exponent % 2 == 0 and isinstance(left, Call):
            key = self.key(left), "square"
            inner = self.named.get(key) or calls.square(self, left)
            if inner is not None:  # norm(x)**2 is Σ x²
                if left.name == "sqrt":
                    self.ask(
                        "sqrt", inner, NONNEGATIVE if exponent > 0 else scalar("sqrt").domain[0]
                    )
                return self._integer_power(node, inner, int(exponent / 2), "s", key)
        if exponent is None:
            base = self.atom(left)
            self._positive(node, base, f"{brief(right)} need not be a whole number")
            return self.elementwise(real_power, node, base, self.atom(right, value=value))
        if exponent.denominator == 1:
            wanted = fitting(left)
            return self._integer_power(
                node, self.value(left), int(exponent), wanted, self.key(left)
            )
        base = self.atom(left)
        self._positive(node, base, f"the exponent {exponent} is no whole number")
        function = scalar("sqrt" if exponent.denominator == 2 else "power")
        self.ask(function.name, base, function.domain[0])
        if exponent.denominator == 2:
            halves = int(2 * exponent)
            return self.elementwise(lambda x: power(calls.root(x), halves), node, base)
        return self.elementwise(lambda x: real_power(x, exponent), node, base)

    def _integer_power(
        self, node: Node, base: Value, exponent: int, wanted: str, key: object
    ) -> Value:
        if base.sums and exponent not in (0, 1):
            base = self.name(base, wanted, key)
        _, entry = base.any_entry
        already = entry.exponent if isinstance(entry, Pow) else 1
        if abs(already * exponent) > MAX_EXPONENT or _too_long(entry, exponent):
            raise Misfit(node, "the exponent is too large", f"at most {MAX_EXPONENT} in size")
        if entry == ZERO and exponent < 0:
            raise Misfit(node, "a division by 0", "")
        if exponent < 0:
            self.ask("", base, NONZERO)
        return self.elementwise(lambda x: power(x, exponent), node, base)

    def _positive(self, node: Node, base: Value, why: str) -> None:
        value = self.constant(base)
        if value is not None and value <= 0:
            raise Misfit(node, f"a power of {value}", f"the base must be positive: {why}")


def _is_elementwise(node: Node) -> bool:
    """Whether an entry is computed from the entries of the parts at the same place."""
    match node:
        case Binary(op, _, _):
            return op != "@"
        case Call():
            return calls.is_elementwise(node)
        case Transposed() | Index():
            return False
        case _:
            return True


def _comparisons(node: Node) -> list[Compare]:
    """The comparisons among the factors of a product."""
    match node:
        case Compare():
            return [node]
        case Binary("*", left, right):
            return _comparisons(left) + _comparisons(right)
        case _:
            return []


def _difference(left: Value, right: Value, strict: bool) -> Value:
    """What is positive where left > right, or if not ``strict`` where left ≥ right is false."""
    larger, smaller = (left, right) if strict else (right, left)
    axes = max(left.axes, right.axes, key=len)
    return elementwise(lambda x, y: x - y, axes, larger, smaller)


def _too_long(entry: Expr, exponent: int) -> bool:
    if not isinstance(entry, Number):
        return False
    longest = max(abs(entry.value.numerator), entry.value.denominator).bit_length()
    return longest * abs(exponent) > 2000


_OPERATORS: dict[str, calls.Formula] = {"+": add, "-": lambda x, y: x - y}
