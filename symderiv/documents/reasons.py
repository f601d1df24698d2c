"""The reason printed beside a step: its rule, with the letters and tags of the case at hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

from symderiv.algebra.expr import Access, Add, Delta, Expr, Mul, Partial, Sum, Tensor, walk
from symderiv.algebra.index import Index, Var
from symderiv.calculus.graph import Fact
from symderiv.calculus.rewriting import solve
from symderiv.calculus.rules import RULES
from symderiv.calculus.steps import Lemma, Step, Uses
from symderiv.documents.ledger import ChainEntry, Ledger, bound_variables
from symderiv.documents.model import EQUALS, Math, Part, Phrase, Ref
from symderiv.documents.prose import enumerated, enumerated_phrases, filled


def reason(ledger: Ledger, chain: ChainEntry, step: Step) -> Phrase:
    """Why ``left = right``: the justification of its rule, filled in."""
    rule = RULES.get(step.rule)
    if rule is None:  # a rule of somebody's own
        return (f"{step.rule}: {step.why}",) if step.why else (step.rule,)
    refs = references(ledger, chain, step)
    variant, parts = _PLACES.get(rule.name, _plain)(ledger, chain, step)
    template = rule.others.get(variant, rule.justification)
    if "{refs}" in template and not refs:
        return (step.why,)
    return filled(template, {**parts, "refs": enumerated(list(refs))})


Places = tuple[str, dict[str, Part | Phrase]]  # which way to say it, and what is in its places


def _plain(ledger: Ledger, chain: ChainEntry, step: Step) -> Places:
    return "", {}


def references(ledger: Ledger, chain: ChainEntry, step: Step) -> tuple[Ref, ...]:
    """The tagged equations that a step uses."""
    tags: dict[str, None] = {}
    for premise in step.premises:
        if isinstance(premise, Lemma):
            tags[ledger.lemmas.get(premise, "")] = None
        elif isinstance(premise, Fact):
            tags[ledger.facts.get(premise, "")] = None
        else:
            assert isinstance(premise, Uses)
            members = ledger.tags_of(premise.tensor, chain.adjoint)
            for tag in _relevant(ledger, premise.tensor, members, step):
                tags[tag] = None
    return tuple(Ref(tag) for tag in tags if tag)


def _relevant(ledger: Ledger, tensor: Tensor, tags: list[str], step: Step) -> list[str]:
    """Of a family's equations those about the member in question."""
    if len(tags) < 2:
        return tags
    entries = [e for e in ledger.definitions if e.tag in tags]
    left, right = ([n for n in walk(e) if isinstance(n, Access)] for e in (step.left, step.right))
    opened = [n.body for n in walk(step.left) if isinstance(n, Partial)]
    new = [n for n in right if n not in left]  # by its name, where there was its equation
    choices = ([n for n in met if isinstance(n, Access) and n.tensor == tensor]
               for met in (opened, new, right, left))  # fmt: skip
    accesses = next(filter(None, choices), [])
    hit = [e.tag for e in entries if not all(e.definition.misses(a) for a in accesses)]
    return hit or tags


def _chain_rule(ledger: Ledger, chain: ChainEntry, step: Step) -> Places:
    target = Access(chain.of, chain.adjoint.indices)
    root = chain.adjoint.tensor.root
    users: dict[object, Access] = {}  # of a family every member
    for node in walk(step.right):
        if isinstance(node, Partial) and isinstance(node.body, Access) and node.wrt == target:
            used = node.body
            users.setdefault((used.tensor, used.indices[: used.tensor.ordered]), used)
    shown = ledger.show(target, chain.names)
    whole = ledger.show_symbol(chain.names.symbol(root)) if root is not None else shown
    if not users or any(access.tensor == root for access in users.values()):
        return "itself", {"t": shown, "root": whole}
    parts: list[Part] = [_user(ledger, chain, step.right, access) for access in users.values()]
    own = "both" if step.premises else ""
    return own, {"t": shown, "root": whole, "users": enumerated(parts)}


