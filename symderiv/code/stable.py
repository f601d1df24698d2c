"""Which of the proved forms of an equation is computed: the one that neither overflows nor cancels.

Every line of a chain is equal to the closed form, so any of them may be computed. ``a (1 - a)``
loses all digits where a is near 1, while the table has a stable σ′(z); so code goes back to the
line where the derivative of a function was still a function. Where that line divides by what may
be 0 in floating point and the closed form does not, it is the closed form. A loss after an
activation that has a row of its own as one function of the logits is computed by that row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from symderiv.algebra.binding import instantiate, replace_accesses, substitute
from symderiv.algebra.expr import (
    ONE,
    Access,
    Add,
    Apply,
    Expr,
    Mul,
    Number,
    Pow,
    Role,
    Sum,
    Tensor,
    mul,
    rebuild,
    tensors_in,
    walk,
)
from symderiv.algebra.index import is_zero
from symderiv.algebra.matching import match
from symderiv.calculus.composed import group_of, has_sum, inputs_of
from symderiv.calculus.functions import (
    LOG_PROBABILITY,
    NONNEGATIVE,
    SIGNED,
    Domain,
    Row,
    ScalarFunction,
    VectorFunction,
    exp,
    rows,
    scalar,
    symbols,
)
from symderiv.calculus.graph import Definition, Graph
from symderiv.calculus.implied import Implied
from symderiv.calculus.losses import LOGITS
from symderiv.calculus.reference import text
from symderiv.calculus.rewriting import named_value, tidy
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.proof.lemmas import fusion_verdict
from symderiv.proof.verdict import Status

_SMALL = replace(SIGNED, closed=True)  # also where softmax gives 1, or tanh as good as 1
_LEADING = {"chain rule", "definition", "derivative", "delta collapse"}


@dataclass(frozen=True)
class Head:
    """The loss of one example as ``row(argument, target)``: a pair of LOGITS, or a vector loss."""

    row: Row
    argument: Access
    target: Access
    rest: tuple[Expr, ...] = ()
    of: str = ""
    axis: int = 0

    def at(self, adjoint: Adjoint) -> Access | None:
        """The argument at the indices of its adjoint; None for any other adjoint."""
        tensor = self.argument.tensor
        if adjoint.of != tensor:
            return None
        if tensor.ordered and adjoint.indices[0] != self.argument.indices[0]:
            return None
        return Access(tensor, adjoint.indices)


def find_head(graph: Graph) -> Head | None:
    """The row that computes the loss in one piece, or None where the definitions are stable.

    None as well where units are written out: the row computes from one array of them all.
    """
    loss = next((t for t in graph.tensors if t.role is Role.LOSS), None)
    if loss is None:
        return None
    (definition,) = graph.definitions_of(loss)
    group = group_of(graph, definition)
    if isinstance(rows().get(definition.part_of), VectorFunction) and not has_sum(group):
        return None
    used = inputs_of(group)
    target = next((a for a in used if a.tensor.role is Role.TARGET), None)
    output = next((a for a in used if a.tensor.role is not Role.TARGET), None)
    if output is None or target is None:
        return None
    entry = definition.body.body if isinstance(definition.body, Sum) else definition.body
    name = definition.part_of
    rest: tuple[Expr, ...] = ()
    if not name and isinstance(entry, Apply) and entry.args[:2] == (output, target):
        name, rest = entry.function, entry.args[2:]
    for made in graph.definitions_of(output.tensor):
        function, argument = _function_of(graph, made, output)
        logits = LOGITS.get((name, function))
        inside = {d.target for d in group_of(graph, made)}
        if (
            logits
            and fusion_verdict(name, function).status is Status.PROVED
            and argument is not None
            and _feeds_only(graph, argument, inside)
            and _feeds_only(graph, output, {d.target for d in group})
        ):
            why = f"{name} of {function}(z), straight from z"
            return Head(rows()[logits], argument, target, rest, why, summed_axis(group))
    row = rows().get(name)
    if isinstance(row, VectorFunction) and row.numpy_gradient:
        return Head(row, output, target, axis=summed_axis(group))
    return None


def summed_axis(group: list[Definition]) -> int:
    """The axis of the arrays along which a vector function, or a loss, sums."""
    for node in (node for d in group for node in walk(d.body) if isinstance(node, Sum)):
        for entry in (e for e in walk(node.body) if isinstance(e, Access)):
            plain = [i.variable for i in entry.indices[entry.tensor.ordered :]]
            if node.var in plain:
                return plain.index(node.var)
    return 0


def _function_of(graph: Graph, made: Definition, output: Access) -> tuple[str, Access | None]:
    """The activation that makes an entry, and what it is applied to."""
    body = made.at(output)
    if body is None:
        return "", None
    if made.part_of:
        return made.part_of, next(iter(inputs_of(group_of(graph, made))), None)
    match body:
        case Apply(function, (Access() as argument, *_), orders) if not any(orders):
            return function, argument
    return "", None


def _feeds_only(graph: Graph, entry: Access, users: set[Tensor]) -> bool:
    """Whether nothing but these uses the tensor (the member of a family)."""
    return all(
        d.target in users
        for d, access in graph.uses(entry.tensor)
        if not entry.tensor.ordered or is_zero(access.indices[0] - entry.indices[0]) is not False
    )


class Forms:
    """The form of every adjoint that code computes; adjoints without a name are inserted."""

    def __init__(self, derivation: Derivation, kept: set[Tensor]) -> None:
        self.graph = derivation.graph
        self.implied = Implied(self.graph)
        self.adjoints = derivation.adjoints
        self.kept = kept
        parts = [d for d in self.graph.definitions if d.part_of]
        self.parts = {d.target for d in parts if d.target.role is Role.AUXILIARY}
        groups = [group_of(self.graph, d) for d in parts]
        self.tame = {
            d.target
            for group in groups
            if all(self.implied.lies_in(a, _SMALL) for a in inputs_of(group) if _is_output(a))
            for d in group
        }
        self._known: dict[int, Expr] = {}

    def of(self, adjoint: Adjoint) -> Expr:
        """The form with the fewest dangers; of two with as many, the one before the lemmas."""
        key = id(adjoint)
        if key not in self._known:
            raw = tidy(self._inserted(self._stated(_before_lemmas(adjoint))))
            forms = (by_logarithm(f, self.graph) for f in (raw, self._inserted(adjoint.closed)))
            self._known[key] = min(forms, key=self._dangers)
        return self._known[key]

    def _dangers(self, form: Expr) -> tuple[int, int, int]:
        """How often it uses a part of a softmax, may divide by 0 or overflow, and may cancel."""
        parts = sum(tensor in self.parts - self.tame for tensor in tensors_in(form))
        nodes = list(walk(form))
        return parts, sum(map(self._may_fail, nodes)), sum(map(self._may_cancel, nodes))

    def _may_fail(self, node: Expr) -> bool:
        """Whether it divides by what may be 0 in floating point, or exponentiates at will."""
        match node:
            case Pow(base, exponent) if exponent < 0:
                values = [n for n in walk(base) if isinstance(n, Access | Apply)]
                tame = all(isinstance(n, Access) and n.tensor in self.tame for n in values)
                return not (tame or self._exceeds_a_number(base))
            case Apply(function, _, orders) if any(orders):
                return _is_open(rows()[function].domain[orders.index(1)])
            case Apply("exp", (argument,)):
                return not self.implied.lies_in(argument, LOG_PROBABILITY)
        return False

    def _exceeds_a_number(self, base: Expr) -> bool:
        """Whether it is a positive number plus what is not negative, as in 1 + z²."""
        if not isinstance(base, Add):
            return False
        numbers = [t for t in base.terms if isinstance(t, Number) and t.value > 0]
        others = [t for t in base.terms if t not in numbers]
        return bool(numbers) and all(self.implied.lies_in(t, NONNEGATIVE) for t in others)

    def _may_cancel(self, node: Expr) -> bool:
        """Whether it is 1 − a or 1 − a² with a between −1 and 1, which may be near them."""
        if not isinstance(node, Add) or ONE not in node.terms:
            return False
        taken = (-term for term in node.terms if term != ONE)
        bases = (term.base if isinstance(term, Pow) else term for term in taken)
        return any(self.implied.lies_in(base, _SMALL) for base in bases)

    def _inserted(self, expr: Expr) -> Expr:
        def image(access: Access) -> Expr | None:
            if access.tensor.role is not Role.ADJOINT or access.tensor in self.kept:
                return None
            for adjoint in self.adjoints:
                if adjoint.tensor == access.tensor:
                    found = instantiate(adjoint.indices, self.of(adjoint), access.indices)
                    if found is not None:
                        return found
            return None

        return replace_accesses(expr, image)

    def _stated(self, expr: Expr) -> Expr:
        """Stated derivatives inserted where the table computes them just as they are stated."""
        expr = rebuild(expr, self._stated)
        if not (isinstance(expr, Apply) and sum(expr.orders) == 1):
            return expr
        row, position = scalar(expr.function), expr.orders.index(1)
        formula = row.derivatives[position]
        if formula is None or not is_as_stated(row, position):
            return expr
        plain = Apply(expr.function, expr.args, (0,) * len(expr.args))
        return formula(*expr.args, named_value(plain, self.graph) or plain)


def with_log_sigmoid(expr: Expr, graph: Graph) -> Expr:
    """log σ(z) and log(1 − σ(z)), which is log σ(−z), without the logarithm of what rounds to 0."""
    expr = rebuild(expr, lambda part: with_log_sigmoid(part, graph))
    if not (isinstance(expr, Apply) and expr.function == "log" and expr.orders == (0,)):
        return expr
    inner = _logit(expr.args[0], graph)
    if inner is None:
        match expr.args[0]:
            case Add((one, other)) | Add((other, one)) if one == ONE:
                complement = _logit(-other, graph)
                inner = None if complement is None else -complement
    return expr if inner is None else Apply("log-sigmoid", (inner,), (0,))


def _logit(expr: Expr, graph: Graph) -> Expr | None:
    """z, if the value is that of σ(z)."""
    found = graph.expand(expr) if isinstance(expr, Access) else expr
    match found:
        case Apply("sigmoid", (z,), (0,)):
            return z
    return None


def _is_open(domain: Domain) -> bool:
    """Whether a derivative may grow without bound at an end of the domain."""
    return not domain.closed and (domain.low is not None or domain.high is not None)


def _is_output(access: Access) -> bool:
    return access.tensor.role is not Role.TARGET


def by_logarithm(expr: Expr, graph: Graph) -> Expr:
    """e/s as exp(a), which cannot overflow, where a = z − log s is a log-softmax with s = Σ e."""
    expr = rebuild(expr, lambda part: by_logarithm(part, graph))
    factors = expr.factors if isinstance(expr, Mul) else ()
    for above in factors:
        for entry in _logarithms(above, graph):
            sums = [n for n in walk(graph.expand(entry) or entry) if isinstance(n, Access)]
            for below in factors:
                if isinstance(below, Pow) and below.exponent == -1 and below.base in sums:
                    return mul(*(f for f in factors if f not in (above, below)), exp(entry))
    return expr


def _logarithms(factor: Expr, graph: Graph) -> Iterator[Access]:
    """The entries of a log-softmax whose e this is."""
    for definition in graph.definitions:
        group = group_of(graph, definition)
        if definition.part_of != "log-softmax" or len(group) < 2:
            continue
        e = group[0]
        for form in (e.left, e.body):
            binding = match(form, factor, e.variables)
            if binding is not None and len(binding) == len(e.variables):
                entry = substitute(Access(definition.target, e.indices), binding)
                assert isinstance(entry, Access)
                yield entry
                break


def is_as_stated(row: ScalarFunction, position: int) -> bool:
    """Whether the NumPy form of a derivative is the stated formula itself, so that it is safe."""
    formula, lines = row.derivatives[position], row.numpy_derivatives[position]
    if formula is None:
        return False
    value = Access(Tensor("value"), ())
    stated = formula(*symbols(row), value)
    if isinstance(stated, Number) or stated == value or lines is None:
        return True
    if isinstance(stated, Apply) and stated.args == symbols(row) and not any(stated.orders):
        return lines == rows()[stated.function].numpy
    try:
        return lines == (f"return {text(stated)}",)
    except ValueError:
        return False


def _before_lemmas(adjoint: Adjoint) -> Expr:
    """The line of a chain where it holds derivatives of functions and adjoints, no more."""
    found = adjoint.left if not adjoint.steps else adjoint.steps[0].right
    for step in adjoint.steps:
        if step.rule not in _LEADING:
            break
        found = step.right
    return found
