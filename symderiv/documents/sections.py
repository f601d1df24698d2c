"""The sections of a derivation, in order; each function returns one of them."""

from __future__ import annotations

from collections.abc import Iterator

from symderiv.algebra.expr import ONE, Access, Add, Expr, Partial, Role, Tensor, walk
from symderiv.algebra.index import as_index
from symderiv.algebra.matrix import Fill, MatrixExpr, Ones, children
from symderiv.calculus.functions import rows
from symderiv.calculus.graph import EXAMPLE, Kind
from symderiv.documents import acting, named, opgraph, shared
from symderiv.documents.algorithms import algorithm_section
from symderiv.documents.checking import checked_section, lemma_section
from symderiv.documents.figures import layers_figure, network_figure
from symderiv.documents.ledger import ChainEntry, Checked, Ledger, derivative
from symderiv.documents.model import (
    EQUALS,
    Block,
    Box,
    Code,
    Document,
    Equations,
    Figure,
    Math,
    Part,
    Phrase,
    Prose,
    Row,
    Section,
)
from symderiv.documents.prose import box_title, enumerated, joined, plain, say, title
from symderiv.documents.questions import question_section
from symderiv.documents.reasons import reason
from symderiv.documents.tables import conventions, notation_table, sizes_line
from symderiv.documents.worked import Numbers
from symderiv.documents.worksheet import worked_numbers, worked_section
from symderiv.documents.written import written_section
from symderiv.frontend.presentation import Presentation
from symderiv.notation import Sort
from symderiv.notation.names import member_axis
from symderiv.notation.tex import layered

__all__ = ["document"]

KINDS = ("weights", "biases", "other parameters", "the input")  # of gradients, in this order


def document(checked: Checked, presentation: Presentation) -> Document:
    """A checked derivation as a document without a format."""
    ledger = Ledger(checked, presentation.notation)
    equations = named.named_equations(ledger)
    numbers = worked_numbers(ledger, presentation)
    return Document(
        title=presentation.title or plain(_title(ledger, presentation)),
        subtitle=_subtitle(presentation),
        result=tuple(named.row(ledger, n, matrix=not ledger.graph.written_out) for n in equations),
        conventions=conventions(ledger, presentation),
        sections=tuple(
            section
            for section in (
                network_section(ledger, presentation, numbers),
                notation_section(ledger),
                forward_section(ledger),
                *chain_sections(ledger),
                four_section(ledger, equations, presentation),
                written_section(ledger, presentation),
                algorithm_section(ledger, equations, presentation),
                worked_section(ledger, presentation, numbers),
                question_section(ledger, equations, presentation),
                lemma_section(ledger),
                checked_section(ledger),
            )
            if section is not None
        ),
    )


def is_generic(ledger: Ledger) -> bool:
    """Whether the depth is a symbol."""
    graph = ledger.graph
    return graph.kind is Kind.NETWORK and graph.has_families


def _title(ledger: Ledger, presentation: Presentation) -> Phrase:
    if is_generic(ledger):
        return title("generic")
    if not presentation.sizes:
        return title("program")
    if not all(isinstance(size, int) for size in presentation.sizes.values()):
        return title("layers", n=str(len(presentation.sizes) - 1))
    sizes = "–".join(str(presentation.sizes[n]) for n in sorted(presentation.sizes))
    return title("network", sizes=sizes)


def _subtitle(presentation: Presentation) -> Phrase:
    return (Code(presentation.spec),) if presentation.spec else ()


def network_section(
    ledger: Ledger, presentation: Presentation, numbers: Numbers | None
) -> Section | None:
    """Pictures of the network, and its sizes; of a program its operations."""
    operations = opgraph.operation_graph(ledger, numbers)
    if operations is not None:
        drawn = Figure(opgraph.to_tikz(operations), say("operations_figure"))
        return Section(title("operations_section"), (drawn,))
    blocks: list[Block] = []
    line = sizes_line(ledger, presentation)
    if line:
        blocks.append(Prose(line))
    picture = network_figure(ledger, presentation)
    if picture:
        blocks.append(Figure(picture, say("network_figure")))
    chain = layers_figure(ledger)
    if chain:
        blocks.append(Figure(chain, say("layers_figure")))
    return Section(title("network_section"), tuple(blocks)) if blocks else None


