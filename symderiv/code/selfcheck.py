"""What a generated module tests by itself: declared assumptions, and its own gradients."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symderiv.algebra.expr import Access, Add, Apply, Number, Role, Sum, walk
from symderiv.algebra.matrixform import matrix_form
from symderiv.calculus.composed import group_of
from symderiv.calculus.functions import REAL, Domain, rows
from symderiv.calculus.graph import Definition, Fact
from symderiv.code.functions import NoCode, number
from symderiv.code.program import Program
from symderiv.code.stable import summed_axis


def facts_used(program: Program) -> list[Fact]:
    """The declared facts that a step used."""
    used = {
        premise
        for adjoint in program.derivation.adjoints
        for step in adjoint.steps
        for premise in step.premises
        if isinstance(premise, Fact)
    }
    return [fact for fact in program.graph.facts if fact in used]


def sums_of_variables(program: Program) -> list[dict[str, str]]:
    """The facts of a program: the variables, what they sum to, and what to say. Raises NoCode."""
    found = []
    for fact in facts_used(program):
        terms = fact.left.terms if isinstance(fact.left, Add) else (fact.left,)
        names = [program.naming.python(t.tensor) for t in terms if isinstance(t, Access)]
        if not names or len(names) != len(terms) or not isinstance(fact.right, Number):
            raise NoCode(f"no test that {fact.text}")
        listed = ", ".join(f'"{name}"' for name in names)
        found.append({"names": f"({listed})", "value": number(fact.right.value), "text": fact.text})
    return found


def bound_variables(program: Program) -> set[str]:
    """The variables of a program that the facts speak of."""
    sums = (fact.left.terms if isinstance(fact.left, Add) else (fact.left,)
            for fact in facts_used(program))  # fmt: skip
    return {program.naming.python(t.tensor) for s in sums for t in s if isinstance(t, Access)}


def assumptions(program: Program) -> list[dict[str, str]]:
    """The declared facts that a step used, each as two sides to compare and what to say."""
    found = []
    for fact in facts_used(program):
        left = matrix_form(fact.left, fact.variables, program.rows)
        right = matrix_form(fact.right, (), program.rows)
        if left is None or right is None:
            raise NoCode(f"no test that {fact.text}")
        sides = program.emitter.piece(left), program.emitter.piece(right)
        if not sides[0].reads <= {"Y"} or sides[1].reads:
            raise NoCode(f"no test of Y alone that {fact.text}")
        found.append({"left": sides[0].text, "right": sides[1].text, "text": fact.text})
    return found


def random_targets(program: Program, loss: Definition, shape: str) -> list[str]:
    """Lines that draw Y in the domain of the loss."""
    domain = _target_domain(program, loss) or REAL
    if domain.total is None:
        return [f"Y = {drawn(domain, shape)}"]
    axis = summed_axis(group_of(program.graph, loss))
    factor = "" if domain.total == 1 else f"{number(domain.total)} * "
    total = f"np.sum(Y, axis={axis}, keepdims=True)"
    return [f"Y = rng.uniform(size={shape})", f"Y = {factor}Y / {total}"]


def drawn(domain: Domain, shape: str, usual: tuple[Fraction, Fraction] | None = None) -> str:
    """The call that draws an array in a domain, between the ``usual`` bounds where they lie in it.

    What the entries sum to is not seen to.
    """
    if domain.values:
        return f"rng.choice([{', '.join(str(float(v)) for v in domain.values)}], {shape})"
    if usual is not None and all(domain.contains(end) for end in usual):
        return f"rng.uniform({float(usual[0])}, {float(usual[1])}, {shape})"
    if domain.low is None and domain.high is None:
        return f"rng.normal(size={shape})"
    low = domain.low if domain.low is not None else (domain.high or Fraction()) - 1
    high = domain.high if domain.high is not None else low + 1
    if low == 0 and high == 1:
        return f"rng.uniform(size={shape})"
    return f"rng.uniform({number(low)}, {number(high)}, {shape})"


def target_test(program: Program, loss: Definition) -> dict[str, str] | None:
    """What Y has to satisfy for the loss to be defined, and in words; None if it may be anything.

    That a distribution sums to 1 is one of the declared facts.
    """
    domain = _target_domain(program, loss)
    return None if domain is None else _membership(domain, "Y")


def target_domains(program: Program) -> dict[str, Domain]:
    """The targets of a network whose units are written out, each with the domain of its loss."""
    found: dict[str, Domain] = {}
    for definition in program.graph.definitions:
        whole = rows().get(definition.part_of)
        for node in walk(definition.body):
            row = rows()[node.function] if isinstance(node, Apply) else whole
            entries = node.args if isinstance(node, Apply) else (node,)
            for entry in entries:
                if isinstance(entry, Access) and entry.tensor.role is Role.TARGET:
                    loss = next((r for r in (row, whole) if r is not None and r.is_loss), None)
                    if loss is not None:
                        name = program.naming.python(entry.tensor)
                        found.setdefault(name, loss.target_domain)
    return found


def target_tests(program: Program) -> list[dict[str, str]]:
    """What the targets have to satisfy, each with its name."""
    tests = []
    for name, domain in target_domains(program).items():
        test = _membership(domain, f'arrays["{name}"]')
        if test is not None:
            tests.append({"name": name, **test})
    return tests


def _membership(domain: Domain, array: str) -> dict[str, str] | None:
    """That all entries of an array are in a domain, as a test and in words."""
    if domain.values:
        values = ", ".join(number(value) for value in domain.values)
        return {"holds": f"np.isin({array}, ({values}))", "text": domain.text}
    equal = "=" if domain.closed else ""
    sides = [f"({array} >{equal} {number(domain.low)})"] if domain.low is not None else []
    sides += [f"({array} <{equal} {number(domain.high)})"] if domain.high is not None else []
    if not sides:
        return None
    holds = " & ".join(sides) if len(sides) > 1 else sides[0][1:-1]
    return {"holds": holds, "text": domain.text}


def _target_domain(program: Program, loss: Definition) -> Domain | None:
    row = rows().get(loss.part_of)
    entry = loss.body.body if isinstance(loss.body, Sum) else loss.body
    if row is None and isinstance(entry, Apply):
        row = rows()[entry.function]
    if program.head is not None:
        row = program.head.row
    return row.target_domain if row is not None and row.is_loss else None


def dict_text(values: Mapping[str, str]) -> str:
    """``{"n0": 3}``."""
    return "{" + ", ".join(f'"{key}": {value}' for key, value in values.items()) + "}"
