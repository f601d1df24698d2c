"""Template + strings  ⟹  text.  The only place where templates meet data.

A template decides about layout and nothing else. It is given text, integers, finished `Tex`, and
lists and dicts of them; an object with methods is refused before the template starts, because a
template could call them. How a string is printed depends on the kind of file:

=========== ==================== ============================ =====================
template    delimiters           a `str`                      finished strings
=========== ==================== ============================ =====================
*.tex.j2    << >>, <% %>, <# #>  escaped by `tex_escape`      `Tex`
other .j2   {{ }}, {% %}, {# #}  as it is                     every `str`
=========== ==================== ============================ =====================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined
from markupsafe import Markup

from symderiv.render.escape import Tex, pdf_string, tex_escape

__all__ = ["render_template", "template_folder"]

_SPACING: Final[dict[str, Any]] = {
    "undefined": StrictUndefined,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
    "newline_sequence": "\n",
}


def template_folder() -> Path:
    """The folder of the templates: in an installed package inside it, in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no templates in {package} or beside it: install symderiv again")


# ---------------------------------------------------------------------------
# What may be printed
# ---------------------------------------------------------------------------


def _text(value: object) -> str:
    """A text or an integer  ⟹  its text; anything else is an error of the caller."""
    if isinstance(value, Undefined):
        return str(value)  # raises UndefinedError, which names the variable
    if type(value) is int:
        return str(value)
    if type(value) in (str, Tex):
        return str(value)
    raise TypeError(f"a template prints only text and integers, not {type(value).__name__}")


def _finalize_tex(value: object) -> Markup:
    """`Tex` as it is, `str` escaped. Jinja's own `Markup` here marks what a macro has printed."""
    if type(value) in (Tex, Markup):
        return Markup(value)
    return Markup(tex_escape(_text(value)))


def _check_plain(value: object, where: str) -> None:
    """Raise TypeError at the first object in `value` that is not text, a number, list or dict."""
    if value is None or type(value) in (bool, int, float, str, Tex):
        return
    if type(value) in (list, tuple):
        for position, item in enumerate(value):  # type: ignore[arg-type, var-annotated]
            _check_plain(item, f"{where}[{position}]")
    elif type(value) is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise TypeError(f"{where}: a key is {type(key).__name__}, not str")
            _check_plain(item, f"{where}.{key}" if where else key)
    else:
        raise TypeError(
            f"{where or 'data'} is a {type(value).__name__}: "
            "templates are given only text, numbers, and lists and dicts of them"
        )


def _anchor(text: str) -> Tex:
    """(S12) ⟹ S12: the name of a link target, letters, digits, points and hyphens alone."""
    return Tex(re.sub(r"[^A-Za-z0-9.-]", "", text))


def _unknown_kind(kind: str) -> str:
    raise ValueError(f"a block of the kind {kind!r} is not known to the templates")


# ---------------------------------------------------------------------------
# Environments
# ---------------------------------------------------------------------------


@cache
def _environment(kind: str) -> Environment:
    loader = FileSystemLoader(template_folder(), encoding="utf-8")
    if kind == "tex":
        # autoescape makes macros return Markup, so that their output is not escaped again.
        environment = Environment(
            loader=loader,
            variable_start_string="<<",
            variable_end_string=">>",
            block_start_string="<%",
            block_end_string="%>",
            comment_start_string="<#",
            comment_end_string="#>",
            autoescape=True,
            finalize=_finalize_tex,
            **_SPACING,
        )
        environment.filters |= {
            "anchor": _anchor,
            "pdf_string": pdf_string,
            "unknown_kind": _unknown_kind,
        }
        return environment
    return Environment(loader=loader, autoescape=False, finalize=_text, **_SPACING)


def _kind(name: str) -> str:
    return "tex" if name.endswith(".tex.j2") else "plain"


def render_template(name: str, data: Mapping[str, object]) -> str:
    """Template name (``"latex/document.tex.j2"``) and plain data  ⟹  text, with "\\n" line ends.

    Raises TypeError for data that is not plain, `jinja2.UndefinedError` for data that is missing.
    """
    plain = dict(data)
    _check_plain(plain, "")
    return str(_environment(_kind(name)).get_template(name).render(plain))
