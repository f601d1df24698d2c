"""The conventions in force and the table of symbols."""

from __future__ import annotations

from fractions import Fraction

from symderiv.algebra.expr import Access, Apply, Role, SizeOf, Tensor, tensors_in, walk
from symderiv.algebra.index import Axis, Index, Size, as_index, substitute_axis
from symderiv.algebra.matrix import Matrix
from symderiv.calculus.functions import rows
from symderiv.calculus.graph import EXAMPLE, Graph
from symderiv.documents.checking import functions_used
from symderiv.documents.ledger import Ledger, derivative
from symderiv.documents.model import Code, Math, Part, Phrase, Presentation, Table
from symderiv.documents.prose import enumerated, say
from symderiv.notation import Names, array_symbol, matrix_text, shape_latex
from symderiv.notation.names import unit_name
from symderiv.notation.python import python_names
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
PARAMETERS = {"W": "weights", "b": "biases"}
SCALARS = {"lambda": "strength of the penalty"}
LETTERS = {"w": "weight", "b": "bias"}
ORDER = tuple(MEANINGS)
USUAL_ENDS = ("n0", "nL")


def array(ledger: Ledger, tensor: Tensor, names: Names) -> Math:
    """A whole tensor in every form; a family for its member l."""
    node = matrix_of(ledger, tensor, names)
    plain = matrix_text(node, names) or tensor.name
    ascii_ = matrix_text(node, names, unicode=False) or tensor.name
    return Math(array_symbol(node, names), plain, ascii_)


def matrix_of(ledger: Ledger, tensor: Tensor, names: Names) -> Matrix:
    """A tensor as a matrix, a column (or a row, where units run along rows) or a scalar."""
    slots, member, mapping = list(tensor.slots), None, {}
    if tensor.ordered:
        head = slots.pop(0)
        member = as_index(head)
        names.fix(head)
        mapping = {head: member}
    axes = [substitute_axis(s.axis, mapping) for s in slots][:2]
    row: Axis | None
    column: Axis | None
    row, column = (*axes, None, None)[:2]
    if len(axes) == 1 and axes[0].name in ledger.row_axes:
        row, column = None, axes[0]
    return Matrix(tensor, member, row, column)


def shape(ledger: Ledger, tensor: Tensor, names: Names) -> Math:
    """``n_1 × m``."""
    node = matrix_of(ledger, tensor, names)
    printer = TextPrinter(names)
    sides = ["1" if a is None else printer.index(a.size) for a in node.shape]
    return Math(shape_latex(node.shape, names), " × ".join(sides), " x ".join(sides))


# --- Conventions -----------------------------------------------------------------------------


def conventions(ledger: Ledger, presentation: Presentation) -> tuple[Phrase, ...]:
    """What a reader has to know before reading a formula."""
    graph = ledger.graph
    items: list[Phrase] = []
    tensors = {t.name: t for t in graph.tensors}
    weight = next((t for t in graph.tensors if t.symbol == "W"), None)
    x = tensors.get("x")
    base = weight.layer if weight is not None else None
    names = Names(ledger.notation, graph, base if _uniform(ledger) else None)
    forward = "" if weight is None else _weighted_input(ledger, weight, names)
    if weight is not None and x is not None and forward:
        own = Names(ledger.notation, graph, names.base)
        plain = Names(ledger.notation, graph)
        key = presentation.layout
        items.append(
            say(
                key,
                x=array(ledger, x, plain),
                shape_x=shape(ledger, x, plain),
                W=array(ledger, weight, own),
                shape_W=shape(ledger, weight, own),
                forward=forward,
            )
        )
        items.append(say("numbering" if not ledger.notation.activation_shift else "numbering_one"))
    if presentation.ends and presentation.ends != USUAL_ENDS:
        items.append(_ends(ledger, presentation.ends))
    errors = [c for c in ledger.chains if c.names.has_name(c.adjoint.tensor)]
    if errors:
        items.append(_error_convention(ledger, errors[0].adjoint.tensor))
    for name in functions_used(ledger):
        factor = getattr(rows()[name], "factor", "")
        if factor:
            items.append(say("loss_factor", name=name, factor=factor))
        for kink in getattr(rows()[name], "kinks", ()):
            f = Math(rows()[name].latex, name, name)
            items.append(say("kink", f=f, at=kink.at, convention=kink.convention))
    items += [_hyperparameter(ledger, t, value) for t, value in graph.defaults]
    if any(t.role is Role.PENALTY for t in graph.tensors):
        items.append(say("penalty"))
    return tuple(items)


