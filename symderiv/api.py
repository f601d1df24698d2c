"""From a spec to a checked derivation that can be printed: the pipeline, put together."""

from __future__ import annotations

import keyword
import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from symderiv._version import VERSION
from symderiv.algebra.expr import Role, Tensor
from symderiv.calculus.graph import Graph
from symderiv.calculus.simplify import TooLong
from symderiv.frontend.asked import asked_names, asked_tensors
from symderiv.frontend.build import Built, build_graph
from symderiv.frontend.checks import check_title
from symderiv.frontend.errors import SpecError, printable, show
from symderiv.frontend.network import Network
from symderiv.frontend.presentation import Presentation
from symderiv.frontend.spec import parse_spec
from symderiv.options import LAYOUT, LAYOUTS, NOTATION
from symderiv.proof.check import CheckedDerivation
from symderiv.proof.wellformed import IllFormed
from symderiv.proving import Refuted, derived, judged
from symderiv.published import (
    DerivedGraph,
    Origin,
    PublishedDerivation,
    Quantity,
    checked_notation,
)

__all__ = [
    "DerivedGraph", "PublishedDerivation", "Quantity", "Refuted", "derive", "derive_graph",
]  # fmt: skip


def derive(
    network: Network | str | Path,
    *,
    layout: str = LAYOUT,
    notation: str = NOTATION,
    wrt: str | Iterable[str] | None = None,
    name: str | None = None,
    output: str | os.PathLike[str] | None = None,
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
    file = asked if asked.lower().endswith(".toml") else ""
    if not isinstance(network, Network):
        network = parse_spec(network)
    elif not network.program and not (network.sizes and network.activations and network.loss):
        raise SpecError("the network has no layers", "make it with Network.build", field="spec")
    if output is not None and not isinstance(output, (str, os.PathLike)):
        raise SpecError(f"output is {show(output)}", "write the path of a folder", field="output")
    if layout not in LAYOUTS:
        raise SpecError(
            f"unknown layout {layout!r}", f"known are {', '.join(LAYOUTS)}", field="layout"
        )
    checked_notation(notation)
    stem = (_file_stem(file) or network.stem) if name is None else _checked_name(name)
    names = None if wrt is None else asked_names(wrt)
    if names is not None and network.is_program:
        network = network.asking(names)
    with _about(file):
        built = build_graph(network, layout, named=names is not None)
    wanted = list(built.wrt)
    if names is not None and not network.is_program:
        wanted = asked_tensors(built, network, names)
    try:
        checked = judged(derived(built.graph, wanted))
    except ZeroDivisionError:
        raise SpecError(
            "a derivative divides by something that is 0 for all values", "write it otherwise",
            field="spec",
        ) from None  # fmt: skip
    except IllFormed as error:
        raise SpecError(str(error), "every quantity needs a value", field="spec") from None
    except TooLong as error:
        raise SpecError(
            f"{error} grows beyond what can be read", "give its parts names, one statement each",
            field="spec",
        ) from None  # fmt: skip
    built = replace(built, graph=checked.graph)
    with _about(file):
        _check_example(checked, built, network, layout)
    spec = file or network.spec
    given = {
        "--layout": layout if layout != LAYOUT else None,
        "--notation": notation if notation != NOTATION else None,
        "--wrt": None if names is None else ",".join(names),
        "--name": name,
        "-o": None if output is None else str(output),
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
        origin=Origin(built, network, layout),
    )


def derive_graph(
    graph: Graph,
    wrt: Iterable[Tensor] | None = None,
    *,
    title: str = "",
    name: str = "graph",
    layout: str = LAYOUT,
    notation: str = NOTATION,
) -> DerivedGraph:
    """Derive and check the gradients of a graph made with the Builder: a layer of one's own.

    ``wrt`` are the tensors to differentiate by: if nobody says, what is learned, and of a layer
    with upstream gradients its inputs too. ``title`` stands above the document, ``name`` is the
    module's, ``layout`` the Builder's. What has no NumPy form raises NoCode when it is rendered.
    Raises SpecError if the equations say nothing, and Refuted if a step turns out false.
    """
    if not isinstance(graph, Graph):
        raise SpecError(f"graph is {show(graph)}", "make it with Builder.graph()", field="graph")
    roles = {Role.PARAMETER, *([Role.INPUT] if graph.upstream else [])}
    wanted = [t for t in graph.inputs if t.role in roles] if wrt is None else list(wrt)
    try:
        made = judged(derived(graph, wanted))
    except (IllFormed, TooLong) as error:
        raise SpecError(str(error), "see docs/extending.md", field="graph") from None
    about = Presentation(
        title=check_title(title or None) or "", layout=layout, notation=checked_notation(notation),
        stem=_checked_name(name), version=VERSION, reduction="",
    )  # fmt: skip
    return DerivedGraph(
        made.derivation, made.chains, made.lemmas, made.assumptions, made.seal, about=about
    )


@contextmanager
def _about(file: str) -> Iterator[None]:
    """What is wrong with a network from a file is said with the name of the file."""
    try:
        yield
    except SpecError as error:
        raise (error.within(Path(file).name) if file else error) from None


def _check_example(checked: CheckedDerivation, built: Built, network: Network, layout: str) -> None:
    """Refuse an example at whose numbers something has no value."""
    example = network.example
    if example is None:
        return
    from symderiv.documents.numbers import NoValue, Undefined
    from symderiv.documents.worked import numbers_of, require_values

    if network.generic:
        raise SpecError("example: at any depth no numbers are printed",
                        "give the size of every layer, or leave [example] out",
                        field="example")  # fmt: skip
    outside = [t.symbol for t in checked.graph.inputs if t.name not in network.parameters]
    if network.is_program and outside:
        raise SpecError(f"example: the gradient {outside[0]} from above has no numbers",
                        "make the last statement a cost, or leave [example] out",
                        field="example")  # fmt: skip
    numbers = numbers_of(checked.derivation, example, network.widths, layout)
    if numbers is None:
        return
    try:
        require_values(numbers, example, built.held((*example.freeze, *network.freeze)))
    except Undefined as error:
        raise SpecError(
            f"example: {error}", "choose other numbers, or leave [example] out", field="example"
        ) from None
    except NoValue:  # of a function without numbers: the document has no such section
        return


def _file_stem(file: str) -> str:
    """The name of a TOML file as an identifier, ``my_net`` for ``my-net.toml``, or ""."""
    words = re.findall("[A-Za-z0-9]+", Path(file).stem)
    stem = "_".join(["net", *words] if words and words[0][0].isdigit() else words)[:79]
    return f"{stem}_net" if _taken(stem) else stem


def _taken(name: str) -> str:
    """What else a name means to ``import``."""
    if keyword.iskeyword(name):
        return "a word of Python"
    if name in sys.stdlib_module_names or name in ("numpy", "scipy", "symderiv"):
        return "the name of another module"
    return ""


def _checked_name(name: str) -> str:
    """A name that files can have and that ``import`` can say without meaning something else."""
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,79}", name):
        raise SpecError(
            f"name is {show(name)}", "an identifier such as my_net names the files", field="name"
        )
    taken = _taken(name)
    if not taken:
        return name
    raise SpecError(
        f"name is {name!r}, {taken}", f"{name}_net or my_net can be imported", field="name"
    )
