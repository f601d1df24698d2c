"""From a spec to a checked derivation that can be printed: the pipeline, put together."""

from __future__ import annotations

import keyword
import re
import shlex
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symderiv._version import VERSION
from symderiv.algebra.expr import Access, Expr, Role, Tensor, tensors_in
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.calculus.simplify import TooLong
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.frontend.build import Built, build_graph
from symderiv.frontend.errors import SpecError, printable, show
from symderiv.frontend.network import Network
from symderiv.frontend.presentation import Presentation
from symderiv.frontend.spec import parse_spec
from symderiv.notation.table import NOTATIONS
from symderiv.options import FORMATS, LAYOUTS
from symderiv.proof.check import CheckedDerivation, check
from symderiv.proof.likeness import Memory
from symderiv.proof.wellformed import IllFormed

if TYPE_CHECKING:
    import sympy


_MEMORY = Memory()  # what has been proved since the process began


class Refuted(Exception):
    """A step of the derivation is false; nothing may be published."""


def derive(
    network: Network | str | Path,
    *,
    layout: str = "columns",
    notation: str = "nielsen",
    wrt: str | Iterable[str] | None = None,
    name: str | None = None,
    output: str | None = None,
    scipy: bool = False,
) -> PublishedDerivation:
    """Derive the gradients of a network's cost by backpropagation and check every step.

    ``network`` is a spec, a path of a TOML file or a Network; ``layout`` says whether examples
    are rows or columns, or that there is a single one; ``wrt`` names the parameters to
    differentiate by (all that are not frozen): ``"W1,b1"`` or a list; "W" and "b" are all weights
    and biases, "X" is the input. ``name`` is the module's, ``output`` the folder that the command
    in the documents names; with ``scipy`` generated modules call SciPy. Raises SpecError for bad
    input and Refuted if a step turns out false.
    """
    asked = "" if isinstance(network, Network) else str(network).strip()
    if not isinstance(network, Network):
        network = parse_spec(network)
    if layout not in LAYOUTS:
        raise SpecError(
            f"unknown layout {layout!r}", f"known are {', '.join(LAYOUTS)}", field="layout"
        )
    if notation not in NOTATIONS:
        raise SpecError(
            f"unknown notation {notation!r}", f"known are {', '.join(NOTATIONS)}", field="notation"
        )
    stem = network.stem if name is None else _checked_name(name)
    names = None if wrt is None else _names(wrt)
    built = build_graph(network, layout, named=names is not None)
    wanted = list(built.wrt) if names is None else _wanted(built, network, names)
    try:
        checked = _checked(built.graph, wanted)
    except IllFormed as error:
        raise SpecError(str(error), "every quantity needs a value", field="spec") from None
    except TooLong as error:
        raise SpecError(
            f"{error} grows beyond what can be read", "give its parts names, one statement each",
            field="spec",
        ) from None  # fmt: skip
    _check_example(checked.derivation, network, layout)
    spec = asked if asked.lower().endswith(".toml") else network.spec
    given = {
        "--layout": layout if layout != "columns" else None,
        "--notation": notation if notation != "nielsen" else None,
        "--wrt": None if names is None else ",".join(names),
        "--name": name,
        "-o": output,
    }
    words = [spec, *(word for pair in given.items() if pair[1] is not None for word in pair)]
    words += ["--scipy"] if scipy else []
    return PublishedDerivation(
        checked.derivation,
        checked.chains,
        checked.lemmas,
        checked.assumptions,
        checked.seal,
        network=network,
        layout=layout,
        notation=notation,
        stem=stem,
        wrt=None if wrt is None else tuple(t.name for t in wanted),
        scipy=scipy,
        command=printable(" ".join(["symderiv derive", *(shlex.quote(w or "") for w in words)])),
        origin=_Origin(built.graph, network, layout),
    )


def _checked(
    graph: Graph, wanted: Iterable[Tensor], known: Collection[Adjoint] = ()
) -> CheckedDerivation:
    checked = check(backprop(graph, wanted, known), _MEMORY)
    if checked.refuted:
        step = checked.refuted[0]
        raise Refuted(f"a step is false ({step.rule}: {step.why}); please report this")
    return checked


