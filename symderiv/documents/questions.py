"""What people ask about a derivation like this one, each question where it arises."""

from __future__ import annotations

from symderiv.algebra.expr import Mul, Number, Role, SizeOf, walk
from symderiv.algebra.index import Size, as_index
from symderiv.documents import named
from symderiv.documents.ledger import Ledger
from symderiv.documents.model import Block, Box, Math, Phrase, Section
from symderiv.documents.prose import box_title, say, title
from symderiv.documents.tables import array
from symderiv.frontend.presentation import Presentation
from symderiv.notation import Names, Sort


def question_section(
    ledger: Ledger, equations: tuple[named.Named, ...], presentation: Presentation
) -> Section | None:
    """The boxes that fit this network."""
    if not any(n.sort is not Sort.PROGRAM for n in equations):
        return None
    found = (
        _where_is_m(ledger),
        _one_example(ledger, presentation),
        _bias_sum(ledger),
        _bias_unit(ledger),
        _factor_two(ledger),
    )
    blocks: tuple[Block, ...] = tuple(box for box in found if box is not None)
    return Section(title("questions"), blocks) if blocks else None


def _is_mean(ledger: Ledger) -> bool:
    """Whether the loss of an example is divided by the number of examples."""
    m = SizeOf(as_index(Size("m")))
    factors = (c.adjoint.closed for c in ledger.chains if c.of.role is Role.LOSS)
    return any(node == m for factor in factors for node in walk(factor))


def _where_is_m(ledger: Ledger) -> Box | None:
    """Errors of the loss of one example are without 1/m, errors of the cost have it."""
    if not ledger.is_batched or not _is_mean(ledger) or len(ledger.error_roots) != 1:
        return None
    of_loss = ledger.error_roots == (ledger.graph.example_loss,)
    key = "box_mean" if of_loss else "box_mean_cost"
    return Box(box_title("mean"), say(key, delta=_error(ledger), C=_cost(ledger)))


def _one_example(ledger: Ledger, presentation: Presentation) -> Box | None:
    if ledger.is_batched or not presentation.reduction:
        return None
    total = Math(r"\sum_{s=1}^{m} \ell_s", "Σ_s ℓ[s]", "sum(ell[s], s)")
    mean = presentation.reduction == "mean"
    penalty = next((t for t in ledger.graph.tensors if t.role is Role.PENALTY), None)
    more: Phrase = ()
    if penalty is not None:
        own = array(ledger, penalty, Names(ledger.notation, ledger.graph))
        total = total + Math.same(" + ") + own
        more = say("single_penalty", R=own)
        if mean:  # of many examples the penalty is divided as the losses are
            total = Math(r"\bigl(", "(", "(") + total + Math(r"\bigr)", ")", ")")
    if mean:
        total = Math(r"\tfrac{1}{m} ", "1/m ", "1/m ") + total
    alone = say("single_mean") if mean else ()
    text = say("box_single", total=total, alone=alone, C=_cost(ledger), penalty=more)
    return Box(box_title("single"), text)


def _bias_sum(ledger: Ledger) -> Box | None:
    bias = next(iter(ledger.inputs_of(Sort.BIAS)), None)
    if bias is None or not ledger.is_batched:
        return None
    names = Names(ledger.notation, ledger.graph, bias.layer)
    return Box(box_title("bias"), say("box_bias", b=array(ledger, bias, names)))


def _bias_unit(ledger: Ledger) -> Box | None:
    """Where the error comes back through a layer whose biases some write as a unit of value 1."""
    layers = ledger.weighted_layers
    if len(layers) < 2 or not ledger.inputs_of(Sort.BIAS, layers[-1]):
        return None
    names = Names(ledger.notation, ledger.graph, layers[-1])
    weight = next(iter(ledger.inputs_of(Sort.WEIGHT, layers[-1])), None)
    if weight is None or not weight.slots:  # its entries are letters of their own
        return None
    rows = ledger.layout == "rows"
    line = "row" if rows else "column"
    product = say("unit_product_rows" if rows else "unit_product_columns")
    text = say("box_unit", W=array(ledger, weight, names), line=line, product=product)
    return Box(box_title("unit"), text)


def _factor_two(ledger: Ledger) -> Box | None:
    errors = (c.adjoint.closed for c in ledger.chains if c.names.has_name(c.adjoint.tensor))
    first = next(errors, None)
    twice = isinstance(first, Mul) and first.factors[0] == Number.of(2)
    return Box(box_title("two"), say("box_two")) if twice else None


def _error(ledger: Ledger) -> Math:
    chain = next(c for c in ledger.chains if c.names.has_name(c.adjoint.tensor))
    names = Names(ledger.notation, ledger.graph, chain.layer)
    return array(ledger, chain.adjoint.tensor, names)


def _cost(ledger: Ledger) -> Math:
    return array(ledger, ledger.graph.cost, Names(ledger.notation, ledger.graph))
