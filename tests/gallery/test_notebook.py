"""The notebook runs from top to bottom, and is committed without outputs."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
import sympy

import symderiv
from symderiv.documents import document
from symderiv.frontend import parse_toml

ROOT = Path(__file__).resolve().parent.parent.parent
NOTEBOOK = ROOT / "examples" / "sympy_access.ipynb"


def test_notebook(capsys: Any) -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    scope: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None
            exec("".join(cell["source"]), scope)
    assert scope["differences"] == []
    assert isinstance(scope["gradient"], sympy.Basic) and scope["gradient"].has(sympy.Sum)
    assert "Eq(" in capsys.readouterr().out


def test_page_says_what_comes_out() -> None:
    """The comments of docs/sympy.md are what SymPy prints."""
    import symderiv

    page = (ROOT / "docs" / "sympy.md").read_text(encoding="utf-8")
    d = symderiv.derive("2-3-1:sigmoid+bce")
    for line in page.splitlines():
        head, _, comment = line.partition("   # ")
        if head.rstrip().endswith(".sympy()"):
            assert str(eval(head.strip(), {"d": d})) == comment.strip()


def test_readme_says_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The comments beside `print` in the README are what is printed; its module is written."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(import symderiv\n.*?)```", readme, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(block, {})
    said = [line.partition("  # ")[2] for line in block.splitlines() if line.startswith("print(")]
    assert len(said) == 2 and capsys.readouterr().out.splitlines() == [s.strip() for s in said]
    assert "import numpy" in (tmp_path / "net.py").read_text(encoding="utf-8")


def test_the_guide_says_what_names_do_to_gradients() -> None:
    page = (ROOT / "docs" / "spec.md").read_text(encoding="utf-8")
    text = next(b for b in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if "xhat" in b)
    (statement,) = re.findall(r'`(J = "sum\(g\*\(x - .*)`', page)
    short = re.sub(r"(?s)(?<=\[program\]\n).*?(?=\n\[)", f"{statement}\n", text)
    for program in (text, short):
        d = symderiv.derive(parse_toml(program))
        (row,) = document(d, d.presentation()).result
        assert row.lhs is not None and f"\n{row.lhs.unicode} = {row.rhs.unicode}\n" in page


def test_readme_says_how_the_digits_are_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    pytest.importorskip("tqdm")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    digits = runpy.run_path(str(ROOT / "examples" / "digits.py"))["main"]
    monkeypatch.setitem(digits.__globals__, "OUTPUT", tmp_path)
    digits()
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] in readme.splitlines()
    assert re.findall(r"cost=[\d.]+", err)[-1] in readme
