"""Words of the tables of functions as a reader sees them."""

from __future__ import annotations

import pytest

from symderiv import derive
from symderiv.calculus.functions import rows
from symderiv.documents.prose import plain
from symderiv.documents.wording import formula, worded


@pytest.mark.parametrize(
    "text, shown",
    [
        ("its sign times kappa beyond", "its sign times κ beyond"),
        ("z on the right of 0, -z on the left", "z on the right of 0, −z on the left"),
        ("slope 1 or -1, z - 1", "slope 1 or −1, z − 1"),
        ("the exponent -z**2", "the exponent −z^2"),
        ("a cross-entropy", "a cross-entropy"),
    ],
)
def test_letters_and_signs_of_a_reason(text: str, shown: str) -> None:
    assert plain(worded(text)) == shown


def test_a_formula_in_tex() -> None:
    assert formula("elu'(-3) = alpha").tex == r"\operatorname{elu}'(-3) = \alpha"
    assert formula("e^(-gamma softplus(z))").tex == (r"e^{-\gamma \operatorname{softplus}(z)}")


@pytest.mark.parametrize("name", rows())
def test_no_letter_is_spelled_out_in_a_reason(name: str) -> None:
    words = plain(worded(rows()[name].why))
    assert not any(w in words for w in ("alpha", "gamma", "kappa", "sigma", "**", " -"))


def page(spec: str) -> str:
    made = derive(spec, layout="single" if "=" in spec else "columns").render("md")
    assert isinstance(made, str)
    return made


@pytest.mark.parametrize(
    "spec, sentence",
    [
        ("2-2:relu+mse", r"{relu}}\nolimits$ has no derivative at $z = 0$; the value"),
        ("2-2:elu+mse", r"at $z = 0$ unless $\alpha = 1$; the value used there is"
         r" $\alpha$."),
        ("J = elu(a, 2)", r"the value used there is $2$."),
        ("J = where(x > 0, x, a)", r"{step}}\nolimits(z) = [z > 0]$ jumps at $z = 0$"),
        ("J = sign(x)*a", r"$\mathop{\mathrm{sgn}}\nolimits$ jumps at $z = 0$"),
    ],
)  # fmt: skip
def test_kinks_and_jumps(spec: str, sentence: str) -> None:
    assert sentence in page(spec)


def test_elu_is_smooth_for_alpha_1() -> None:
    assert "no derivative" not in page("J = elu(a)") and "kink" not in page("J = elu(a)")


def test_the_step_is_no_array_of_ones() -> None:
    made = page("J = where(x > 0, x**2, a*x)")
    assert r"\mathop{\mathrm{step}}\nolimits'" in made and r"\mathbf{1}" not in made


@pytest.mark.parametrize("spec", ["2-2:gelu+mse", "J = gelu(a)"])
def test_the_notation_says_what_phi_is(spec: str) -> None:
    row = r"| $\Phi$, $\varphi$ | distribution function and density of the standard normal |"
    assert row in page(spec)
    assert "standard normal" not in page("2-2:tanh+mse")


def test_markdown_speaks_as_mathjax_does() -> None:
    r"""GitHub forbids \operatorname, and MathJax has no \bm."""
    made = page("2-3-2:leaky-relu,softmax+ce")
    assert r"\bm" not in made and r"\operatorname" not in made
    assert r"\boldsymbol" in made and r"\mathop{\mathrm{lrelu}}\nolimits" in made