def notation_section(ledger: Ledger) -> Section:
    """The symbols."""
    return Section(title("notation"), (notation_table(ledger),))


def forward_section(ledger: Ledger) -> Section:
    """The definitions, and what is assumed of the data."""
    rows_: list[Row] = []
    for entry in ledger.definitions:
        d = entry.definition
        lhs = ledger.show(d.left, entry.names)
        rhs = ledger.show(d.body, entry.names)
        rows_.append(Row(lhs, rhs, _forward_why(ledger, entry.tag), entry.tag))
    for fact, tag in ledger.facts.items():
        names = ledger.names_of(fact.variables)
        lhs, rhs = ledger.show(fact.left, names), ledger.show(fact.right, names)
        rows_.append(Row(lhs, rhs, say("why_assumed", fact=fact.text), tag))
    return Section(title("forward"), (Prose(say("forward")), Equations(tuple(rows_))))


def _forward_why(ledger: Ledger, tag: str) -> Phrase:
    entry = next(e for e in ledger.definitions if e.tag == tag)
    d = entry.definition
    why: list[Part] = []
    if d.why and d.part_of not in rows():
        why.append(d.why)
    elif d.part_of and any(u.part_of == d.part_of for u in ledger.graph.users(d.target)):
        why += say("why_part", f=d.part_of)
    elif d.part_of:
        why.append(d.part_of)
    first = d.indices[0].variable if d.indices else None
    if first is not None and first.axis.ordered:
        start = ledger.show_index(first.axis.start, entry.names)
        stop = ledger.show_index(first.axis.stop, entry.names)
        letter = ledger.show_letter(first, entry.names)
        dots = Math(r", \dots, ", ", …, ", ", ..., ")
        why += [", ", letter + EQUALS + start + dots + stop]
    return tuple(why)


# --- The chains ------------------------------------------------------------------------------


def chain_sections(ledger: Ledger) -> Iterator[Section]:
    """The derivation: the cost, the errors from the last layer back, the gradients."""
    cost = [c for c in ledger.chains if c.of.role in (Role.LOSS, Role.PENALTY)]
    if cost:
        heading, intro = _of_the_cost(ledger)
        yield Section(heading, (Prose(intro), *(chain_block(ledger, c) for c in cost)))
    inner = [c for c in ledger.chains if c not in cost and c.of not in ledger.graph.inputs]
    groups: list[list[ChainEntry]] = []
    group: list[ChainEntry] = []
    for chain in inner:
        group.append(chain)
        if chain.names.has_name(chain.adjoint.tensor):
            groups.append(group)
            group = []
    for n, alike in enumerate([[g] for g in groups[:1]] + shared.alike(ledger, groups[1:])):
        yield error_section(ledger, alike, n == 0)
    if group:
        yield Section(title("others"), tuple(chain_block(ledger, c) for c in group))
    gradients = [c for c in ledger.chains if c.of in ledger.graph.inputs]
    others = [c for c in gradients if ledger.is_other(c.of)]
    if len(gradients) > len(others):
        yield gradient_section(ledger, [c for c in gradients if c not in others])
    if others:
        yield other_section(ledger, others)


def _of_the_cost(ledger: Ledger) -> tuple[Phrase, Phrase]:
    """Heading and introduction of what comes before the errors: what these are taken of."""
    loss, roots = ledger.graph.example_loss, ledger.error_roots
    if loss is None or (roots and loss not in roots):
        return title("cost_whole"), say("cost_whole")
    return title("cost"), say("cost" if set(roots) <= {loss} else "cost_some")


