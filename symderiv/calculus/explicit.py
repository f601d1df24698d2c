"""The whole network written out by SymPy, symbol by symbol, and differentiated there.

At sizes that are numbers every entry of every quantity is a symbol, every equation is spelled
out, and SymPy derives δᴸ, δˡ and ∂C/∂w by itself, layer by layer: a local ``diff`` for each pair
of a quantity and its user, the chain rule as a sum over the users, ``cancel`` at the end. Nothing
here knows a stated derivative or how the index result was found, so :func:`compare` is a second
opinion on it. This module imports SymPy: import it inside the function that needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import sympy

from symderiv.algebra.expr import Access, Expr, Role, Tensor
from symderiv.algebra.index import Size
from symderiv.calculus.exchange import Concrete, Env, Where, as_array, entry_symbol
from symderiv.calculus.graph import EXAMPLE, Graph
from symderiv.calculus.kernels import ClosedForm, Kernels, closed_form, pattern_slots, turned
from symderiv.calculus.steps import Derivation

Key = tuple[Tensor, Where]
Pair = tuple[Any, Any]


class Entry(NamedTuple):
    """What a symbol stands for: an entry, or (with a root) the derivative of the root by it."""

    tensor: Tensor
    where: Where
    root: Tensor | None = None


class Written(NamedTuple):
    """Equations (left, right) in SymPy: forward, the errors from last to first, the gradients."""

    forward: tuple[Pair, ...]
    errors: tuple[Pair, ...]
    gradients: tuple[Pair, ...]


@dataclass
class ExplicitNetwork:
    """A graph at sizes that are numbers; adjoints are derived when asked for, and kept."""

    graph: Graph
    concrete: Concrete
    right: dict[Key, Any]
    entries: dict[Any, Entry] = field(default_factory=dict)
    closed_forms: dict[Any, ClosedForm] = field(default_factory=dict)
    _adjoints: dict[Key, Any] = field(default_factory=dict)
    _reach: dict[Key, frozenset[Key]] = field(default_factory=dict)

    @classmethod
    def from_graph(cls, graph: Graph, sizes: Mapping[Size, int]) -> ExplicitNetwork:
        """Spell every equation out. Raises ValueError for an entry that has none, or two."""
        net = cls(graph, Concrete({**graph.sizes, **sizes}), {})
        for definition, env in net.concrete.equations(graph):
            key = definition.target, net.concrete.where(definition.indices, env)
            if key in net.right:
                raise ValueError(f"two equations define {net.symbol(*key)}")
            net.right[key] = net.spell(definition.body, env)
            net.symbol(*key)
        for used in sorted(net.users, key=str):
            tensor, where, _ = net.entries[used]
            if graph.definitions_of(tensor) and (tensor, where) not in net.right:
                raise ValueError(f"no equation defines {used}")
        return net

    # --- symbols ---------------------------------------------------------------------------------

    def symbol(self, tensor: Tensor, where: Where) -> Any:
        """The symbol of an entry of a forward tensor."""
        made = entry_symbol(tensor, where)
        self.entries.setdefault(made, Entry(tensor, where))
        return made

    def adjoint_symbol(self, tensor: Tensor, where: Where) -> Any:
        """The symbol of the derivative by an entry: of its example's loss, or of the cost."""
        root = self.root(tensor)
        inside = ",".join(map(str, where))
        made = sympy.Symbol(f"d{root.name}/d{tensor.name}[{inside}]", real=True)
        self.entries.setdefault(made, Entry(tensor, where, root))
        return made

    def spell(self, expr: Expr, env: Env) -> Any:
        """An index expression in the symbols of this network; unnamed adjoints by their value."""
        return self.concrete.spell(expr, env, self._atom, self._right_side)

    def _atom(self, tensor: Tensor, where: Where) -> Any:
        if tensor.role is not Role.ADJOINT:
            return self.symbol(tensor, where)
        assert tensor.of is not None
        return self._factor(tensor.of, where)

    def _right_side(self, access: Access, env: Env) -> Any:
        key = access.tensor, self.concrete.where(access.indices, env)
        return self.right.get(key, self.symbol(*key))

    # --- the network -----------------------------------------------------------------------------

    def value(self, tensor: Tensor, where: Where = ()) -> Any:
        """The right side of the equation of an entry; of an input, its symbol."""
        return self.right.get((tensor, where), self.symbol(tensor, where))

    @cached_property
    def users(self) -> dict[Any, list[Key]]:
        """For each symbol the entries whose equations use it."""
        found: dict[Any, list[Key]] = {}
        for key, value in self.right.items():
            for symbol in sorted(value.free_symbols, key=str):
                found.setdefault(symbol, []).append(key)
        return found

    @cached_property
    def _folds(self) -> dict[Any, Any]:
        """q = c · rest with an auxiliary c, read backwards: c = q / rest."""
        found: dict[Any, Any] = {}
        for key, value in self.right.items():
            for factor in value.args if value.is_Mul else ():
                entry = self.entries.get(factor)
                if entry is not None and entry.tensor.role is Role.AUXILIARY:
                    found.setdefault(factor, self.symbol(*key) * factor / value)
        return found

    @cached_property
    def facts(self) -> dict[Any, Any]:
        """The assumptions on the inputs, each solved for one symbol that it is linear in."""
        found: dict[Any, Any] = {}
        for fact in self.graph.facts:
            for env in self.concrete.assignments(fact.variables):
                rest = sympy.expand(self.spell(fact.left, env) - self.spell(fact.right, env))
                for symbol in sorted(rest.free_symbols, key=str, reverse=True):
                    slope = sympy.diff(rest, symbol)
                    if slope.is_Rational and slope != 0:
                        found[symbol] = sympy.expand(symbol - rest / slope)
                        break
        return found

    # --- derivatives -----------------------------------------------------------------------------

    def root(self, tensor: Tensor) -> Tensor:
        """What the adjoint of a tensor differentiates: the loss of one example, or the cost."""
        loss = self.graph.example_loss
        if loss is not None and tensor != loss and tensor in self.graph.per_example:
            return loss
        return self.graph.cost

    def adjoint(self, tensor: Tensor, where: Where = ()) -> Any:
        """The derivative by an entry, in the symbols of values and of named adjoints.

        Raises ValueError where an error of one example would miss another way to the cost.
        """
        key = tensor, where
        if key not in self._adjoints:
            self._adjoints[key] = self._derived(tensor, where)
        return self._adjoints[key]

    def gradient(self, tensor: Tensor, member: int | None = None) -> Any:
        """The adjoints of all entries in storage order; ``member`` picks one layer of a family."""
        slots = list(tensor.slots)
        env: Env = {} if member is None else {slots.pop(0): member}
        first = () if member is None else (member,)
        if any(v in slots for w in slots for v in w.axis.size.variables):
            raise ValueError(f"{tensor.name} is a family; say which member")
        places = [tuple(a[v] for v in slots) for a in self.concrete.assignments(slots, env)]
        shape = [len(self.concrete.span(v.axis, env)) for v in slots]
        return as_array([self.adjoint(tensor, (*first, *p)) for p in places], shape)

    def _derived(self, tensor: Tensor, where: Where) -> Any:
        if tensor == self.graph.cost:
            return sympy.Integer(1)
        root, own = self.root(tensor), self.symbol(tensor, where)
        if root != self.graph.cost:
            pairs = zip(tensor.slots, where, strict=True)
            example = tuple(n for slot, n in pairs if slot.axis.name == EXAMPLE)
            if self.reach(tensor, where) - {(root, example)}:
                raise ValueError(f"{own} reaches the cost not only through its example's loss")
        terms = []
        for user, place in self.users.get(own, []):
            if user == root:
                terms.append(self._local((user, place), own))
                continue
            term = self._factor(user, place) * self._local((user, place), own)
            if root == self.graph.cost and self.root(user) != root:
                (loss,) = self.reach(user, place)
                term *= self.adjoint(*loss)
            terms.append(term)
        return self._compact(sympy.Add(*terms))

    def _factor(self, tensor: Tensor, where: Where) -> Any:
        """An adjoint inside another: a symbol if it has a name, else its value."""
        if tensor.name in self.graph.named:
            return self.adjoint_symbol(tensor, where)
        return self.adjoint(tensor, where)

    def reach(self, tensor: Tensor, where: Where) -> frozenset[Key]:
        """The losses of examples through which an entry reaches the cost, or the cost itself."""
        key = tensor, where
        if key not in self._reach:
            if tensor in (self.graph.cost, self.graph.example_loss):
                self._reach[key] = frozenset([key])
            else:
                users = self.users.get(self.symbol(*key), [])
                self._reach[key] = frozenset().union(*(self.reach(*u) for u in users))
        return self._reach[key]

    def _local(self, user: Key, wrt: Any) -> Any:
        """∂(right side of the user)/∂(symbol), by SymPy; in terms of the value where it can be."""
        right = self.right[user]
        if not right.has(sympy.exp):
            return sympy.diff(right, wrt)
        symbols = sorted(right.free_symbols, key=str)
        slots = pattern_slots(len(symbols))
        pattern = right.xreplace(dict(zip(symbols, slots, strict=True)))
        form = closed_form(pattern, slots[symbols.index(wrt)])
        self.closed_forms.setdefault((pattern, form.argument), form)
        images = dict(zip(slots, symbols, strict=True)) | {form.value: self.symbol(*user)}
        return form.closed.xreplace(images)

    def _compact(self, total: Any) -> Any:
        """The shortest of: as it is, cancelled, cancelled after folds, and after the facts."""
        powers = total.atoms(sympy.Pow)
        rational = all(p.exp.is_Integer for p in powers) and not total.atoms(sympy.Function)
        if not (rational and any(p.exp.is_negative and p.base.free_symbols for p in powers)):
            return total
        folded = total.xreplace(self._folds)
        candidates = [total, *(sympy.factor(sympy.cancel(c)) for c in (total, folded))]
        if not self.facts.keys().isdisjoint(total.free_symbols):
            candidates.append(sympy.factor(sympy.cancel(folded.xreplace(self.facts))))
        return turned(min(candidates, key=sympy.count_ops))

    def written_out(self, wrt: Iterable[Tensor] | None = None) -> Written:
        """All equations of a small network: forward, errors, and gradients by ``wrt``.

        By default by all parameters. :attr:`entries` says what each symbol stands for.
        """
        parameters = [t for t in self.graph.inputs if t.role is Role.PARAMETER]
        wanted = parameters if wrt is None else list(wrt)
        forward = tuple((self.symbol(*key), value) for key, value in self.right.items())
        backwards = (k for k in reversed(self.right) if k[0].name in self.graph.named)
        named = [k for k in backwards if self.reach(*k)]
        places = [
            (t, tuple(env[v] for v in t.slots))
            for t in wanted
            for env in self.concrete.assignments(t.slots)
        ]
        return Written(forward, self._equations(named), self._equations(places))

    def _equations(self, keys: Iterable[Key]) -> tuple[Pair, ...]:
        return tuple((self.adjoint_symbol(*key), self.adjoint(*key)) for key in keys)


