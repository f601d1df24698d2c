"""A checked derivation as JSON, schema 1."""

from __future__ import annotations

import json
from typing import Any

from symderiv.algebra.expr import Access, Apply, Expr
from symderiv.algebra.index import Var
from symderiv.documents import named
from symderiv.documents.checking import assumptions
from symderiv.documents.ledger import ChainEntry, Checked, DefinitionEntry, Ledger
from symderiv.documents.prose import certainty, plain
from symderiv.documents.reasons import reason, references
from symderiv.frontend.presentation import Presentation
from symderiv.notation import Names, index_variables, latex, to_text
from symderiv.proof.verdict import Status, Verdict

SCHEMA = 1


def to_json(checked: Checked, presentation: Presentation) -> str:
    """The JSON text, keys in a fixed order, with a line end."""
    return json.dumps(to_data(checked, presentation), ensure_ascii=False, indent=2) + "\n"


def to_data(checked: Checked, presentation: Presentation) -> dict[str, Any]:
    """Schema 1: the network, every step with its verdict, adjoints and gradients.

    ``text`` is the plain form that reads back to the same tree, ``tex`` the printed formula.
    Forward equations are steps of status ``definition``, declared facts of status ``assumed``.
    """
    ledger = Ledger(checked, presentation.notation)
    return {
        "schema": SCHEMA,
        "network": _network(ledger, presentation),
        "notation": ledger.notation.name,
        "assumptions": _assumptions(ledger),
        "steps": [
            *(_definition(ledger, e) for e in ledger.definitions),
            *_facts(ledger),
            *_lemmas(ledger),
            *(s for c in ledger.chains for s in _steps(ledger, c)),
        ],
        "adjoints": [_adjoint(ledger, c) for c in ledger.chains],
        "gradients": {
            c.of.name: _adjoint(ledger, c)
            for c in ledger.chains
            if checked.derivation.is_gradient(c.adjoint)
        },
    }


def _network(ledger: Ledger, presentation: Presentation) -> dict[str, Any]:
    return {
        "spec": presentation.spec,
        "title": presentation.title,
        "layout": presentation.layout,
        "sizes": {str(n): presentation.sizes[n] for n in sorted(presentation.sizes)},
        "tensors": {
            t.name: {
                "role": t.role.value,
                "layer": t.layer,
                "shape": [to_text_index(axis.size) for axis in t.axes],
            }
            for t in ledger.graph.tensors
        },
    }


def to_text_index(index: Any) -> str:
    """A size as text."""
    return str(index.key({v: v.name for v in index.variables})).replace("+-", "-")


def _letters(names: Names, variables: tuple[Var, ...]) -> dict[Var, str]:
    return {v: names.letter(v) for v in variables}


def _formula(
    ledger: Ledger, expr: Expr, names: Names, variables: tuple[Var, ...]
) -> dict[str, str]:
    return {
        "text": to_text(expr, _letters(names, variables)),
        "tex": latex(expr, ledger.notation, names),
    }


def _verdict(verdict: Verdict) -> dict[str, str]:
    return {
        "status": verdict.status.value,
        "method": verdict.method + (f"; also in {verdict.confirmed}" if verdict.confirmed else ""),
        "scope": verdict.scope,
        "bound": certainty(verdict.bound),
    }


def _definition(ledger: Ledger, entry: DefinitionEntry) -> dict[str, Any]:
    d = entry.definition
    return {
        "id": entry.tag,
        "lhs": _formula(ledger, d.left, entry.names, d.variables),
        "rhs": _formula(ledger, d.body, entry.names, d.variables),
        "rule": "definition",
        "why": d.why or d.part_of,
        "premises": [],
        "verdict": _verdict(Verdict(Status.DEFINITION, "forward equation")),
    }


def _facts(ledger: Ledger) -> list[dict[str, Any]]:
    made = []
    for fact, tag in ledger.facts.items():
        names = Names(ledger.notation, ledger.graph)
        names.fix(*fact.variables)
        made.append(
            {
                "id": tag,
                "lhs": _formula(ledger, fact.left, names, fact.variables),
                "rhs": _formula(ledger, fact.right, names, fact.variables),
                "rule": "assumption",
                "why": fact.text,
                "premises": [],
                "verdict": _verdict(Verdict(Status.ASSUMED, "declared", "the data")),
            }
        )
    return made


def _lemmas(ledger: Ledger) -> list[dict[str, Any]]:
    made = []
    for lemma, verdict in ledger.checked.lemmas:
        names = Names(ledger.notation, ledger.graph)
        orders = tuple(int(n == lemma.argument) for n in range(len(lemma.args)))
        left = Apply(lemma.function, lemma.args, orders)
        made.append(
            {
                "id": ledger.lemmas[lemma],
                "lhs": _formula(ledger, left, names, ()),
                "rhs": _formula(ledger, lemma.stated, names, ()),
                "rule": "lemma",
                "why": f"stated derivative of {lemma.function}",
                "premises": [],
                "verdict": _verdict(verdict),
            }
        )
    return made


def _steps(ledger: Ledger, chain: ChainEntry) -> list[dict[str, Any]]:
    variables = index_variables(chain.adjoint.indices)
    return [
        {
            "id": entry.tag,
            "lhs": _formula(ledger, entry.step.left, chain.names, variables),
            "rhs": _formula(ledger, entry.step.right, chain.names, variables),
            "rule": entry.step.rule,
            "why": plain(reason(ledger, chain, entry.step)),
            "premises": [ref.tag for ref in references(ledger, chain, entry.step)],
            "verdict": _verdict(entry.verdict),
        }
        for entry in chain.steps
    ]


def _adjoint(ledger: Ledger, chain: ChainEntry) -> dict[str, Any]:
    adjoint = chain.adjoint
    variables = index_variables(adjoint.indices)
    left = Access(adjoint.tensor, adjoint.indices)
    lhs, rhs = named.sides(ledger, chain, adjoint.closed, chain.names, matrix=True)
    matrix = ledger.matrix(adjoint.closed, adjoint.indices) is not None
    return {
        "name": adjoint.tensor.name,
        "of": chain.of.name,
        "root": adjoint.tensor.root.name if adjoint.tensor.root else "",
        "step": chain.final,
        "lhs": _formula(ledger, left, chain.names, variables),
        "rhs": _formula(ledger, adjoint.closed, chain.names, variables),
        "matrix": {"text": f"{lhs.ascii} = {rhs.ascii}", "tex": f"{lhs.tex} = {rhs.tex}"}
        if matrix
        else None,
    }


def _assumptions(ledger: Ledger) -> list[str]:
    return [plain(item) for item in assumptions(ledger)]
