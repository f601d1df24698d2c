"""The rules a step may cite: one row a rule, with what it says and what is printed beside a step.

A justification is a sentence with places: ``{refs}`` for the equations that the step uses, and what
else the rule is about (``documents/reasons.py`` knows how to fill a place). A rule that reads in
more than one way has ``others``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Rule:
    """A named rewriting: what it says, when it may be used, and how a step is justified by it."""

    name: str
    statement: str
    justification: str
    precondition: str = ""
    others: Mapping[str, str] = field(default_factory=dict)


RULES = {
    rule.name: rule
    for rule in (
        Rule(
            "chain rule",
            "the cost depends on a quantity only through the quantities computed from it: "
            "∂C/∂t = Σ_u ∂C/∂u · ∂u/∂t",
            "chain rule: {t} acts on {root} through {users} alone",
            "every use of t is listed",
            {
                "both": "chain rule: {t} acts on {root} through {users}, and by itself in {refs}",
                "itself": "{t} stands in the equation of {root} itself",
            },
        ),
        Rule(
            "definition",
            "a quantity may be replaced by the equation that defines it",
            "by {refs}",
        ),
        Rule(
            "derivative",
            "sums, products and powers are differentiated as usual, f(e) gives f′(e) ∂e, and "
            "∂t_k/∂t_i = [k = i]",
            "differentiate term by term",
            "off the kinks of f",
        ),
        Rule(
            "delta collapse",
            "Σ_k [k = i] f(k) = f(i): of the sum only the term k = i survives",
            "only {survivors} survives",
            "i lies in the range of k",
            {"many": "only {survivors} survive", "no sum": "the brackets decide"},
        ),
        Rule(
            "linearity of sums",
            "factors without the index move out of a sum, Σ(a + b) = Σa + Σb",
            "what does not depend on the index leaves the sum",
            others={"order": "order of the factors"},
        ),
        Rule(
            "insert",
            "an equation found before is inserted",
            "by {refs}",
        ),
        Rule(
            "stated derivative",
            "the derivative of a function, written in terms of its own value",
            "by {refs}",
            "proved as a lemma from the definition of the function",
        ),
        Rule(
            "cancellation",
            "factors that belong to the same entry are multiplied out and cancelled",
            "multiply out and cancel",
            "no denominator is zero",
        ),
        Rule(
            "folding",
            "a definition q = c/s is used from right to left: c = q s",
            "by {refs}, read from right to left",
            "s is not zero",
        ),
        Rule(
            "reduction",
            "a sum that is known in closed form is replaced by its value",
            "by {refs}",
            others={"found": "the sum has this value by definition"},
        ),
        Rule(
            "collect",
            "terms are multiplied out, equal terms added, common factors taken out",
            "collect terms",
        ),
    )
}
