"""Run the planted errors: python -m tests.mutation.run [--all] [--file calculus/losses.py] ...

Each mutant has a process of its own, forked from one that has loaded everything except the
package. Prints one line a mutant, and says which test rejected it. ``--record`` keeps that in
``results.txt``; ``--missing`` runs what has no line there.

A mutant in ``equivalent.json`` changes nothing that anybody can ask for; the reason stands there.
It is run as well: every test must pass, and every step, reason and verdict of the derivations in
:mod:`tests.mutation.outputs` must be the same text as without it.
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
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.mutation import battery
from tests.mutation.mutator import Mutant, mutants, planted
from tests.mutation.outputs import fingerprint
from tests.mutation.overlay import PACKAGE, forget, install

FILES = tuple(
    f"{room}/{name}.py"
    for room, names in (
        ("calculus", "activations losses primitives functions differentiate rewriting collecting"),
        ("calculus", "ordering folding cancelling backprop jacobian layers attention convolution"),
        ("calculus", "normalization recurrent builder networks simplify steps graph"),
        ("algebra", "normal binding index expr canonical matching"),
        ("proof", "check decide field meaning premises sizes wellformed"),
        ("proof", "needs defined spoken quotients duals rates"),
    )
    for name in names.split()
)
SECONDS = 90  # of computing; a mutant that takes longer is rejected: it does not end
MEMORY = 3 << 30
EQUIVALENT = Path(__file__).with_name("equivalent.json")
RESULTS = Path(__file__).with_name("results.txt")
READY = ("sympy", "numpy", "scipy.special", "flint", "mpmath", "hypothesis", "pytest", "jinja2")


def every(files: Iterable[str] = FILES) -> Iterator[Mutant]:
    """All errors that can be planted."""
    for file in files:
        if (PACKAGE / file).exists():
            yield from mutants(PACKAGE / file, file)


@cache
def listed(files: tuple[str, ...] = FILES) -> list[Mutant]:
    """The list: one of every kind in every file, one of every function and table row of calculus.

    Of each such set it is the one whose name hashes lowest, which says nothing of what it is.
    """
    lowest: dict[tuple[str, ...], Mutant] = {}
    for mutant in every(files):
        sets = [(mutant.file, "kind", mutant.kind)]
        if mutant.file.startswith("calculus/"):
            sets.append((mutant.file, "where", mutant.where))
        for name in sets:
            lowest[name] = min(lowest.get(name, mutant), mutant, key=lambda m: m.id)
    chosen = {m.key: m for m in lowest.values()}
    return sorted(chosen.values(), key=lambda m: (FILES.index(m.file), m.number))


def sampled(count: int) -> list[Mutant]:
    """Some of the list, those whose names hash lowest; a changed line changes only itself.

    None that is said to be equivalent: that takes the whole battery, where an error ends it early.
    """
    claimed = equivalents()
    order = [m for m in listed() if m.key not in claimed]
    return sorted(order, key=lambda m: hashlib.sha256(m.id.encode()).hexdigest())[:count]


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


def results() -> dict[str, str]:
    """What became of each mutant when it was last run, by its key."""
    if not RESULTS.exists():
        return {}
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    return {key: told for key, _, told in (line.partition("\t") for line in lines)}


def record(found: dict[str, str]) -> None:
    """Keep the verdicts of the list, in its order; what is no longer listed is dropped."""
    known = results() | found
    lines = [f"{m.key}\t{known[m.key]}\n" for m in listed() if m.key in known]
    RESULTS.write_text("".join(lines), encoding="utf-8")


def judged(mutant: Mutant) -> str:
    """Which test rejects the mutant, and how; empty if none does."""
    told = _forked(lambda: _in_child(mutant, battery.run) or "survived")
    return "" if told == "survived" else told or "killed: no end, or no memory"


def shown_equivalent(mutant: Mutant) -> str:
    """Empty if the mutant passes every test and derives the same text; else what differs."""
    told = judged(mutant)
    if told:
        return told
    return "" if _forked(lambda: _in_child(mutant, fingerprint)) == _unchanged() else "other text"


@cache
def _unchanged() -> str:
    def quietly() -> str:
        forget()
        return fingerprint()

    return _forked(quietly)


def _forked(work: Callable[[], str]) -> str:
    """What the work says, in a process of its own; empty if it ends before that."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with contextlib.suppress(BaseException):
            os.write(writing, work().encode(errors="replace"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode(errors="replace")
    os.waitpid(child, 0)
    return told


def _in_child(mutant: Mutant, work: Callable[[], str]) -> str:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    try:
        install(mutant.file, planted(PACKAGE / mutant.file, mutant))
    except (SyntaxError, ValueError, TypeError) as error:
        return f"cannot be compiled: {type(error).__name__}"
    return work()


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if every mutant is rejected or listed as equivalent."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every mutant, not the list alone")
    parser.add_argument("--sample", type=int, help="that many of the list")
    parser.add_argument("--file", action="append", help="these files only")
    parser.add_argument("--id", action="append", help="these mutants only")
    parser.add_argument("--part", help="k/n: the k-th of n parts")
    parser.add_argument("--json", type=Path, help="write the list and what rejected each mutant")
    parser.add_argument("--record", action="store_true", help="keep the verdicts in results.txt")
    parser.add_argument("--missing", action="store_true", help="what has no verdict there")
    parser.add_argument("--list", action="store_true", help="print the list, run nothing")
    given = parser.parse_args(arguments)
    files = tuple(given.file or FILES)
    chosen = list(every(files)) if given.all else listed(files)
    if given.sample is not None:
        chosen = sampled(given.sample)
    if given.id:
        chosen = [m for m in every(files) if m.id in given.id]
    if given.missing:
        known = results()
        chosen = [m for m in chosen if known.get(m.key, "survived") == "survived"]
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
    return _run(chosen, given.json, given.record)


def _unchanged_passes() -> bool:
    """Nothing planted, nothing rejected: else the battery itself is broken."""

    def unchanged() -> str:
        forget()
        return battery.run() or "passes"

    told = _forked(unchanged)
    if told != "passes":
        print(f"without any error planted: {told}", flush=True)
    return told == "passes"


def _run(chosen: list[Mutant], report: Path | None, keep: bool) -> int:
    reasons, rows = equivalents(), []
    found: dict[str, str] = {}
    for mutant in chosen:
        claimed = mutant.key in reasons
        wrong = shown_equivalent(mutant) if claimed else judged(mutant)
        told = ("claimed equivalent, " if wrong else "equivalent") * claimed + wrong
        failed = not told or (claimed and bool(wrong))
        print(f"{mutant.id} {'SURVIVED  ' + mutant.key if failed else told} {wrong * failed}")
        sys.stdout.flush()
        found[mutant.key] = "survived" if failed else _short(told)
        place = {n: getattr(mutant, n) for n in ("id", "file", "line", "where", "kind")}
        rows.append({**place, "before": mutant.before, "after": mutant.after, "told": told})
        if keep:
            record(found)
    by = Counter(told.partition(".")[0].partition(":")[0] for told in found.values())
    print(f"{len(chosen)} mutants: {dict(by.most_common())}")
    if report is not None:
        report.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int("survived" in found.values())


def _short(told: str) -> str:
    """The test and the kind of error, without the values."""
    test, _, error = told.partition(": ")
    return f"{test}: {error.split()[0]}" if error and "." in test else told


if __name__ == "__main__":
    sys.exit(main())
