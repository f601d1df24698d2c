"""How long a stated derivative takes to be proved the first time: a table, slowest first."""

from __future__ import annotations

from time import perf_counter

from symderiv.calculus.functions import scalar
from symderiv.proof.lemmas import all_lemmas, prove_stated_derivative


def main() -> None:
    """Print the slowest ten and the sum."""
    prove_stated_derivative("sigmoid", 0)  # so that importing SymPy is not counted
    spent = []
    for name, argument in all_lemmas():
        start = perf_counter()
        verdict = prove_stated_derivative(name, argument)
        spent.append((1000 * (perf_counter() - start), name, argument, verdict.status.value))
    for milliseconds, name, argument, status in sorted(spent, reverse=True)[:10]:
        print(f"{milliseconds:7.1f} ms  {name} by {scalar(name).arguments[argument]}  {status}")
    print(f"{sum(s[0] for s in spent):7.1f} ms  all {len(spent)}")


if __name__ == "__main__":
    main()
