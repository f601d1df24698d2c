"""Shapes of expressions as NumPy has them, with sizes that are names or numbers.

    x of shape "m n", w of shape "n":   x @ w is (m,),   x + w is (m, n),   w @ x is a Misfit

Sizes of one name are one size. Two numbers are joined to one size where an operation needs them
equal, so that a 3 x 3 matrix stays a matrix of two sizes as long as it may. A size of 1 repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from symderiv.frontend.known import is_vector_function
from symderiv.frontend.nodes import (
    Binary,
    Call,
    Compare,
    Derivative,
    Index,
    Name,
    Node,
    Num,
    Transposed,
    Unary,
    to_text,
)


@dataclass(eq=False)
class Dim:
    """The size of one axis: a name, a number, and the size that it was found to be equal to.

    ``fixed`` marks a number that must stay one, because an entry at a given place is used.
    """

    name: str = ""
    number: int | None = None
    fixed: bool = False
    joined: Dim | None = None

    @property
    def root(self) -> Dim:
        """The size that stands for all that were joined with this one."""
        here = self
        while here.joined is not None:
            here = here.joined
        return here

    @property
    def repeats(self) -> bool:
        """Whether the axis has one entry, which is repeated along any other size."""
        return self.root.number == 1

    def __str__(self) -> str:
        return self.root.name or str(self.root.number)


Shape: TypeAlias = tuple[Dim, ...]


class Misfit(Exception):
    """Operands that do not fit, or a part that has no meaning in a program: where and why."""

    def __init__(self, node: Node, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.node, self.problem, self.remedy = node, problem, remedy


def written(shape: Shape) -> str:
    """``(m, n)``, ``(n,)``, ``a single number``."""
    if not shape:
        return "a single number"
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def brief(node: Node) -> str:
    """The text of a node, cut to what a message can hold."""
    text = to_text(node)
    return text if len(text) <= 32 else text[:29] + "..."


def constant_index(node: Node) -> int | None:
    """The whole number that a node is, or None."""
    sign = 1
    while isinstance(node, Unary):
        sign, node = -sign, node.operand
    if isinstance(node, Num) and node.value.denominator == 1:
        return sign * int(node.value)
    return None


@dataclass
class Shapes:
    """The shape of every node that was asked for; variables without a shape are numbers."""

    declared: Mapping[str, tuple[int | str, ...]]
    variables: dict[str, Shape] = field(default_factory=dict)
    sizes: dict[str, Dim] = field(default_factory=dict)
    _known: dict[int, tuple[Node, Shape]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, sizes in self.declared.items():
            self.variables[name] = tuple(
                self.sizes.setdefault(size, Dim(size)) if isinstance(size, str)
                else Dim(number=size) for size in sizes
            )  # fmt: skip

    def of(self, node: Node) -> Shape:
        """The shape of a node. Raises Misfit."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = (node, self._infer(node))
        return known[1]

    def is_size(self, name: str) -> bool:
        """Whether a name stands for a size of some axis, and not for a variable."""
        return name in self.sizes and name not in self.variables

    def _infer(self, node: Node) -> Shape:
        match node:
            case Num():
                return ()
            case Name(name):
                return self.variables.get(name, ())
            case Unary(_, operand):
                return self.of(operand)
            case Binary("@", left, right):
                return self._product(node, left, right)
            case Binary(_, left, right) | Compare(_, left, right):
                return self._repeated(node, (left, right))
            case Transposed(operand):
                return tuple(reversed(self.of(operand)))
            case Index():
                return self._entry(node)
            case Call():
                return self._call(node)
            case Derivative():
                raise Misfit(node, "a derivative stands in a program",
                             "say what the cost is; its gradients are derived")  # fmt: skip

    # --- operators -----------------------------------------------------------------------------

    def _repeated(self, node: Node, operands: Iterable[Node]) -> Shape:
        """NumPy's broadcasting: shapes are aligned at the right, an axis of size 1 repeats."""
        operands = tuple(operands)
        shapes = [self.of(o) for o in operands]
        result: list[Dim] = []
        for back in range(1, max(map(len, shapes)) + 1):
            chosen: Dim | None = None
            for shape in shapes:
                if back > len(shape) or (chosen is not None and shape[-back].repeats):
                    continue
                dim = shape[-back]
                if chosen is not None and not chosen.repeats and not _join(chosen, dim):
                    raise self._unequal(node, operands, shapes, chosen, dim)
                chosen = dim
            assert chosen is not None
            result.append(chosen)
        return tuple(reversed(result))

    def _unequal(
        self, node: Node, operands: tuple[Node, ...], shapes: list[Shape], a: Dim, b: Dim
    ) -> Misfit:
        shown = " and ".join(
            f"{brief(o)} is {written(s)}" for o, s in zip(operands, shapes, strict=True) if s
        )
        remedy = f"an elementwise operation needs equal sizes, but {a} and {b} differ"
        if len(shapes) == 2 and len(shapes[0]) == len(shapes[1]) == 2:
            first, second = ([str(d) for d in s] for s in shapes)
            if first == second[::-1]:
                remedy += f"; did you mean {brief(operands[1])}.T?"
            elif first[1] == second[0]:
                remedy += "; the matrix product is @"
        return Misfit(node, shown, remedy)

    def _product(self, node: Node, left: Node, right: Node) -> Shape:
        """``@``: a matrix or a vector with a matrix or a vector."""
        a, b = self.of(left), self.of(right)
        shown = f"{brief(left)} is {written(a)} and {brief(right)} is {written(b)}"
        for operand, shape in ((left, a), (right, b)):
            if not shape:
                remedy = "the product with a number is *"
                if isinstance(operand, Name) and operand.name not in self.declared:
                    remedy += f", or give {operand.name} a shape: {_shape_of(operand)}"
                raise Misfit(node, shown, remedy)
            if len(shape) > 2:
                raise Misfit(node, shown, "@ takes vectors and matrices")
        inner = b[0]
        if not _join(a[-1], inner):
            remedy = f"the inner sizes {a[-1]} and {inner} must be equal"
            if len(a) == 2 and str(a[0]) == str(inner):
                remedy += f"; did you mean {_transposed(left)} @ {brief(right)}?"
            elif len(b) == 2 and str(b[1]) == str(a[-1]):
                remedy += f"; did you mean {brief(left)} @ {_transposed(right)}?"
            raise Misfit(node, shown, remedy)
        return a[:-1] + b[1:]

    def _entry(self, node: Index) -> Shape:
        """``x[0]``, ``x[1,2]``: the axes that are left; places are numbers, counted from 0."""
        shape = self.of(node.base)
        if len(node.indices) > len(shape):
            raise Misfit(node, f"{brief(node.base)} is {written(shape)}",
                         f"it takes at most {len(shape)} indices" if shape
                         else f"give it a shape: {_shape_of(node.base)}")  # fmt: skip
        for index, dim in zip(node.indices, shape, strict=False):
            place, size = constant_index(index), dim.root
            if place is None:
                raise Misfit(index, f"the index {brief(index)} is not a whole number",
                             "entries are named by numbers from 0 on, such as x[0,1]")  # fmt: skip
            if place == 0 or (place == -1 and size.number is None):
                continue  # there is a first entry and a last one, whatever the size
            if size.number is None:
                raise Misfit(index, f"entry {place} of an axis of size {size}",
                             "give the size as a number, a name may be 1")  # fmt: skip
            if not -size.number <= place < size.number:
                raise Misfit(index, f"entry {place} of an axis of size {size}",
                             f"entries are 0 to {size.number - 1}")  # fmt: skip
            size.fixed = True
        return shape[len(node.indices) :]

    # --- functions -----------------------------------------------------------------------------

    def _call(self, node: Call) -> Shape:
        args = node.args
        match node.name:
            case "sum" | "mean" | "max" | "min":
                return self._reduced(node)
            case "norm":
                self.of(args[0])
                return ()
            case "dot":
                if not self.of(args[0]) or not self.of(args[1]):
                    return self._repeated(node, args)
                return self._product(node, *args)
            case "outer":
                self._need(node, args[0], 1, "a vector")
                self._need(node, args[1], 1, "a vector")
                return self.of(args[0]) + self.of(args[1])
            case "trace":
                self._square(node, args[0])
                return ()
            case "diag":
                shape = self.of(args[0])
                if len(shape) == 1:
                    return shape * 2
                self._square(node, args[0])
                return shape[:1]
            case name if is_vector_function(name):
                if not self.of(args[0]):
                    raise Misfit(node, f"{brief(args[0])} is a single number",
                                 f"{node.name} runs along the last axis of an array")  # fmt: skip
                return self.of(args[0])
            case "sigma" | "f":
                raise Misfit(node, f"{node.name} stands for the activation of a network",
                             "name the function in a program, such as sigmoid(z)")  # fmt: skip
            case _:
                return self._repeated(node, args)

    def _reduced(self, node: Call) -> Shape:
        shape = self.of(node.args[0])
        if node.axis is None:
            return tuple(Dim(number=1) for _ in shape) if node.keepdims else ()
        if not -len(shape) <= node.axis < len(shape):
            remedy = f"axes are 0 to {len(shape) - 1}" if shape else "leave axis out"
            problem = f"axis={node.axis}, but {brief(node.args[0])} is {written(shape)}"
            raise Misfit(node, problem, remedy)
        place = node.axis % len(shape)
        kept = (Dim(number=1),) if node.keepdims else ()
        return shape[:place] + kept + shape[place + 1 :]

    def _need(self, node: Call, arg: Node, rank: int, kind: str) -> None:
        shape = self.of(arg)
        if len(shape) != rank:
            raise Misfit(node, f"{brief(arg)} is {written(shape)}", f"{node.name} takes {kind}")

    def _square(self, node: Call, arg: Node) -> None:
        self._need(node, arg, 2, "a square matrix")
        rows, columns = self.of(arg)
        if not _join(rows, columns):
            raise Misfit(node, f"{brief(arg)} is {written(self.of(arg))}",
                         f"{node.name} takes a square matrix")  # fmt: skip


def _shape_of(node: Node) -> str:
    """How a shape is given, which one line of text cannot."""
    return f'{brief(node)} = "n" in the table [shapes] of a .toml file'


def _transposed(node: Node) -> str:
    return brief(node.operand) if isinstance(node, Transposed) else brief(Transposed(node))


def _join(a: Dim, b: Dim) -> bool:
    """Make two sizes one; False where they differ, as a name does from a number."""
    a, b = a.root, b.root
    if a is b:
        return True
    if a.name or b.name or a.number != b.number:
        return False
    a.fixed = a.fixed or b.fixed
    b.joined = a
    return True
