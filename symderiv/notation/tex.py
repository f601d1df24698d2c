r"""Trees to TeX that both pdfTeX (amsmath, bm) and KaTeX read.

No superscript ever meets another one: layers are superscripts, so powers and transposes of a
symbol with a superscript put it in parentheses first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from symderiv.algebra.expr import Access, Apply, Expr, Tensor
from symderiv.algebra.index import Index, Size, Var
from symderiv.calculus.backprop import example_position
from symderiv.calculus.functions import rows
from symderiv.notation.conventions import Notation, spelled
from symderiv.notation.names import Names
from symderiv.notation.patterns import is_fenced, pattern_level, primed, sign_of
from symderiv.notation.printer import (
    ATOM,
    FLAT,
    HUGE,
    OPEN,
    POWER,
    PRODUCT,
    SCRIPTS,
    SUM,
    TALL,
    Piece,
    Printer,
    cut,
    decimal,
    meets_itself,
)

_EULER = re.compile(r"\be\^\{([^{}]*)\}")
_RELATIONS = {"=": "=", "<=": r"\le", ">=": r"\ge"}


def latex(
    expr: Expr,
    notation: Notation,
    names: Names | None = None,
    *,
    short: bool = False,
    inline: bool = False,
) -> str:
    r"""A formula as TeX, without dollars.

    ``short`` prints \sum_k instead of \sum_{k=1}^{n}, ``inline`` 1/m instead of \frac{1}{m}.
    """
    return TexPrinter(names or Names(notation), short=short, inline=inline).write(expr)


class TexPrinter(Printer):
    """See :class:`Printer`."""

    def __init__(self, names: Names, *, short: bool = False, inline: bool = False) -> None:
        super().__init__(names)
        self.short = short
        self.inline = inline

    # --- indices and sizes -------------------------------------------------------------------

    def index(self, index: Index) -> str:
        """``l + 1`` as TeX."""
        parts = []
        for symbol, c in sorted(index.terms, key=lambda t: (t[1] < 0, isinstance(t[0], Size))):
            if isinstance(symbol, Var):
                name = letter(self.names.letter(symbol))
            else:
                name = self.size_name(symbol)
            number = "" if abs(c) == 1 else str(abs(c))
            parts.append(("-" if c < 0 else "+", f"{number}{name}"))
        if index.const or not parts:
            parts.append(("-" if index.const < 0 else "+", str(abs(index.const))))
        text = "".join(f" {sign} {part}" for sign, part in parts)[1:]
        return text[2:] if text.startswith("+") else "-" + text[2:]

    def compact(self, index: Index) -> str:
        """The same without spaces, for scripts."""
        return self.index(index).replace(" + ", "+").replace(" - ", "-")

    def size_name(self, size: Size) -> str:
        """``n_{l-1}``, or the name of a size without an argument."""
        if size.at is None:
            return self.names.size(size.name)
        return f"{self.names.size(size.name)}_{{{self.size_layer(size.at)}}}"

    def size_layer(self, at: Index) -> str:
        """The layer that a size belongs to, shifted as activations are."""
        shifted = at + self.notation.activation_shift
        return self.compact(shifted) if at.terms else self.names.layer_label(shifted.const)

    # --- leaves ------------------------------------------------------------------------------

    def number(self, value: Fraction) -> Piece:
        size = abs(value)
        if size.denominator == 1:
            return Piece(str(size), ATOM, FLAT, value < 0, "number", "number")
        if (written := decimal(size)) is not None:
            return Piece(cut(written, r"\dots"), ATOM, FLAT, value < 0, "number", "number")
        if self.inline:
            return Piece(str(size), PRODUCT, FLAT, value < 0, "entry", "number")
        command = "tfrac" if self.small else "frac"
        text = rf"\{command}{{{size.numerator}}}{{{size.denominator}}}"
        return Piece(text, PRODUCT, TALL, value < 0, "fraction", "fraction")

    def size(self, index: Index) -> Piece:
        text = self.index(index)
        level = ATOM if len(index.terms) + (index.const != 0) == 1 else SUM
        if level == ATOM and index.terms and index.terms[0][1] != 1:
            level = PRODUCT
        return Piece(text, level, FLAT, False, "entry", "entry")

    def entry(self, access: Access) -> Piece:
        tensor = access.tensor
        if tensor.of is not None and not self.names.has_name(tensor):
            wrt = Access(tensor.of, access.indices)
            return self.ratio(self.symbol_of(root_of(access)), self.symbol_of(wrt))
        text = self.symbol_of(access)
        scripts = SCRIPTS if "^" in text or "_{" in text else FLAT
        return Piece(text, ATOM, scripts, False, "entry", "entry")

    def symbol_of(self, access: Access) -> str:
        """A symbol with its layer, its example and its indices."""
        symbol = self.names.symbol(access.tensor).entry
        return joined(symbol, self.scripts(access.tensor, access.indices))

    def scripts(self, tensor: Tensor, indices: Sequence[Index]) -> str:
        """``^{l}_{jk}``: at most one superscript and one subscript."""
        above: list[str] = []
        below: list[str] = []
        rest = list(enumerate(indices))
        notation = self.notation
        layer = self.names.layer(tensor)
        shift = self.names.shift(tensor)
        mark = ""
        if layer is not None:
            mark = self.names.layer_label(layer + shift)
        elif tensor.ordered and indices:
            mark = self.compact(indices[0] + shift)
            rest = rest[1:]
        if mark:
            style = notation.layer_style
            style = self.names.numbered if style == "#" else style
            styled = style.replace("#", mark)
            (above if notation.layer_place == "superscript" else below).append(styled)
        example = example_position(tensor)
        plain = []
        for position, index in rest:
            text = self.compact(index)
            if position == example and notation.example_place == "superscript":
                above.append(notation.example_style.replace("#", text))
            elif position == example:
                plain.append(notation.example_style.replace("#", text))
            else:
                plain.append(text)
        separator = "" if all(len(p.lstrip("\\")) == 1 for p in plain) else ","
        if plain:
            below.append(separator.join(plain))
        up = f"^{{{''.join(above)}}}" if above else ""
        return up + (f"_{{{','.join(below)}}}" if below else "")

    def relation(self, left: Index, sign: str, right: Index) -> Piece:
        text = f"[{self.index(left)} {_RELATIONS[sign]} {self.index(right)}]"
        return Piece(text, ATOM, FLAT, False, "bracket", "bracket")

    def winner(self, at: Index, var: Var, body: Piece) -> Piece:
        inner = self.signed(body)
        name = letter(self.names.letter(var))
        text = rf"[{self.index(at)} = \operatorname{{arg\,max}}_{{{name}}} {inner}]"
        return Piece(text, ATOM, body.height, False, "bracket", "bracket")

    # --- compounds ---------------------------------------------------------------------------

    def join(self, pieces: Sequence[Piece]) -> Piece:
        if len(pieces) == 1:
            return pieces[0]
        text = pieces[0].text
        for before, after in pairwise(pieces):
            text += _space(before, after) + after.text
        level = OPEN if pieces[-1].level == OPEN else PRODUCT
        height = max(p.height for p in pieces)
        return Piece(text, level, height, False, pieces[-1].ends, pieces[0].starts)

    def fraction(self, above: Piece, below: Piece) -> Piece:
        if self.inline:
            top = self.paren(above).text if above.level in (SUM, OPEN) else above.text
            bottom = below.text if below.level >= POWER else self.paren(below).text
            height = max(above.height, below.height)
            return Piece(f"{top}/{bottom}", PRODUCT, height, False, "entry", above.starts)
        text = rf"\frac{{{above.text}}}{{{below.text}}}"
        return Piece(text, PRODUCT, TALL, False, "fraction", "fraction")

    def ratio(self, above: str, below: str) -> Piece:
        r"""``\frac{\partial above}{\partial below}``."""
        if self.inline:
            text = rf"\partial {above} / \partial {below}"
            return Piece(text, PRODUCT, SCRIPTS, False, "entry", "entry")
        text = rf"\frac{{\partial {above}}}{{\partial {below}}}"
        return Piece(text, PRODUCT, TALL, False, "fraction", "fraction")

    def power(self, base: Piece, exponent: int, entry: bool) -> Piece:
        fenced = base.ends == "paren" and base.starts in ("paren", "call")
        if base.level < ATOM or base.negative or not (fenced or base.height == FLAT):
            base = self.paren(base)
        return Piece(f"{base.text}^{{{exponent}}}", POWER, base.height, False, "power", base.starts)

    def big_sum(self, var: Var, letter_: str, body: Piece) -> Piece:
        name = letter(letter_)
        if self.short:
            head = rf"\sum_{{{name}}}"
        else:
            start, stop = self.compact(var.axis.start), self.compact(var.axis.stop)
            head = rf"\sum_{{{name}={start}}}^{{{stop}}}"
        return Piece(f"{head} {body.text}", OPEN, HUGE, False, body.ends, "sum")

    def derivative(self, body: Expr, wrt: Access) -> Piece:
        below = self.symbol_of(wrt)
        if isinstance(body, Access):
            return self.ratio(self.symbol_of(body), below)
        if isinstance(body, Apply):
            self.small += 1
            piece = self.piece(body)
            self.small -= 1
            if piece.level >= POWER and piece.starts == "call" and not piece.negative:
                return self.ratio(piece.text, below)
        return self.operator(rf"\frac{{\partial}}{{\partial {below}}}", self.piece(body))

    def operator(self, head: str, piece: Piece) -> Piece:
        """``head`` applied to a piece in parentheses; a minus sign goes out in front."""
        negative = piece.negative
        piece = piece.with_sign(False)
        fenced = piece.level == ATOM and piece.starts == piece.ends == "paren"
        body = piece if fenced else self.paren(piece)
        height = max(TALL, piece.height)
        return Piece(f"{head} {body.text}", PRODUCT, height, negative, "paren", "fraction")

    def atomic(self, piece: Piece) -> str:
        """What is differentiated by, in parentheses if it is more than a name."""
        loose = piece.level < ATOM or piece.negative
        return self.paren(piece).text if loose else piece.text

    def paren(self, piece: Piece) -> Piece:
        left, right = self.fences(piece.height)
        text = f"{left}{self.signed(piece)}{right}"
        return Piece(text, ATOM, piece.height, False, "paren", "paren")

    def fences(self, height: int) -> tuple[str, str]:
        """Parentheses as high as what they hold."""
        if height == FLAT or (self.small and height == SCRIPTS):
            return "(", ")"
        if self.small:
            return r"\left(", r"\right)"
        size = {SCRIPTS: "big", TALL: "bigg", HUGE: "bigg"}[height]
        return rf"\{size}l(", rf"\{size}r)"

    def signed(self, piece: Piece) -> str:
        """The text with its minus sign."""
        return self.minus(piece.text) if piece.negative else piece.text

    def minus(self, text: str) -> str:
        return f"-{text}"

    def plus(self, left: str, right: str) -> str:
        return f"{left} + {right}"

    def subtract(self, left: str, right: str) -> str:
        return f"{left} - {right}"

    # --- functions ---------------------------------------------------------------------------

    def call(self, function: str, args: tuple[Expr, ...], orders: tuple[int, ...]) -> Piece:
        row = rows()[function]
        symbol = self.notation.functions.get(function, row.latex)
        pieces = [self.piece(a) for a in args]
        if not any(orders):
            pattern = self.pattern(row.call)
            return self.filled(pattern, pieces) if pattern else self.applied(symbol, pieces)
        position = next(n for n, order in enumerate(orders) if order)
        if len(args) - len(row.hyper) == 1 and not any(orders[1:]):
            return self.applied(primed(symbol, orders[0]), pieces)
        if sum(orders) == 1 and meets_itself(args, position):
            slope = rf"\frac{{\partial {symbol}}}{{\partial {row.arguments[position]}}}"
            return self.applied(slope, pieces)
        wrt = args[position]
        if sum(orders) == 1 and isinstance(wrt, Access):
            return self.derivative(Apply(function, args, (0,) * len(args)), wrt)
        plain = self.call(function, args, (0,) * len(args))
        count = "" if sum(orders) == 1 else f"^{{{sum(orders)}}}"
        below = self.atomic(pieces[position])
        if count:
            below = f"({below}){count}"
        return self.operator(rf"\frac{{\partial{count}}}{{\partial {below}}}", plain)

    def pattern(self, call: str) -> str:
        """A call pattern; where e is a quantity, without Euler's number."""
        return call if self.names.spelling.euler else _EULER.sub(r"\\exp\\left(\1\\right)", call)

    def applied(self, symbol: str, pieces: Sequence[Piece]) -> Piece:
        """``f(x, y)``."""
        height = max((p.height for p in pieces), default=FLAT)
        left, right = self.fences(height)
        inside = ", ".join(self.signed(p) for p in pieces)
        return Piece(f"{symbol}{left}{inside}{right}", ATOM, height, False, "paren", "call")

    def filled(self, pattern: str, pieces: Sequence[Piece]) -> Piece:
        r"""A call pattern with its ``#1``, in parentheses where the pattern has none."""
        negative, pattern = sign_of(pattern)
        height = max((p.height for p in pieces), default=FLAT)
        scripts = re.compile(r"(.?)#(\d)(.?)")

        def put(found: re.Match[str]) -> str:
            before, number, after = found.groups()
            piece = pieces[int(number) - 1]
            fenced = is_fenced(pattern, before, found.end(2))
            loose = piece.level < ATOM or piece.negative
            if after == "^" and piece.height > FLAT:
                loose, fenced = True, False
            text = self.paren(piece).text if loose and not fenced else self.signed(piece)
            return f"{before}{text}{after}"

        text = scripts.sub(put, pattern)
        level, ends = pattern_level(pattern)
        if pattern == "#1":
            return pieces[0]
        if not self.small and height == SCRIPTS:
            text = text.replace(r"\left(", r"\bigl(").replace(r"\right)", r"\bigr)")
        if "frac" in pattern:
            height = max(height, TALL)
        if level == OPEN and text.startswith(r"\log"):
            return Piece(text, level, height, negative, ends, "sum")
        starts = "paren" if ends == "paren" and text.startswith((r"\left", r"\big")) else "call"
        return Piece(text, level, height, negative, ends, starts)


