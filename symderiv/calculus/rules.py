"""The rules a step may cite: one row a rule, whose statement is the printed justification."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """A named rewriting, what it says, and when it may be used."""

    name: str
    statement: str
    precondition: str = ""


RULES = {
    rule.name: rule
    for rule in (
        Rule(
            "chain rule",
            "the cost depends on a quantity only through the quantities computed from it: "
            "∂C/∂t = Σ_u ∂C/∂u · ∂u/∂t",
            "every use of t is listed",
        ),
        Rule("definition", "a quantity may be replaced by the equation that defines it"),
        Rule(
            "derivative",
            "sums, products and powers are differentiated as usual, f(e) gives f′(e) ∂e, and "
            "∂t_k/∂t_i = [k = i]",
            "off the kinks of f",
        ),
        Rule(
            "delta collapse",
            "Σ_k [k = i] f(k) = f(i): of the sum only the term k = i survives",
            "i lies in the range of k",
        ),
        Rule(
            "linearity of sums", "factors without the index move out of a sum, Σ(a + b) = Σa + Σb"
        ),
        Rule("insert", "an equation found before is inserted"),
        Rule(
            "stated derivative",
            "the derivative of a function, written in terms of its own value",
            "proved as a lemma from the definition of the function",
        ),
        Rule(
            "cancellation",
            "factors that belong to the same entry are multiplied out and cancelled",
            "no denominator is zero",
        ),
        Rule(
            "folding",
            "a definition q = c/s is used from right to left: c = q s",
            "s is not zero",
        ),
        Rule("reduction", "a sum that is known in closed form is replaced by its value"),
        Rule("collect", "terms are multiplied out, equal terms added, common factors taken out"),
    )
}
