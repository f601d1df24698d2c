"""The conventions in force and the table of symbols."""

from __future__ import annotations

from fractions import Fraction

from symderiv.algebra.expr import (
    ONE,
    Access,
    Add,
    Apply,
    Number,
    Role,
    SizeOf,
    Tensor,
    add,
    apply,
    tensors_in,
    walk,
)
from symderiv.algebra.index import Axis, Index, Size, as_index, substitute_axis
from symderiv.algebra.matrix import Matrix
from symderiv.calculus.functions import Kink, rows, scalar
from symderiv.calculus.graph import EXAMPLE, Graph
from symderiv.calculus.primitives import OF_THE_NORMAL
from symderiv.documents import acting
from symderiv.documents.checking import function_symbol, functions_used, kinks_at, slopes_used
from symderiv.documents.ledger import Ledger, derivative
from symderiv.documents.model import EQUALS, Code, Math, Part, Phrase, Table
from symderiv.documents.prose import enumerated, say
from symderiv.documents.wording import worded
from symderiv.frontend.presentation import Presentation
from symderiv.notation import Names, Sort, array_symbol, matrix_text, shape_latex
from symderiv.notation.names import member_axis, unit_name
from symderiv.notation.python import python_name, python_names
from symderiv.notation.unicode import TextPrinter

MEANINGS = {
    Role.INPUT: "input",
    Role.TARGET: "target",
    Role.PARAMETER: "parameter",
    Role.HYPERPARAMETER: "hyperparameter",
    Role.PREACTIVATION: "weighted input",
    Role.ACTIVATION: "activation",
    Role.AUXILIARY: "auxiliary",
    Role.LOSS: "loss of one example",
    Role.PENALTY: "penalty",
    Role.COST: "cost",
    Role.ADJOINT: "error",
}
PARAMETERS = {Sort.WEIGHT: "weights", Sort.BIAS: "biases"}
LETTERS = {Sort.WEIGHT: "weight", Sort.BIAS: "bias"}
ORDER = tuple(MEANINGS)
USUAL_ENDS = ("n0", "nL")


def array(ledger: Ledger, tensor: Tensor, names: Names) -> Math:
    """A whole tensor in every form; a family for its member l."""
    node = matrix_of(ledger, tensor, names)
    plain = matrix_text(node, names) or tensor.name
    ascii_ = matrix_text(node, names, unicode=False) or tensor.name
    return Math(array_symbol(node, names), plain, ascii_)


def matrix_of(ledger: Ledger, tensor: Tensor, names: Names) -> Matrix:
    """A tensor as a matrix, a column (or a row, where units run along rows) or a scalar.

    Of an array with more axes these are the first two, which is enough to write its symbol.
    """
    member, axes = _member_and_axes(tensor, names)
    row: Axis | None
    column: Axis | None
    row, column = (*axes, None, None)[:2]
    if len(axes) == 1 and axes[0].name in ledger.row_axes:
        row, column = None, axes[0]
    return Matrix(tensor, member, row, column)


def _member_and_axes(tensor: Tensor, names: Names) -> tuple[Index | None, tuple[Axis, ...]]:
    """Which member of a family a tensor stands for, and the axes that this member has."""
    slots, member, mapping = list(tensor.slots), None, {}
    if tensor.ordered:
        head = slots.pop(0)
        member = as_index(head)
        names.fix(head)
        mapping = {head: member}
    return member, tuple(substitute_axis(slot.axis, mapping) for slot in slots)


def shape(ledger: Ledger, tensor: Tensor, names: Names) -> Math:
    """``n_1 × m``; of an array with more than two axes all of them, as they are stored."""
    _, axes = _member_and_axes(tensor, names)
    sides = axes if len(axes) > 2 else matrix_of(ledger, tensor, names).shape
    printer = TextPrinter(names)
    plain = ["1" if axis is None else printer.index(axis.size) for axis in sides]
    return Math(shape_latex(sides, names), " × ".join(plain), " x ".join(plain))


