"""Algorithm boxes, made from the closed forms: the loop over examples, and one layer's two passes.

Nothing here is typed in by hand: Δ := Δ + ... is what stands under the sum over examples of a
gradient, and D is that gradient with Δ in the place of the sum.
"""

from __future__ import annotations

from collections.abc import Iterator

from symderiv.algebra.expr import Access, Add, Expr, Mul, Role, Sum, Tensor, add, mul, walk
from symderiv.algebra.index import Index, Var
from symderiv.calculus.graph import EXAMPLE
from symderiv.documents import acting, named
from symderiv.documents.ledger import ChainEntry, DefinitionEntry, Ledger
from symderiv.documents.model import (
    Algorithm,
    Block,
    Math,
    Phrase,
    Prose,
    Ref,
    Section,
)
from symderiv.documents.prose import box_title, enumerated, say, title
from symderiv.documents.tables import array
from symderiv.frontend.presentation import Presentation
from symderiv.notation import Names, Sort
from symderiv.notation.conventions import GREEK

Line = tuple[int, Phrase]
_PASSES = (Role.PREACTIVATION, Role.ACTIVATION)
GETS = Math.same(" := ")


def algorithm_section(
    ledger: Ledger, equations: tuple[named.Named, ...], presentation: Presentation
) -> Section | None:
    """The loop over examples, the two passes of a layer, the number of parameters."""
    blocks: list[Block] = []
    loop = accumulators(ledger, equations)
    if loop:
        blocks.append(Algorithm(box_title("accumulators"), tuple(loop)))
    passes = layer_passes(ledger)
    if passes:
        blocks.append(Algorithm(box_title("passes"), tuple(passes)))
    counted = count(ledger, presentation)
    if counted:
        blocks.append(Prose(counted))
    return Section(title("algorithms"), tuple(blocks)) if blocks else None


# --- The loop over examples ----------------------------------------------------------------------


def accumulators(ledger: Ledger, equations: tuple[named.Named, ...]) -> list[Line]:
    """Δ := 0; for every example forward, back, Δ := Δ + ...; then D, and the update.

    There is no such loop where an example cannot be computed without the others.
    """
    if acting.examples_meet(ledger.graph):
        return []
    gradients = [n for n in equations if n.sort in (Sort.BIAS, Sort.WEIGHT, Sort.OTHER)]
    split = [(n, parts) for n in gradients if (parts := _split(ledger, n.chains[0])) is not None]
    if not gradients or len(split) != len(gradients):
        return []
    errors = [n for n in equations if n.sort in (Sort.OUTPUT, Sort.BACK)]
    example = split[0][1][0]
    names = ledger.names_of((example,))
    m = ledger.show_index(example.axis.stop, names)
    s = ledger.show_letter(example, names)
    lines: list[Line] = [
        (0, say("loop_start", sums=_list([_store(ledger, n, "Delta", ()) for n, _ in split]))),
        (0, say("loop_for", s=s, m=m)),
        (1, say("loop_forward", s=s, refs=_forward_refs(ledger))),
    ]
    for equation in errors:
        chain = equation.chains[0]
        names = named.relative_names(ledger, chain, equation.base)
        right = ledger.show(chain.adjoint.closed, names)
        left = ledger.show(chain.adjoint.left, names)
        lines.append((1, (left + GETS + right, *_range(ledger, equation, backwards=True))))
    for equation, (var, body, _) in split:
        chain = equation.chains[0]
        names = _names(ledger, equation, (var,))
        stored = Access(_stored(ledger, chain.of, "Delta"), chain.adjoint.indices)
        shown = ledger.show(stored, names) + GETS + ledger.show(add(stored, body), names)
        lines.append((1, (shown, *_range(ledger, equation))))
    for equation, (_, _, whole) in split:
        left = _store(ledger, equation, "D", ())
        right = ledger.show(whole, _names(ledger, equation, ()))
        lines.append((0, (left + GETS + right, *_range(ledger, equation))))
    for equation, _ in split:
        chain = equation.chains[0]
        names = _names(ledger, equation, ())
        w = ledger.show(Access(chain.of, chain.adjoint.indices), names)
        step = Math(r" - \eta \, ", " − η ", " - eta*")
        shown = w + GETS + w + step + _store(ledger, equation, "D", ())
        lines.append((0, (shown, *_range(ledger, equation))))
    return lines


