"""A file is whole or it is not there."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symderiv.render import PathRefused, write_all, write_atomically

OLD, NEW = "old\n" * 100_000, "new\n" * 100_000

WRITER = """
import sys
from symderiv.render.files import write_atomically
print("ready", flush=True)
while True:
    write_atomically(sys.argv[1], "new\\n" * 100_000)
    write_atomically(sys.argv[1], "old\\n" * 100_000)
"""


def test_text_is_written_in_utf8_with_its_own_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.tex"
    write_atomically(path, "δ\n")
    assert path.read_bytes() == "δ\n".encode()
    write_atomically(path, b"\x00")
    assert path.read_bytes() == b"\x00"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.tex"]


def test_a_killed_writer_leaves_the_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text(OLD)
    draw = random.Random(1)
    for _ in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(draw.uniform(0, 0.03))
            writer.kill()
        assert path.read_text() in (OLD, NEW)
    write_atomically(path, "done")  # also over what the killed one may have left
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.txt"]


def test_an_error_on_the_way_changes_no_file(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("before")

    def fails() -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_all({first: "after", second: fails})
    with pytest.raises(UnicodeEncodeError):
        write_all({first: "after", second: "\ud800"})
    second.mkdir()
    with pytest.raises(PathRefused):
        write_all({first: "after", second: "x"})
    assert first.read_text() == "before"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["1", "2"]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights elsewhere")
def test_no_link_is_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    link = tmp_path / "link"
    link.symlink_to(outside)
    with pytest.raises(PathRefused, match="symbolic link"):
        write_atomically(link, "x")
    # A link in the place of the temporary file is removed, and what it points to stays.
    (tmp_path / ".target.symderiv-tmp").symlink_to(outside)
    write_atomically(tmp_path / "target", "x")
    assert outside.read_text() == "mine"
    assert (tmp_path / "target").read_text() == "x"