# --- Conventions -----------------------------------------------------------------------------


def conventions(ledger: Ledger, presentation: Presentation) -> tuple[Phrase, ...]:
    """What a reader has to know before reading a formula."""
    graph = ledger.graph
    items: list[Phrase] = []
    tensors = {t.name: t for t in graph.tensors}
    weight = _typical_weights(ledger)
    x = tensors.get("x")
    base = weight.layer if weight is not None else None
    names = Names(ledger.notation, graph, base if _uniform(ledger) else None)
    forward = "" if weight is None else _weighted_input(ledger, weight, names)
    if weight is not None and x is not None and forward:
        own = Names(ledger.notation, graph, names.base)
        plain = Names(ledger.notation, graph)
        items.append(
            say(
                ledger.layout,
                x=array(ledger, x, plain),
                shape_x=shape(ledger, x, plain),
                W=array(ledger, weight, own),
                shape_W=shape(ledger, weight, own),
                forward=(forward, *_biased_layers(ledger)),
            )
        )
        numbers = ledger.notation
        fed = numbers.parameter_shift == numbers.activation_shift
        first = str(numbers.activation_shift)
        if weight.layer is not None or (weight.ordered and member_axis(weight) == "layer"):
            items.append(say("numbering" if fed else "numbering_left", n=first))
    if presentation.ends and presentation.ends != USUAL_ENDS:
        items.append(_ends(ledger, presentation.ends))
    items += _error_conventions(ledger)
    for name, used in functions_used(ledger).items():
        row = rows()[name]
        if row.factor:
            items.append(say("loss_factor", name=name, factor=worded(row.factor)))
        kinks = scalar(name).kinks_at(used.args)
        if kinks:
            items.append(_kinks(ledger, used, kinks))
    items += [_hyperparameter(ledger, t, value) for t, value in graph.defaults]
    if any(t.role is Role.PENALTY for t in graph.tensors):
        items.append(_penalty(ledger))
    derived = {c.of for c in ledger.chains}
    frozen = [t for t in graph.inputs if t in presentation.held and t not in derived]
    if frozen:
        shown: list[Part] = [array(ledger, t, Names(ledger.notation, graph)) for t in frozen]
        items.append(say("frozen", names=enumerated(shown)))
    return tuple(items)


def _typical_weights(ledger: Ledger) -> Tensor | None:
    """The weights that stand for all layers: of the first layer with a bias, if any has one."""
    weights = [t for t in ledger.inputs_of(Sort.WEIGHT) if t.slots]
    biased = {t.layer for t in ledger.inputs_of(Sort.BIAS)}
    return next((w for w in weights if w.layer in biased), weights[0] if weights else None)


def _biased_layers(ledger: Ledger) -> Phrase:
    """Which layers have a bias, where not all of them are alike."""
    names = Names(ledger.notation, ledger.graph)
    biases = ledger.inputs_of(Sort.BIAS)
    if not biases or len(biases) == len(ledger.inputs_of(Sort.WEIGHT)):
        return ()
    numbers = [str(names.shift(t) + t.layer) for t in biases if isinstance(t.layer, int)]
    if len(numbers) < len(biases):  # there are no layers, or they are not counted
        return ()
    symbol = array(ledger, biases[0], Names(ledger.notation, ledger.graph, biases[0].layer))
    key = "biased" if len(numbers) == 1 else "biased_several"
    return say(key, b=symbol, layers=enumerated(list(numbers)))


def _ends(ledger: Ledger, ends: tuple[str, ...]) -> Phrase:
    """What the user calls the sizes of the input and of the output at any depth."""
    names = Names(ledger.notation, ledger.graph)
    layers = (Index(0), as_index(Size("L")))
    sizes = [ledger.show(SizeOf(as_index(Size("n", layer))), names) for layer in layers]
    own = [ledger.show(SizeOf(as_index(Size(end))), names) for end in ends]
    return say("ends", first=sizes[0], in_=own[0], last=sizes[1], out=own[1])


