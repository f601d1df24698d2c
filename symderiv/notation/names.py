"""Letters for index variables: free ones first, then each sum its own, never the same twice.

One :class:`Names` serves one chain, so that a variable keeps its letter from line to line. A
sum inside a sum never takes the letter of the outer one, sums side by side may share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from itertools import chain, count

from symderiv.algebra.binding import free_variables
from symderiv.algebra.expr import Expr, Role, Tensor, indices_of, walk
from symderiv.algebra.index import Var
from symderiv.calculus.graph import Graph
from symderiv.notation.conventions import GREEK, Notation, Symbol, spelled
from symderiv.notation.spelling import Spelling, spelling

_FURTHER = "abcdfghijkmnopqrstuvwxyz"  # letters of indices where the notation has no more
_UNIT = re.compile(r"([A-Za-z]+)(\d+)_(\d+)")


class Names:
    """What the quantities and indices of one chain are called.

    With ``base``, layers are written relative to the activation of that one: ``l``, ``l + 1``,
    ``l - 1``, and the input counts as the activation of the first layer. ``spelled_as`` are
    symbols other than the usual ones.
    """

    def __init__(
        self,
        notation: Notation,
        graph: Graph | None = None,
        base: int | None = None,
        spelled_as: Spelling | None = None,
    ) -> None:
        self.notation = notation
        self.base = base
        # w^2 of a unit by itself would be read as a square
        self.numbered = "(#)" if graph is not None and graph.written_out else "#"
        self.spelling = spelled_as or spelling(notation, graph)
        self._fixed: dict[Var, str] = {}
        self._scope: dict[Var, str] = {}
        self._remembered: dict[Var, str] = {}

    def copy(self) -> Names:
        """The same names, with letters of their own from now on."""
        other = copy(self)
        other._fixed, other._scope = dict(self._fixed), dict(self._scope)
        other._remembered = dict(self._remembered)
        return other

    # --- letters -------------------------------------------------------------------------------

    def fix(self, *variables: Var) -> None:
        """Give free variables their letters, in this order; they keep them."""
        for variable in variables:
            if variable not in self._fixed and variable not in self._scope:
                self._fixed[variable] = self._choose(variable, set(self._fixed.values()))

    def fix_free(self, expr: Expr) -> None:
        """Give every free variable of a formula a letter, in the order of appearance."""
        free = free_variables(expr)
        self.fix(*(v for v in _appearing(expr) if v in free))

    @contextmanager
    def bound(self, variable: Var) -> Iterator[str]:
        """The letter of a sum's variable, for as long as its body is printed."""
        taken = {*self._fixed.values(), *self._scope.values()}
        letter = self._remembered.get(variable, "")
        if not letter or letter in taken:
            letter = self._choose(variable, taken)
        self._remembered[variable] = self._scope[variable] = letter
        yield letter
        del self._scope[variable]

    @property
    def in_sum(self) -> bool:
        """Whether the body of a sum is being printed."""
        return bool(self._scope)

    def letter(self, variable: Var) -> str:
        """The letter of a variable in scope; a new one if it is free and unknown."""
        if variable in self._scope:
            return self._scope[variable]
        self.fix(variable)
        return self._fixed[variable]

    def known(self, variable: Var) -> str:
        """The letter a variable has, or had last in this chain."""
        return self._remembered.get(variable) or self.letter(variable)

    def axis_letter(self, axis: str) -> str:
        """The letter that stands for any member of an axis: l for a layer."""
        return self._first_free(axis, set())

    def layer_label(self, number: int) -> str:
        """The label of a layer that has this number in the notation; relative to ``base``, l + 1.

        Whoever prints a layer asks here, so that words and formulas have the same label.
        """
        if self.base is None:
            return str(number)
        offset = number - self.base - self.notation.activation_shift
        return self.axis_letter("layer") + (f"{offset:+d}" if offset else "")

    def _choose(self, variable: Var, taken: set[str]) -> str:
        if self.base is not None:
            taken = taken | {self.axis_letter("layer")}
        return self._first_free(variable.axis.name, taken)

    def _first_free(self, axis: str, taken: set[str]) -> str:
        pools = self.notation.letters
        pool = pools.get(axis, pools["unit"])
        numbered = (f"{letter}{n}" for n in count(1) for letter in pool[:1])
        letters = chain(pool, _FURTHER, numbered)
        return next(c for c in letters if c not in taken and self.spelling.is_free(c))

    # --- symbols -------------------------------------------------------------------------------

    def symbol(self, tensor: Tensor) -> Symbol:
        """How a tensor is written (for an adjoint with a name: its name)."""
        notation = self.notation
        if tensor.of is not None and tensor.of.symbol in notation.errors and self.spelling.errors:
            return notation.errors[tensor.of.symbol]
        if self.base is not None and self.is_input(tensor):
            return notation.symbols["a"]
        own = self.spelling.symbols.get((tensor.of or tensor).name)
        if own is not None:
            return own
        key = tensor.symbol or tensor.name
        return notation.symbols.get(key) or spelled(key)

    def size(self, name: str) -> str:
        """A size as TeX."""
        return self.spelling.sizes.get(name) or spelled(name).entry

    def is_input(self, tensor: Tensor) -> bool:
        """Whether the tensor is the network's input, which is the first layer as well."""
        return tensor.name == "x" and tensor.symbol == "x" and tensor.layer is None

    def has_name(self, tensor: Tensor) -> bool:
        """Whether an adjoint has a symbol of its own; others print as ∂C/∂t."""
        known = tensor.of is not None and tensor.of.symbol in self.notation.errors
        return tensor.named and known and self.spelling.errors

    def shift(self, tensor: Tensor) -> int:
        """What this notation adds to the number of the tensor's layer."""
        role = (tensor.of or tensor).role
        notation = self.notation
        if tensor.ordered and member_axis(tensor) != "layer":
            return 0
        return notation.parameter_shift if role is Role.PARAMETER else notation.activation_shift

    def layer(self, tensor: Tensor) -> int | None:
        """The number of the tensor's layer in this network; 0 for the input when relative."""
        if self.base is not None and self.is_input(tensor):
            return 0
        return tensor.layer


def member_axis(tensor: Tensor) -> str:
    """What the members of a family are: "layer" or "time"; of any other tensor "layer"."""
    forward = tensor.of or tensor
    return forward.axes[0].name if forward.ordered else "layer"


def unit_name(tensor: Tensor, unicode: bool = True) -> str:
    """``w1_12`` for w_12 of layer 1, as in code; "" for what is no unit of its own in a layer.

    A line of text has no place above for the layer, and w112 could be many things.
    """
    found = _UNIT.fullmatch(tensor.name)
    if tensor.layer is None or found is None:
        return ""
    stem, layer, place = found.groups()
    if (layer, stem + place) != (str(tensor.layer), tensor.symbol):
        return ""
    return f"{GREEK.get(stem, stem) if unicode else stem}{layer}_{place}"


def _appearing(expr: Expr) -> Iterator[Var]:
    for node in walk(expr):
        for index in indices_of(node):
            yield from index.variables
