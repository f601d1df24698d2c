"""A file is written whole or not at all.

The content goes to a temporary file of a fixed name beside the target, to the disk, and then
takes the target's place in one step of the file system. Somebody who reads the target sees the
old content or the new, also when the writing process is killed. What a killed process left
behind has the fixed name, and the next write removes it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

__all__ = ["Content", "PathRefused", "write_all", "write_atomically"]

Content = str | bytes | Callable[[], str | bytes]
"""What goes into a file, or a function that makes it."""


class PathRefused(OSError):
    """The target is something else than a regular file in a folder."""


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.symderiv-tmp")


def _check_target(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISLNK(mode):
        raise PathRefused(f"{path} is a symbolic link: remove it or name another file")
    if not stat.S_ISREG(mode):
        raise PathRefused(f"{path} is not a regular file: name another file")


def _bytes(content: Content) -> bytes:
    made = content() if callable(content) else content
    return made.encode("utf-8") if isinstance(made, str) else made


def _stage(path: Path, data: bytes) -> Path:
    """Write `data` to the temporary file of `path` and to the disk."""
    temporary = _temporary(path)
    with suppress(FileNotFoundError):
        temporary.unlink()  # left by a process that was killed; a link is removed, not followed
    flags = (
        os.O_WRONLY
        | os.O_CREAT
        | os.O_EXCL
        | getattr(os, "O_NOFOLLOW", 0)
        | getattr(os, "O_BINARY", 0)
        | getattr(os, "O_CLOEXEC", 0)
    )
    try:
        with open(os.open(temporary, flags, 0o666), "wb") as file:  # noqa: PTH123
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def write_atomically(path: str | os.PathLike[str], data: Content) -> None:
    """Write text (UTF-8, line ends as they are) or bytes; the folder is made if it is missing.

    Raises PathRefused when `path` is a symbolic link, a folder or a device.
    """
    write_all({Path(path): data})


def write_all(files: Mapping[Path, Content]) -> None:
    """Make every content first, then write every file: an error on the way changes no file."""
    contents = {Path(path): _bytes(content) for path, content in files.items()}
    for path in contents:
        _check_target(path)
    staged: dict[Path, Path] = {}
    try:
        for path, data in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            staged[path] = _stage(path, data)
        for path in list(staged):
            os.replace(staged[path], path)  # noqa: PTH105
            del staged[path]
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
