"""A derivation as straight-line statements: the forward pass, the cost, the errors, the gradients.

Forward statements are the definitions, backward statements the stable forms of the adjoints; each
is one line that cites its equation. Generic depth gives loops over the layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symderiv.algebra.binding import free_variables, substitute
from symderiv.algebra.expr import (
    ONE,
    Access,
    Apply,
    Expr,
    Role,
    Sum,
    Tensor,
    mul,
    sum_over,
    tensors_in,
    walk,
)
from symderiv.algebra.index import (
    Axis,
    Index,
    Var,
    fresh,
    is_nonnegative,
    substitute_axis,
)
from symderiv.algebra.matrix import Fill, Matrix, MatrixExpr, Scalar, children
from symderiv.algebra.matrixform import matrix_form, row_axes
from symderiv.calculus.brackets import guard_of
from symderiv.calculus.composed import group_of, inputs_of
from symderiv.calculus.functions import ScalarFunction, VectorFunction, rows
from symderiv.calculus.graph import Definition, Recurrence
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.code.choices import chosen, may_fail
from symderiv.code.emit import Emitter
from symderiv.code.entries import with_single, with_slices, without_single
from symderiv.code.formula import formula
from symderiv.code.functions import Functions, NoCode
from symderiv.code.indexed import Indexed
from symderiv.code.names import Naming
from symderiv.code.pieces import Piece
from symderiv.code.stable import (
    Forms,
    Head,
    find_head,
    summed_axis,
    with_log_sigmoid,
)
from symderiv.code.statements import Item, Line, Loop, Use, needed
from symderiv.notation import Names, Numbering, text


class Program:
    """All statements of a derivation, in five groups, and the functions that they call.

    With ``reference`` the definitions are written as they stand, and nothing is backward.
    """

    def __init__(
        self,
        derivation: Derivation,
        naming: Naming,
        layout: str,
        reference: bool = False,
        numbering: Numbering | None = None,
        scipy: bool = False,
    ) -> None:
        self.graph = derivation.graph
        self.derivation = derivation
        self.naming = naming
        self.layout = layout
        self.reference = reference
        self.head = None if reference else find_head(self.graph)
        self.batch = next((t for t in self.graph.inputs if t.role is Role.INPUT), None)
        data = self.batch is not None and not naming.keeps_names
        self.rows = row_axes(self.batch) if self.batch is not None and data else frozenset()
        self.functions = Functions(reference=reference, scipy=scipy)
        self.libraries = "NumPy and SciPy" if scipy else "NumPy alone"
        columns = layout == "columns" and not naming.keeps_names
        self.emitter = Emitter(naming, self.functions, columns, reference)
        self.numbering = numbering or Numbering(derivation, naming.notation)
        self.drops = False  # whether a side that np.where leaves out may have no value

        self.forward, self.cost = self._forward()
        self.errors: list[Item] = []
        self.gradients: list[Item] = []
        self.inputs: list[Item] = []
        if not reference:
            self._backward()

    # --- forward -------------------------------------------------------------------------------

    def _forward(self) -> tuple[list[Item], list[Item]]:
        forward: list[Item] = []
        cost: list[Item] = []
        for block in self.graph.blocks:
            if isinstance(block, Recurrence):
                forward.extend(self._recurrence(block))
                continue
            last = block.target.role in (Role.LOSS, Role.PENALTY, Role.COST)
            (cost if last else forward).append(self._definition(block))
        return forward, cost

    def _definition(self, definition: Definition) -> Line:
        tensor = definition.target
        head = self.head
        if tensor.role is Role.LOSS and head is not None:
            line = self._loss(definition, head)
            return replace(line, note=self._fused_note(definition, head)) if head.of else line
        row, group = rows().get(definition.part_of), group_of(self.graph, definition)
        if isinstance(row, VectorFunction) and len(group) > 1 and not self.reference:
            args = _ordered(row, _unique(inputs_of(group)))
            tag = self._tag(definition)
            return self._vector(definition.left, row, args, summed_axis(group), tag)
        return self._line(definition.left, definition.body, self._tag(definition))

    def _fused_note(self, definition: Definition, head: Head) -> str:
        """The equation as the document has it, and what it is computed from instead."""
        node = matrix_form(definition.body, definition.left.indices, self.rows)
        if node is None:
            return f"{self._tag(definition)} by way of {head.row.name}"
        shown = self._show(definition.left, node, self._tag(definition))
        return f"{shown}, straight from {self.naming.formula(*_use(head.argument))}"

    def _loss(self, definition: Definition, head: Head) -> Line:
        if isinstance(head.row, VectorFunction):
            args = [head.argument, head.target]
            return self._vector(definition.left, head.row, args, head.axis, self._tag(definition))
        body: Expr = Apply(
            head.row.name,
            (head.argument, head.target, *head.rest),
            (0,) * (2 + len(head.rest)),
        )
        if isinstance(definition.body, Sum):
            body = sum_over(definition.body.var, body)
        return self._line(definition.left, body, self._tag(definition))

    def _recurrence(self, block: Recurrence) -> list[Item]:
        """A loop as far as all equations reach; the last layer of the others after it."""
        axes = [_first(d).axis for d in block.definitions]
        short = min(axes, key=lambda a: is_nonnegative(a.stop - axes[0].stop) is True)
        lines, after = [], []
        for definition, axis in zip(block.definitions, axes, strict=True):
            tag = self._tag(definition)
            lines.append(self._line(definition.left, definition.body, tag))
            if axis.stop == short.stop:
                continue
            if axis.stop - short.stop != Index(1) or axis.start != short.start:
                raise NoCode("a recurrence whose equations differ in more than the last member")
            left = _member(definition.target, axis.stop)
            body = definition.at(left)
            assert body is not None
            after.append(self._line(left, body, tag))
        return [self._loop(lines, short, block.var.name), *after]

    # --- backward ------------------------------------------------------------------------------

    def _backward(self) -> None:
        head = self.head
        adjoints = self.derivation.adjoints
        kept = {a.tensor for a in adjoints if a.of.role in (Role.PARAMETER, Role.INPUT)}
        kept |= {a.tensor for a in adjoints if a.tensor.named or (head and head.at(a))}
        self.forms = Forms(self.derivation, kept)
        groups = {Role.PARAMETER: self.gradients, Role.INPUT: self.inputs}
        for adjoint in adjoints:
            if adjoint.tensor not in kept:
                continue
            group = groups.get(adjoint.of.role, self.errors)
            line = self.adjoint(adjoint)
            member = adjoint.left.member
            variable = None if member is None else member.variable
            if variable is None:
                group.append(line)
                continue
            loop = self._loop([line], variable.axis, variable.name)
            if group and isinstance(group[-1], Loop) and group[-1].head == loop.head:
                joined = (*group[-1].lines, *loop.lines)
                group[-1] = replace(loop, lines=joined, reads=group[-1].reads | loop.reads)
            else:
                group.append(loop)

    def adjoint(self, adjoint: Adjoint) -> Line:
        """The statement that computes an adjoint, in its stable form."""
        head = self.head
        found = head.at(adjoint) if head else None
        if head is not None and found is not None:
            return self._head_error(adjoint, head)
        form = self.forms.of(adjoint)
        return self._line(adjoint.left, form, self._cited(adjoint))

    def _head_error(self, adjoint: Adjoint, head: Head) -> Line:
        factor = self.factor() if adjoint.tensor.root == self.graph.cost else ONE
        closed = self._note(adjoint.left, adjoint.closed, self._cited(adjoint))
        if isinstance(head.row, VectorFunction):
            if factor != ONE:
                raise NoCode(f"the gradient of {head.row.name} is scaled")
            args = [head.argument, head.target]
            line = self._vector(adjoint.left, head.row, args, head.axis, "", prime=True)
            return replace(line, note=closed)
        orders = (1, *(0,) * (1 + len(head.rest)))
        body: Expr = Apply(head.row.name, (head.argument, head.target, *head.rest), orders)
        mapping = {
            mine.variable: index
            for mine, index in zip(head.argument.indices, adjoint.indices, strict=True)
            if mine.variable is not None
        }
        body = substitute(body, mapping)
        line = self._line(adjoint.left, mul(factor, body), "")
        return replace(line, note=closed)

    def factor(self) -> Expr:
        """∂C/∂ℓ, the same for every example: 1/m or 1."""
        found = (a.closed for a in self.derivation.adjoints if a.of.role is Role.LOSS)
        return next(found, ONE)

    def comparisons(self) -> tuple[list[Item], dict[str, Piece]]:
        """The brackets of the forward pass as arrays, and the items that compute what they read."""
        found: dict[str, Piece] = {}
        uses: list[Use] = []
        for definition in self.graph.definitions:
            for node in walk(definition.body):
                guard = guard_of(node)
                if guard is None or not guard.holds:
                    continue
                entries = [e for e in walk(guard.argument) if isinstance(e, Access)]
                free = free_variables(guard.argument)
                axes = dict.fromkeys(i.variable for e in entries for i in e.indices)
                piece = Indexed(self.emitter).array(
                    with_slices(guard.argument, self.naming),
                    [v for v in axes if v is not None and v in free],
                )
                uses += [(e.tensor, None) for e in entries]
                found.setdefault(f"{piece.text} > 0", piece)
        return needed([*self.forward, *self.cost], uses), found

    # --- lines ---------------------------------------------------------------------------------

    def _tag(self, definition: Definition) -> str:
        return f"({self.numbering.definitions[definition]})"

    def _cited(self, adjoint: Adjoint) -> str:
        """The tag of a gradient or an error; "" where the document does not have it."""
        tag = self.numbering.equation(adjoint)
        return f"({tag})" if tag else ""

    def _line(self, left: Access, body: Expr, tag: str) -> Line:
        lean, inner = without_single(left, body) if self.naming.keeps_names else (left, body)
        computed = self._computed(inner)
        node = self._matrix(inner, lean)
        made = node if computed == inner else self._matrix(computed, lean)
        if node is None or made is None:
            return self._indexed(left, lean, computed, self._as_text(left, body, tag))
        piece = self.emitter.piece(made)
        return self._made(left, piece, list(_leaves(made)), self._show(left, node, tag))

    def _matrix(self, body: Expr, left: Access) -> MatrixExpr | None:
        """The matrix form, with constant entries as slices."""
        body = with_slices(body, self.naming) if self.naming.keeps_names else body
        return matrix_form(body, left.indices, self.rows)

    def _computed(self, body: Expr) -> Expr:
        """The body as it is computed: brackets choose, and log σ has a row of its own."""
        computed = chosen(body, self.graph)
        self.drops |= computed != body and may_fail(computed, self.graph)
        return computed if self.reference else with_log_sigmoid(computed, self.graph)

    def _indexed(self, left: Access, lean: Access, computed: Expr, note: str) -> Line:
        """A line without a matrix form."""
        if self.naming.keeps_names:
            computed = with_slices(computed, self.naming)
        plain = [i.variable for i in lean.indices[left.tensor.ordered :]]
        axes = [v for v in plain if v is not None]
        piece = Indexed(self.emitter).array(computed, axes)
        accesses = [node for node in walk(computed) if isinstance(node, Access)]
        uses = [_use(a) for a in accesses]
        return self._made(left, piece, uses, note)

    def _as_text(self, left: Access, body: Expr, tag: str) -> str:
        """The comment of a line without a matrix form: its equation with indices."""
        own = self.naming.spelling if self.naming.keeps_names else None
        names = Names(self.naming.notation, spelled_as=own)
        plain = [i.variable for i in left.indices[left.tensor.ordered :]]
        names.fix(*(v for v in plain if v is not None))
        sides = (text(side, names.notation, names) for side in (left, body))
        return f"{tag} {' = '.join(sides)}".strip()

    def _made(self, left: Access, piece: Piece, uses: list[Use], note: str) -> Line:
        member = left.member
        if self.naming.keeps_names:
            piece = with_single(piece, left, self.naming)
        piece = self.emitter.stored(piece, left.tensor, member)
        uses = [(self.naming.whole(tensor), index) for tensor, index in uses]
        of = left.tensor.of
        if of is not None and self.naming.family(of) in piece.reads:
            uses.append((of, member))
        target = self._target(left.tensor, member)
        return Line(left.tensor, member, target, piece.text, tuple(uses), piece.reads, note)

    def _vector(
        self,
        left: Access,
        row: VectorFunction | ScalarFunction,
        args: list[Access],
        axis: int,
        tag: str,
        prime: bool = False,
    ) -> Line:
        member = left.member
        uses = [_use(a) for a in args]
        names = [self.naming.python(*use) for use in uses]
        call = self.functions.call_vector(row.name, names, axis, prime)
        shown = ", ".join(self.naming.formula(*use) for use in uses)
        note = ""
        if not prime:
            note = f"{tag} {self.naming.formula(left.tensor, member)} = {row.name}({shown})"
        reads = frozenset(self.naming.family(a.tensor) for a in args)
        members = [i for _, i in uses if i is not None]
        reads |= frozenset(self.naming.index(i) for i in members if i.terms)
        target = self._target(left.tensor, member)
        return Line(left.tensor, member, target, call, tuple(uses), reads, note)

    def _target(self, tensor: Tensor, member: Index | None) -> str:
        of = tensor.of
        if of is not None and of.role is Role.PARAMETER and member is not None:
            return f'gradients[f"{self.naming.family(of)}{{{self.naming.index(member)}}}"]'
        return self.naming.python(tensor, member)

    def _note(self, left: Access, body: Expr, tag: str) -> str:
        node = matrix_form(body, left.indices, self.rows)
        return tag if node is None else self._show(left, node, tag)

    def _show(self, left: Access, node: MatrixExpr, tag: str) -> str:
        equation = f"{self.naming.formula(*_use(left))} = {formula(node, self.naming)}"
        return f"{tag} {equation}".strip()

    def _loop(self, lines: list[Line], axis: Axis, var: str) -> Loop:
        down = any(
            t == line.tensor and i is not None and line.member is not None and i == line.member + 1
            for line in lines
            for t, i in line.uses
        )
        start, stop = self.naming.index(axis.start), self.naming.index(axis.stop)
        if down:
            before = self.naming.index(axis.start - 1)
            head = f"for {var} in range({stop}, {before}, -1):"
        else:
            head = f"for {var} in {self.naming.range(axis)}:"
        inside = frozenset().union(*(line.reads for line in lines)) - {var}
        sizes = {n for n in (stop, start) if n.isidentifier()} | (
            {"L"} if "L" in stop.split() else set()
        )
        return Loop(head, inside | sizes, tuple(lines))


def _first(definition: Definition) -> Var:
    variable = definition.indices[0].variable
    assert variable is not None
    return variable


def _member(family: Tensor, index: Index) -> Access:
    """Any entry of one member of a family."""
    mapping = {family.slots[0]: index}
    free = [fresh(substitute_axis(s.axis, mapping), s.name) for s in family.slots[1:]]
    return family[(index, *free)]


def _unique(accesses: list[Access]) -> list[Access]:
    seen: dict[Tensor, Access] = {}
    for access in accesses:
        seen.setdefault(access.tensor, access)
    return list(seen.values())


def _ordered(row: VectorFunction, used: list[Access]) -> list[Access]:
    """The arguments of a vector function in the order of its row: the target is ``y``."""
    target = [a for a in used if a.tensor.role is Role.TARGET]
    others = [a for a in used if a.tensor.role is not Role.TARGET]
    if len(used) != len(row.arguments):
        raise NoCode(f"the arguments of {row.name} are not recognised")
    return others + target


def _use(access: Access) -> Use:
    return access.tensor, access.member


def _leaves(node: MatrixExpr) -> Iterator[Use]:
    """The tensors that a matrix form reads."""
    if isinstance(node, Matrix):
        yield node.tensor, node.member
    if isinstance(node, Scalar | Fill):
        yield from ((tensor, None) for tensor in tensors_in(node.value))
    for child in children(node):
        yield from _leaves(child)
