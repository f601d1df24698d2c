"""The command line: one small function a command."""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from symderiv._version import VERSION
from symderiv.options import FORMATS, LAYOUT, LAYOUTS, NOTATION, SUFFIXES

if TYPE_CHECKING:
    from symderiv.api import PublishedDerivation
    from symderiv.frontend.errors import SpecError

EXAMPLES = """examples:
  symderiv derive 2-3-1:sigmoid+bce              a document, its PDF and a NumPy module
  symderiv show n0-...-nL:sigmoid+mse            the four equations, for any depth, right here
  symderiv derive 784-30-10:tanh,softmax+ce --layout rows --to tex,numpy -o notes
"""

DONE, FALSE, BAD_INPUT, MISSING_TOOL, UNDECIDED = 0, 1, 2, 3, 4
OUTPUT = Path("output")
KINDS = ("activations", "losses", "layers", "notations", "rules")


_NO_SPEC = "SPEC is missing; it begins with a size, as 2-3-1:sigmoid+bce does, or with a name"


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        if line.endswith("required: SPEC"):  # what starts with - was taken for an option
            self.exit(BAD_INPUT, f"symderiv: {_NO_SPEC}; {self.prog} --help says more\n")
        self.exit(BAD_INPUT, f"symderiv: {line}; {self.prog} --help says more\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code. Errors of the user are one line on stderr.

    At a terminal the text follows, with a caret below the place.
    """
    gc.set_threshold(100_000, 20, 20)  # trees are freed without it, and modules stay anyway
    parser = _parser()
    given = sys.argv[1:] if arguments is None else list(arguments)
    if not given:
        print(EXAMPLES, end="")
        return DONE
    try:
        options = parser.parse_args(given)
    except SystemExit as stop:  # argparse has printed its line, or the help
        return stop.code if isinstance(stop.code, int) else BAD_INPUT
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
        sys.stdout.flush()  # what cannot be written is found here, not after the end
        return code
    except BrokenPipeError:
        _drop_output()
        return DONE
    except _expected() as error:
        if isinstance(error, OSError) and error.errno and not error.filename:
            _drop_output()
            error = OSError(f"standard output: {error.strerror}")
        print(f"symderiv: {error}", file=sys.stderr)
        if sys.stderr.isatty():
            _point(error)
        return _code(error)


def _point(error: Exception) -> None:
    """The place in the user's text, for who sits at a terminal; a log keeps to one line."""
    from symderiv.frontend.errors import SpecError

    place = error.caret() if isinstance(error, SpecError) else ""
    if place:
        print(textwrap.indent(place, "  "), file=sys.stderr)


def _drop_output() -> None:
    """What is still to be printed goes nowhere, also when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _code(error: Exception) -> int:
    """The exit code of what is said in one line."""
    from symderiv.api import Refuted

    return FALSE if isinstance(error, Refuted) else BAD_INPUT


def _expected() -> tuple[type[Exception], ...]:
    """What is said in one line; asked for only when something has gone wrong."""
    from symderiv.api import Refuted
    from symderiv.frontend.errors import SpecError
    from symderiv.render.files import PathRefused

    return Refuted, SpecError, PathRefused, OSError


def _parser() -> _Parser:
    parser = _Parser(
        prog="symderiv",
        description="From a network to a proved derivation, a typeset document and NumPy code.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"symderiv {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    derive = commands.add_parser("derive", help="derive, check and write documents and code")
    _about_network(derive)
    derive.add_argument(
        "--to", default=None, metavar="FORMATS", help="of tex,pdf,md,numpy,json (tex,pdf,numpy)"
    )
    derive.add_argument(
        "-o", "--output", type=Path, default=OUTPUT, metavar="DIR",
        help="folder of the files, made where it is not there (output)",
    )  # fmt: skip
    derive.add_argument("--scipy", action="store_true", help="modules that call scipy.special")
    derive.add_argument("--name", metavar="STEM", help="name of the files, an identifier")
    derive.add_argument("--json", action="store_true", help="print the JSON form as well")
    derive.set_defaults(run=_derive)

    show = commands.add_parser("show", help="print the derivation in the terminal")
    _about_network(show)
    show.set_defaults(run=_show)

    listing = commands.add_parser("list", help="print what is known")
    listing.add_argument("kind", choices=KINDS)
    listing.set_defaults(run=_list)

    gallery = commands.add_parser("gallery", help="derive and print every example")
    gallery.add_argument(
        "-o", "--output", type=Path, default=Path("output/gallery"), metavar="DIR",
        help="folder of the files (output/gallery)",
    )  # fmt: skip
    gallery.add_argument("--examples", type=Path, metavar="DIR", help="folder with gallery.toml")
    gallery.add_argument("--pdf", action="store_true", help="compile the documents as well")
    gallery.set_defaults(run=_gallery)
    return parser


def _about_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="2-3-1:sigmoid+bce, J = 3*(a + b*c), net.toml")
    parser.add_argument(
        "--notation", default=NOTATION, metavar="NAME",
        help=f"of those that `list notations` prints ({NOTATION})",
    )  # fmt: skip
    parser.add_argument(
        "--layout", default=LAYOUT, choices=LAYOUTS,
        help="whether examples of a network are columns or rows, or there is a single one "
        f"({LAYOUT})",
    )  # fmt: skip
    parser.add_argument("--wrt", metavar="NAMES", help="differentiate by these, a comma between")


def _derived(options: argparse.Namespace) -> PublishedDerivation:
    from symderiv import api

    output = getattr(options, "output", None)
    derivation = api.derive(
        options.spec,
        layout=options.layout,
        notation=options.notation,
        wrt=options.wrt,
        name=getattr(options, "name", None),
        scipy=getattr(options, "scipy", False),
        output=None if output in (None, OUTPUT) else str(output),
    )
    if derivation.network.is_program and options.layout != LAYOUT:
        line = f"--layout {options.layout} changes nothing: a program says itself what rows are"
        print(f"symderiv: {line}", file=sys.stderr)
    return derivation


def _derive(options: argparse.Namespace) -> int:
    """Write the documents and the code; all is made before anything is written.

    What has no NumPy form has no module: that is said, and the documents are written.
    """
    from symderiv.code import NoCode
    from symderiv.render import EngineMissing, PdfError, check_ours, compile_pdf, write_all

    formats = _formats(options.to)
    _check_folder(options.output)
    derivation = _derived(options)
    files: dict[Path, str | bytes] = {}
    notes = []
    code = UNDECIDED if derivation.unproved else DONE
    for wanted in formats:
        path = options.output / (derivation.stem + SUFFIXES[wanted])
        try:
            files[path] = (
                compile_pdf(str(derivation.render("tex")))
                if wanted == "pdf"
                else derivation.render(wanted)
            )
        except (EngineMissing, PdfError) as error:
            notes.append(f"symderiv: no PDF: {error}")
            if options.to is not None:
                code = MISSING_TOOL
        except NoCode as error:
            notes.append(f"symderiv: no module: {error}")
            code = UNDECIDED
    if any(path.suffix in (".tex", ".pdf") for path in files):
        notes += _missing_letters(derivation.network.title or "")
    with _writing(options.output):
        check_ours(files)
        write_all(files)
    if options.json:
        print(_printable(str(derivation.render("json"))), end="")
    else:
        for path in files:
            print(f"wrote {path}")
        print(_summary(derivation))
    _warn_unproved(derivation)
    for note in notes:
        print(note, file=sys.stderr)
    return code


def _missing_letters(title: str) -> list[str]:
    """What the fonts of the document do not have of a title, in one line."""
    from symderiv.render import without_letter

    missing = without_letter(title)
    if not missing:
        return []
    shown = ", ".join(ascii(c) if not _prints(c) else f"'{c}'" for c in missing[:8])
    more = ", ..." if len(missing) > 8 else ""
    return [f"symderiv: title: the document has no letter {shown}{more} and prints ? instead"]


def _check_folder(folder: Path) -> None:
    """Refuse a folder that cannot be one before anything is derived."""
    try:
        problem = _folder_problem(folder)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or str(error)
    if problem:
        raise _no_folder(folder, problem)


def _folder_problem(folder: Path) -> str:
    """What is in the way of writing to a folder, or nothing."""
    there = next((p for p in (folder, *folder.parents) if p.exists()), folder)
    if there.exists() and not there.is_dir():
        return f"{there} is a file"
    if there.exists() and not os.access(there, os.W_OK | os.X_OK):
        return f"{there} cannot be written to"
    return ""


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """What the system says about a folder is said in our words."""
    from symderiv.render import PathRefused

    try:
        yield
    except PathRefused:
        raise
    except OSError as error:
        raise _no_folder(folder, error.strerror or str(error)) from None


def _no_folder(folder: Path, problem: str) -> SpecError:
    from symderiv.frontend.errors import SpecError

    return SpecError(
        f"output {str(folder)!r}: {problem}",
        "-o takes a folder that is there or can be made",
        field="output",
    )


def _summary(derivation: PublishedDerivation) -> str:
    steps = sum(len(chain.steps) for chain in derivation.chains)
    proved = steps - len(derivation.unproved)
    return f"{proved} of {_count(steps, 'step')} proved for all sizes, " + _count(
        len(derivation.lemmas), "lemma"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _warn_unproved(derivation: PublishedDerivation) -> None:
    """What exit code 4 means, in one line."""
    number = len(derivation.unproved)
    if number:
        verb = "is" if number == 1 else "are"
        line = f"symderiv: {_count(number, 'step')} {verb} not proved for all sizes"
        print(line, file=sys.stderr)


def _formats(given: str | None) -> list[str]:
    from symderiv.frontend.errors import SpecError

    if given is None:
        return ["tex", "pdf", "numpy"]
    formats = [f.strip() for f in given.split(",")]
    for wanted in formats:
        if wanted not in FORMATS:
            raise SpecError(
                f"unknown format {wanted!r} in --to", f"known are {', '.join(FORMATS)}", field="to"
            )
    return list(dict.fromkeys(formats))


def _show(options: argparse.Namespace) -> int:
    from shutil import get_terminal_size

    from symderiv.documents import to_terminal

    derivation = _derived(options)
    width = max(60, min(get_terminal_size((100, 24)).columns, 140))
    text = to_terminal(derivation, derivation.presentation(), width, unicode=_prints_unicode())
    print(text, end="" if text.endswith("\n") else "\n")
    _warn_unproved(derivation)
    return UNDECIDED if derivation.unproved else DONE


def _prints_unicode() -> bool:
    return _prints("δ∂Σ⊙ᵀ")


def _prints(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _printable(text: str) -> str:
    """JSON, with escapes where standard output cannot take the characters themselves."""
    if _prints_unicode():
        return text
    import json

    return json.dumps(json.loads(text), indent=2) + "\n"


def _list(options: argparse.Namespace) -> int:
    from symderiv.listing import lines

    width = shutil.get_terminal_size((100, 24)).columns
    print("\n".join(lines(options.kind, width, unicode=_prints_unicode())))
    return DONE


def _gallery(options: argparse.Namespace) -> int:
    """Write every example in every format, and the page that lists them."""
    from symderiv import gallery
    from symderiv.render import EngineMissing, PdfError

    folder = options.examples or gallery.default_folder()
    _check_folder(options.output)
    try:
        with _writing(options.output):
            written = gallery.write(options.output, folder, pdf=options.pdf, bar=gallery.terminal())
    except (EngineMissing, PdfError) as error:
        print(f"symderiv: no PDF: {error}", file=sys.stderr)
        return MISSING_TOOL
    print(f"wrote {_count(len(written), 'file')} to {options.output}")
    return DONE