# --- Comparing with the index result -------------------------------------------------------------


@dataclass(frozen=True)
class Mismatch:
    """An entry of an adjoint where the two derivations differ, or one of them has no value."""

    tensor: Tensor
    where: Where
    note: str
    explicit: Any = None
    index: Any = None


def compare(
    explicit: ExplicitNetwork, derivation: Derivation, *, every_step: bool = False
) -> list[Mismatch]:
    """Every entry of every adjoint whose closed form is not what SymPy derived by itself.

    Equal means: the same fraction of values, kernels and named adjoints once unnamed values are
    replaced by their definitions and the assumptions are inserted. With ``every_step`` the right
    sides of all steps are compared, not only the last.
    """
    found: list[Mismatch] = []
    times: dict[Key, int] = {}
    for chain in derivation.adjoints:
        tensor = chain.of
        if chain.tensor.root != explicit.root(tensor):
            found.append(Mismatch(tensor, (), f"differentiates {explicit.root(tensor).name} here"))
            continue
        forms = {"closed form": chain.closed}
        if every_step:
            forms |= {f"step {n}": step.right for n, step in enumerate(chain.steps, start=1)}
        variables = [v for i in chain.indices if (v := i.variable) is not None]
        for env in explicit.concrete.assignments(variables):
            where = explicit.concrete.where(chain.indices, env)
            times[tensor, where] = times.get((tensor, where), 0) + 1
            found.extend(_differences(explicit, tensor, where, forms, env))
    found.extend(_not_once(explicit, times))
    return found


