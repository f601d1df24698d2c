"""A place in a text of tokens, and a builder that measures every node it makes."""

from __future__ import annotations

from fractions import Fraction

from symderiv.frontend.errors import SpecError, show
from symderiv.frontend.nodes import Binary, Node, Num, Unary, children
from symderiv.frontend.tokens import tokenize

MAX_NODES = 2_000
MAX_HEIGHT = 150  # of the tree, in which a + b + c + … is a chain as well
MAX_EXPONENT = 64
MAX_CONSTANT = 10**200

COMPARISONS = (">", "<", ">=", "<=")


class Cursor:
    """What every part of the grammar needs: look, advance, complain, build."""

    def __init__(self, text: str, field: str) -> None:
        self.tokens = tokenize(text, field)
        self.text, self.field = text, field
        self.place = self.nodes = 0
        self.facts: dict[int, tuple[int, Fraction | None]] = {}  # height and constant value
        self.kept: list[Node] = []  # keeps every id in facts alive
        self.token = self.tokens[0]

    # -- the token at hand ---------------------------------------------------------------

    @property
    def column(self) -> int:
        return self.token.column

    def advance(self) -> None:
        self.place += 1
        self.token = self.tokens[self.place]

    def at_op(self, *texts: str) -> bool:
        return self.token.kind == "op" and self.token.text in texts

    def after(self) -> str:
        """The text of the token after the one at hand, or "" at the end."""
        return self.tokens[self.place + 1].text if self.token.kind != "end" else ""

    def take(self, op: str, remedy: str = "") -> None:
        if not self.at_op(op):
            raise self.error(f"expected {op!r} but found {self.found()}", remedy)
        self.advance()

    def found(self) -> str:
        return "the end" if self.token.kind == "end" else show(self.token.text)

    def error(self, problem: str, remedy: str = "", column: int | None = None) -> SpecError:
        return SpecError(
            problem, remedy, field=self.field, value=self.token.text,
            column=self.column if column is None else column, text=self.text,
        )  # fmt: skip

    def end(self) -> None:
        if self.token.kind == "end":
            return
        remedy = ""
        if self.token.kind in ("name", "number") or self.at_op("("):
            remedy = "write * between the factors of a product"
        elif self.at_op(*COMPARISONS):
            remedy = "a comparison stands inside where(...) or in parentheses"
        elif self.at_op(";"):
            remedy = "one statement is asked for"
        elif self.at_op("'"):
            remedy = "a prime follows a function: sigma'(z)"
        raise self.error(f"unexpected {self.found()}", remedy)

    # -- building ------------------------------------------------------------------------

    def make(self, node: Node) -> Node:
        """Count the node, measure it and refuse what nobody could evaluate."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise self.error(f"more than {MAX_NODES} parts", "split it", node.column)
        below = [self.facts[id(child)] for child in children(node)]
        height = 1 + max((h for h, _ in below), default=0)
        if height > MAX_HEIGHT:
            raise self.error(
                f"a tree of more than {MAX_HEIGHT} levels", "name parts of it", node.column
            )
        value = self.constant(node, [v for _, v in below])
        if value is not None and max(abs(value.numerator), value.denominator) > MAX_CONSTANT:
            raise self.error("a constant of more than 200 digits", "", node.column)
        self.facts[id(node)] = (height, value)
        self.kept.append(node)
        return node

    def constant(self, node: Node, values: list[Fraction | None]) -> Fraction | None:
        """The rational value of a node without variables, None where there is none."""
        if isinstance(node, Num):
            return node.value
        if isinstance(node, Unary):
            return None if values[0] is None else -values[0]
        if not isinstance(node, Binary):
            return None
        left, right = values
        if node.op == "**" and right is not None and abs(right) > MAX_EXPONENT:
            raise self.error(
                "the exponent is too large", f"at most {MAX_EXPONENT} in size", node.column
            )
        if right == 0 and node.op == "/":
            raise self.error("a division by 0", "", node.column)
        if left is None or right is None:
            return None
        if node.op == "**":
            if left == 0 and right < 0:
                raise self.error("a division by 0", "", node.column)
            return left ** int(right) if right.denominator == 1 else None
        return {
            "+": left + right, "-": left - right, "*": left * right,
            "/": left / (right or 1), "@": None,
        }[node.op]  # fmt: skip
