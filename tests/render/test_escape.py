"""Any text is printed and nothing else happens; the compile test is in test_pdf."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symderiv.render import Tex, pdf_string, tex_escape

CASES = [
    # text, TeX
    ("plain 2-3-1", "plain 2-3-1"),
    ("50 % & #1 _x_ {a}", r"50 \% \& \#1 \_x\_ \{a\}"),
    (r"\openin5=x", r"\textbackslash{}openin5=x"),
    ("^^5cinput", r"\textasciicircum{}\textasciicircum{}5cinput"),
    ("$x$ ~", r"\$x\$ \textasciitilde{}"),
    ("a--b---c", "a-{}-b-{}-{}-c"),
    ("<<x>> ``y''", r"\textless{}\textless{}x\textgreater{}\textgreater{} "
     r"\textasciigrave{}\textasciigrave{}y'{}'"),
    ("δ² ≤ ½", r"\ensuremath{\delta}\ensuremath{{}^{2}} \ensuremath{\le} \ensuremath{\frac{1}{2}}"),
    ("Crème Łódź ß", r"Cr\`{e}me \L{}\'{o}d\'{z} \ss{}"),
    ("x\u0302 y\u0303", r"\^{x} \~{y}"),
    ("a\nb\tc\u2028d", "a b c d"),
    ("\x00\x1b\u202e漢", "????"),
    ("𝐖 ﬁ Ａ", "W fi A"),
    ("a – b", r"a \textendash{} b"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tex"), CASES)
def test_a_text_is_escaped(text: str, tex: str) -> None:
    assert tex_escape(text) == tex


def test_finished_tex_is_left_alone() -> None:
    assert tex_escape(Tex(r"$\delta$")) == r"$\delta$"


def test_a_pdf_string_has_letters_for_formulas() -> None:
    assert pdf_string("δ² and é_x") == r"delta2 and \'{e}\_x"
    assert pdf_string(Tex(r"The error $\delta^{(2)}$")) == "The error delta (2)"


def commands(tex: str) -> set[str]:
    """The control sequences that TeX would read in `tex`."""
    found: set[str] = set()
    position = 0
    while (position := tex.find("\\", position)) >= 0:
        end = position + 1
        while end < len(tex) and tex[end].isalpha():
            end += 1
        end = max(end, position + 2)
        found.add(tex[position:end])
        position = end
    return found


ALLOWED = commands(
    " ".join(
        tex_escape("".join(chr(code) for code in range(start, start + 4096)))
        for start in range(0, 0x30000, 4096)
    )
) | {"\\" + letter for letter in "^'`\"~=.uvHckrdb"}


@given(st.text())
def test_what_comes_out_is_ascii_without_commands_of_the_text(text: str) -> None:
    tex = tex_escape(text)
    assert tex.isascii()
    assert tex.isprintable()
    assert commands(tex) <= ALLOWED
    bare = tex.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    for special in "&%$#_":
        assert special not in tex.replace("\\" + special, "").replace("_{", "")


def test_nothing_that_acts_is_among_the_commands() -> None:
    assert not ALLOWED & {r"\input", r"\openin", r"\openout", r"\write", r"\def", r"\catcode"}