def layered(symbol: str, layer: str, notation: Notation) -> str:
    """A symbol with a layer, given as text."""
    mark = notation.layer_style.replace("#", layer)
    return f"{symbol}{'^' if notation.layer_place == 'superscript' else '_'}{{{mark}}}"


def root_of(access: Access) -> Access:
    """The entry of the loss or cost that an adjoint differentiates."""
    tensor = access.tensor
    assert tensor.root is not None
    example = example_position(tensor)
    indices = [access.indices[example] for _ in tensor.root.slots if example is not None]
    return Access(tensor.root, tuple(indices))


def joined(symbol: str, scripts: str) -> str:
    """A symbol and its scripts; a subscript of the symbol's own comes first in the one below."""
    stem, found, own = symbol.partition("_{")
    if not found or "_" not in scripts:
        return symbol + scripts
    above, _, below = scripts.partition("_")
    return f"{stem}{above}_{{{own[:-1]},{below[1:]}"


def letter(name: str) -> str:
    """A letter of an index as TeX, with its number as a subscript."""
    return spelled(name).entry


def _space(before: Piece, after: Piece) -> str:
    if after.starts == "number":
        return r" \cdot "
    if before.ends == "number" and after.starts in ("paren", "bracket", "entry"):
        return " " if after.starts == "entry" else ""
    if before.ends == "paren" and after.starts == "paren":
        return ""
    return " " if after.starts == "sum" else r"\, "
