"""Run the planted errors: python -m tests.mutation.run [--all] [--file calculus/losses.py] ...

Each mutant has a process of its own, forked from one that has loaded everything except the
package. Prints one line a mutant; ``--json`` writes the list with what rejected each one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.mutation import battery
from tests.mutation.mutator import Mutant, mutants, planted
from tests.mutation.overlay import PACKAGE, install

FILES = tuple(
    f"{room}/{name}.py"
    for room, names in (
        ("calculus", "activations losses primitives functions differentiate rewriting collecting"),
        ("calculus", "ordering folding cancelling backprop jacobian layers attention convolution"),
        ("calculus", "normalization recurrent builder networks simplify steps graph"),
        ("algebra", "normal binding index expr canonical matching"),
        ("proof", "check decide field meaning premises sizes wellformed"),
    )
    for name in names.split()
)
PER_KIND = 2  # mutants of one kind in one file that are on the list
SECONDS = 90  # of computing; a mutant that takes longer is rejected: it does not end
MEMORY = 3 << 30
EQUIVALENT = Path(__file__).with_name("equivalent.json")
READY = ("sympy", "numpy", "scipy.special", "flint", "mpmath", "hypothesis", "pytest", "jinja2")


def every(files: Iterable[str] = FILES) -> Iterator[Mutant]:
    """All errors that can be planted."""
    for file in files:
        if (PACKAGE / file).exists():
            yield from mutants(PACKAGE / file, file)


def listed(files: Iterable[str] = FILES) -> list[Mutant]:
    """The list: of every file and kind a few, chosen by the hash of their names."""
    strata: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in every(files):
        strata.setdefault((mutant.file, mutant.kind), []).append(mutant)
    chosen = [m for group in strata.values() for m in sorted(group, key=lambda m: m.id)[:PER_KIND]]
    return sorted(chosen, key=lambda m: (FILES.index(m.file), m.number))


def sampled(count: int) -> list[Mutant]:
    """Some of the list, those whose names hash lowest; a changed line changes only itself."""
    order = sorted(listed(), key=lambda m: hashlib.sha256(m.id.encode()).hexdigest())
    return order[:count]


def equivalents() -> dict[str, str]:
    """Mutants that change nothing that anybody can ask for, each with the reason."""
    if not EQUIVALENT.exists():
        return {}
    found: dict[str, str] = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return found


def prepare() -> None:
    """Load what every mutant needs and what is not of the package."""
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    sys.dont_write_bytecode = True
    for name in READY:
        importlib.import_module(name)
    from hypothesis import Phase, settings

    quick = settings(
        derandomize=True, deadline=None, database=None, phases=[Phase.explicit, Phase.generate]
    )
    settings.register_profile("mutation", quick)
    settings.load_profile("mutation")


def judged(mutant: Mutant) -> str:
    """Which test rejects the mutant, and how; empty if none does."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        told = ""
        with contextlib.suppress(BaseException):
            told = _in_child(mutant)
            os.write(writing, (told or "survived").encode(errors="replace"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    return "" if told == "survived" else told or "killed: no end, or no memory"


def _in_child(mutant: Mutant) -> str:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    try:
        install(mutant.file, planted(PACKAGE / mutant.file, mutant))
    except (SyntaxError, ValueError, TypeError) as error:
        return f"cannot be compiled: {type(error).__name__}"
    return battery.run()


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if every mutant is rejected or listed as equivalent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every mutant, not the list alone")
    parser.add_argument("--sample", type=int, help="that many of the list")
    parser.add_argument("--file", action="append", help="these files only")
    parser.add_argument("--id", action="append", help="these mutants only")
    parser.add_argument("--part", help="k/n: the k-th of n parts")
    parser.add_argument("--json", type=Path, help="write the list and what rejected each mutant")
    parser.add_argument("--list", action="store_true", help="print the list, run nothing")
    given = parser.parse_args(arguments)
    files = given.file or FILES
    chosen = list(every(files)) if given.all else listed(files)
    if given.sample is not None:
        chosen = sampled(given.sample)
    if given.id:
        chosen = [m for m in every(files) if m.id in given.id]
    if given.part:
        k, n = map(int, given.part.split("/"))
        chosen = chosen[k - 1 :: n]
    if given.list:
        for m in chosen:
            print(f"{m.id}  {m.file}:{m.line}  {m.where}  {m.kind}: {m.before}  ->  {m.after}")
        return 0
    prepare()
    if given.sample is None and not given.id and not _unchanged_passes():
        return 1
    return _run(chosen, given.json)


def _unchanged_passes() -> bool:
    """Nothing planted, nothing rejected: else the battery itself is broken."""
    child = os.fork()
    if child == 0:
        from tests.mutation.overlay import forget

        forget()
        told = battery.run()
        if told:
            print(f"without any error planted: {told}", flush=True)
        os._exit(bool(told))
    return os.waitpid(child, 0)[1] == 0


def _run(chosen: list[Mutant], report: Path | None) -> int:
    reasons, survivors, rows = equivalents(), [], []
    by: Counter[str] = Counter()
    for mutant in chosen:
        reason = reasons.get(mutant.key)
        told = f"equivalent: {reason}" if reason else judged(mutant)
        by[told.partition(":")[0].partition(".")[0] or "survived"] += 1
        if not told:
            survivors.append(mutant)
        print(f"{mutant.id} {told or 'SURVIVED  ' + mutant.key}", flush=True)
        rows.append(
            {
                "id": mutant.id,
                "file": mutant.file,
                "line": mutant.line,
                "where": mutant.where,
                "kind": mutant.kind,
                "before": mutant.before,
                "after": mutant.after,
                "told": told or "survived",
            }
        )
    print(f"{len(chosen)} mutants: {dict(by.most_common())}")
    if report is not None:
        report.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main())
