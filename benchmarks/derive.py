"""How long deriving takes: ratios to importing SymPy and Jinja2, and milliseconds a layer.

    python benchmarks/derive.py

Times are of this machine and this run; the ratios are what to look at. Processor time is taken,
since machines are shared.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import symderiv
from symderiv import documents


def timed(run: Callable[[], object], repeat: int = 7) -> float:
    """Milliseconds of processor time, the least of some runs after one to warm up."""
    run()
    times = []
    for _ in range(repeat):
        start = _used()
        run()
        times.append(1000 * (_used() - start))
    return min(times)


def _used() -> float:
    """Seconds of processor time that this process and those it has waited for have had."""
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + waited.ru_utime + waited.ru_stime


def process(*arguments: str) -> float:
    """Milliseconds of a whole Python process.

    Modules are compiled once, as for every user: SymPy's were when it was installed.
    """
    compiling = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return timed(lambda: subprocess.run([sys.executable, *arguments], check=True,
                                        capture_output=True, env=compiling))  # fmt: skip


def pipeline(spec: str) -> Callable[[], object]:
    """Derive, check and render one network."""

    def run() -> object:
        derivation = symderiv.derive(spec)
        return documents.to_latex(derivation, derivation.presentation())

    return run


def main() -> None:
    """Print the table."""
    imports = process("-c", "import sympy, jinja2")
    with tempfile.TemporaryDirectory() as folder:
        cold = process("-m", "symderiv", "derive", "2-3-1:sigmoid+bce", "--to", "tex,numpy",
                       "-o", str(Path(folder)))  # fmt: skip
    rows = [
        ("importing SymPy and Jinja2", f"{imports:.0f} ms"),
        ("derive 2-3-1 --to tex,numpy, whole process", f"{cold:.0f} ms, {cold / imports:.2f} x"),
        ("--help, whole process", f"{process('-m', 'symderiv', '--help'):.0f} ms"),
        ("three layers, derive + check + render, warm",
         f"{timed(pipeline('4-5-3-2:sigmoid+bce+l2')):.0f} ms"),
        ("the same, derive + check",
         f"{timed(lambda: symderiv.derive('4-5-3-2:sigmoid+bce+l2')):.0f} ms"),
        ("any depth, derive + check",
         f"{timed(lambda: symderiv.derive('n0-...-nL:sigmoid+mse')):.0f} ms"),
    ]  # fmt: skip
    last = 0.0
    for depth in (10, 20, 30, 40, 50):
        spec = "-".join(["16"] * (depth + 1)) + ":sigmoid+bce"
        now = timed(lambda spec=spec: symderiv.derive(spec), repeat=3)  # type: ignore[misc]
        rows.append((f"{depth} layers, derive + check",
                     f"{now:.0f} ms, {(now - last) / 10:.1f} ms a further layer"))  # fmt: skip
        last = now
    width = max(len(name) for name, _ in rows)
    for name, figure in rows:
        print(f"{name:<{width}}  {figure}")


if __name__ == "__main__":
    main()