def _kinks(ledger: Ledger, used: Apply, kinks: tuple[Kink, ...]) -> Phrase:
    """Where a function has no derivative and what is used there, in the letters of the graph."""
    row = scalar(used.function)
    names = Names(ledger.notation, ledger.graph)
    f, at = function_symbol(row), kinks_at(ledger, row, kinks)
    slopes = slopes_used(ledger, row, used)
    if kinks[0].jumps:
        if row.call and row.definition is None:  # a step, which is written as a bracket
            z = Tensor("z")[()]
            f = f + Math.same("(z) = ") + ledger.show(apply(row.name, z), names)
        return say("jump", f=f, at=at, slopes=slopes)
    unless: Phrase = ()
    if kinks[0].unless is not None:
        name, value = kinks[0].unless
        argument = used.args[row.arguments.index(name)]
        if not isinstance(argument, Number):
            equal = ledger.show(argument, names) + Math.same(f" = {value}")
            unless = say("unless", equal=equal)
    key = "kink" if len(slopes) == 1 else "kinks"
    return say(key, f=f, at=at, slopes=slopes, unless=unless)


def _hyperparameter(ledger: Ledger, tensor: Tensor, value: Fraction) -> Phrase:
    """Which function has it, and its usual value, long decimals rounded."""
    nodes = (n for d in ledger.graph.definitions for n in walk(d.body))
    owner = next(n.function for n in nodes if isinstance(n, Apply) and tensor[()] in n.args)
    shown = ledger.show(tensor[()], Names(ledger.notation, ledger.graph))
    about = "" if value.denominator <= 1000 else "about "
    return say("hyper", t=shown, f=owner, value=f"{about}{float(value):.6g}")


def _weighted_input(ledger: Ledger, weight: Tensor, names: Names) -> Part:
    """``z^l = W^l a^{l-1} + b^l``, and the letters of it in ``names``."""
    for entry in ledger.definitions:
        d = entry.definition
        if d.target.role is Role.PREACTIVATION and weight in tensors_in(d.body):
            names.fix(*d.variables)
            left, right = ledger.matrix(d.left, d.indices), ledger.matrix(d.body, d.indices)
            if left is None or right is None:
                break
            lhs, rhs = ledger.show_matrix(left, names), ledger.show_matrix(right, names)
            if lhs is not None and rhs is not None:
                return lhs + EQUALS + rhs
    return ""


def _penalty(ledger: Ledger) -> Phrase:
    """What the penalty takes: the weights, unless a cost of one's own takes something else."""
    parameters = (t for t in ledger.graph.inputs if t.role is Role.PARAMETER)
    taken = [t for t in parameters if acting.is_penalised(ledger.graph, t)]
    if taken == ledger.inputs_of(Sort.WEIGHT):
        biased = ledger.inputs_of(Sort.BIAS)
        return say("penalty", biases=say("penalty_biases") if biased else ())
    shown: list[Part] = [array(ledger, t, Names(ledger.notation, ledger.graph)) for t in taken]
    return say("penalty_of", names=enumerated(shown))


def _error_conventions(ledger: Ledger) -> list[Phrase]:
    """What the errors differentiate: one of them stands for all layers, unless they differ."""
    chains = (c for c in ledger.chains if c.names.has_name(c.adjoint.tensor))
    errors = list(dict.fromkeys(c.adjoint.tensor for c in chains))
    alike = len(ledger.error_roots) == 1
    return [_error_convention(ledger, error, alike) for error in errors[: 1 if alike else None]]