def _ends(ledger: Ledger, ends: tuple[str, ...]) -> Phrase:
    """What the user calls the sizes of the input and of the output at any depth."""
    names = Names(ledger.notation, ledger.graph)
    layers = (Index(0), as_index(Size("L")))
    sizes = [ledger.show(SizeOf(as_index(Size("n", layer))), names) for layer in layers]
    own = [ledger.show(SizeOf(as_index(Size(end))), names) for end in ends]
    return say("ends", first=sizes[0], in_=own[0], last=sizes[1], out=own[1])


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
                return lhs + Math(" = ", " = ", " = ") + rhs
    return ""


def _error_convention(ledger: Ledger, error: Tensor) -> Phrase:
    names = Names(ledger.notation, ledger.graph)
    if error.of is not None and error.of.ordered:
        shown = array(ledger, error, names)
    else:
        names = Names(ledger.notation, ledger.graph, error.layer)
        shown = array(ledger, error, names)
    loss = ledger.graph.example_loss
    if loss is None or error.root != loss:
        return say("delta_cost", delta=shown, C=array(ledger, ledger.graph.cost, names))
    ell = array(ledger, loss, Names(ledger.notation, ledger.graph))
    symbol = names.symbol(loss)
    ell = Math(symbol.entry, symbol.unicode, symbol.ascii)
    factor = next(c for c in ledger.chains if c.of == loss)
    closed = ledger.show(factor.adjoint.closed, factor.names)
    if closed.ascii == "1":
        return say("delta_loss_sum", delta=shown, ell=ell)
    tex = closed.tex.replace(r"\frac{1}{m}", "1/m")
    return say("delta_loss", delta=shown, ell=ell, factor=Math(tex, closed.unicode, closed.ascii))


def _uniform(ledger: Ledger) -> bool:
    """Whether sizes are n[l], so that one row can stand for every layer."""
    return all(
        not isinstance(symbol, Size) or symbol.at is not None or symbol.name in ("m", "L")
        for tensor in ledger.graph.tensors
        for axis in tensor.axes
        for symbol, _ in axis.stop.terms
    )


# --- Symbols ---------------------------------------------------------------------------------


def notation_table(ledger: Ledger, presentation: Presentation) -> Table:
    """Symbol, meaning, shape, name in code: one row a symbol, or one a tensor."""
    groups: dict[tuple[str, str], list[Tensor]] = {}
    uniform = _uniform(ledger)
    tensors = list(ledger.graph.tensors)
    tensors += [c.adjoint.tensor for c in ledger.chains if c.names.has_name(c.adjoint.tensor)]
    for tensor in dict.fromkeys(tensors):
        kind = tensor.role.value
        own = tensor.symbol if uniform or tensor.layer is None else tensor.name
        if tensor.role is Role.AUXILIARY or unit_name(tensor):
            own = tensor.name
        groups.setdefault((kind, own), []).append(tensor)
    ordered = sorted(groups.values(), key=lambda g: ORDER.index(g[0].role))
    lines = [_line(ledger, group) for group in ordered]
    lines.append(_count_line(ledger))
    kept = tuple(line for line in lines if line)
    return Table(("Symbol", "Meaning", "Shape", "Code"), kept, "llll")


