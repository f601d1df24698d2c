"""The last sections: derivatives of functions, and what is checked and what is assumed."""

from __future__ import annotations

import re
from dataclasses import replace

from symderiv.algebra.binding import replace_accesses
from symderiv.algebra.expr import Access, Apply, Expr, apply, walk
from symderiv.calculus.conditions import Condition, conditions
from symderiv.calculus.functions import (
    DISTRIBUTION,
    TARGET,
    Kink,
    ScalarFunction,
    positive,
    scalar,
    symbols,
)
from symderiv.calculus.steps import Lemma
from symderiv.documents.ledger import Ledger, StepEntry
from symderiv.documents.model import (
    EQUALS,
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
from symderiv.documents.prose import certainty, chance, enumerated, enumerated_phrases, say, title
from symderiv.documents.wording import formula, worded
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
    lines.append(Row(left, right, worded(row.why), tag))
    return lines


def _of_several(ledger: Ledger, lemma: Lemma, names: Names) -> tuple[Math, Math]:
    """``ℓ(a, y)`` and ``∂ℓ/∂a``."""
    args = [ledger.show(a, names) for a in lemma.args]
    plain = lemma.function.replace("-", "_")
    inside = (", ".join(a.tex for a in args), ", ".join(a.unicode for a in args))
    tex = scalar(lemma.function).latex
    by = args[lemma.argument]
    value = Math(f"{tex}({inside[0]})", f"{plain}({inside[1]})", f"{plain}({inside[1]})")
    return value, Math(
        rf"\frac{{\partial {tex}}}{{\partial {by.tex}}}",
        f"∂{plain}/∂{by.unicode}",
        f"d({plain})/d({by.ascii})",
    )


def checked_section(ledger: Ledger) -> Section:
    """Counts, methods, scope and assumptions."""
    entries = [entry for chain in ledger.chains for entry in chain.steps]
    items: list[Phrase] = _counts(entries)
    items.append(_definitions(len(ledger.definitions)))
    items += methods([entry.verdict for entry in entries])
    for lemma, verdict in ledger.checked.lemmas:
        items.append(_lemma_status(ledger.lemmas[lemma], verdict))
    items += assumptions(ledger)
    blocks: tuple[Block, ...] = (Prose(say("checked")), Items(tuple(items)))
    return Section(title("checked"), blocks)


def _counts(entries: list[StepEntry]) -> list[Phrase]:
    """How many steps have which status, and which they are unless they are proved."""
    items = []
    order = list(Status)
    kinds = sorted({(order.index(e.verdict.status), e.verdict.scope) for e in entries})
    for place, scope in kinds:
        status = order[place]
        these = [e for e in entries if (e.verdict.status, e.verdict.scope) == (status, scope)]
        refs: Phrase = ()
        if status is not Status.PROVED:
            refs = (": ", *enumerated([Ref(entry.tag) for entry in these]))
        steps = _steps(len(these)) + (" is" if len(these) == 1 else " are")
        unnumbered = sum(not entry.shown for entry in these)
        hidden: Phrase = ()
        if unnumbered:
            key = "unnumbered" if unnumbered == 1 else "unnumbered_several"
            hidden = say(key, n=str(unnumbered))
        parts: dict[str, Part | Phrase] = {"steps": steps, "scope": scope, "refs": refs}
        items.append(say(f"count_{status.value}", **parts, hidden=hidden))
    return items


def _definitions(number: int) -> Phrase:
    if number == 1:
        return say("count_one_definition")
    return say("count_definition", n=str(number))


def _steps(number: int) -> str:
    return f"{number} step" if number == 1 else f"{number} steps"


SPELLED = 4  # arguments that are listed one by one


def methods(verdicts: list[Verdict]) -> list[Phrase]:
    """The deciders, each with its steps and the worst bound of the points that confirmed them."""
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault((verdict.method, verdict.confirmed), []).append(verdict)
    items = []
    for (method, field), group in sorted(groups.items(), key=lambda g: (-len(g[1]), g[0])):
        confirmed = say("confirmed", field=_field(field)) if field else ()
        worst = max((v.bound for v in group if v.bound), default=None)
        bound = say("bound", bound=_power(chance(worst))) if worst else ()
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
    said = certainty(verdict.bound)
    bound = f", {said}" if said else ""
    status, method = verdict.status.value, verdict.method
    return say("lemma_status", ref=Ref(tag), status=status, method=method, bound=bound)


def assumptions(ledger: Ledger) -> list[Phrase]:
    """Declared facts, domains of functions and kinks."""
    items: list[Phrase] = []
    for fact in ledger.checked.assumptions:
        names = Names(ledger.notation, ledger.graph)
        names.fix(*fact.variables)
        shown = ledger.show(fact.left, names) + EQUALS
        shown = shown + ledger.show(fact.right, names)
        items.append(say("assumption", fact=shown, text=fact.text))
    if "positive" in ledger.graph.functions:
        items.append(say("bracket"))
    groups: dict[tuple[object, ...], list[Condition]] = {}
    for condition in conditions(ledger.graph):
        key = (condition.function, condition.what, condition.guards)
        groups.setdefault(key, []).append(condition)
    items += [_condition(ledger, group) for group in groups.values()]
    for chain in ledger.chains:
        for entry in chain.steps:
            for argument in entry.verdict.positive:
                shown = ledger.show(argument, chain.names)
                items.append(say("positive", argument=shown, ref=Ref(entry.tag)))
    return items or [say("no_assumptions")]


def _condition(ledger: Ledger, group: list[Condition]) -> Phrase:
    """What is asked of all arguments of one function, wherever its brackets are true."""
    function, what = group[0].function, group[0].what
    if group[0].guards:
        bare = _condition(ledger, [replace(c, guards=()) for c in group])
        return say("guarded", guards=_guards(ledger, group[0]), condition=bare)
    places = [_place(ledger, condition) for condition in group]
    if what is None:  # each has a maximum of its own
        places = [("of ", *place) for place in places]
    if len(places) > SPELLED:
        places = [*places[:2], ("…",), places[-1]]
    several = len(group) > 1
    shown = enumerated_phrases(places, " or " if isinstance(what, tuple) else " and ")
    if what is None:
        return say("off_ties" if several else "off_tie", argument=shown)
    if isinstance(what, tuple):
        row = scalar(function)
        letters = ", ".join(row.arguments[: len(group[0].arguments)])
        letter = formula(f"({letters})" if ", " in letters else letters)
        key = "off_jump" if what[0].jumps else "off_kink" if len(what) == 1 else "off_kinks"
        at = kinks_at(ledger, row, what)
        return say(key, f=function_symbol(row), at=at, letter=letter, argument=shown)
    if not function:
        return say("denominators" if several else "denominator", argument=shown)
    if what is DISTRIBUTION and ledger.facts:  # that targets sum to 1 has been said
        what = TARGET
    key = "domains" if several else "domain"
    return say(key, argument=shown, text=worded(what.text), f=function)


def kinks_at(ledger: Ledger, row: ScalarFunction, kinks: tuple[Kink, ...]) -> Phrase:
    """``z = -1 and z = 1``, in the letters of the table."""
    first, *others = symbols(row)
    names = Names(ledger.notation)
    left = ledger.show(first, names) + EQUALS
    return enumerated([left + ledger.show(kink.point(*others), names) for kink in kinks])


def slopes_used(ledger: Ledger, row: ScalarFunction, applied: Apply) -> Phrase:
    """The derivatives used at the kinks, once if they are all the same."""
    hyper = applied.args[len(applied.args) - len(row.hyper) :]
    others = (*symbols(row)[1 : len(row.arguments) - len(row.hyper)], *hyper)
    names = Names(ledger.notation, ledger.graph)
    slopes = dict.fromkeys(kink.used(*others) for kink in row.kinks)
    return enumerated([ledger.show(slope, names) for slope in slopes])


def _place(ledger: Ledger, condition: Condition) -> Phrase:
    """The arguments, as the forward equation has them."""
    entry = next(e for e in ledger.definitions if e.definition is condition.definition)
    shown = [ledger.show(argument, entry.names) for argument in condition.arguments]
    return (shown[0],) if len(shown) == 1 else ("(", *_joined(shown), ")")


def _guards(ledger: Ledger, condition: Condition) -> Phrase:
    """``[x > 0] = 1``."""
    entry = next(e for e in ledger.definitions if e.definition is condition.definition)
    return enumerated(
        [
            ledger.show(positive(guard.argument), entry.names) + Math.same(value)
            for guard in condition.guards
            for value in [f" = {int(guard.holds)}"]
        ]
    )


def _joined(parts: list[Math]) -> Phrase:
    return tuple(p for n, part in enumerate(parts) for p in ((", ", part) if n else (part,)))


def function_symbol(row: ScalarFunction) -> Math:
    """The sign of a function by itself."""
    return Math(row.latex, row.letter or row.name, row.name)


def functions_used(ledger: Ledger) -> dict[str, Apply]:
    """The scalar functions of the forward pass, each with its first application."""
    found: dict[str, Apply] = {}
    for entry in ledger.definitions:
        for node in walk(entry.definition.body):
            if isinstance(node, Apply):
                found.setdefault(node.function, node)
    return found