def error_section(ledger: Ledger, alike: list[list[ChainEntry]], first: bool) -> Section:
    """The chains that end in the error of one layer, or of several that have the same."""
    group = shared.printed(ledger, alike)
    last = group[-1]
    asides: tuple[Box, ...] = ()
    if last.adjoint.left.member is not None:
        heading, intro = _of_a_family(ledger, last, first)
    elif first and acting.is_output(ledger.graph, last.of):
        heading, intro = title("output"), _of_the_output(ledger, group)
        asides = _asides(ledger, last)
    else:
        heading, intro = _of_a_layer(ledger, last)
        intro = joined(intro, shared.holds_for(ledger, alike))
    words = (Prose(intro),) if intro else ()
    return Section(heading, (*words, *(chain_block(ledger, c) for c in group), *asides))


def _of_a_family(ledger: Ledger, chain: ChainEntry, first: bool) -> tuple[Phrase, Phrase]:
    """Base and step of the induction along layers or time: heading and introduction."""
    names, index, axis = chain.names, chain.adjoint.left.member, member_axis(chain.of)
    assert index is not None
    if first:
        member = Math.same(f"{names.axis_letter(axis)} = ") + ledger.show_index(index, names)
        intro = say("output_generic", last=member, C=_goal(ledger))
        return title("output_generic", axis=axis), intro
    index += names.shift(chain.of)
    here, after = ledger.show_index(index, names), ledger.show_index(index + 1, names)
    range_ = named.layer_range(ledger, (chain,))[1:]
    return (
        title("hidden_generic", axis=axis, next=after, l=here),
        say("hidden_generic", axis=axis, next=after, l=here, range=range_),
    )


def _of_the_output(ledger: Ledger, group: list[ChainEntry]) -> Phrase:
    """How the last layer acts on the cost."""
    last = group[-1]
    vector = _vector_function(ledger, last)
    if vector and acting.mixes_units(ledger.graph, last.of, vector):
        return say("output_vector", f=vector)
    a = next((c.of for c in group if c.of.role is Role.ACTIVATION), last.of)
    alone: Phrase = ()
    if acting.meets_target(ledger.graph, a):
        alone = say("output_alone", a=_symbol(ledger, a, last))
    return say("output", alone=alone)


def _of_a_layer(ledger: Ledger, chain: ChainEntry) -> tuple[Phrase, Phrase]:
    """Of one layer, whose error comes back from the next one: heading and introduction.

    A quantity of a program, which has no layers, is called by its own name.
    """
    if chain.layer is None:
        return title("error", z=_symbol(ledger, chain.of, chain)), ()
    number = ledger.show_layer(chain.layer, chain.names)
    after = acting.layer_after(ledger.graph, chain.of)
    if after is None or after.layer is None:
        return title("hidden", l=number), ()
    following = ledger.show_layer(after.layer, chain.names)
    return title("hidden", l=number), say("hidden", l=number, next=following, C=_goal(ledger))


def _goal(ledger: Ledger) -> str:
    """What errors come from, in words."""
    losses = any(t.role is Role.LOSS for t in ledger.graph.tensors)
    return "the loss" if losses else "the cost"


def _asides(ledger: Ledger, chain: ChainEntry) -> tuple[Box, ...]:
    """What people ask where the output's error turns out as simple as a - y."""
    closed = chain.adjoint.closed
    if not any(e.step.rule == "cancellation" for e in chain.steps) or not _is_difference(closed):
        return ()
    _, rhs = named.sides(ledger, chain, closed, chain.names, matrix=True)
    vector = _vector_function(ledger, chain)
    if vector == "softmax":
        entry = Math(r"a_j\,([j = k] - a_k)", "a[j] ([j = k] − a[k])", "a[j]*([j = k] - a[k])")
        return (Box(box_title("softmax"), say("box_softmax", entry=entry, closed=rhs)),)
    stated = named.stated_form(chain)
    if stated is None:
        return ()
    below = ledger.show(stated, chain.names)
    return (Box(box_title("cancel", closed=rhs), say("box_cancel", below=below)),)


def _is_difference(expr: Expr) -> bool:
    """Whether a closed form is one entry minus another."""
    return isinstance(expr, Add) and len(expr.terms) == 2 and isinstance(expr.terms[0], Access)


def _symbol(ledger: Ledger, tensor: Tensor, chain: ChainEntry) -> Math:
    indices = chain.adjoint.indices
    if len(tensor.slots) != len(indices):
        indices = tuple(map(as_index, tensor.fresh_indices()))
    return ledger.show(Access(tensor, indices), chain.names)


