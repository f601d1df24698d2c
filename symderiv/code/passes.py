"""Statements as functions: the forward pass, the cost, the errors, and what calls them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from symderiv.algebra.expr import ONE, Apply, Role, Sum, Tensor
from symderiv.algebra.index import Index
from symderiv.calculus.composed import group_of, inputs_of
from symderiv.calculus.functions import rows
from symderiv.code.functions import NoCode, number
from symderiv.code.lines import listed, returned, statement, unpacked
from symderiv.code.parameters import Parameter
from symderiv.code.program import Program
from symderiv.code.statements import Item, Line, Loop, Use, needed


class Passes:
    """The bodies of the functions of a module, as finished lines."""

    def __init__(
        self, program: Program, parameters: Sequence[Parameter], frozen: Collection[Tensor]
    ) -> None:
        graph = program.graph
        self.program, self.naming = program, program.naming
        self.x, self.y = only(graph.inputs, Role.INPUT), only(graph.inputs, Role.TARGET)
        known = dict(graph.defaults)
        hyper = [t for t in graph.inputs if t.role is Role.HYPERPARAMETER]
        self.hyper = {t.name: number(known[t]) if t in known else "0.0" for t in hyper}
        self.names = [p.name for p in parameters]
        loss = only(graph.tensors, Role.LOSS)
        (self.loss,) = graph.definitions_of(loss)
        self.result = next(
            a for a in inputs_of(group_of(graph, self.loss)) if a.tensor.role is not Role.TARGET
        )

        self.gradients = [g for item in program.gradients for g in without(item, frozen)]
        self.inputs = program.inputs
        backward = [*self.gradients, *self.inputs]
        self.cost = needed(program.cost, [(graph.cost, None)])
        self.errors = needed(program.errors, uses_of(backward))
        self.forward = needed(program.forward, uses_of([*self.cost, *self.errors, *backward]))
        member = self.result.member
        computed = needed(program.forward, [(self.result.tensor, member)])
        self.last = [i for i in computed if i not in self.forward]
        self.returned = f"return {self.naming.python(self.result.tensor, member)}"
        self.last_needs = reads(self.last) or {self.naming.family(self.result.tensor)}

        after = reads([*self.cost, *self.errors, *backward]) | self.last_needs
        self.forward_names = [n for n in made(self.forward) if n in after]
        outer = {*reads([*self.forward, *self.last])} & {*self.hyper}
        self.hyper_forward = {n: v for n, v in self.hyper.items() if n in outer}
        backward_reads = outer | (reads([*self.errors, *self.inputs]) & {*self.hyper})
        self.hyper_input = {n: v for n, v in self.hyper.items() if n in backward_reads}
        self.arguments = {
            "_forward": self._arguments(self.forward),
            "_cost": self._arguments(self.cost),
            "_errors": self._arguments(self.errors),
        }

    # --- helper functions ----------------------------------------------------------------------

    def head(self, name: str) -> list[str]:
        """The first line of a helper function."""
        return listed(f"def {name}(", self.arguments[name], "):", 0)

    def forward_body(self) -> list[str]:
        """The forward pass as far as costs and gradients need it."""
        return [
            *self.setup(self.forward, self.arguments["_forward"]),
            *lines_of(self.forward),
            *returned(self.forward_names),
        ]

    def cost_body(self) -> list[str]:
        """The cost from the last quantities of the forward pass."""
        return [*self.setup(self.cost, self.arguments["_cost"]), *_returned(self.cost)]

    def errors_body(self) -> list[str]:
        """The backward pass."""
        return [
            *self.setup(self.errors, self.arguments["_errors"]),
            *lines_of(self.errors),
            *returned(made(self.errors)),
        ]

    # --- what is called from outside -------------------------------------------------------------

    def output(self) -> list[str]:
        """The body of ``forward``."""
        lines = [
            *unpacked([*self.names, "X"], "_arrays(params, X)"),
            *self._call("_forward", self.forward_names, self.last_needs),
        ]
        known = {*self.names, "X", *self.forward_names}
        if not self.last:
            last = {"L"} if "[L]" in self.returned else set()
            return [*lines, *self._sizes(last, known), f"    {self.returned}"]
        sizes, families = self._sizes(reads(self.last), known), _families(self.last[:-1])
        return [*lines, *sizes, *families, *_returned(self.last)]

    def value(self) -> list[str]:
        """The body of ``cost``."""
        return [
            *self._unpack(),
            *self._call("_forward", self.forward_names, self.arguments["_cost"]),
            f"    return float({self.call('_cost')})",
        ]

    def value_and_gradients(self, generic: bool) -> list[str]:
        """The body of ``cost_and_gradients``."""
        needs = {*reads(self.gradients), *self.arguments["_cost"], *self.arguments["_errors"]}
        lines = [
            *self._unpack(),
            *self._call("_forward", self.forward_names, needs),
            *self._call("_errors", made(self.errors), reads(self.gradients)),
            *self._sizes(reads(self.gradients), {*self.names, "X", "Y", *self.forward_names}),
            *(["    gradients = {}"] if generic else []),
            *lines_of(self.gradients),
        ]
        if not generic:
            pairs = [
                f'"{self.naming.family(line.tensor.of)}": {line.target}'
                for item in self.gradients
                for line in item.lines
                if line.tensor.of is not None
            ]
            lines += listed("gradients = {", pairs, "}")
        return [*lines, f"    return float({self.call('_cost')}), gradients"]

    def input_gradient(self) -> list[str]:
        """The body of ``input_gradient``."""
        needs = {*reads(self.inputs), *self.arguments["_errors"]}
        known = {*self.names, "X", "Y", *self.forward_names}
        return [
            *self._unpack(),
            *self._call("_forward", self.forward_names, needs),
            *self._call("_errors", made(self.errors), reads(self.inputs)),
            *self.setup(self.inputs, known),
            *_returned(self.inputs),
        ]

    def reference(self, reference: Program) -> list[str]:
        """The body of ``reference_cost``: the definitions as they stand, without their notes."""
        items = [*reference.forward, *reference.cost]
        sizes = self._sizes(reads(items) - {"L"}, [*self.names, "X", "Y"])
        return [*sizes, *_families(items), *_returned(items, notes=False)]

    def cost_doc(self) -> str:
        """What the cost is, in words."""
        row = rows().get(self.loss.part_of)
        entry = self.loss.body.body if isinstance(self.loss.body, Sum) else self.loss.body
        name = entry.function if isinstance(entry, Apply) else row.name if row else "the loss"
        doc = f"{name}, summed over the outputs"
        if self.program.layout != "single":
            mean = self.program.factor() != ONE
            doc = f"The {'mean' if mean else 'sum'} over the examples of {doc}"
        doc = doc[0].upper() + doc[1:]
        penalized = any(t.role is Role.PENALTY for t in self.program.graph.tensors)
        return f"{doc}, plus the penalty." if penalized else f"{doc}."

    def call(self, name: str) -> str:
        """A call of a helper function."""
        return f"{name}({', '.join(self.arguments[name])})"

    # --- pieces --------------------------------------------------------------------------------

    def setup(self, items: Sequence[Item], known: Iterable[str]) -> list[str]:
        """Sizes, and an empty dict for each family whose members are made."""
        return setup_lines(self.program, items, known)

    def _sizes(self, names: Iterable[str], known: Iterable[str]) -> list[str]:
        return size_lines(self.program, names, known)

    def _unpack(self) -> list[str]:
        return unpacked([*self.names, "X", "Y"], "_arrays(params, X, Y)")

    def _call(self, name: str, result: Sequence[str], needs: Iterable[str]) -> list[str]:
        """Call a helper and keep what is needed: all of it, or the last value alone."""
        wanted = set(needs) & set(result)
        if not wanted:
            return []
        if len(result) == 1:
            return statement(f"{result[0]} = {self.call(name)}")
        if wanted == {result[-1]}:
            return statement(f"*_, {result[-1]} = {self.call(name)}")
        return unpacked(result, self.call(name))

    def _arguments(self, items: Sequence[Item]) -> list[str]:
        """What items read and do not make themselves, in the order of the derivation."""
        graph, name = self.program.graph, self.naming.family
        order = [*self.names, name(self.x)]
        order += [name(d.target) for d in graph.definitions]
        order += [name(a.tensor) for a in self.program.derivation.adjoints]
        order += [name(self.y), *self.hyper]
        wanted = reads(items) - set(made(items)) - set(size_sources(self.program))
        return [n for n in dict.fromkeys(order) if n in wanted]


def setup_lines(
    program: Program, items: Sequence[Item], known: Iterable[str], also: Iterable[str] = ()
) -> list[str]:
    """Sizes (``also`` those read later), and an empty dict for each family with members."""
    return [*size_lines(program, {*reads(items), *also}, known), *_families(items)]


def size_lines(program: Program, names: Iterable[str], known: Iterable[str]) -> list[str]:
    """``m = X.shape[1]`` for each size that is read."""
    lines, given = [], set(known)
    sources = size_sources(program)
    for size in sorted(set(names) - _arrays(program)):
        text = next((text for name, text in sources.get(size, ()) if name in given), None)
        if text is None:
            raise NoCode(f"no array that is left in the equations shows the size {size}")
        lines.append(f"    {size} = {text}")
    return lines


def _arrays(program: Program) -> set[str]:
    """What lines read that is no size: quantities, and the gradients by them."""
    adjoints = (a.tensor for a in program.derivation.adjoints)
    return {program.naming.family(t) for t in (*program.graph.tensors, *adjoints)}


def size_sources(program: Program) -> dict[str, list[tuple[str, str]]]:
    """Where a size can be read off: ``m`` from X, Y, z1, ...; ``L`` from the number of W[l]."""
    naming = program.naming
    found: dict[str, list[tuple[str, str]]] = {}
    for tensor in program.graph.tensors:
        name = naming.family(tensor)
        if tensor.ordered:
            layers = tensor.slots[0].axis
            text = {Index(0): f"len({name}) - 1", Index(1): f"len({name})"}.get(layers.start)
            if text:
                found.setdefault(naming.index(layers.stop), []).append((name, text))
            continue
        for place, axis in enumerate(tensor.axes):
            size = str(naming.size(axis.size))
            found.setdefault(size, []).append((name, f"{name}.shape[{place}]"))
    return {size: places for size, places in found.items() if size.isidentifier()}


def only(tensors: Iterable[Tensor], role: Role) -> Tensor:
    """The one tensor of this role. Raises NoCode."""
    found = [t for t in tensors if t.role is role]
    if len(found) != 1:
        raise NoCode(f"a module needs one {role.value}, and this graph has {len(found)}")
    return found[0]


def reads(items: Iterable[Item]) -> set[str]:
    """The names that items read."""
    return {name for item in items for name in item.reads}


def made(items: Iterable[Item]) -> list[str]:
    """The names that items define, families once."""
    return list(dict.fromkeys(n.target.split("[")[0] for item in items for n in item.lines))


def without(item: Item, frozen: Collection[Tensor]) -> list[Item]:
    """A gradient, but not of the frozen parameters."""
    lines = tuple(line for line in item.lines if line.tensor.of not in frozen)
    if isinstance(item, Line) or not lines:
        return [item] if lines else []
    return [Loop(item.head, item.reads, lines)]


def _families(items: Iterable[Item]) -> list[str]:
    """``z, a = {}, {}``: the members of a family, by their layer."""
    targets = [line.target for item in items for line in item.lines if "[" in line.target]
    names = [n for n in dict.fromkeys(t.split("[")[0] for t in targets) if n != "gradients"]
    return [f"    {', '.join(names)} = {', '.join('{}' for _ in names)}"] if names else []


def uses_of(items: Iterable[Item]) -> list[Use]:
    """The tensors that items read."""
    return [use for item in items for line in item.lines for use in line.uses]


def lines_of(items: Iterable[Item], notes: bool = True) -> list[str]:
    """The items as indented lines."""
    lines: list[str] = []
    for item in items:
        indent = 4
        if isinstance(item, Loop):
            lines.append(f"    {item.head}")
            indent = 8
        for line in item.lines:
            note = line.note if notes else ""
            lines += statement(f"{line.target} = {line.text}", note, indent)
    return lines


def _returned(items: Sequence[Item], notes: bool = True) -> list[str]:
    """The lines, the last one as what is returned."""
    *before, last = items
    if not isinstance(last, Line):
        raise NoCode("a function that ends in a loop")
    note = last.note if notes else ""
    return [*lines_of(before, notes), *statement(f"return {last.text}", note)]
