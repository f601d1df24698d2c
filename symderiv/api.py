"""From a spec to a checked derivation that can be printed: the pipeline, put together."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symderiv._version import VERSION
from symderiv.algebra.expr import Access, Expr, Role, Tensor
from symderiv.calculus.backprop import backprop
from symderiv.calculus.graph import Graph
from symderiv.calculus.steps import Adjoint
from symderiv.documents.model import Presentation
from symderiv.frontend.build import build_graph
from symderiv.frontend.errors import SpecError
from symderiv.frontend.network import Network
from symderiv.frontend.spec import parse_spec
from symderiv.notation.table import NOTATIONS
from symderiv.options import FORMATS, LAYOUTS
from symderiv.proof.check import CheckedDerivation, check
from symderiv.proof.wellformed import IllFormed

if TYPE_CHECKING:
    import sympy


class Refuted(Exception):
    """A step of the derivation is false; nothing may be published."""


def derive(
    network: Network | str | Path,
    *,
    layout: str = "columns",
    notation: str = "nielsen",
    wrt: Iterable[str] | None = None,
    name: str | None = None,
) -> PublishedDerivation:
    """Derive the gradients of a network's cost by backpropagation and check every step.

    ``network`` is a spec, a path of a TOML file or a Network; ``layout`` says whether examples
    are rows or columns, or that there is a single one; ``wrt`` names the parameters to
    differentiate by (all that are not frozen); "X" is the input. Raises SpecError for bad input
    and Refuted if a step turns out false.
    """
    if not isinstance(network, Network):
        network = parse_spec(str(network))
    if layout not in LAYOUTS:
        raise SpecError(
            f"unknown layout {layout!r}", f"known are {', '.join(LAYOUTS)}", field="layout"
        )
    if notation not in NOTATIONS:
        raise SpecError(
            f"unknown notation {notation!r}", f"known are {', '.join(NOTATIONS)}", field="notation"
        )
    stem = name or network.stem
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,79}", stem):
        raise SpecError(
            f"name is {stem!r}", "an identifier such as my_net names the files", field="name"
        )
    built = build_graph(network, layout)
    wanted = _wanted(built.graph.inputs, built.wrt, wrt)
    try:
        checked = check(backprop(built.graph, wanted))
    except IllFormed as error:
        raise SpecError(str(error), "every quantity needs a value", field="spec") from None
    if checked.refuted:
        step = checked.refuted[0]
        raise Refuted(f"a step is false ({step.rule}: {step.why}); please report this")
    options = [f"--layout {layout}"] if layout != "columns" else []
    options += [f"--notation {notation}"] if notation != "nielsen" else []
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
        command=" ".join(["symderiv derive", _quoted(network.spec), *options]),
    )


def _checked(graph: Graph, wanted: Iterable[Tensor]) -> CheckedDerivation:
    checked = check(backprop(graph, wanted))
    if checked.refuted:
        step = checked.refuted[0]
        raise Refuted(f"a step is false ({step.rule}: {step.why}); please report this")
    return checked


def _quoted(spec: str) -> str:
    return spec if re.fullmatch(r"[\w:+,.=-]+", spec) else f"'{spec}'"


def _wanted(
    inputs: tuple[Tensor, ...], default: tuple[Tensor, ...], names: Iterable[str] | None
) -> list[Tensor]:
    if names is None:
        return list(default)
    by_name = {t.name: t for t in inputs} | {t.name.upper(): t for t in inputs if t.name == "x"}
    chosen = []
    for name in names:
        if name not in by_name:
            known = ", ".join(sorted(t.name for t in inputs if t.role is not Role.TARGET))
            raise SpecError(f"wrt names {name!r}", f"known are {known}", field="wrt", value=name)
        chosen.append(by_name[name])
    return chosen


@dataclass(frozen=True, repr=False)
class PublishedDerivation(CheckedDerivation):
    """A checked derivation with the network it is about: ask it for formulas and documents."""

    network: Network | None = None
    layout: str = "columns"
    notation: str = "nielsen"
    stem: str = "net"
    wrt: tuple[str, ...] | None = None
    command: str = ""

    def __repr__(self) -> str:
        spec = self.network.spec if self.network else "?"
        return f"<derivation of {spec}: {len(self.derivation.adjoints)} derivatives, checked>"

    def delta(self, layer: int | str) -> Quantity:
        """δ of a layer: the derivative of the loss of one example by z. Raises KeyError."""
        return self._quantity("z", layer)

    def gradient(self, name: str, layer: int | str | None = None) -> Quantity:
        """The gradient by a parameter, ``gradient("W", 1)``, or by the input, ``gradient("X")``."""
        if name in ("X", "x"):
            return self._with_input._quantity("x", None)
        return self._quantity(name, layer)

    def _quantity(self, symbol: str, layer: int | str | None) -> Quantity:
        for adjoint in self.derivation.adjoints:
            tensor = adjoint.tensor.of
            assert tensor is not None
            if tensor.name == f"{symbol}{'' if layer is None else layer}":
                return Quantity(self, adjoint)
            member = (
                adjoint.indices[0].key(dict.fromkeys(adjoint.indices[0].variables, "l"))
                if (tensor.ordered)
                else None
            )
            if tensor.name == symbol and str(layer) == member:
                return Quantity(self, adjoint)
        raise KeyError(f"no derivative by {symbol}{'' if layer is None else layer}")

    @cached_property
    def _with_input(self) -> PublishedDerivation:
        """The same derivation with the gradient by the input besides those asked for."""
        assert self.network is not None
        wanted = [a.tensor.of for a in self.derivation.adjoints if a.tensor.of]
        wanted = [t for t in self.graph.inputs if t in wanted]
        inputs = [t for t in self.graph.inputs if t.role is Role.INPUT]
        if set(inputs) <= set(wanted):
            return self
        checked = _checked(self.graph, [*wanted, *inputs])
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
            return self._numpy()
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
        """What documents say besides the mathematics."""
        assert self.network is not None
        return Presentation(
            title=self.network.title or "",
            spec=self.network.spec,
            sizes=self._widths(),
            layout=self.layout,
            notation=notation or self.notation,
            stem=self.stem,
            command=self.command,
            version=VERSION,
            example=self.network.example,
            freeze=self.network.freeze,
        )

    def _widths(self) -> dict[int, int | str]:
        assert self.network is not None
        if self.network.generic or self.network.is_program:
            return {}
        return dict(enumerate(self.network.sizes))

    def _numpy(self) -> str:
        from symderiv.code.module import numpy_module

        assert self.network is not None
        return numpy_module(
            self if self.wrt is not None else self._with_input,
            spec=self.network.spec,
            stem=self.stem,
            command=self.command,
            version=VERSION,
            sizes=tuple(self._widths().values()) or None,
            layout=self.layout,
            notation_name=self.notation,
            freeze=self.network.freeze,
            document=self.derivation,
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """In a notebook a derivation shows itself."""
        from symderiv import documents

        about = self.presentation()
        return {
            "text/plain": documents.to_terminal(self, about, width=100, unicode=True),
            "text/latex": documents.to_fragment(self, about),
        }


@dataclass(frozen=True, repr=False)
class Quantity:
    """One derivative of a derivation, in the forms people use."""

    derivation: PublishedDerivation
    adjoint: Adjoint

    def __repr__(self) -> str:
        return f"<{self.adjoint.tensor.name}: {self.latex()}>"

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
        from symderiv.calculus.exchange import to_indexed

        return to_indexed(self.closed)

    def numpy(self) -> str:
        """The statement of the generated module that computes it."""
        from symderiv.code import numpy_statement

        return numpy_statement(self.derivation, self.adjoint)