def _split(ledger: Ledger, chain: ChainEntry) -> tuple[Var, Expr, Expr] | None:
    """``c Σ_s body + rest``  ⟹  s, body, ``c Δ + rest``; None where it has another form."""
    closed = chain.adjoint.closed
    found: list[tuple[Var, Expr]] = []
    terms: list[Expr] = []
    for term in closed.terms if isinstance(closed, Add) else (closed,):
        factors = term.factors if isinstance(term, Mul) else (term,)
        made: list[Expr] = []
        for factor in factors:
            if isinstance(factor, Sum) and factor.var.axis.name == EXAMPLE:
                found.append((factor.var, factor.body))
                made.append(Access(_stored(ledger, chain.of, "Delta"), chain.adjoint.indices))
            else:
                made.append(factor)
        terms.append(mul(*made))
    if len(found) != 1:
        return None
    return found[0][0], found[0][1], add(*terms)


def _stored(ledger: Ledger, of: Tensor, letter: str) -> Tensor:
    """Δ or D for the weights or biases of a layer, Δ_α for a slope; for anything else dw1."""
    sort = ledger.numbering.sort(of)
    alone = [t for t in ledger.inputs_of(sort) if t.layer == of.layer] == [of]
    if of.symbol in GREEK:
        letter = f"{letter}_{of.symbol}"
    elif not of.slots or not alone or sort is Sort.OTHER:
        letter = f"d{of.symbol}" if letter == "Delta" else f"D{of.symbol}"
    return Tensor(f"{letter} {of.name}", of.slots, Role.PARAMETER, letter, of.layer)


def _names(ledger: Ledger, equation: named.Named, more: tuple[Var, ...]) -> Names:
    names = named.relative_names(ledger, equation.chains[0], equation.base)
    names.fix(*more)
    return names


def _store(ledger: Ledger, equation: named.Named, letter: str, more: tuple[Var, ...]) -> Math:
    chain = equation.chains[0]
    access = Access(_stored(ledger, chain.of, letter), chain.adjoint.indices)
    return ledger.show(access, _names(ledger, equation, more))


def _range(ledger: Ledger, equation: named.Named, backwards: bool = False) -> Phrase:
    found = named.layer_range(ledger, equation.chains, backwards)
    return (" ", *found) if found else ()


def _list(parts: list[Math]) -> Phrase:
    return enumerated(list(dict.fromkeys(parts)))


def _forward_refs(ledger: Ledger) -> Phrase:
    tags = [
        e.tag for e in ledger.definitions
        if any(axis.name == EXAMPLE for axis in e.definition.target.axes)
    ]  # fmt: skip
    return (Ref(tags[0]), " to ", Ref(tags[-1])) if len(tags) > 1 else (Ref(tags[0]),)


# --- One layer, forward and back -----------------------------------------------------------------


def layer_passes(ledger: Ledger) -> list[Line]:
    """Forward: z, a and what is kept. Back: from da to dz, dW, db and da of the layer before."""
    layers = ledger.weighted_layers
    if len(layers) < 2:
        return []
    layer = layers[-1]
    biased = {t.layer for t in ledger.inputs_of(Sort.BIAS)}
    alike = len({(_function(ledger, n), n in biased) for n in layers}) == 1
    base = layer if alike else None
    forward = [
        e for e in ledger.definitions
        if e.definition.target.layer == layer and e.definition.target.role in _PASSES
        and not e.definition.part_of
    ]  # fmt: skip
    error = _chain(ledger, _of_role(ledger, Role.PREACTIVATION, layer))
    back = [
        _chain(ledger, ledger.inputs_of(Sort.WEIGHT, layer)),
        _chain(ledger, ledger.inputs_of(Sort.BIAS, layer)),
        _chain(ledger, _of_role(ledger, Role.ACTIVATION, layer - 1)),
    ]
    local = None if error is None else _local(error)
    if len(forward) != 2 or error is None or local is None or back[2] is None:
        return []
    here = ledger.show_layer(layer, Names(ledger.notation, ledger.graph, base))
    lines: list[Line] = [(0, say("pass_forward", l=here))]
    for entry in forward:
        lines.append((1, _assignment(ledger, entry, base)))
    kept = _whole(ledger, forward[0].definition.target, base)
    lines.append((1, say("pass_keep", z=kept)))
    lines.append((0, say("pass_back", l=here)))
    lines.append((1, _line(ledger, error, local, base)))
    lines += [(1, _line(ledger, c, c.adjoint.closed, base)) for c in back if c is not None]
    return lines