def _user(ledger: Ledger, chain: ChainEntry, expr: Expr, access: Access) -> Math:
    """A user with the letters that its sums have in the printed line."""
    with _sums_over(chain, bound_variables(expr), access.indices):
        return ledger.show(access, chain.names)


@contextmanager
def _sums_over(
    chain: ChainEntry, bound: frozenset[Var], indices: Iterable[Index]
) -> Iterator[None]:
    """The letters that bound variables of indices have in the printed line."""
    met = dict.fromkeys(v for index in indices for v in index.variables)
    with ExitStack() as sums:
        for variable in met:
            if variable in bound:
                sums.enter_context(chain.names.bound(variable))
        yield


def _collapse(ledger: Ledger, chain: ChainEntry, step: Step) -> Places:
    """The sums that a delta has solved, each with the index that is left.

    Where a letter stands for other values in another term, the terms are told apart.
    """
    terms = step.left.terms if isinstance(step.left, Add) else (step.left,)
    found = [_solved(ledger, chain, term, bound_variables(step.right)) for term in terms]
    pairs = list(dict.fromkeys(pair for solved in found for pair in solved))
    parts: list[Part] = [left + EQUALS + right for left, right in pairs]
    variant = ("no sum", "", "many")[min(len(parts), 2)]
    if len({left for left, _ in pairs}) == len(pairs) or len(found) > len(_ORDINALS):
        return variant, {"survivors": enumerated(parts)}
    phrases = [
        (*enumerated([left + EQUALS + right for left, right in solved]),
         f" in the {ordinal} term")
        for ordinal, solved in zip(_ORDINALS, found, strict=False) if solved
    ]  # fmt: skip
    return variant, {"survivors": enumerated_phrases(phrases, ", ")}


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def _solved(
    ledger: Ledger, chain: ChainEntry, term: Expr, remaining: frozenset[Var]
) -> dict[tuple[Math, Math], None]:
    """The letter and the value of every sum of a term that a delta has solved."""
    solved: dict[tuple[Math, Math], None] = {}
    for node in walk(term):
        if not isinstance(node, Sum) or node.var in remaining:
            continue
        deltas = (n for n in walk(node.body) if isinstance(n, Delta))
        value = next((v for d in deltas if (v := solve(d, node.var)) is not None), None)
        if value is not None:
            letter = ledger.show_letter(node.var, chain.names)
            with _sums_over(chain, remaining, [value]):
                solved[letter, _known_index(ledger, chain, value)] = None
    return solved


def _known_index(ledger: Ledger, chain: ChainEntry, index: Index) -> Math:
    variable = index.variable
    if variable is not None:
        return ledger.show_letter(variable, chain.names)
    return ledger.show_index(index, chain.names)


def _only_order(step: Step) -> bool:
    """Whether the step does nothing but order factors."""
    left = sorted(type(n).__name__ for n in walk(step.left))
    right = sorted(type(n).__name__ for n in walk(step.right))
    bodies = _sum_factors(step.left) == _sum_factors(step.right)
    return left == right and bodies


def _sum_factors(expr: Expr) -> set[tuple[Var, frozenset[Expr]]]:
    return {
        (n.var, frozenset(n.body.factors if isinstance(n.body, Mul) else (n.body,)))
        for n in walk(expr)
        if isinstance(n, Sum)
    }


def _order(ledger: Ledger, chain: ChainEntry, step: Step) -> Places:
    return "order" if _only_order(step) else "", {}


def _reduction(ledger: Ledger, chain: ChainEntry, step: Step) -> Places:
    return "" if references(ledger, chain, step) else "found", {}


_PLACES: Mapping[str, Callable[[Ledger, ChainEntry, Step], Places]] = {
    "chain rule": _chain_rule,
    "delta collapse": _collapse,
    "linearity of sums": _order,
    "reduction": _reduction,
}
