"""A module whose quantities keep their names: every variable of it is a parameter."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from symderiv.algebra.expr import Role, Tensor
from symderiv.calculus.conditions import conditions
from symderiv.calculus.functions import REAL, Domain
from symderiv.code.lines import listed, paragraphs, unpacked
from symderiv.code.parameters import shape_of, size_names_in, tuple_text
from symderiv.code.passes import lines_of, reads, setup_lines, uses_of, without
from symderiv.code.program import Program
from symderiv.code.selfcheck import (
    bound_variables,
    drawn,
    sums_of_variables,
    target_domains,
    target_tests,
)
from symderiv.code.statements import Item, Line, needed

USUAL = Fraction(1, 10), Fraction(9, 10)  # where variables start


def program_data(
    program: Program, reference: Program, freeze: frozenset[Tensor]
) -> dict[str, object]:
    """What ``templates/numpy/program.py.j2`` prints, but for the header."""
    graph, naming = program.graph, program.naming
    inputs = list(graph.inputs)
    names = [naming.family(t) for t in inputs]
    shapes = {t.name: shape_of(t, program.emitter) for t in inputs}
    backward = [*program.gradients, *(program.inputs if graph.written_out else ())]
    gradients = [g for item in backward for g in without(item, freeze)]
    cost = needed([*program.forward, *program.cost], [(graph.cost, None)])
    asked = program.derivation.wrt
    steps = [d.target for d in graph.definitions if d.target in asked]
    results = [
        line for line in program.errors if isinstance(line, Line) and line.tensor.of in steps
    ]
    errors = needed(program.errors, [*uses_of(gradients), *((r.tensor, None) for r in results)])
    forward = needed(program.forward, uses_of([*program.cost, *errors, *gradients]))
    value = naming.family(graph.cost)
    whole = [*forward, *program.cost, *errors, *gradients]
    pairs = [
        f'"{line.tensor.of.name}": {line.target}'
        for item in (*results, *gradients)
        for line in item.lines
        if line.tensor.of is not None
    ]
    shown = [t.name for t in inputs if t.role is Role.PARAMETER and t not in freeze]
    if graph.written_out:
        found = {line.tensor.of for item in gradients for line in item.lines}
        shown = [t.name for t in inputs if t in found]
    shown += [t.name for t in steps]
    computed = "Everything is computed in the float type of the parameters. " if names else ""
    summary = (
        f"The value of {graph.cost.name}, and its gradient by {_listed(shown)}, in "
        f"{program.libraries}.\n\n"
        f"{computed}The comments cite the equations. Run as a script, this module checks its own "
        "gradients."
    )
    domains = target_domains(program)
    sizes = size_names_in(shapes.values())
    doc = "Random numbers between 0.1 and 0.9 for every variable."
    if any(domain.values for domain in domains.values()):
        doc = "Random numbers between 0.1 and 0.9, and for targets values that they may have."
    if not names:
        doc = "There are no variables."
    if sizes:
        doc += f"\n\n`sizes` is a dict with {', '.join(sizes)}."
    written = [*reference.forward, *reference.cost]
    unpack = unpacked(names, "_arrays(params)")
    named = unpacked(names, "(params[name] for name in PARAMETERS)") if names else []
    facts = sums_of_variables(program)
    bound = {*bound_variables(program), *domains}
    moved = [f'"{name}"' for name in names if name not in bound]
    return {
        "summary": paragraphs(summary, 0),
        "parameters": [f'"{name}": {tuple_text(s, quoted=True)},' for name, s in shapes.items()],
        "init_doc": paragraphs(doc),
        "init_lines": [
            f'"{name}": {drawn(domains.get(name, REAL), tuple_text(s), USUAL)},'
            for name, s in shapes.items()
        ],
        "size_names": sizes,
        "cost_body": [
            *unpack,
            *setup_lines(program, cost, names),
            *lines_of(cost),
            f"    return float({value})",
        ],
        "gradient_body": [
            *unpack,
            *setup_lines(program, whole, names),
            *lines_of(whole),
            *listed("gradients = {", pairs, "}"),
        ],
        "value": value,
        "dtype": f"np.asarray({value}).dtype" if reads(cost) & {*names} else "np.dtype(float)",
        "reference_body": [
            *named,
            *setup_lines(reference, written, names),
            *_shifted(written, steps),
            f"    return {value}",
        ],
        "steps": [t.name for t in steps],
        "goal": graph.cost.name,
        "hyper": [],
        "drops": program.drops,
        **_comparisons(program, unpack, names),
        "facts": facts,
        "targets": target_tests(program),
        "moved": listed("for name in [", moved, "]:", 8)
        if bound
        else ["        for name in point:"],
    }


def _comparisons(program: Program, unpack: list[str], names: list[str]) -> dict[str, object]:
    """The comparisons of the program, and the function body that says which are true."""
    before, found = program.comparisons()
    quoted = {text: repr(text) if '"' in text else f'"{text}"' for text in found}
    entries = [f"{quoted[text]}: {text}" for text in found]
    later = frozenset().union(*(piece.reads for piece in found.values())) if found else frozenset()
    return {
        "comparisons": list(quoted.values()),
        "searched": bool(found)
        or any(isinstance(c.what, Domain) for c in conditions(program.graph)),
        "sides_body": [
            *unpack,
            *setup_lines(program, before, names, also=later),
            *lines_of(before, notes=False),
            *listed("found = {", entries, "}"),
        ],
    }


def _shifted(items: Sequence[Item], steps: Sequence[Tensor]) -> list[str]:
    """The lines; a step whose gradient is asked for is moved by what is given under its name."""
    lines: list[str] = []
    for item in items:
        lines += lines_of([item], notes=False)
        if isinstance(item, Line) and item.tensor in steps:
            name = item.tensor.name
            lines.append(f'    {item.target} = {item.target} + params.get("{name}", 0)')
    return lines


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
