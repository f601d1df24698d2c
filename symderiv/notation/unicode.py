"""Trees to one line of plain text, for a terminal: ``δ1[j,s] = Σ_k W2[k,j] δ2[k,s] σ′(z1[j,s])``.

Names are those of the generated code, so that a line can be compared with it. Without Unicode
the same line reads ``delta1[j,s] = sum_k W2[k,j]*delta2[k,s]*sigmoid'(z1[j,s])``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from symderiv.algebra.expr import Access, Apply, Expr
from symderiv.algebra.index import Index, Size, Var
from symderiv.calculus.functions import rows
from symderiv.notation.conventions import GREEK, Notation
from symderiv.notation.names import Names, unit_name
from symderiv.notation.patterns import is_fenced, sign_of
from symderiv.notation.printer import (
    ATOM,
    FLAT,
    OPEN,
    POWER,
    PRODUCT,
    SUM,
    Piece,
    Printer,
    cut,
    decimal,
    meets_itself,
)
from symderiv.notation.tex import root_of

_ASCII = {
    "Σ": "sum", "∂": "d", "′": "'", "−": "-", "·": "*", "≤": "<=", "≥": ">=", "⊙": "*",
    "½": "0.5", "²": "**2", "σ": "sigmoid", "ℓ": "ell",
    **{letter: name for name, letter in GREEK.items() if name != "eps"},
    "λ": "lam", "σ ": "sigma",
}  # fmt: skip


def text(
    expr: Expr,
    notation: Notation,
    names: Names | None = None,
    *,
    unicode: bool = True,
    ranges: bool = False,
) -> str:
    """A formula on one line; ``ranges`` writes ``Σ_{k=1..n[2]}`` for ``Σ_k``."""
    return TextPrinter(names or Names(notation), unicode=unicode, ranges=ranges).write(expr)


class TextPrinter(Printer):
    """See :class:`Printer`."""

    def __init__(self, names: Names, *, unicode: bool = True, ranges: bool = False) -> None:
        super().__init__(names)
        self.unicode = unicode
        self.ranges = ranges

    def sign(self, char: str) -> str:
        """A sign, or what stands for it in ASCII."""
        return char if self.unicode else _ASCII[char]

    # --- leaves ------------------------------------------------------------------------------

    def index(self, index: Index) -> str:
        """``l+1``."""
        parts = []
        for symbol, c in sorted(index.terms, key=lambda t: (t[1] < 0, isinstance(t[0], Size))):
            name = self.names.letter(symbol) if isinstance(symbol, Var) else self.size_name(symbol)
            parts.append(("-" if c < 0 else "+") + ("" if abs(c) == 1 else f"{abs(c)}*") + name)
        if index.const or not parts:
            parts.append(f"{index.const:+d}")
        return "".join(parts).removeprefix("+")

    def size_name(self, size: Size) -> str:
        """``n[2]``, ``m``."""
        if size.at is None:
            return size.name
        at = size.at + self.names.notation.activation_shift
        label = self.index(at) if at.terms else self.names.layer_label(at.const)
        return f"{size.name}[{label}]"

    def number(self, value: Fraction) -> Piece:
        size = abs(value)
        if (written := decimal(size)) is not None:
            written = cut(written, "…") if self.unicode else written
            return Piece(written, ATOM, FLAT, value < 0, "number", "number")
        level = ATOM if size.denominator == 1 else PRODUCT
        return Piece(str(size), level, FLAT, value < 0, "number", "number")

    def size(self, index: Index) -> Piece:
        plain = len(index.terms) + (index.const != 0) == 1 and (
            not index.terms or index.terms[0][1] == 1
        )
        return Piece(self.index(index), ATOM if plain else SUM, FLAT, False, "entry", "entry")

    def entry(self, access: Access) -> Piece:
        tensor = access.tensor
        if tensor.of is not None and not self.names.has_name(tensor):
            wrt = Access(tensor.of, access.indices)
            return self.ratio(self.symbol_of(root_of(access)), self.symbol_of(wrt))
        return Piece(self.symbol_of(access), ATOM, FLAT, False, "entry", "entry")

    def symbol_of(self, access: Access) -> str:
        """``W2[k,j]``; relative to a layer ``W[l,k,j]``, as for a family; of a unit ``w1_12``."""
        symbol = self.names.symbol(access.tensor)
        layer = self.names.layer(access.tensor)
        name = symbol.unicode if self.unicode else symbol.ascii
        shift = self.names.shift(access.tensor)
        indices = list(access.indices)
        if layer is None and access.tensor.ordered and indices:
            indices[0] += shift
        inside = [self.index(i) for i in indices]
        if layer is not None:
            label = self.names.layer_label(layer + shift)
            if self.names.base is None:
                name = unit_name(access.tensor, self.unicode) or name + label
            else:
                inside.insert(0, label)
        return f"{name}[{','.join(inside)}]" if inside else name

    def relation(self, left: Index, sign: str, right: Index) -> Piece:
        shown = {"=": " = ", "<=": f" {self.sign('≤')} ", ">=": f" {self.sign('≥')} "}[sign]
        inside = f"[{self.index(left)}{shown}{self.index(right)}]"
        return Piece(inside, ATOM, FLAT, False, "bracket", "bracket")

    def winner(self, at: Index, var: Var, body: Piece) -> Piece:
        inside = f"[{self.index(at)} = argmax_{self.names.letter(var)} {self.signed(body)}]"
        return Piece(inside, ATOM, FLAT, False, "bracket", "bracket")

    # --- compounds ---------------------------------------------------------------------------

    def join(self, pieces: Sequence[Piece]) -> Piece:
        if len(pieces) == 1:
            return pieces[0]
        line = pieces[0].text
        for before, after in pairwise(pieces):
            line += self.between(before, after) + after.text
        level = OPEN if pieces[-1].level == OPEN else PRODUCT
        return Piece(line, level, FLAT, False, pieces[-1].ends, pieces[0].starts)

    def between(self, before: Piece, after: Piece) -> str:
        """What stands between two factors."""
        if not self.unicode:
            return "*"
        if after.starts == "number":
            return "·"
        if (before.level == PRODUCT or after.level == PRODUCT) and after.starts != "sum":
            return " · "
        if before.ends == "number" and after.starts in ("paren", "entry"):
            return " " if after.starts == "entry" else ""
        return " "

    def fraction(self, above: Piece, below: Piece) -> Piece:
        top = self.paren(above).text if above.level in (SUM, OPEN) else above.text
        bottom = below.text if below.level >= POWER else self.paren(below).text
        return Piece(f"{top}/{bottom}", PRODUCT, FLAT, False, "entry", above.starts)

    def ratio(self, above: str, below: str) -> Piece:
        """``∂ℓ[s]/∂z2[j,s]``."""
        line = f"∂{above}/∂{below}" if self.unicode else f"d({above})/d({below})"
        return Piece(line, PRODUCT, FLAT, False, "entry", "entry")

    def power(self, base: Piece, exponent: int, entry: bool) -> Piece:
        if base.level < ATOM or base.negative:
            base = self.paren(base)
        raised = "²³"[exponent - 2] if self.unicode and exponent in (2, 3) else f"**{exponent}"
        return Piece(f"{base.text}{raised}", POWER, FLAT, False, "power", base.starts)

    def big_sum(self, var: Var, letter: str, body: Piece) -> Piece:
        head = f"{self.sign('Σ')}_{letter}"
        if self.ranges:
            start, stop = self.index(var.axis.start), self.index(var.axis.stop)
            head = f"{self.sign('Σ')}_{{{letter}={start}..{stop}}}"
        return Piece(f"{head} {body.text}", OPEN, FLAT, False, body.ends, "sum")

    def derivative(self, body: Expr, wrt: Access) -> Piece:
        below = self.symbol_of(wrt)
        if isinstance(body, Access):
            return self.ratio(self.symbol_of(body), below)
        return self.operator(self.piece(body), below)

    def operator(self, piece: Piece, below: str) -> Piece:
        """``∂(body)/∂entry``."""
        bare = piece.level == ATOM and piece.ends == "paren"
        inside = piece.text if bare and self.unicode else f"({piece.text})"
        line = f"∂{inside}/∂{below}" if self.unicode else f"d{inside}/d({below})"
        return Piece(line, PRODUCT, FLAT, piece.negative, "entry", "entry")

    def paren(self, piece: Piece) -> Piece:
        return Piece(f"({self.signed(piece)})", ATOM, FLAT, False, "paren", "paren")

    def signed(self, piece: Piece) -> str:
        """The text with its minus sign."""
        return self.minus(piece.text) if piece.negative else piece.text

    def minus(self, text: str) -> str:
        return self.sign("−") + text

    def plus(self, left: str, right: str) -> str:
        return f"{left} + {right}"

    def subtract(self, left: str, right: str) -> str:
        return f"{left} {self.sign('−')} {right}"

    # --- functions ---------------------------------------------------------------------------

    def call(self, function: str, args: tuple[Expr, ...], orders: tuple[int, ...]) -> Piece:
        row = rows()[function]
        pieces = [self.piece(a) for a in args]
        name = row.plain_name if self.unicode else row.python_name
        if not any(orders):
            pattern = _plain_pattern(row.call)
            return self.filled(pattern, pieces) if pattern else self.applied(name, pieces)
        if len(args) - len(row.hyper) == 1 and not any(orders[1:]):
            return self.applied(name + self.sign("′") * orders[0], pieces)
        position = next(n for n, order in enumerate(orders) if order)
        if sum(orders) == 1 and meets_itself(args, position):
            slope = f"({self.sign('∂')}{name}/{self.sign('∂')}{row.arguments[position]})"
            return self.applied(slope, pieces)
        plain = Apply(function, args, (0,) * len(args))
        wrt = args[position]
        if sum(orders) == 1 and isinstance(wrt, Access):
            return self.derivative(plain, wrt)
        below = pieces[position]
        loose = below.level < ATOM or below.negative
        return self.operator(self.piece(plain), self.paren(below).text if loose else below.text)

    def applied(self, name: str, pieces: Sequence[Piece]) -> Piece:
        """``f(x, y)``."""
        inside = ", ".join(self.signed(p) for p in pieces)
        return Piece(f"{name}({inside})", ATOM, FLAT, False, "paren", "call")

    def filled(self, pattern: str, pieces: Sequence[Piece]) -> Piece:
        """A call pattern with its ``#1``."""
        if pattern == "#1":
            return pieces[0]
        negative, pattern = sign_of(pattern)
        if not self.unicode:
            pattern = "".join(
                _ASCII.get(c, c) for c in re.sub(r"([\w½)]) (?=[#(\w])", r"\1*", pattern)
            )
        else:
            pattern = pattern.replace(" - ", " − ").replace("½ (", "½(")
            pattern = re.sub("^-", "−", pattern)

        def put(found: re.Match[str]) -> str:
            before, number, after = found.groups()
            piece = pieces[int(number) - 1]
            fenced = is_fenced(pattern, before, found.end(2))
            loose = piece.level < ATOM or piece.negative
            inside = self.paren(piece).text if loose and not fenced else self.signed(piece)
            return f"{before}{inside}{after}"

        line = re.sub(r"(.?)#(\d)(.?)", put, pattern)
        depth, level, starts = 0, ATOM, "call"
        for place, char in enumerate(pattern):
            depth += (char in "([") - (char in ")]")
            if depth == 0 and char in "+-−" and place:
                level = SUM
            elif depth == 0 and char in " *²³" and level != SUM:
                level = PRODUCT
        ends = "paren" if pattern.endswith(")") else ""
        if pattern.startswith("(") and ends and level == ATOM:
            starts = "paren"
        return Piece(line, level, FLAT, negative, ends, starts)


_PATTERN = (
    (r"\left", ""), (r"\right", ""), (r"\tfrac12", "½"), (r"\,", " "), (r"\pi", "π"),
    (r"e^{#1}", "exp(#1)"), (r"\sqrt{#1}", "sqrt(#1)"), (r"\log #1", "log(#1)"),
    (r"\log #2", "log(#2)"), (r"\log\frac{#2}{#1}", "log(#2/#1)"), (r"\log(", "log("),
    ("#1^{#2}", "#1**#2"), ("^2", "²"), (r"\lvert", "|"), (r"\rvert", "|"),
)  # fmt: skip


def _plain_pattern(pattern: str) -> str:
    """A call pattern of a table without its TeX; empty if something is left of it."""
    for tex, plain in _PATTERN:
        pattern = pattern.replace(tex, plain)
    return "" if re.search(r"[\\{}^_]", pattern) else " ".join(pattern.split())
