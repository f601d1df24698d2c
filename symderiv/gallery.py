"""The gallery: every example of ``examples/`` derived, checked and printed in every format.

``output/gallery/`` is both a place to browse and the golden reference: the tests make each item
again and compare it byte by byte.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from symderiv import api
from symderiv.code.functions import NoCode
from symderiv.documents import to_svg
from symderiv.frontend.errors import SpecError, show
from symderiv.frontend.toml import read_toml
from symderiv.options import LAYOUT, LAYOUTS, SUFFIXES
from symderiv.render import check_ours, compile_pdf, render_template, write_all

MANIFEST = "gallery.toml"
FORMATS = ("tex", "md", "numpy", "json")
LINKS = {".md": "Markdown", ".svg": "SVG", ".tex": "LaTeX", ".pdf": "PDF", ".py": "NumPy",
         ".json": "JSON"}  # fmt: skip


@dataclass(frozen=True)
class Item:
    """One example: a TOML file in a layout, and a line about it."""

    path: Path
    layout: str
    about: str

    @property
    def stem(self) -> str:
        """What its files are called."""
        return self.path.stem


def default_folder() -> Path:
    """``examples/`` of the checkout that this package is a part of."""
    return Path(__file__).resolve().parent.parent / "examples"


def items(folder: Path) -> tuple[Item, ...]:
    """What the manifest of a folder lists, in its order. Raises SpecError for a wrong manifest."""
    path = folder / MANIFEST
    if not path.is_file():
        raise SpecError(f"there is no {MANIFEST} in {folder}",
                        "name the folder of the examples with --examples",
                        field="examples", value=str(folder))  # fmt: skip
    try:
        listed = tomllib.loads(path.read_text(encoding="utf-8")).get("item", [])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise SpecError(f"{MANIFEST} is not TOML: {wrong}", "see toml.io for the format",
                        field="examples", value=str(path)) from None  # fmt: skip
    if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
        raise SpecError(f"{MANIFEST}: item is {show(listed)}", "write [[item]] tables",
                        field="item", value=listed)  # fmt: skip
    if not listed:
        raise SpecError(f"{MANIFEST} lists nothing", "write an [[item]] with the name of a file",
                        field="item", value=listed)  # fmt: skip
    return tuple(_item(folder, entry) for entry in listed)


def _item(folder: Path, entry: Mapping[str, object]) -> Item:
    stem, layout = str(entry.get("file", "")), str(entry.get("layout", LAYOUT))
    path = folder / f"{stem}.toml"
    if not stem.isidentifier() or not path.is_file():
        raise SpecError(f"{MANIFEST} lists {stem!r}", "there is no such file beside it",
                        field="file", value=stem)  # fmt: skip
    if layout not in LAYOUTS:
        raise SpecError(f"{MANIFEST}: layout of {stem} is {layout!r}",
                        f"known are {', '.join(LAYOUTS)}",
                        field="layout", value=layout)  # fmt: skip
    return Item(path, layout, str(entry.get("about", "")))


def derived(item: Item) -> api.PublishedDerivation:
    """The derivation of an item, checked; its command names the file."""
    network = read_toml(item.path)
    with _about(item):
        made = api.derive(network, layout=item.layout, name=item.stem)
    options = f" --layout {item.layout}" if item.layout != LAYOUT else ""
    command = f"symderiv derive examples/{item.path.name}{options} --name {item.stem}"
    return replace(made, command=command)


@contextmanager
def _about(item: Item) -> Iterator[None]:
    """What is wrong with a file is said with its name."""
    try:
        yield
    except SpecError as error:
        raise error.within(item.path.name) from None


def files(item: Item, *, pdf: bool = False) -> dict[str, str | bytes]:
    """The files of an item by name."""
    derivation = derived(item)
    made: dict[str, str | bytes] = {}
    for wanted in FORMATS:
        try:
            made[item.stem + SUFFIXES[wanted]] = derivation.render(wanted)
        except NoCode:
            continue  # a program without a module
    picture = to_svg(derivation, derivation.presentation())
    if picture:
        made[item.stem + ".svg"] = picture
    if pdf:
        made[item.stem + ".pdf"] = compile_pdf(str(made[item.stem + ".tex"]))
    return made


def index(listed: tuple[Item, ...], written: Collection[str]) -> str:
    """The page that lists the items, one line and the links of each to its files."""
    data: dict[str, object] = {
        "items": [
            {
                "title": read_toml(item.path).title or item.stem,
                "about": item.about,
                "links": [
                    {"text": text, "file": item.stem + suffix}
                    for suffix, text in LINKS.items()
                    if item.stem + suffix in written
                ],
                "spec": f"../../examples/{item.path.name}",
                "layout": item.layout,
            }
            for item in listed
        ]
    }
    return render_template("markdown/gallery.md.j2", data)


def write(output: Path, folder: Path, *, pdf: bool = False, bar: TextIO | None = None) -> list[str]:
    """Make every item and the index; returns the names of the files written."""
    listed = items(folder)
    written: list[str] = []
    for number, item in enumerate(listed):
        _progress(bar, number, len(listed), item.stem)
        made = files(item, pdf=pdf)
        targets = {output / name: text for name, text in made.items()}
        check_ours(targets)
        write_all(targets)
        written += made
    check_ours([output / "README.md"])
    write_all({output / "README.md": index(listed, written)})
    _progress(bar, len(listed), len(listed), "done")
    return [*written, "README.md"]


def terminal() -> TextIO | None:
    """Where a progress bar may be drawn: standard error, if it is a terminal."""
    return sys.stderr if sys.stderr.isatty() else None


def _progress(bar: TextIO | None, done: int, total: int, name: str) -> None:
    if bar is None:
        return
    width = 30
    full = width * done // max(total, 1)
    end = "\n" if done == total else ""
    bar.write(f"\r[{'#' * full}{'.' * (width - full)}] {done}/{total} {name:<32.32}{end}")
    bar.flush()