def _error_convention(ledger: Ledger, error: Tensor, alike: bool) -> Phrase:
    family = error.of is not None and error.of.ordered
    base = error.layer if alike and not family else None
    names = Names(ledger.notation, ledger.graph, base)
    shown = array(ledger, error, names)
    loss = ledger.graph.example_loss
    if loss is None or error.root != loss:
        return say("delta_cost", delta=shown, C=array(ledger, ledger.graph.cost, names))
    ell = ledger.show_symbol(names.symbol(loss))
    factor = next(c for c in ledger.chains if c.of == loss)
    if factor.adjoint.closed == ONE:
        return say("delta_loss_sum", delta=shown, ell=ell, rest=_besides(ledger, loss))
    closed = ledger.show(factor.adjoint.closed, factor.names, inline=True)
    inputs = any(c.of.role is Role.INPUT for c in ledger.chains)
    of = say("of_error" if not alike else "of_input" if inputs else "of_parameter")
    return say("delta_loss", delta=shown, ell=ell, factor=closed, of=of)


def _besides(ledger: Ledger, loss: Tensor) -> Phrase:
    """What the cost has besides the sum of the losses."""
    entry = next(e for e in ledger.definitions if e.definition.target == ledger.graph.cost)
    body = entry.definition.body
    terms = body.terms if isinstance(body, Add) else (body,)
    others = [term for term in terms if loss not in tensors_in(term)]
    return say("besides", rest=ledger.show(add(*others), entry.names)) if others else ()


def _uniform(ledger: Ledger) -> bool:
    """Whether sizes are n[l], so that one row can stand for every layer."""
    return all(
        not isinstance(symbol, Size) or symbol.at is not None or symbol.name in ("m", "L")
        for tensor in ledger.graph.tensors
        for axis in tensor.axes
        for symbol, _ in axis.stop.terms
    )


# --- Symbols ---------------------------------------------------------------------------------


def notation_table(ledger: Ledger) -> Table:
    """Symbol, meaning, shape, name in code: one row a symbol, or one a tensor."""
    groups: dict[tuple[str, str], list[Tensor]] = {}
    uniform = _uniform(ledger)
    tensors = list(ledger.graph.tensors)
    tensors += [c.adjoint.tensor for c in ledger.chains if c.names.has_name(c.adjoint.tensor)]
    for tensor in dict.fromkeys(tensors):
        kind = tensor.role.value
        own = tensor.symbol if uniform and tensor.layer is not None else tensor.name
        if tensor.role is Role.AUXILIARY or unit_name(tensor):
            own = tensor.name
        if tensor.role is Role.ADJOINT and len(ledger.error_roots) > 1:
            own = tensor.name  # what it differentiates is said beside it
        groups.setdefault((kind, own), []).append(tensor)
    ordered = sorted(groups.values(), key=lambda g: ORDER.index(g[0].role))
    lines = [_line(ledger, group) for group in ordered]
    lines += [_count_line(ledger), _normal_line(ledger)]
    kept = tuple(line for line in lines if line)
    return Table(("Symbol", "Meaning", "Shape", "Code"), kept, "llll")


def _line(ledger: Ledger, group: list[Tensor]) -> tuple[Phrase, ...]:
    tensor = group[-1] if group[0].role is Role.ADJOINT else group[0]
    base = tensor.layer if len(group) > 1 else None
    names = Names(ledger.notation, ledger.graph, base)
    symbol = array(ledger, tensor, names)
    if tensor.role is Role.LOSS:
        symbol = ledger.show_symbol(names.symbol(tensor))
    meaning: Phrase = (MEANINGS[tensor.role],)
    if tensor.role is Role.PARAMETER:
        words = PARAMETERS if tensor.slots else LETTERS
        meaning = (words.get(ledger.numbering.sort(tensor), MEANINGS[tensor.role]),)
    elif tensor.role is Role.HYPERPARAMETER and _scales_penalty(ledger.graph, tensor):
        meaning = ("strength of the penalty",)
    part = next(
        (e.definition.part_of for e in ledger.definitions if e.definition.target == tensor), ""
    )
    layered = len(group) > 1 or tensor.ordered or tensor.layer is not None
    if tensor.role is Role.AUXILIARY and part:
        meaning, layered = say("why_part", f=part), False
    if layered and tensor.role not in (Role.INPUT,):
        meaning = (*meaning, *_of_layer(ledger, tensor, names))
    if tensor.role is Role.ADJOINT:
        meaning = (*meaning, ", ", _meaning_of_error(ledger, tensor, names))
    code = _code(ledger, group)
    plain = [axis for axis in tensor.axes if not axis.ordered]
    size: Phrase = (shape(ledger, tensor, names),) if plain else ("scalar",)
    return (symbol,), meaning, size, code


