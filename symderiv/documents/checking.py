"""The last sections: derivatives of functions, and what is checked and what is assumed."""

from __future__ import annotations

import re

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
    orders = tuple(int(n == lemma.argument) for n in range(len(lemma.args)))
    single = len(lemma.args) - len(row.hyper) == 1
    if single:
        value = ledger.show(whole, names)
        left = ledger.show(Apply(lemma.function, lemma.args, orders), names)
    else:
        value, left = _of_several(ledger, lemma, names)
    lines = []
    if row.definition is not None and (not row.call or not single):
        body = whole if row.call else row.definition(*lemma.args)
        lines.append(Row(value, ledger.show(body, names), say("lemma_definition")))

    def own_value(access: Access) -> Expr | None:
        return whole if access.tensor == lemma.value.tensor else None

    right = ledger.show(replace_accesses(lemma.stated, own_value), names)
    lines.append(Row(left, right, (row.why.replace(" - ", " − "),), tag))
    return lines


def _of_several(ledger: Ledger, lemma: Lemma, names: Names) -> tuple[Math, Math]:
    """``ℓ(a, y)`` and ``∂ℓ/∂a``."""
    args = [ledger.show(a, names) for a in lemma.args]
    plain = lemma.function.replace("-", "_")
    inside = (", ".join(a.tex for a in args), ", ".join(a.unicode for a in args))
    tex = rows()[lemma.function].latex
    by = args[lemma.argument]
    value = Math(f"{tex}({inside[0]})", f"{plain}({inside[1]})", f"{plain}({inside[1]})")
    return value, Math(
        rf"\frac{{\partial {tex}}}{{\partial {by.tex}}}",
        f"∂{plain}/∂{by.unicode}",
        f"d({plain})/d({by.ascii})",
    )


def checked_section(ledger: Ledger) -> Section:
    """Counts, methods, scope and assumptions."""
    verdicts = [(e.verdict, e.tag) for c in ledger.chains for e in c.steps]
    items: list[Phrase] = _counts(verdicts)
    items.append(say("count_definition", n=str(len(ledger.definitions))))
    items += _methods([v for v, _ in verdicts])
    for lemma, verdict in ledger.checked.lemmas:
        items.append(_lemma_status(ledger.lemmas[lemma], verdict))
    items += assumptions(ledger)
    blocks: tuple[Block, ...] = (Prose(say("checked")), Items(tuple(items)))
    return Section(title("checked"), blocks)


def _counts(verdicts: list[tuple[Verdict, str]]) -> list[Phrase]:
    """How many steps have which status, and which they are unless they are proved."""
    items = []
    order = list(Status)
    kinds = sorted({(order.index(v.status), v.scope) for v, _ in verdicts})
    for place, scope in kinds:
        status = order[place]
        tags = [tag for v, tag in verdicts if (v.status, v.scope) == (status, scope)]
        refs: Phrase = ()
        if status is not Status.PROVED:
            refs = (": ", *enumerated([Ref(t) for t in tags]))
        steps = _steps(len(tags)) + (" is" if len(tags) == 1 else " are")
        items.append(say(f"count_{status.value}", steps=steps, scope=scope, refs=refs))
    return items


def _steps(number: int) -> str:
    return f"{number} step" if number == 1 else f"{number} steps"


_CHANCE = re.compile(r"error < (\d+)/(\S+)")


def _methods(verdicts: list[Verdict]) -> list[Phrase]:
    """The deciders, each with its steps and the worst bound of the points that confirmed them."""
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.method, verdict.confirmed), []).append(verdict)
    items = []
    for (method, field), group in sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])):
        confirmed = say("confirmed", field=_field(field)) if field else ()
        chances = [c for v in group if (c := _CHANCE.search(v.bound))]
        bound: Phrase = ()
        if chances:
            worst = max(chances, key=lambda c: int(c[1]))
            bound = say("bound", bound=_power(f"{worst[1]}/{worst[2]}"))
        items.append(
            say("method", method=method, steps=_steps(len(group)), confirmed=confirmed, bound=bound)
        )
    return items


def _field(name: str) -> Math:
    tex = re.sub(r"\^(\d+)", r"^{\1}", name.replace("GF", r"\mathrm{GF}"))
    return Math(tex, name, name)


def _power(text: str) -> Math:
    return Math(re.sub(r"\^(\d+)", r"^{\1}", text), text, text)


def _lemma_status(tag: str, verdict: Verdict) -> Phrase:
    bound = f", {verdict.bound}" if verdict.bound else ""
    status, method = verdict.status.value, verdict.method
    return say("lemma_status", ref=Ref(tag), status=status, method=method, bound=bound)


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
            items.append(say("off_kink", f=Math(row.latex, name, name), at=kink.at))
    return items or [say("no_assumptions")]


def functions_used(ledger: Ledger) -> dict[str, Apply]:
    """The scalar functions of the forward pass, each with its first application."""
    found: dict[str, Apply] = {}
    for entry in ledger.definitions:
        for node in walk(entry.definition.body):
            if isinstance(node, Apply):
                found.setdefault(node.function, node)
    return found