def _vector_function(ledger: Ledger, chain: ChainEntry) -> str:
    for entry in ledger.definitions:
        d = entry.definition
        if d.part_of and any(isinstance(n, Access) and n.tensor == chain.of for n in walk(d.body)):
            return d.part_of
    return ""


def gradient_section(ledger: Ledger, gradients: list[ChainEntry]) -> Section:
    """The gradients by weights and biases (and whatever else was asked for)."""
    parameters = [c.of for c in gradients if c.of.role is Role.PARAMETER and _is_layered(c.of)]
    heading = _gradients_title(ledger, gradients) if parameters else title("gradients_program")
    acts = _acts(ledger, parameters)
    intro = (Prose(acts),) if acts else ()
    return Section(heading, (*intro, *_gradient_blocks(ledger, gradients)))


def other_section(ledger: Ledger, gradients: list[ChainEntry]) -> Section:
    """The gradients by what a layer learns besides weights and biases."""
    examples = say("gradient_examples") if ledger.is_batched else ()
    intro = Prose(say("gradient_other", examples=examples))
    return Section(title("gradients_other"), (intro, *_gradient_blocks(ledger, gradients)))


def _gradient_blocks(ledger: Ledger, gradients: list[ChainEntry]) -> Iterator[Block]:
    for alike in shared.alike(ledger, [[c] for c in gradients]):
        note = shared.holds_for(ledger, alike) or _passed_on(ledger, alike[0][0])
        if note:
            yield Prose(note)
        yield from (chain_block(ledger, c) for c in shared.printed(ledger, alike))


def _passed_on(ledger: Ledger, chain: ChainEntry) -> Phrase:
    """What of the gradient by the input a layer below would need, where the two differ."""
    loss = ledger.graph.example_loss
    factor = next((c for c in ledger.chains if c.of == loss), None)
    if chain.of.role is not Role.INPUT or factor is None or factor.adjoint.closed == ONE:
        return ()
    if loss is None or chain.of not in ledger.graph.per_example:
        return ()
    x = Access(chain.of, chain.adjoint.indices)
    examples = tuple(x.indices[n] for n, a in enumerate(chain.of.axes) if a.name == EXAMPLE)
    slope = ledger.show(Partial(Access(loss, examples), x), chain.names)
    shown = ledger.show(factor.adjoint.closed, factor.names)
    return say("gradient_input", factor=shown, x=ledger.show(x, chain.names), slope=slope)


def _gradients_title(ledger: Ledger, gradients: list[ChainEntry]) -> Phrase:
    """What the gradients are by: weights, biases, what activations learn, the input."""
    found = {_kind(ledger, c.of) for c in gradients}
    kinds: list[Part] = [kind for kind in KINDS if kind in found]
    return title("gradients", what=enumerated(kinds))


def _kind(ledger: Ledger, tensor: Tensor) -> str:
    if tensor.role is not Role.PARAMETER:
        return "the input"
    words = {Sort.WEIGHT: "weights", Sort.BIAS: "biases"}
    return words.get(ledger.numbering.sort(tensor), "other parameters")


def _acts(ledger: Ledger, parameters: list[Tensor]) -> Phrase:
    """On what a weight acts, or a bias where there are no weights; nothing where they differ."""
    graph = ledger.graph
    kinds = {kind: [t for t in parameters if _kind(ledger, t) == kind] for kind in KINDS}
    these = kinds["weights"] or kinds["biases"]
    if not these or not all(acting.acts_once(graph, t) for t in these):
        return ()
    penalised = [acting.is_penalised(graph, t) for t in these]
    key = "gradient_penalty" if all(penalised) else "gradient_penalty_some"
    return say(
        "gradient",
        what="A weight" if kinds["weights"] else "A bias",
        examples=say("gradient_examples") if ledger.is_batched else (),
        penalty=say(key) if any(penalised) else (),
    )


def _is_layered(tensor: Tensor) -> bool:
    """Whether a parameter belongs to a layer of a network."""
    return tensor.layer is not None or tensor.ordered