def _function(ledger: Ledger, layer: int) -> str:
    return next(
        (
            e.definition.part_of or getattr(e.definition.body, "function", "identity")
            for e in ledger.definitions
            if e.definition.target in _of_role(ledger, Role.ACTIVATION, layer)
        ),
        "",
    )


def _of_role(ledger: Ledger, role: Role, layer: int) -> list[Tensor]:
    return [t for t in ledger.graph.tensors if t.role is role and t.layer == layer]


def _chain(ledger: Ledger, tensors: list[Tensor]) -> ChainEntry | None:
    return next((c for c in ledger.chains if c.of in tensors), None)


def _local(error: ChainEntry) -> Expr | None:
    """``∂ℓ/∂a f'(z)``: the last line of the chain with the derivative by the activation in it."""
    found = None
    for entry in error.steps:
        sums = any(isinstance(n, Sum) for n in walk(entry.step.right))
        if not sums and any(_is_activation(n) for n in walk(entry.step.right)):
            found = found or entry.step.right
    return found


def _is_activation(node: Expr) -> bool:
    if not isinstance(node, Access) or node.tensor.of is None:
        return False
    return node.tensor.of.role is Role.ACTIVATION


def _assignment(ledger: Ledger, entry: DefinitionEntry, base: int | None) -> Phrase:
    d = entry.definition
    return (_sides(ledger, d.left, d.body, d.indices, base),)


def _line(ledger: Ledger, chain: ChainEntry, right: Expr, base: int | None) -> Phrase:
    return (_sides(ledger, chain.adjoint.left, right, chain.adjoint.indices, base),)


def _sides(
    ledger: Ledger, left: Access, right: Expr, indices: tuple[Index, ...], base: int | None
) -> Math:
    """``left := right`` in matrix form, or in index form where there is none."""
    names = Names(ledger.notation, ledger.graph, base)
    names.fix(*(v for i in indices for v in i.variables))
    sides = [ledger.matrix(e, indices) for e in (left, right)]
    shown = [None if e is None else ledger.show_matrix(e, names) for e in sides]
    if shown[0] is not None and shown[1] is not None:
        return shown[0] + GETS + shown[1]
    return ledger.show(left, names) + GETS + ledger.show(right, names)


def _whole(ledger: Ledger, tensor: Tensor, base: int | None) -> Math:
    return array(ledger, tensor, Names(ledger.notation, ledger.graph, base))


# --- Counting --------------------------------------------------------------------------------


def parameters(presentation: Presentation, ledger: Ledger) -> Iterator[tuple[Tensor, str, int]]:
    """Every parameter of a network with numbers, the factors and the number of its entries."""
    sizes = presentation.sizes
    for tensor in ledger.graph.inputs:
        if tensor.role is not Role.PARAMETER or tensor.layer is None or not tensor.slots:
            continue
        here, before = sizes.get(tensor.layer), sizes.get(tensor.layer - 1)
        if not isinstance(here, int) or not isinstance(before, int):
            yield tensor, "", 0
        elif ledger.numbering.sort(tensor) is Sort.WEIGHT:
            yield tensor, f"{here}·{before}", here * before
        else:
            yield tensor, str(here), here


def count(ledger: Ledger, presentation: Presentation) -> Phrase:
    """How many parameters there are, and what difference quotients would cost."""
    found = list(parameters(presentation, ledger))
    if not found or any(n == 0 for _, _, n in found):
        return ()
    total = sum(n for _, _, n in found)
    text = " + ".join(t for _, t, _ in found)
    spelled = Math(text.replace("·", r" \cdot ") + f" = {total}", f"{text} = {total}",
                   text.replace("·", "*") + f" = {total}")  # fmt: skip
    derived = {chain.of for chain in ledger.chains}
    asked = sum(n for tensor, _, n in found if tensor in derived)
    if asked < 2:  # nothing to save
        return ()
    part = say("count_part", n=str(asked)) if asked < total else ()
    these = "these" if part else "them"
    return say("count", sum=spelled, part=part, these=these, n=str(asked), more=str(asked + 1))
