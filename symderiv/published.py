"""What ``derive`` gives: a checked derivation that can be asked for formulas and documents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from symderiv._version import VERSION
from symderiv.algebra.expr import Access, Expr, Role, Tensor, tensors_in
from symderiv.calculus.graph import Graph
from symderiv.calculus.steps import Adjoint
from symderiv.frontend.asked import public_names
from symderiv.frontend.build import Built
from symderiv.frontend.errors import SpecError
from symderiv.frontend.network import Network
from symderiv.frontend.presentation import Presentation
from symderiv.notation.table import NOTATIONS
from symderiv.options import FORMATS
from symderiv.proof.check import CheckedDerivation
from symderiv.proving import proved

if TYPE_CHECKING:
    import sympy

SPEC_SHOWN = 60  # characters of a spec in one line


@dataclass(frozen=True)
class Origin:
    """Which network, in which layout, a graph was built from: a document says nothing else."""

    built: Built
    network: Network
    layout: str

    def fits(self, graph: Graph, network: Network, layout: str) -> bool:
        """Whether these are the very ones."""
        return graph is self.built.graph and network is self.network and layout == self.layout


@dataclass(frozen=True, repr=False, kw_only=True)
class Document(CheckedDerivation):
    """A checked derivation that can be published."""

    def presentation(self, notation: str | None = None) -> Presentation:
        """What documents and modules say besides the mathematics."""
        raise NotImplementedError

    def _numpy(self, about: Presentation) -> str:
        from symderiv.code.module import numpy_module

        return numpy_module(self, about)

    def render(self, format: str, notation: str | None = None) -> str | bytes:
        """The derivation as ``tex``, ``pdf`` (bytes), ``md``, ``numpy`` or ``json``."""
        if notation is not None:
            checked_notation(notation)
        if format not in FORMATS:
            raise SpecError(
                f"unknown format {format!r}", f"known are {', '.join(FORMATS)}", field="format"
            )
        about = self.presentation(notation)
        if format == "numpy":
            return self._numpy(about)
        from symderiv import documents

        match format:
            case "md":
                return documents.to_markdown(self, about)
            case "json":
                return documents.to_json(self, about)
            case "pdf":
                from symderiv.render import compile_pdf

                return compile_pdf(documents.to_latex(self, about))
        return documents.to_latex(self, about)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """In a notebook a derivation shows itself."""
        from symderiv import documents

        about = self.presentation()
        return {
            "text/plain": documents.to_terminal(self, about, width=100, unicode=True),
            "text/latex": documents.to_fragment(self, about),
        }


@dataclass(frozen=True, repr=False, kw_only=True)
class DerivedGraph(Document):
    """A checked derivation of a graph that somebody built: a layer, or a cost, of their own."""

    about: Presentation

    def __repr__(self) -> str:
        count = len(self.derivation.adjoints)
        return f"<derivation of {self.about.title or 'a graph'}: {count} derivatives, checked>"

    def presentation(self, notation: str | None = None) -> Presentation:
        """What documents and modules say besides the mathematics."""
        return self.about if notation is None else replace(self.about, notation=notation)


@dataclass(frozen=True, repr=False, kw_only=True)
class PublishedDerivation(Document):
    """A checked derivation with the network it is about: ask it for formulas and documents."""

    network: Network
    layout: str
    notation: str
    stem: str
    wrt: tuple[str, ...] | None
    command: str
    scipy: bool
    origin: Origin

    def __post_init__(self) -> None:
        super().__post_init__()
        made: object = self.origin
        if not (isinstance(made, Origin) and made.fits(self.graph, self.network, self.layout)):
            raise TypeError("a PublishedDerivation is made by derive() alone")

    def __repr__(self) -> str:
        count = len(self.derivation.adjoints)
        spec = self.network.spec
        spec = spec if len(spec) <= SPEC_SHOWN else f"{spec[:SPEC_SHOWN]}..."
        return f"<derivation of {spec}: {count} derivatives, checked>"

    def delta(self, layer: int | str) -> Quantity:
        """δ of a layer: the derivative of the loss of one example by z. Raises KeyError."""
        return self._quantity("z", layer)

    def gradient(self, name: str, layer: int | str | None = None) -> Quantity:
        """The gradient of the cost by a parameter, ``gradient("W", 1)``, or by the input, "X".

        At any depth a layer is "l" or "L". Raises KeyError, which says what there is.
        """
        if name == "X" and not self.network.is_program:
            name = "x"
        inputs = [t.name for t in self.graph.inputs if t.role is Role.INPUT]
        if layer is None and name in inputs:
            return self._with_input._quantity(name, None)
        return self._quantity(name, layer)

    def _quantity(self, symbol: str, layer: int | str | None) -> Quantity:
        for adjoint in self.derivation.adjoints:
            tensor = adjoint.tensor.of
            assert tensor is not None
            if tensor.name == f"{symbol}{'' if layer is None else layer}":
                return Quantity(self, adjoint)
            if tensor.name == symbol and str(layer) == _member(adjoint):
                return Quantity(self, adjoint)
        raise KeyError(self._missing(symbol, layer))

    def _missing(self, symbol: str, layer: int | str | None) -> str:
        """Why there is no such derivative, and which there are."""
        shown = "delta" if symbol == "z" else str(symbol)
        name = f"{shown}{'' if layer is None else layer}"
        adjoints = [(a, a.tensor.of) for a in self.derivation.adjoints if a.tensor.of]
        members = [_member(a) for a, t in adjoints if t.name == symbol]
        layers = [str(t.layer) for _, t in adjoints if t.symbol == symbol and t.layer is not None]
        tensors = {t.name for t in self.graph.tensors}
        if any(members):
            known = ", ".join(repr(m) for m in members if m)
            return f"no {name}: at any depth the layer of {shown} is {known}"
        if f"{symbol}{'' if layer is None else layer}" in tensors:
            frozen = self.network.is_frozen(name)
            return f"no gradient by {name}: it is " + ("frozen" if frozen else "not among wrt")
        if units := self._units(symbol, layer):
            return f"no {name}: its units are written out, each by itself: {units}"
        if layers:
            return f"no {name}: {shown} has the layers {', '.join(sorted(set(layers), key=int))}"
        return f"no derivative by {name}: known are {public_names(self.graph, self.network)}"

    def _units(self, symbol: str, layer: int | str | None) -> str:
        """What to ask for instead of a layer whose units have letters of their own."""
        name = f"{symbol}{'' if layer is None else layer}"
        tensors = [a.tensor.of for a in self.derivation.adjoints if a.tensor.of]
        if symbol == "z" and self.network.scalars:
            found = [t.name for t in tensors if t.name.startswith(f"{name}_")]
            return ", ".join(f"delta({unit.removeprefix(symbol)!r})" for unit in sorted(found))
        written = self.origin.built.units.get(name, ())
        return ", ".join(f'gradient("{t.name}")' for t in written if t in tensors)

    @cached_property
    def _with_input(self) -> PublishedDerivation:
        """The same derivation with the gradient by the input besides those asked for."""
        wanted = [t for t in self.graph.tensors if t in self.derivation.wrt]
        inputs = [t for t in self.graph.inputs if t.role is Role.INPUT]
        if set(inputs) <= set(wanted):
            return self
        checked = proved(self.graph, [*wanted, *inputs], self.derivation.adjoints)
        return replace(
            self,
            derivation=checked.derivation,
            chains=checked.chains,
            lemmas=checked.lemmas,
            assumptions=checked.assumptions,
            seal=checked.seal,
        )

    def presentation(self, notation: str | None = None) -> Presentation:
        """What documents and modules say besides the mathematics."""
        network, built = self.network, self.origin.built
        example = network.example
        return Presentation(
            title=network.title or "",
            spec=network.spec,
            sizes=network.widths,
            ends=tuple(map(str, network.sizes)) if network.generic else (),
            layout=self.layout,
            notation=notation or self.notation,
            stem=self.stem,
            command=self.command,
            version=VERSION,
            example=example,
            freeze=built.held(network.freeze),
            held=built.held((*network.freeze, *(example.freeze if example else ()))),
            reduction=network.reduction,
        )

    def _numpy(self, about: Presentation) -> str:
        from symderiv.code.module import numpy_module

        made = self if self.wrt is not None or self.graph.written_out else self._with_input
        return numpy_module(made, about, document=self.derivation, scipy=self.scipy)


def checked_notation(name: str) -> str:
    """The name of a notation. Raises SpecError."""
    if name not in NOTATIONS:
        raise SpecError(
            f"unknown notation {name!r}", f"known are {', '.join(NOTATIONS)}", field="notation"
        )
    return name


def _member(adjoint: Adjoint) -> str:
    """Which member of a family an adjoint is about: ``l`` or ``L``; "" without a family."""
    if not adjoint.tensor.ordered:
        return ""
    first = adjoint.indices[0]
    return first.key(dict.fromkeys(first.variables, "l"))


@dataclass(frozen=True, repr=False)
class Quantity:
    """One derivative of a derivation, in the forms people use."""

    derivation: PublishedDerivation
    adjoint: Adjoint

    def __repr__(self) -> str:
        return f"<{self.adjoint.tensor.name}: {self.latex()}>"

    def _repr_latex_(self) -> str:
        """In a notebook a derivative shows itself."""
        return rf"$\displaystyle {self.latex()}$"

    @property
    def entry(self) -> Access:
        """The entry that the closed form is the value of."""
        return self.adjoint.left

    @property
    def closed(self) -> Expr:
        """The closed form, a tree of index notation."""
        return self.adjoint.closed

    def latex(self, notation: str | None = None) -> str:
        """The equation in index form. Raises SpecError for a notation that nobody knows."""
        if notation is not None:
            checked_notation(notation)
        from symderiv.documents import equation_latex

        return equation_latex(self.derivation, self.adjoint, self.derivation.presentation(notation))

    def sympy(self) -> sympy.Expr:
        """The closed form with ``Indexed`` and ``Sum``; every bound index is a fresh Dummy."""
        import sympy

        from symderiv.calculus.exchange import to_indexed
        from symderiv.notation import Names, index_variables

        names = Names(NOTATIONS[self.derivation.notation], self.derivation.graph)
        variables = index_variables(self.adjoint.indices)
        names.fix(*variables)
        taken = {t.name for t in tensors_in(self.closed)}
        letters = {v: names.letter(v) for v in variables}
        symbols = {
            v: sympy.Symbol(letter, integer=True)
            for v, letter in letters.items()
            if letter not in taken
        }

        def called(tensor: Tensor) -> str:
            of = tensor.of
            if of is None or not names.has_name(tensor):
                return tensor.name
            layer = names.layer(tensor)
            return names.symbol(tensor).ascii + ("" if layer is None else str(layer))

        return to_indexed(self.closed, symbols, called=called)

    def numpy(self) -> str:
        """The statement of the generated module that computes it."""
        from symderiv.code import numpy_statement

        return numpy_statement(self.derivation, self.adjoint)
