"""A checked derivation as a NumPy module: the data of ``templates/numpy/module.py.j2``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import cycle

from symderiv.algebra.expr import Role, Tensor
from symderiv.calculus.graph import EXAMPLE, Graph
from symderiv.calculus.steps import Adjoint, Derivation
from symderiv.code.functions import Function, NoCode
from symderiv.code.lines import WIDTH, field, listed, paragraphs, remark, statement, unpacked
from symderiv.code.names import Naming
from symderiv.code.own_names import program_data
from symderiv.code.parameters import (
    Parameter,
    batch_shape,
    first_values,
    parameters,
    shape_of,
    size_names,
    size_names_in,
    tuple_text,
)
from symderiv.code.passes import Passes
from symderiv.code.program import Program
from symderiv.code.selfcheck import assumptions, dict_text, random_targets, target_test
from symderiv.frontend.presentation import Presentation
from symderiv.notation import Numbering, Sort, notation
from symderiv.notation.python import python_names
from symderiv.notation.spelling import Spelling, spelling
from symderiv.options import NOTATION
from symderiv.proof.check import CheckedDerivation
from symderiv.render import render_template

_NO_HASH = "# sha256    -\n"
_PROVED = "every step of its derivation is proved"
_BATCH = {
    "columns": "one example a column",
    "rows": "one example a row",
    "single": "one example, vectors have one axis",
}


def numpy_module(
    checked: CheckedDerivation,
    presentation: Presentation,
    *,
    document: Derivation | None = None,
    scipy: bool = False,
) -> str:
    """The text of the module ``STEM.py``.

    The lines cite the equations of ``document``, a derivation of the same graph. With ``scipy`` the
    functions that SciPy has are SciPy's, and the module needs it. Raises NoCode where the
    derivation has no NumPy form, ValueError where a step was refuted.
    """
    if checked.refuted:
        raise ValueError("a step of the derivation is false: no code is written")
    if checked.graph.upstream:
        raise NoCode("a module needs a cost; this is a layer with a gradient from outside")
    open_steps = len(checked.unproved)
    return module_text(
        checked.derivation,
        presentation,
        warrant=f"{open_steps} steps of its derivation are not proved" if open_steps else _PROVED,
        document=document,
        scipy=scipy,
    )


def module_text(
    derivation: Derivation,
    presentation: Presentation,
    *,
    document: Derivation | None = None,
    scipy: bool = False,
    warrant: str = "nobody has checked its derivation",
) -> str:
    """As :func:`numpy_module`, of a derivation that nobody has checked; for tests."""
    graph, about = derivation.graph, presentation
    header = [
        *remark(f"{about.stem}.py: written by symderiv {about.version}; {warrant}."),
        "#",
        *field("spec", about.spec),
        *field("notation", f"{about.notation}, layout {about.layout}"),
        *field("command", about.command),
    ]
    generic = any(t.ordered and t.role is Role.PARAMETER for t in graph.tensors)
    widths = () if generic else tuple(about.sizes.values())
    naming = _naming(graph, about.notation, widths)
    numbering = Numbering(document or derivation, naming.notation)
    program = Program(derivation, naming, about.layout, numbering=numbering, scipy=scipy)
    reference = Program(derivation, naming, about.layout, reference=True, numbering=numbering)
    if naming.keeps_names:
        data = program_data(program, reference, about.freeze)
        data["functions"] = [_as_data(f) for f in program.functions.all()]
        data["reference_functions"] = [_as_data(f) for f in reference.functions.all()]
        names = size_names_in(shape_of(t, program.emitter) for t in graph.inputs)
        trial = _trial_widths(names)
        data["init_arguments"] = f"rng, {dict_text(trial)}" if trial else "rng"
    else:
        data = _network_data(program, reference, about.freeze, generic)
    name = "program" if naming.keeps_names else "module"
    used = any("special." in line for f in program.functions.all() for line in f.lines)
    data |= {"header": header, "special": used}
    text = render_template(f"numpy/{name}.py.j2", data)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return text.replace(_NO_HASH, _NO_HASH.replace("-", digest), 1)


def numpy_statement(
    checked: CheckedDerivation, adjoint: Adjoint, notation_name: str = NOTATION
) -> str:
    """The line of the module that computes one adjoint: ``dW1 = delta1 @ X.T / m``."""
    derivation = checked.derivation
    layout = layout_of(derivation.graph)
    naming = _naming(derivation.graph, notation_name)
    line = Program(derivation, naming, layout).adjoint(adjoint)
    return f"{line.target} = {line.text}"


def _naming(graph: Graph, notation_name: str, widths: Sequence[int | str] = ()) -> Naming:
    row = notation(notation_name)
    names = python_names(graph)
    symbols = Spelling() if names is None else spelling(row, graph, code=True)
    return Naming(row, widths, graph.sizes, spelling=symbols, names=names)


def layout_of(graph: Graph) -> str:
    """Where the examples of a graph are: read off the axes of its input."""
    batch = next((t for t in graph.inputs if t.role is Role.INPUT), None)
    kinds = [axis.name for axis in batch.axes] if batch is not None else []
    if EXAMPLE not in kinds:
        return "single"
    return "rows" if kinds[0] == EXAMPLE else "columns"


def _network_data(
    program: Program, reference: Program, freeze: frozenset[Tensor], generic: bool
) -> dict[str, object]:
    found = parameters(program.graph, program.emitter)
    passes = Passes(program, found, freeze)
    return {
        "generic": generic,
        "batched": program.layout != "single",
        "has_input": bool(program.inputs),
        **_shapes(program, passes, found, generic),
        **_bodies(program, reference, passes, found, generic),
        **_signatures(program, passes),
        **_self_check(program, passes, found, generic),
    }


def _trial_widths(names: Sequence[str]) -> dict[str, str]:
    """Numbers for sizes that are names, for the check that a script runs."""
    return {name: str(n) for name, n in zip(names, cycle((3, 4, 2, 5)), strict=False)}


def _shapes(
    program: Program, passes: Passes, found: Sequence[Parameter], generic: bool
) -> dict[str, object]:
    """The table of parameters, their first values, the shapes of X and Y."""
    names = size_names(found)
    x, y = batch_shape(passes.x, program.naming), batch_shape(passes.y, program.naming)
    start = f"Parameters to start from: {first_values(found, program.graph)}."
    if names:
        start += f"\n\n`sizes` is a dict with {', '.join(names)}."
    elif generic:
        start += "\n\n`sizes` lists n0, ..., nL."
    summary = (
        f"Cost and gradients of a network by backpropagation, in {program.libraries}.\n\n"
        f"X has the shape {tuple_text(x)} and Y the shape {tuple_text(y)}: "
        f"{_BATCH[program.layout]}. Everything is computed in the float type of the parameters. "
        f"The comments cite the equations of the document: {_cited(program.numbering)}. Run as a "
        "script, this module checks its own gradients."
    )
    table = [
        f'shapes[f"{p.name}{{l}}"] = {tuple_text(p.shape)}'
        if generic
        else f'"{p.name}": {tuple_text(p.shape, quoted=True)},'
        for p in found
    ]
    first = [
        f'params[f"{p.name}{{l}}"] = {p.start}' if generic else f'"{p.name}": {p.start},'
        for p in found
    ]
    return {
        "summary": paragraphs(summary, 0),
        "parameters": table,
        "names": [p.name for p in found],
        "init_doc": paragraphs(start),
        "init_lines": first,
        "size_names": names,
        "x_shape": tuple_text(x, quoted=True),
        "y_shape": tuple_text(y, quoted=True),
        "output_shape": tuple_text(y),
    }


_KINDS = {
    Sort.OUTPUT: "the error of the output", Sort.BACK: "those of hidden layers",
    Sort.BIAS: "the gradients of biases", Sort.WEIGHT: "the gradients of weights",
    Sort.INPUT: "the gradient of the input", Sort.OTHER: "those of the other parameters",
    Sort.PROGRAM: "the errors and gradients",
}  # fmt: skip


def _cited(numbering: Numbering) -> str:
    """The kinds of equations that there are: ``D forward, BP1 the error of the output, ...``."""
    found = {group.sort for group in numbering.groups}
    kinds = [f"{sort.tag} {what}" for sort, what in _KINDS.items() if sort in found]
    return ", ".join(["D forward", *kinds])


def _bodies(
    program: Program, reference: Program, passes: Passes, found: Sequence[Parameter], generic: bool
) -> dict[str, object]:
    """The functions, line by line."""
    bodies = {
        "forward_head": passes.head("_forward"),
        "forward_lines": passes.forward_body(),
        "cost_doc": passes.cost_doc(),
        "cost_head": passes.head("_cost"),
        "cost_lines": passes.cost_body(),
        "errors_head": passes.head("_errors"),
        "errors_lines": passes.errors_body(),
        "output_body": passes.output(),
        "cost_body": passes.value(),
        "gradient_body": passes.value_and_gradients(generic),
        "input_body": passes.input_gradient() if program.inputs else [],
    }
    names = [p.name for p in found]
    unpack = unpacked(names, "(params[name] for name in PARAMETERS)")
    if generic:
        unpack = [f"    L = len(params) // {len(names)}"]
        for name in names:
            unpack.append(f'    {name} = {{l: params[f"{name}{{l}}"] for l in range(1, L + 1)}}')
    head = program.head
    if head is not None and head.of:
        program.functions.describe(head.row.name, head.of)
    return {
        **bodies,
        "functions": [_as_data(f) for f in program.functions.all()],
        "reference_unpack": unpack,
        "reference_lines": passes.reference(reference),
        "reference_functions": [_as_data(f) for f in reference.functions.all()],
    }


def _signatures(program: Program, passes: Passes) -> dict[str, object]:
    """The heads of what is called, and calls, with the hyperparameters as keywords."""
    every, inner = passes.hyper, passes.hyper_input
    part = ":, part" if program.layout == "columns" else "part"
    batches = [] if program.layout == "single" else ["batch=None", "*"]
    descent = [*batches, *_keywords(every, star=not batches), *(["rng=None"] if batches else [])]
    data = ["params", "X", "Y"]
    heads = {
        "forward": ["params", "X", *_keywords(passes.hyper_forward)],
        "cost": [*data, *_keywords(every)],
        "cost_and_gradients": [*data, *_keywords(every)],
        "input_gradient": [*data, *_keywords(inner)],
        "train": [*data, "rate", "epochs", *descent],
        "reference_cost": [*data, *_keywords(every)],
        "check_gradients": [*data, *_keywords(every), "entries=20", "seed=0"],
    }
    penalized = any(t.role is Role.PENALTY for t in program.graph.tensors)
    given, point = [f"{n}={n}" for n in every], ["point", "X", "Y"]
    shares = [f"{n}={n} * share" if penalized and n == "lam" else f"{n}={n}" for n in every]
    both, changed = "value, gradients = cost_and_gradients(", ["changed", 'changed.pop("X")', "Y"]
    calls = {
        "part": (both, ["params", f"X[{part}]", f"Y[{part}]", *shares], 12),
        "whole": (both, [*data, *given], 8),
        "point": (both, [*point, *given], 4),
        "input": ('gradients["X"] = input_gradient(', [*point, *(f"{n}={n}" for n in inner)], 4),
        "reference": ("result = reference_cost(", [*changed, *given], 12),
    }
    usual = {n for n, value in every.items() if value != "0.0"}
    return {
        "penalized": penalized,
        "part": f"X[{part}]",
        "hyper": list(every),
        "hyper_forward": list(passes.hyper_forward),
        "hyper_input": list(inner),
        "hyper_check": "".join(f", {name}=0.1" for name in every if name not in usual),
        "heads": {n: "\n".join(listed(f"def {n}(", a, "):", 0)) for n, a in heads.items()},
        "calls": {n: "\n".join(listed(b, a, ")", i)) for n, (b, a, i) in calls.items()},
    }


def _keywords(hyper: Mapping[str, str], star: bool = True) -> list[str]:
    return [*(["*"] if star and hyper else []), *(f"{n}={v}" for n, v in hyper.items())]


def _self_check(
    program: Program, passes: Passes, found: Sequence[Parameter], generic: bool
) -> dict[str, object]:
    """What the derivation assumes of Y, and numbers for the check that a script runs."""
    widths = _trial_widths(size_names(found))
    sizes = dict_text(widths) if widths else "[3, 4, 5, 2]" if generic else ""
    known = {**widths, "m": "6"}
    if generic:
        known |= {"n0": "3", "nL": "2"}

    def shape(tensor: Tensor) -> str:
        return tuple_text(known.get(s, s) for s in batch_shape(tensor, program.naming))

    return {
        "assumptions": assumptions(program),
        "target_test": target_test(program, passes.loss),
        "main_init": f"init(rng, {sizes})" if sizes else "init(rng)",
        "main_x": f"rng.normal(size={shape(passes.x)})",
        "main_y": random_targets(program, passes.loss, shape(passes.y)),
        "example_axis": 1 if program.layout == "columns" else 0,
    }


def _as_data(function: Function) -> dict[str, object]:
    lines: list[str] = []
    for line in function.lines:
        lines += statement(line) if len(line) + 4 > WIDTH else [f"    {line}"]
    return {"head": function.head, "doc": function.doc, "lines": lines}