def _of_layer(ledger: Ledger, tensor: Tensor, names: Names) -> Phrase:
    """``of layer l + 1``, as the symbol has it; of a family along time ``at time t``."""
    if tensor.ordered:
        member = as_index((tensor.of or tensor).slots[0]) + names.shift(tensor)
        label = ledger.show_index(member, names)
    else:
        text = names.layer_label((tensor.layer or 0) + names.shift(tensor))
        label = Math.same(text)
    axis = member_axis(tensor)
    return (" of layer " if axis == "layer" else f" at {axis} ", label)


def _scales_penalty(graph: Graph, tensor: Tensor) -> bool:
    return any(d.target.role is Role.PENALTY for d in graph.users(tensor))


def _meaning_of_error(ledger: Ledger, tensor: Tensor, names: Names) -> Math:
    access = Access(tensor, tuple(map(as_index, tensor.fresh_indices())))
    names = Names(ledger.notation, ledger.graph, names.base)
    names.fix(*(v for i in access.indices for v in i.variables))
    return ledger.show(derivative(access), names, inline=True)


def _code(ledger: Ledger, group: list[Tensor]) -> Phrase:
    if group[0].role is Role.AUXILIARY and not ledger.graph.written_out:
        return ()
    own = python_names(ledger.graph)
    ordered = group if own is not None else sorted(group, key=lambda t: t.layer or 0)
    words = [python_name(tensor, ledger.notation, own) for tensor in ordered]
    if own is None and len(words) > 3:
        return (Code(words[0]), ", …, ", Code(words[-1]))
    return enumerated([Code(w) for w in words], ", ")


def _count_line(ledger: Ledger) -> tuple[Phrase, ...]:
    m = Size("m")
    examples = [a for t in ledger.graph.tensors for a in t.axes if a.name == EXAMPLE]
    used = any(s == m for a in examples for s, _ in a.stop.terms)
    if not used:
        return ()
    return (Math.same("m"),), ("number of examples",), (), ()


def _normal_line(ledger: Ledger) -> tuple[Phrase, ...]:
    """Φ and φ, where a formula has one of them."""
    printed = [e.definition.body for e in ledger.definitions]
    printed += [e.step.right for c in ledger.chains for e in c.steps]
    for lemma in ledger.lemmas:
        definition = scalar(lemma.function).definition
        printed += [lemma.stated, *([definition(*lemma.args)] if definition else [])]
    used = {n.function for expr in printed for n in walk(expr) if isinstance(n, Apply)}
    signs: list[Part] = [function_symbol(scalar(name)) for name in OF_THE_NORMAL if name in used]
    if not signs:
        return ()
    words = " and ".join(word for name, word in OF_THE_NORMAL.items() if name in used)
    return enumerated(signs, ", "), (f"{words} of the standard normal",), (), ()


def sizes_line(ledger: Ledger, presentation: Presentation) -> Phrase:
    """``n_0 = 2, n_1 = 3, n_2 = 1``."""
    known = [n for n in sorted(presentation.sizes) if isinstance(presentation.sizes[n], int)]
    if not known or not _uniform(ledger):
        return ()
    names = Names(ledger.notation, ledger.graph)
    parts: list[Part] = []
    for layer in known:
        size = ledger.show(SizeOf(as_index(Size("n", Index(layer)))), names)
        value = str(presentation.sizes[layer])
        parts.append(size + Math.same(f" = {value}"))
    return say("sizes", sizes=enumerated(parts))
