"""The command line as a user meets it: files, exit codes, one-line errors, determinism."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symderiv.cli import main


def run(
    *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "symderiv", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        cwd=cwd,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
    )


def test_without_arguments_it_shows_three_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.count("  symderiv ") == 3


def test_help_and_version_import_neither_sympy_nor_numpy() -> None:
    for option in ("--help", "--version"):
        code = (
            "import sys; from symderiv.cli import main; main([%r]); "
            "print([m for m in ('sympy', 'numpy', 'jinja2', 'flint') if m in sys.modules])" % option
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout.strip().endswith("[]"), done.stdout + done.stderr


def test_derive_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["derive", "2-3-1:sigmoid+bce", "--to", "tex,numpy,json,md", "-o", str(tmp_path)]
    assert main(given) == 0
    said = capsys.readouterr().out
    for suffix in (".tex", ".py", ".json", ".md"):
        path = tmp_path / f"net_2_3_1_sigmoid_bce{suffix}"
        assert path.exists() and str(path) in said
    steps = json.loads((tmp_path / "net_2_3_1_sigmoid_bce.json").read_text(encoding="utf-8"))
    assert steps["schema"] == 1
    assert {step["verdict"]["status"] for step in steps["steps"]} <= {"proved", "definition"}


def test_name_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["derive", "2-1:sigmoid+bce", "--to", "numpy", "-o", str(tmp_path)]
    assert main([*given, "--name", "logistic", "--json"]) == 0
    assert (tmp_path / "logistic.py").exists()
    assert json.loads(capsys.readouterr().out)["schema"] == 1


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["2-3-1:sigmod+bce"], "did you mean 'sigmoid'"),
        (["2-3-1:softmax+bce"], "softmax"),
        (["2-3-1:relu+ce"], "ce"),
        (["2-0-1:sigmoid+bce"], "0"),
        (["2-3-1:sigmoid+bce+l2+l2"], "l2"),
        ([f"2-{'9' * 40}-1:sigmoid+bce"], "size"),
        (["2-3-1:sigmoid+bce", "--to", "word"], "word"),
        (["2-3-1:sigmoid+bce", "--name", "a b"], "name"),
        (["2-3-1:sigmoid+bce", "--wrt", "W9"], "W9"),
        (["2-3-1:sigmoid+bce", "--notation", "klingon"], "klingon"),
        (["nothing.toml"], "nothing.toml"),
        (["__import__('os').system('echo hacked')"], ""),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    arguments: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["derive", *arguments, "-o", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.strip().count("\n") == 0 and named in shown.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["derive", "2-1:sigmoid+bce", "--layout", "diagonal"], "diagonal"),
        (["derive", "2-1:sigmoid+bce", "--bogus"], "--bogus"),
        (["derive"], "SPEC"),
        (["frob"], "frob"),
        (["list", "planets"], "planets"),
        (["derive", "2-1:sigmoid+bce", "--name", "class"], "class"),
        (["derive", "2-1:sigmoid+bce", "--name", "json"], "json"),
        (["derive", "2-1:sigmoid+bce", "--wrt", ""], "wrt"),
        (["derive", "2-1:sigmoid+bce", "-o", __file__], "is a file"),
        (["derive", "2-1:sigmoid+bce", "-o", __file__ + "/deeper"], "is a file"),
        (["gallery", "-o", __file__], "is a file"),
    ],
)
def test_whatever_is_wrong_is_one_line(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("symderiv: ") and said.count("\n") == 1 and named in said


def test_unknown_layout_is_bad_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "2-1:sigmoid+bce", "--layout", "diagonal"]) == 2


def test_a_refuted_step_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from symderiv.calculus import rewriting

    honest = rewriting.differentiate

    def slipped(*arguments: object) -> object:
        return 2 * honest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(rewriting, "differentiate", slipped)
    assert main(["derive", "2-1:sigmoid+bce", "-o", str(tmp_path / "out")]) == 1
    assert not (tmp_path / "out").exists()


def test_a_named_pdf_without_an_engine_is_exit_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import symderiv.render as render

    def missing(*_: object, **__: object) -> bytes:
        raise render.EngineMissing("install it")

    monkeypatch.setattr(render, "compile_pdf", missing)
    given = ["derive", "2-1:sigmoid+bce", "-o", str(tmp_path)]
    assert main([*given, "--to", "tex,pdf"]) == 3
    assert main(given) == 0
    assert (tmp_path / "net_2_1_sigmoid_bce.py").exists()


@pytest.mark.parametrize("kind", ["activations", "losses", "layers", "notations", "rules"])
def test_list(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 2


def test_the_list_of_layers_has_layers_alone_and_imports_no_sympy() -> None:
    code = "import sys; from symderiv.cli import main; main(['list', 'layers']); %s" % (
        "print('sympy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    words = done.stdout.split()
    assert {"dense", "attention", "lstm_cell"} <= set(words) and "activate" not in words
    assert words[-1] == "False"


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_show_fits_the_terminal(columns: str) -> None:
    done = run("show", "n0-...-nL:sigmoid+mse", COLUMNS=columns)
    assert done.returncode == 0, done.stderr
    assert max(map(len, done.stdout.splitlines())) <= int(columns)


def test_show_in_ascii() -> None:
    done = run("show", "2-1:sigmoid+bce", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 0 and done.stdout.isascii(), done.stderr


def test_outputs_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    made = []
    for seed in ("0", "1", "2", "3", "4"):
        folder = tmp_path / seed
        to = ["--to", "tex,numpy,json,md"]
        for spec in ("2-3-2:relu,softmax+ce+l2", "n0-...-nL:tanh,sigmoid+bce"):
            folder.mkdir(exist_ok=True)  # the command in the header names what -o was given
            done = run("derive", spec, *to, "-o", ".", cwd=folder, PYTHONHASHSEED=seed)
            assert done.returncode == 0, done.stderr
        made.append({p.name: p.read_bytes() for p in sorted(folder.iterdir())})
    assert all(other == made[0] for other in made[1:])


def test_a_false_row_of_the_table_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from symderiv.calculus import rewriting
    from symderiv.calculus.functions import scalar

    def planted(name: str) -> object:
        row = scalar(name)
        if name != "sigmoid":
            return row
        return replace(row, derivatives=(lambda z, a: a * (2 - a),))

    monkeypatch.setattr(rewriting, "scalar", planted)
    assert main(["derive", "2-1:sigmoid+mse", "-o", str(tmp_path / "out")]) == 1
    assert "false" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_caret_points_at_the_place_on_a_terminal(
    terminal: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert main(["show", "J = a +* b"]) == 2
    line, *place = capsys.readouterr().err.splitlines()
    assert line.startswith("symderiv: expression, column 8: expected a number")
    assert place == (["  J = a +* b", "         ^"] if terminal else [])


def test_what_has_no_module_is_said_in_one_line_and_documents_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from symderiv.code import NoCode, module

    def refuse(*_: object, **__: object) -> str:
        raise NoCode("a product with an array that would have to be repeated")

    monkeypatch.setattr(module, "numpy_module", refuse)
    assert main(["derive", "J = 3*a", "--to", "md,numpy", "-o", str(tmp_path)]) == 4
    assert capsys.readouterr().err == (
        "symderiv: no module: a product with an array that would have to be repeated\n"
    )
    assert [path.suffix for path in tmp_path.iterdir()] == [".md"]


@pytest.mark.parametrize("kind", ["activations", "losses", "layers", "notations", "rules"])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_list_where_not_all_characters_can_be_printed(kind: str, encoding: str) -> None:
    done = run("list", kind, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0 and done.stdout.isascii() and "?" not in done.stdout


def test_json_where_not_all_characters_can_be_printed(tmp_path: Path) -> None:
    given = ("derive", "2-1:sigmoid+bce", "--to", "json", "--json", "-o", str(tmp_path))
    done = run(*given, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    written = (tmp_path / "net_2_1_sigmoid_bce.json").read_text(encoding="utf-8")
    assert json.loads(done.stdout) == json.loads(written)


UNPROVED = "J = a/(b + " * 1 + "a/(b + " * 6 + "a" + ")" * 7


def test_what_is_not_proved_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", UNPROVED]) == 4
    out, err = capsys.readouterr()
    assert err == "symderiv: 1 step is not proved for all sizes\n"
    assert "1 step is tested at random points, not proved: (S3)." in out


def test_files_of_others_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["derive", "2-1:sigmoid+bce", "--to", "tex,numpy,json,md,pdf", "-o", str(tmp_path)]
    assert main(given) == main(given) == 0  # its own are replaced
    capsys.readouterr()
    for suffix in (".tex", ".py", ".json", ".md", ".pdf"):
        path = tmp_path / f"net_2_1_sigmoid_bce{suffix}"
        ours = path.read_bytes()
        theirs = b"%PDF-1.7 /Creator(me)" if suffix == ".pdf" else b"notes on symderiv\n"
        path.write_bytes(theirs)
        assert main(given) == 2
        assert path.read_bytes() == theirs
        said = capsys.readouterr().err
        assert "was not written by symderiv; choose another --name" in said
        assert said.count("\n") == 1
        path.write_bytes(ours)


def test_files_are_called_as_the_toml_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, stem in (("my-net", "my_net"), ("2 layers", "net_2_layers"), ("json", "json_net")):
        path = tmp_path / f"{name}.toml"
        path.write_text('sizes = [2, 1]\nloss = "mse"\n', encoding="utf-8")
        assert main(["derive", str(path), "--to", "md", "-o", str(tmp_path / "out")]) == 0
        assert (tmp_path / "out" / f"{stem}.md").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
@pytest.mark.parametrize("given", [("show", "2-1:sigmoid+bce"), ("list", "losses")])
def test_a_full_disk_is_one_line(given: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        command = [sys.executable, "-m", "symderiv", *given]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == 2
    assert done.stderr == b"symderiv: standard output: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="the rights of folders")
@pytest.mark.parametrize("command", [["derive", "2-1:sigmoid+bce"], ["gallery"]])
def test_a_folder_that_cannot_be_written_is_found_first(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr("symderiv.api.derive", lambda *_, **__: pytest.fail("derived first"))
    assert main([*command, "-o", str(tmp_path / "deeper" / "out")]) == 2
    assert "cannot be written to" in capsys.readouterr().err


def test_counts_agree_with_their_nouns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", "J = sin(a)", "--to", "md", "-o", str(tmp_path)]) == 0
    assert "steps proved for all sizes, 1 lemma\n" in capsys.readouterr().out


def test_letters_that_the_document_does_not_have_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "net.toml"
    file.write_text('title = "Жук δé 漢 Жук?"\nsizes = [1, 1]\nloss = "mse"\n', encoding="utf-8")
    note = "the document has no letter 'Ж', 'у', 'к', '漢' and prints ? instead"
    for wanted, said in (("tex", f"symderiv: title: {note}\n"), ("md", "")):
        assert main(["derive", str(file), "--to", wanted, "-o", str(tmp_path / "o")]) == 0
        assert capsys.readouterr().err == said


def test_a_layout_that_a_program_does_not_have_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for layout, said in (
        ("rows", "symderiv: --layout rows changes nothing: a program says itself what rows are\n"),
        ("columns", ""),
    ):
        assert main(["show", "J = a*b", "--layout", layout]) == 0
        assert capsys.readouterr().err == said


@pytest.mark.parametrize("command", ["derive", "show", "gallery"])
def test_every_option_has_words_in_the_help(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main([command, "--help"]) == 0
    help_ = re.sub(r"\n {4,}", "  ", capsys.readouterr().out)  # a long option has its words below
    options = [line for line in help_.splitlines() if line.startswith("  -")]
    assert len(options) > 2 and all(len(line.split("  ")) > 2 for line in options)
