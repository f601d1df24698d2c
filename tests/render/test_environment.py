"""Templates print strings, and refuse what could act."""

import dataclasses
import enum
from fractions import Fraction

import pytest
import sympy
from jinja2 import UndefinedError

from symderiv.render import Tex, render_template, template_folder
from symderiv.render.environment import _environment
from tests.render.sample import document

TEMPLATE = "latex/document.tex.j2"


class Colour(enum.StrEnum):
    RED = "red"


@dataclasses.dataclass
class Record:
    title: str = "x"


LIVE = [sympy.Symbol("x"), Record(), Colour.RED, Fraction(1, 2), object(), {1: "a"}, print, b"x"]


def minimal(**more: object) -> dict[str, object]:
    return {"title": "T", "version": "0", "sections": []} | more


@pytest.mark.parametrize("value", LIVE, ids=lambda value: type(value).__name__)
def test_a_live_object_is_refused_wherever_it_stands(value: object) -> None:
    with pytest.raises(TypeError, match=r"sections\[0\]\.blocks\[0\]"):
        render_template(TEMPLATE, minimal(sections=[{"title": "s", "blocks": [value]}]))


@pytest.mark.parametrize("value", [1.5, True, None, ["a"], {"a": "b"}])
@pytest.mark.parametrize("kind", ["tex", "plain"])
def test_only_text_and_integers_are_printed(kind: str, value: object) -> None:
    source = "<< v >>" if kind == "tex" else "{{ v }}"
    with pytest.raises(TypeError, match="prints only text"):
        _environment(kind).from_string(source).render(v=value)


def test_missing_data_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="version"):
        render_template(TEMPLATE, {"title": "T", "sections": []})


def test_an_unknown_block_is_an_error() -> None:
    with pytest.raises(ValueError, match="'poem'"):
        render_template(TEMPLATE, minimal(sections=[{"title": "s", "blocks": [{"kind": "poem"}]}]))


def test_text_is_escaped_and_tex_is_not() -> None:
    tex = _environment("tex")
    assert tex.from_string("<< a >> << b >> << 3 >>").render(a="x_1", b=Tex("$x_1$")) == (
        r"x\_1 $x_1$ 3"
    )
    macro = "<% macro m(x) %>\\emph{<< x >>}<% endmacro %><< m(a) >>"
    assert tex.from_string(macro).render(a="50 %") == r"\emph{50 \%}"


def test_a_hostile_title_is_only_printed() -> None:
    tex = render_template(TEMPLATE, minimal(title=r"\openin5=/etc/passwd \loop\iftrue\repeat"))
    assert r"\openin" not in tex
    assert r"\loop\iftrue" not in tex


def test_the_same_data_gives_the_same_text() -> None:
    assert render_template(TEMPLATE, document()) == render_template(TEMPLATE, document())


def test_every_template_is_found_and_named_after_what_it_makes() -> None:
    folder = template_folder()
    assert (folder / "latex" / "document.tex.j2").is_file()
    assert all(path.name.endswith(".tex.j2") for path in (folder / "latex").iterdir())