def _check_example(derivation: Derivation, network: Network, layout: str) -> None:
    """Refuse an example at whose numbers something has no value."""
    example = network.example
    if example is None:
        return
    from symderiv.documents.numbers import NoValue, Undefined
    from symderiv.documents.worked import numbers_of, require_values

    numbers = numbers_of(derivation, example, _widths(network), layout)
    if numbers is None:
        return
    try:
        require_values(numbers, example, network.freeze)
    except Undefined as error:
        raise SpecError(
            f"example: {error}", "choose other numbers, or leave [example] out", field="example"
        ) from None
    except NoValue:  # of a function without numbers: the document has no such section
        return


def _widths(network: Network) -> dict[int, int | str]:
    if network.generic or network.is_program:
        return {}
    return dict(enumerate(network.sizes))


def _checked_name(name: str) -> str:
    """A name that files can have and that ``import`` can say without meaning something else."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,79}", name):
        raise SpecError(
            f"name is {show(name)}", "an identifier such as my_net names the files", field="name"
        )
    if keyword.iskeyword(name):
        taken = "a word of Python"
    elif name in sys.stdlib_module_names or name in ("numpy", "scipy", "symderiv"):
        taken = "the name of another module"
    else:
        return name
    raise SpecError(
        f"name is {name!r}, {taken}", f"{name}_net or my_net can be imported", field="name"
    )


def _names(wrt: str | Iterable[str]) -> list[str]:
    """The names that are asked for, each once: ``"W1,b1"`` or a list of them."""
    if not isinstance(wrt, (str, Iterable)):
        raise SpecError(f"wrt is {show(wrt)}", "write names such as W1,b1", field="wrt", value=wrt)
    names = [part.strip() for part in wrt.split(",")] if isinstance(wrt, str) else list(wrt)
    for name in names:
        if not isinstance(name, str) or not name:
            raise SpecError(
                f"wrt has {show(name)}", "write names such as W1,b1", field="wrt", value=name
            )
    if not names:
        raise SpecError("wrt is empty", "name a parameter, or leave it out", field="wrt")
    return list(dict.fromkeys(names))


def _wanted(built: Built, network: Network, names: Iterable[str]) -> list[Tensor]:
    """The tensors of these names; ``W`` and ``b`` are all weights and all biases.

    Where units are written out, X, W1 and b1 are all that stand for them.
    """
    graph = built.graph
    asked = {_public(t, graph): [t] for t in graph.inputs if t.role is not Role.TARGET}
    units = {name: list(members) for name, members in built.units.items() if members}
    parameters = units or {t.name: [t] for t in graph.inputs if t.role is Role.PARAMETER}
    families = {
        family: [
            tensor
            for name, members in parameters.items()
            for tensor in members
            if name.rstrip("0123456789") == family and not network.is_frozen(name)
        ]
        for family in ("W", "b")
        if not network.is_program
    }
    found = {family: members for family, members in families.items() if members} | units | asked
    if "X" in found:
        found.setdefault("x", found["X"])
    frozen = {
        called
        for name, members in parameters.items()
        if not network.is_program and network.is_frozen(name)
        for called in (name, *(tensor.name for tensor in members))
    }
    stems = {name.rstrip("0123456789") for name in parameters}
    frozen |= {family for family in families if family not in found and family in stems}
    chosen: dict[Tensor, None] = {}
    for name in names:
        if name in frozen:
            raise SpecError(
                f"wrt names {name}, which is frozen", "leave it out of wrt or of freeze",
                field="wrt", value=name,
            )  # fmt: skip
        if name not in found:
            free = (t for t in graph.inputs if t.role in _DIFFERENTIABLE and t.name not in frozen)
            known = ", ".join(_public(t, graph) for t in free)
            raise SpecError(
                f"wrt names {show(name)}", f"known are {known}", field="wrt", value=name
            )
        chosen.update(dict.fromkeys(found[name]))
    return list(chosen)


_DIFFERENTIABLE = (Role.INPUT, Role.PARAMETER)


def _public(tensor: Tensor, graph: Graph) -> str:
    """What users call a tensor: the input is X, unless there are several, x1, x2."""
    only = [t for t in graph.inputs if t.role is Role.INPUT] == [tensor]
    return "X" if only else tensor.name


def _known(graph: Graph) -> str:
    return ", ".join(_public(t, graph) for t in graph.inputs if t.role in _DIFFERENTIABLE)


@dataclass(frozen=True)
class _Origin:
    """Which network, in which layout, a graph was built from: a document says nothing else."""

    graph: Graph
    network: Network
    layout: str

    def fits(self, graph: Graph, network: Network | None, layout: str) -> bool:
        return graph is self.graph and network is self.network and layout == self.layout


@dataclass(frozen=True, repr=False)
class PublishedDerivation(CheckedDerivation):
    """A checked derivation with the network it is about: ask it for formulas and documents."""

    network: Network | None = None
    layout: str = "columns"
    notation: str = "nielsen"
    stem: str = "net"
    wrt: tuple[str, ...] | None = None
    command: str = ""
    scipy: bool = False
    origin: object = None

    def __post_init__(self) -> None:
        super().__post_init__()
        made = self.origin
        if not (isinstance(made, _Origin) and made.fits(self.graph, self.network, self.layout)):
            raise TypeError("a PublishedDerivation is made by derive() alone")

    def __repr__(self) -> str:
        spec = self.network.spec if self.network else "?"
        return f"<derivation of {spec}: {len(self.derivation.adjoints)} derivatives, checked>"

    def delta(self, layer: int | str) -> Quantity:
        """δ of a layer: the derivative of the loss of one example by z. Raises KeyError."""
        return self._quantity("z", layer)

    def gradient(self, name: str, layer: int | str | None = None) -> Quantity:
        """The gradient of the cost by a parameter, ``gradient("W", 1)``, or by the input, "X".

        At any depth a layer is "l" or "L". Raises KeyError, which says what there is.
        """
        inputs = [t for t in self.graph.inputs if t.role is Role.INPUT]
        if name in ("X", "x") and len(inputs) == 1:
            return self._with_input._quantity(inputs[0].name, None)
        if layer is None and name in [t.name for t in inputs]:
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
            frozen = self.network is not None and self.network.is_frozen(name)
            return f"no gradient by {name}: it is " + ("frozen" if frozen else "not among wrt")
        if layers:
            return f"no {name}: {shown} has the layers {', '.join(sorted(set(layers), key=int))}"
        return f"no derivative by {name}: known are {_known(self.graph)}"

    @cached_property
    def _with_input(self) -> PublishedDerivation:
        """The same derivation with the gradient by the input besides those asked for."""
        assert self.network is not None
        wanted = [a.tensor.of for a in self.derivation.adjoints if a.tensor.of]
        wanted = [t for t in self.graph.inputs if t in wanted]
        inputs = [t for t in self.graph.inputs if t.role is Role.INPUT]
        if set(inputs) <= set(wanted):
            return self
        checked = _checked(self.graph, [*wanted, *inputs], self.derivation.adjoints)
        return replace(
            self,
            derivation=checked.derivation,
            chains=checked.chains,
            lemmas=checked.lemmas,
            assumptions=checked.assumptions,
            seal=checked.seal,
        )

    def render(self, format: str, notation: str | None = None) -> str | bytes:
        """The derivation as ``tex``, ``pdf`` (bytes), ``md``, ``numpy`` or ``json``."""
        if format not in FORMATS:
            raise SpecError(
                f"unknown format {format!r}", f"known are {', '.join(FORMATS)}", field="format"
            )
        about = self.presentation(notation)
        if format == "numpy":
            return self._numpy(about)
        from symderiv import documents

        if format == "pdf":
            from symderiv.render import compile_pdf

            return compile_pdf(documents.to_latex(self, about))
        writers = {
            "tex": documents.to_latex,
            "md": documents.to_markdown,
            "json": documents.to_json,
        }
        return writers[format](self, about)

    def presentation(self, notation: str | None = None) -> Presentation:
        """What documents and modules say besides the mathematics."""
        assert self.network is not None
        return Presentation(
            title=self.network.title or "",
            spec=self.network.spec,
            sizes=_widths(self.network),
            ends=tuple(map(str, self.network.sizes)) if self.network.generic else (),
            layout=self.layout,
            notation=notation or self.notation,
            stem=self.stem,
            command=self.command,
            version=VERSION,
            example=self.network.example,
            freeze=self.network.freeze,
        )

    def _numpy(self, about: Presentation) -> str:
        from symderiv.code.module import numpy_module

        made = self if self.wrt is not None or self.graph.written_out else self._with_input
        return numpy_module(made, about, document=self.derivation, scipy=self.scipy)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """In a notebook a derivation shows itself."""
        from symderiv import documents

        about = self.presentation()
        return {
            "text/plain": documents.to_terminal(self, about, width=100, unicode=True),
            "text/latex": documents.to_fragment(self, about),
        }


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
        """The equation in index form."""
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
