"""The documents compile, whatever text is in them, and TeX can do nothing else."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from symderiv.render import (
    EngineMissing,
    PdfError,
    Tex,
    compile_pdf,
    find_engine,
    pdf,
    render_template,
    tex_escape,
)
from tests.render.sample import document


def has_engine() -> bool:
    try:
        find_engine()
    except EngineMissing:
        return False
    return True


needs_engine = pytest.mark.skipif(not has_engine(), reason="no TeX engine is installed")

HOSTILE = [
    r"\openin5=/etc/passwd\read5 to\x\x",
    r"\openout5=stolen.txt \write5{x}",
    r"\verbatiminput{/etc/passwd}",
    r"\input{|id}",
    r"\loop\iftrue\repeat",
    r"\def\x{\x\x}\x",
    "^^5cinput{/etc/passwd}",
    r"\end{document}",
    "100 % of {",
    "}}#1 & _ ^ ~ $",
    "Ünïcödé δ² ∂C/∂w ≤ 漢字 \x00\x07\u202e",
    "line\n\nparagraph",
    "[x] (y) ?` !` << >> ,, -- '' ``",
]


@needs_engine
def test_the_sample_compiles_to_the_same_bytes_each_time() -> None:
    tex = render_template("latex/document.tex.j2", document())
    made = compile_pdf(tex)
    assert made.startswith(b"%PDF-")
    assert compile_pdf(tex) == made
    assert not re.search(rb"/(CreationDate|ModDate|PTEX)", made)


def everywhere(text: str) -> list[dict[str, object]]:
    """The text in every place where a block takes text."""
    return [
        {"kind": "prose", "text": text},
        {"kind": "list", "items": [text, Tex(r"$x$")]},
        {"kind": "table", "header": [text, "b"], "align": "lX", "rows": [[text, text]] * 2},
        {"kind": "box", "title": text, "text": text},
        {"kind": "figure", "tikz": Tex(r"\tikz\draw (0,0)--(1,1);"), "caption": text},
        {
            "kind": "equations",
            "rows": [{"lhs": text, "rel": "=", "rhs": text, "why": text, "tag": text}],
        },
    ]


@needs_engine
def test_hostile_text_is_printed_in_every_place() -> None:
    sections = [{"title": text, "blocks": everywhere(text)} for text in HOSTILE]
    data = {
        "version": HOSTILE[0],
        "title": " ".join(HOSTILE),
        "subtitle": HOSTILE[1],
        "result": [{"lhs": text, "rhs": text, "name": text} for text in HOSTILE],
        "conventions": HOSTILE,
        "sections": sections,
    }
    assert compile_pdf(render_template("latex/document.tex.j2", data)).startswith(b"%PDF-")


@needs_engine
def test_random_texts_compile() -> None:
    tricky = st.sampled_from([*"\\{}$&#%_^~<>|`'\"-,?![]*=() \n\t\x00éδ∂²", "^^", "\\end"])
    texts: list[str] = []

    @settings(max_examples=400, suppress_health_check=list(HealthCheck))
    @given(st.one_of(st.text(), st.lists(tricky).map("".join)))
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    # one of every character that the escaper knows, too
    texts += ["".join(map(chr, range(start, start + 128))) for start in range(0, 0x2B00, 128)]
    items = [Tex(f"x{tex_escape(text)}x") for text in texts]
    data = {
        "version": "0",
        "title": "Random",
        "sections": [{"title": "s", "blocks": [{"kind": "list", "items": items}]}],
    }
    assert compile_pdf(render_template("latex/document.tex.j2", data)).startswith(b"%PDF-")


def article(body: str) -> str:
    head = r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern}"
    return head + "\n\\begin{document}\n" + body + "\n\\end{document}\n"


@needs_engine
def test_tex_cannot_leave_its_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret.tex"
    secret.write_text("read")
    target = tmp_path / "written"
    with pytest.raises(PdfError, match="not found"):
        compile_pdf(article(rf"\input{{{secret.as_posix()}}}"))
    with pytest.raises(PdfError, match="can't write"):
        compile_pdf(article(rf"\newwrite\w\immediate\openout\w={target.as_posix()} x"))
    compile_pdf(article(rf"x\immediate\write18{{touch {target.as_posix()}}}"))
    assert list(tmp_path.iterdir()) == [secret]


@needs_engine
def test_tex_that_does_not_end_is_ended() -> None:
    with pytest.raises(PdfError, match=r"within 0\.5 seconds"):
        compile_pdf(article(r"\loop\iftrue\repeat"), timeout=0.5)


@needs_engine
def test_the_first_error_is_told_in_one_line() -> None:
    with pytest.raises(PdfError, match=r"^line 3: Undefined control sequence\. .*nonsense"):
        compile_pdf(article(r"\nonsense"))
    with pytest.raises(PdfError, match="no pages"):
        compile_pdf(article(""))


def test_without_an_engine_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_tinytex", lambda: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineMissing, match=r"pip install 'symderiv\[pdf\]'"):
        find_engine()
