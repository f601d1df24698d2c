"""The last sections: derivatives of functions, and what is checked and what is assumed."""

from __future__ import annotations

from collections import Counter

from symderiv.algebra.binding import replace_accesses
from symderiv.algebra.expr import Access, Apply, Expr, apply, walk
from symderiv.calculus.functions import ScalarFunction, rows, scalar
from symderiv.calculus.steps import Lemma
from symderiv.documents.ledger import Ledger
from symderiv.documents.model import (
    Block,
    Equations,
    Items,
    Math,
    Part,
    Phrase,
    Prose,
    Ref,
    Row,
    Section,
)
from symderiv.documents.prose import enumerated, say, title
from symderiv.notation import Names
from symderiv.proof.verdict import Status, Verdict


def lemma_section(ledger: Ledger) -> Section | None:
    """Each stated derivative with its function and the reason."""
    if not ledger.lemmas:
        return None
    lines: list[Row] = []
    for lemma, tag in ledger.lemmas.items():
        lines += lemma_rows(ledger, lemma, tag)
    return Section(title("lemmas"), (Prose(say("lemmas")), Equations(tuple(lines))))


def lemma_rows(ledger: Ledger, lemma: Lemma, tag: str) -> list[Row]:
    """``σ(z) = 1/(1 + e^{-z})`` and ``σ'(z) = σ(z)(1 - σ(z))``."""
    row = scalar(lemma.function)
    names = Names(ledger.notation, ledger.graph)
    whole = apply(lemma.function, *lemma.args)
    lines = []
    value = ledger.show(whole, names)
    if row.definition is not None and not row.call:
        body = ledger.show(row.definition(*lemma.args), names)
        lines.append(Row(value, body, say("lemma_definition")))
    orders = tuple(int(n == lemma.argument) for n in range(len(lemma.args)))
    left = ledger.show(Apply(lemma.function, lemma.args, orders), names)

    def own_value(access: Access) -> Expr | None:
        return whole if access.tensor == lemma.value.tensor else None

    right = ledger.show(replace_accesses(lemma.stated, own_value), names)
    lines.append(Row(left, right, (row.why,), tag))
    return lines


def checked_section(ledger: Ledger) -> Section:
    """Counts, methods, scope and assumptions."""
    verdicts = [(e.verdict, e.tag) for c in ledger.chains for e in c.steps]
    present = [s for s in Status if any(v.status is s for v, _ in verdicts)]
    items: list[Phrase] = [_counted(status, verdicts) for status in present]
    items.append(say("count_definition", n=str(len(ledger.definitions))))
    items += _methods([v for v, _ in verdicts])
    for lemma, verdict in ledger.checked.lemmas:
        items.append(_lemma_status(ledger.lemmas[lemma], verdict))
    items += assumptions(ledger)
    blocks: tuple[Block, ...] = (Prose(say("checked")), Items(tuple(items)))
    return Section(title("checked"), blocks)


def _counted(status: Status, verdicts: list[tuple[Verdict, str]]) -> Phrase:
    tags = [tag for v, tag in verdicts if v.status is status]
    refs: list[Part] = [Ref(t) for t in tags]
    return say(f"count_{status.value}", n=str(len(tags)), refs=enumerated(refs))


def _methods(verdicts: list[Verdict]) -> list[Phrase]:
    counted = Counter((v.method, v.scope, v.bound) for v in verdicts)
    items = []
    for (method, scope, bound), count in sorted(counted.items(), key=lambda kv: (-kv[1], kv[0])):
        items.append(
            say(
                "method",
                method=method[:1].upper() + method[1:],
                n=str(count),
                scope=f", {scope}" if scope else "",
                bound=f", {bound}" if bound else "",
            )
        )
    return items


def _lemma_status(tag: str, verdict: Verdict) -> Phrase:
    bound = f", {verdict.bound}" if verdict.bound else ""
    return say(
        "lemma_status",
        ref=Ref(tag),
        status=verdict.status.value,
        method=verdict.method,
        bound=bound,
    )


def assumptions(ledger: Ledger) -> list[Phrase]:
    """Declared facts, domains of functions and kinks."""
    items: list[Phrase] = []
    for fact in ledger.checked.assumptions:
        names = Names(ledger.notation, ledger.graph)
        names.fix(*fact.variables)
        shown = ledger.show(fact.left, names) + Math(" = ", " = ", " = ")
        shown = shown + ledger.show(fact.right, names)
        items.append(say("assumption", fact=shown, text=fact.text))
    for name, node in functions_used(ledger).items():
        row = rows()[name]
        if not isinstance(row, ScalarFunction):
            continue
        for argument, domain in zip(node.args, row.domain, strict=False):
            if domain.text != "real" and isinstance(argument, Access):
                names = Names(ledger.notation, ledger.graph)
                shown = ledger.show(argument, names)
                items.append(say("domain", argument=shown, text=domain.text, f=name))
        for kink in row.kinks:
            f = Math(row.latex, name, name)
            at, rule = kink.at, kink.convention
            items.append(say("kink", f=f, at=at, convention=rule))
    return items or [say("no_assumptions")]


def functions_used(ledger: Ledger) -> dict[str, Apply]:
    """The scalar functions of the forward pass, each with its first application."""
    found: dict[str, Apply] = {}
    for entry in ledger.definitions:
        for node in walk(entry.definition.body):
            if isinstance(node, Apply):
                found.setdefault(node.function, node)
    return found
