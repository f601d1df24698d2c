"""Finished strings + templates  ⟹  text, files, PDF.

`escape` turns text into TeX, `environment` fills templates, `files` writes whole files or none,
`ours` spares other people's, `pdf` runs TeX. No mathematics: everything that arrives here has been
derived and checked.
"""

from symderiv.render.environment import render_template, template_folder
from symderiv.render.escape import Tex, pdf_string, tex_escape, without_letter
from symderiv.render.files import Content, PathRefused, write_all, write_atomically
from symderiv.render.ours import check_ours
from symderiv.render.pdf import EngineMissing, PdfError, compile_pdf, find_engine

__all__ = [
    "Content",
    "EngineMissing",
    "PathRefused",
    "PdfError",
    "Tex",
    "check_ours",
    "compile_pdf",
    "find_engine",
    "pdf_string",
    "render_template",
    "template_folder",
    "tex_escape",
    "without_letter",
    "write_all",
    "write_atomically",
]