def _differences(
    net: ExplicitNetwork, tensor: Tensor, where: Where, forms: Mapping[str, Expr], env: Env
) -> Iterator[Mismatch]:
    try:
        mine = net.adjoint(tensor, where)
    except ValueError as error:
        yield Mismatch(tensor, where, str(error))
        return
    for name, form in forms.items():
        theirs = net.spell(form, env)
        if not _same(net, mine, theirs):
            yield Mismatch(tensor, where, name, mine, theirs)


def _same(net: ExplicitNetwork, left: Any, right: Any) -> bool:
    """Equality; where it is linear in the adjoints, for the factor of each of them alone."""
    parts = [left - right]
    if parts[0] == 0 or (not parts[0].has(sympy.Function) and sympy.expand(parts[0]) == 0):
        return True
    adjoints = [s for s in parts[0].free_symbols if net.entries[s].root is not None]
    factors = [sympy.diff(parts[0], s) for s in adjoints]
    if all(f.free_symbols.isdisjoint(adjoints) for f in factors):
        parts = [parts[0].xreplace(dict.fromkeys(adjoints, sympy.Integer(0))), *factors]
    return all(Kernels().zero(_opened(net, part).xreplace(net.facts)) for part in parts)


def _opened(net: ExplicitNetwork, expr: Any) -> Any:
    """Every value without a name of its own replaced by its definition, down to named values."""
    while True:
        images = {}
        for symbol in expr.free_symbols:
            tensor, where, root = net.entries[symbol]
            if root is None and tensor.name not in net.graph.named and (tensor, where) in net.right:
                images[symbol] = net.right[tensor, where]
        if not images:
            return expr
        expr = expr.xreplace(images)


def _not_once(net: ExplicitNetwork, times: Mapping[Key, int]) -> Iterator[Mismatch]:
    """Entries that several chains are about, and entries of inputs that none is about."""
    for (tensor, where), count in times.items():
        if count > 1:
            yield Mismatch(tensor, where, f"{count} chains are about this entry")
    for tensor in dict.fromkeys(t for t, _ in times if t in net.graph.inputs):
        for env in net.concrete.assignments(tensor.slots):
            where = tuple(env[v] for v in tensor.slots)
            if (tensor, where) not in times:
                yield Mismatch(tensor, where, "no chain is about this entry")