def _line(ledger: Ledger, group: list[Tensor]) -> tuple[Phrase, ...]:
    tensor = group[-1] if group[0].role is Role.ADJOINT else group[0]
    base = tensor.layer if len(group) > 1 else None
    names = Names(ledger.notation, ledger.graph, base)
    symbol = array(ledger, tensor, names)
    if tensor.role is Role.LOSS:
        letter = names.symbol(tensor)
        symbol = Math(letter.entry, letter.unicode, letter.ascii)
    own = PARAMETERS if tensor.layer is not None or tensor.ordered else SCALARS
    meaning: Phrase = (own.get(tensor.symbol, MEANINGS[tensor.role]),)
    if tensor.role is Role.PARAMETER and ledger.graph.written_out:
        meaning = (LETTERS.get(tensor.symbol[:1], MEANINGS[Role.PARAMETER]),)
    part = next(
        (e.definition.part_of for e in ledger.definitions if e.definition.target == tensor), ""
    )
    layered = len(group) > 1 or tensor.ordered or tensor.layer is not None
    if tensor.role is Role.AUXILIARY and part:
        meaning, layered = (f"part of {part}",), False
    if layered and tensor.role not in (Role.INPUT,):
        number = Math("l", "l", "l")
        if len(group) == 1 and not tensor.ordered:
            number = Math(*[str((tensor.layer or 0) + names.shift(tensor))] * 3)
        meaning = (*meaning, " of layer ", number)
    if tensor.role is Role.ADJOINT:
        meaning = (*meaning, ", ", _meaning_of_error(ledger, tensor, names))
    code = _code(ledger, group)
    plain = [axis for axis in tensor.axes if not axis.ordered]
    size: Phrase = (shape(ledger, tensor, names),) if plain else ("scalar",)
    return (symbol,), meaning, size, code


def _meaning_of_error(ledger: Ledger, tensor: Tensor, names: Names) -> Math:
    access = Access(tensor, tuple(map(as_index, tensor.fresh_indices())))
    names = Names(ledger.notation, ledger.graph, names.base)
    names.fix(*(v for i in access.indices for v in i.variables))
    shown = ledger.show(derivative(access), names)
    return Math(_in_line(shown.tex), shown.unicode, shown.ascii)


def _in_line(tex: str) -> str:
    r"""``\frac{a}{b}`` as ``a / b``."""
    above, below = tex.removeprefix(r"\frac{").removesuffix("}").split("}{\\partial", 1)
    return rf"{above} / \partial{below}"


def _code(ledger: Ledger, group: list[Tensor]) -> Phrase:
    if group[0].role is Role.AUXILIARY and not ledger.graph.written_out:
        return ()
    if ledger.graph.is_program:
        return enumerated([Code(w) for w in _own_names(ledger.graph, group)], ", ")
    names = Names(ledger.notation, ledger.graph)
    ordered = sorted(group, key=lambda t: t.layer or 0)
    words: list[str] = []
    for tensor in ordered:
        symbol = names.symbol(tensor)
        layer = names.layer(tensor)
        trained = any(t.role is Role.TARGET for t in ledger.graph.tensors)
        name = "X" if tensor.role is Role.INPUT and trained else symbol.ascii
        name = "Y" if tensor.role is Role.TARGET else name
        words.append(name + ("" if layer is None else str(layer + names.shift(tensor))))
    if len(words) > 3:
        return (Code(words[0]), ", …, ", Code(words[-1]))
    return enumerated([Code(w) for w in words], ", ")


def _own_names(graph: Graph, group: list[Tensor]) -> list[str]:
    known = python_names(graph)
    return [known[t.name] if t.of is None else f"d{known[t.of.name]}" for t in group]


def _count_line(ledger: Ledger) -> tuple[Phrase, ...]:
    m = Size("m")
    examples = [a for t in ledger.graph.tensors for a in t.axes if a.name == EXAMPLE]
    used = any(s == m for a in examples for s, _ in a.stop.terms)
    if not used:
        return ()
    return (Math("m", "m", "m"),), ("number of examples",), (), ()


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
        parts.append(size + Math(f" = {value}", f" = {value}", f" = {value}"))
    return say("sizes", sizes=enumerated(parts))