def chain_block(ledger: Ledger, chain: ChainEntry) -> Equations:
    """One chain, with the rule beside every step."""
    left = ledger.show(chain.adjoint.left, chain.names)
    lines: list[Row] = []
    if chain.names.has_name(chain.adjoint.tensor):
        meaning = ledger.show(derivative(chain.adjoint.left), chain.names)
        lines.append(Row(left, meaning, say("why_error")))
    for entry in chain.steps:
        if entry.shown:
            rhs = ledger.show(entry.step.right, chain.names)
            why = reason(ledger, chain, entry.step)
            lines.append(Row(left if not lines else None, rhs, why, entry.tag))
    return Equations(tuple(lines))


# --- The equations in both forms -------------------------------------------------------------


def four_section(
    ledger: Ledger, equations: tuple[named.Named, ...], presentation: Presentation
) -> Section | None:
    """The named equations, in index form and in matrix form with shapes.

    Where units are written out there are no matrices, and the result has them in index form.
    """
    if not equations or ledger.graph.written_out:
        return None
    index = tuple(named.row(ledger, n, matrix=False) for n in equations)
    blocks: list[Block] = [Equations(index)]
    matrix: list[Row] = []
    for equation in equations:
        if named.has_matrix(ledger, equation):
            matrix += _matrix_rows(ledger, equation)
    if matrix and any(m.rhs != i.rhs for m, i in zip(matrix, index, strict=False)):
        some = len({row.tag for row in matrix if row.tag}) < len(equations)
        which = say("some_four" if some else "all_four")
        shapes = () if presentation.layout == "single" else say("four_shapes")
        notes = (*_ones_note(ledger, equations), *_input_note(ledger, equations))
        note = (*which, *shapes, ".", *notes)
        blocks += [Prose(note), Equations(tuple(matrix))]
    elif equations[0].sort is Sort.PROGRAM:
        return None  # the result says it all
    return Section(title("four"), tuple(blocks))


def _matrix_rows(ledger: Ledger, equation: named.Named) -> list[Row]:
    """An equation without indices; once a layer where the names of the sizes tell them apart."""
    matrix: list[Row] = []
    for one in named.of_one_shape(ledger, equation):
        chain = one.chains[0]
        names = named.relative_names(ledger, chain, one.base)
        general = named.general_form(chain) if one.sort is Sort.BACK else None
        if general is not None and not named.prints(ledger, chain, general):
            general = None
        if general is not None:
            lhs, rhs = named.sides(ledger, chain, general, names, matrix=True)
            matrix.append(Row(lhs, rhs, (), ""))
        lhs, rhs = named.sides(ledger, chain, chain.adjoint.closed, names, matrix=True, shapes=True)
        range_ = named.layer_range(ledger, one.chains)
        matrix.append(Row(None if general is not None else lhs, rhs, range_, one.tag))
    return matrix


def _ones_note(ledger: Ledger, equations: tuple[named.Named, ...]) -> Phrase:
    shown = (n for n in equations if named.has_matrix(ledger, n))
    adjoints = (n.chains[0].adjoint for n in shown)
    nodes = (ledger.matrix(a.closed, a.indices) for a in adjoints)
    if not any(node is not None and _has_ones(node) for node in nodes):
        return ()
    return (" ", *say("ones", one=Math(r"\mathbf{1}", "1", "1")))


def _has_ones(node: MatrixExpr) -> bool:
    return isinstance(node, Ones | Fill) or any(map(_has_ones, children(node)))


def _input_note(ledger: Ledger, equations: tuple[named.Named, ...]) -> Phrase:
    if not named.uses_input(equations):
        return ()
    symbols = ledger.notation.symbols
    zero = str(ledger.notation.activation_shift)
    a, x = symbols["a"], symbols["x"]
    tex = layered(a.array, zero, ledger.notation)
    first = Math(tex, f"{a.unicode}[{zero}]", f"{a.ascii}[{zero}]")
    return (" ", *say("a0", a0=first, x=Math(x.array, x.unicode, x.ascii)))
