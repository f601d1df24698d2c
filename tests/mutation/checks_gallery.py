"""The gallery again, byte by byte: what is printed has changed, whether or not it is still true."""

from __future__ import annotations

from pathlib import Path

import pytest

from symderiv import gallery

ROOT = Path(__file__).resolve().parents[2]
ITEMS = {item.stem: item for item in gallery.items(ROOT / "examples")}


@pytest.mark.parametrize("stem", ITEMS)
def test_an_example_prints_as_committed(stem: str) -> None:
    for name, text in gallery.files(ITEMS[stem]).items():
        assert (ROOT / "output" / "gallery" / name).read_bytes().decode("utf-8") == text, name
