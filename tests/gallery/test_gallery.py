"""Every example is derived, proved, printed and run, and is what the gallery has of it."""

from __future__ import annotations

import io
import json
import re
import runpy
from functools import cache
from pathlib import Path

import pytest

from symderiv import gallery
from symderiv.cli import main
from symderiv.frontend.errors import SpecError

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES, GOLDEN = ROOT / "examples", ROOT / "output" / "gallery"
ITEMS = gallery.items(EXAMPLES)
LIMIT = 3_000_000


@cache
def made(stem: str) -> dict[str, str | bytes]:
    return gallery.files(next(i for i in ITEMS if i.stem == stem))


@pytest.fixture(params=[i.stem for i in ITEMS])
def stem(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_example_is_in_the_gallery() -> None:
    found = {path.stem for path in EXAMPLES.glob("*.toml")} - {"gallery"}
    assert found == {i.stem for i in ITEMS} and len(ITEMS) == len(found)
    assert all(i.about for i in ITEMS)


def test_byte_by_byte(stem: str) -> None:
    """`symderiv gallery` writes what is committed; run it after a change that is meant."""
    for name, text in made(stem).items():
        assert isinstance(text, str)
        assert (GOLDEN / name).read_bytes().decode("utf-8") == text, f"{name} has changed"


def test_nothing_else_is_committed() -> None:
    known = {"README.md"} | {name for i in ITEMS for name in made(i.stem)}
    there = {p.name for p in GOLDEN.iterdir() if p.suffix != ".pdf"}
    assert there == known
    assert sum(p.stat().st_size for p in GOLDEN.iterdir()) < LIMIT


def test_index() -> None:
    page = (GOLDEN / "README.md").read_bytes().decode("utf-8")
    assert page == gallery.index(ITEMS, {n for i in ITEMS for n in made(i.stem)})
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert (GOLDEN / link).is_file(), link


def test_proved(stem: str) -> None:
    data = json.loads(made(stem)[f"{stem}.json"])
    statuses = {step["verdict"]["status"] for step in data["steps"]}
    assert statuses <= {"proved", "definition", "assumed"}
    assert data["gradients"]


def test_runs(stem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The generated module checks its own gradients."""
    name = f"{stem}.py"
    if name not in made(stem):
        pytest.skip("a program without a module")
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(GOLDEN / name), run_name="__main__")
    assert not stopped.value.code
    error = float(capsys.readouterr().out.split()[-1])
    assert error < 1e-10


def test_progress_bar() -> None:
    bar = io.StringIO()
    gallery._progress(bar, 1, 2, "half")
    gallery._progress(bar, 2, 2, "done")
    assert bar.getvalue().startswith("\r[###") and bar.getvalue().endswith("\n")
    assert "1/2 half" in bar.getvalue()


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples = tmp_path / "examples"
    examples.mkdir()
    (examples / "one.toml").write_text('sizes = [2, 1]\nloss = "bce"\n', encoding="utf-8")
    (examples / "gallery.toml").write_text('[[item]]\nfile = "one"\n', encoding="utf-8")
    out = tmp_path / "out"
    assert main(["gallery", "-o", str(out), "--examples", str(examples)]) == 0
    assert {p.name for p in out.iterdir()} >= {"README.md", "one.tex", "one.md", "one.json"}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "manifest",
    ['[[item]]\nfile = "none"', '[[item]]\nfile = "../x"', "[[item", None,
     '[[item]]\nfile = "one"\nlayout = "upside down"', "", "item = 3", "item = [1]", "item = []"],
)  # fmt: skip
def test_bad_manifest(
    manifest: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.toml").write_text('sizes = [2, 1]\nloss = "bce"\n', encoding="utf-8")
    if manifest is not None:
        (tmp_path / "gallery.toml").write_text(manifest, encoding="utf-8")
    with pytest.raises(SpecError):
        gallery.items(tmp_path)
    assert main(["gallery", "-o", str(tmp_path / "out"), "--examples", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_wrong_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gallery.toml").write_text('[[item]]\nfile = "one"\n', encoding="utf-8")
    for text in ("sizes = [2, 1\n", 'sizes = [2, 1]\nloss = "mse"\nfreeze = ["W", "b"]\n'):
        (tmp_path / "one.toml").write_text(text, encoding="utf-8")
        assert main(["gallery", "-o", str(tmp_path / "out"), "--examples", str(tmp_path)]) == 2
        assert capsys.readouterr().err.startswith("symderiv: one.toml: ")


def test_a_page_of_others_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gallery.toml").write_text('[[item]]\nfile = "one"\n', encoding="utf-8")
    (tmp_path / "one.toml").write_text('sizes = [2, 1]\nloss = "mse"\n', encoding="utf-8")
    given = ["gallery", "-o", str(tmp_path), "--examples", str(tmp_path)]
    assert main(given) == main(given) == 0
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    assert main(given) == 2
    assert "README.md was not written by symderiv" in capsys.readouterr().err
