"""The sizes that a statement is tried at: all that it speaks of, different, and small."""

from __future__ import annotations

from fractions import Fraction

import pytest

from symderiv.algebra.expr import (
    ONE,
    Bracket,
    Delta,
    Expr,
    Number,
    Select,
    SizeOf,
    Sum,
    Tensor,
    indices_of,
    ranges_of,
)
from symderiv.algebra.index import Axis, Index, Size, as_index, fresh
from symderiv.calculus.graph import Graph
from symderiv.proof.decide import Statement, Worlds
from symderiv.proof.sizes import DEPTH, assign, distinguished, grid, size_symbols
from symderiv.proof.spoken import spoken

L, T = Size("L"), Size("T")
LAYER = fresh(Axis("layer", as_index(L), ordered=True), "l")
N0, NL, M = Size("n", Index(0)), Size("n", as_index(LAYER)), Size("m")
UNIT, EXAMPLE = fresh(Axis("unit", as_index(NL)), "i"), fresh(Axis("example", as_index(M)), "s")
W = Tensor("w", (fresh(Axis("unit", as_index(N0))),))


def test_every_size_gets_the_next_number_from_3_on() -> None:
    assert assign([M, Size("n")], set()) == {"m": 3, "n": 4}
    assert assign([M, Size("n")], set(), base=5, shift=2) == {"m": 7, "n": 8}
    assert assign([L, M], {"L"}) == {"L": DEPTH, "m": 3}
    assert assign([M, N0, Size("n", Index(2))], set()) == {"m": 3, "n[0]": 4, "n[2]": 5}
    members = {f"n[{k}]": 3 + k for k in range(DEPTH + 2)}
    assert assign([L, NL], {"L"}) == {"L": DEPTH} | members
    assert assign([NL, N0, M], set()) == {"m": 3} | {k: n + 1 for k, n in members.items()}


def test_all_sizes_are_found_wherever_they_stand() -> None:
    for expr, found in (
        (SizeOf(as_index(M)), [M]),
        (W[T], [T]),
        (Sum(EXAMPLE, W[1]), [M]),
        (Bracket(as_index(T) - 1), [T]),
        (Delta(as_index(T), as_index(M)), [T, M]),
        (Select(as_index(T), EXAMPLE, W[1]), [T, M]),
        (SizeOf(as_index(Size("n", as_index(T)))), [T, Size("n", as_index(T))]),
    ):
        sizes, ordered = size_symbols([expr], [])
        assert set(sizes) == set(found) and not ordered
        assert sizes == sorted(found, key=lambda s: s.key({}))
    late = fresh(Axis("time", as_index(T), as_index(M), ordered=True))
    assert size_symbols([], [late]) == ([T, M], {"m", "T"})
    inner = fresh(Axis("unit", as_index(NL), as_index(T), ordered=True))
    assert size_symbols([], [inner])[1] == {"T"}  # a family has no one length
    sizes, ordered = size_symbols([W[1]], [LAYER, UNIT])
    assert set(sizes) == {L, NL} and ordered == {"L"}


def test_the_indices_of_a_node_are_its_own() -> None:
    i, j = as_index(UNIT), as_index(EXAMPLE)
    assert indices_of(W[i]) == (i,)
    assert indices_of(SizeOf(i)) == indices_of(Bracket(i)) == indices_of(Select(i, EXAMPLE, W[j]))
    assert indices_of(Delta(i, j)) == (i, j) and indices_of(Sum(UNIT, W[i])) == ()
    assert ranges_of(Sum(UNIT, W[i])) == (UNIT.axis.start, UNIT.axis.stop)
    assert ranges_of(Select(i, EXAMPLE, W[j])) == (EXAMPLE.axis.start, EXAMPLE.axis.stop)
    assert ranges_of(W[i]) == ()


def test_a_grid_has_every_combination() -> None:
    found = list(grid({"m": 3, "n": 4}, {"m": 2, "n": 3}))
    assert found == [{"m": m, "n": n} for m in (3, 4) for n in (4, 5, 6)]
    assert list(grid({}, {})) == [{}]


def test_worlds_that_are_drawn_again_stay_small() -> None:
    """Each trial has sizes one larger; what has no value there is tried at four sizes in turn."""
    statement = Statement(SizeOf(as_index(M)), SizeOf(as_index(M)), Worlds(Graph((), W)))
    for trial in range(3):
        for seed in range(12):
            world = statement.worlds.world(statement, {}, trial, seed)
            assert world.sizes == {"m": 3 + trial + seed % 4}


A, B_ = Axis("unit", as_index(Size("a"))), Axis("unit", as_index(Size("b")))
ALL_OF_A, ALL_OF_B = (Index(1), as_index(Size("a"))), (Index(1), as_index(Size("b")))
I, J, K = fresh(A, "i"), fresh(A, "j"), fresh(B_, "k")
X = Tensor("x", (fresh(A),))
ROWS = fresh(A, "r")
RAGGED = Tensor("y", (ROWS, fresh(Axis("unit", as_index(ROWS)))))


@pytest.mark.parametrize(
    ("node", "ranges"),
    [
        (X[I], []),
        (X[1], [ALL_OF_A]),
        (X[I + 1], [ALL_OF_A]),
        (X[K], [ALL_OF_A, ALL_OF_B]),  # two ranges meet in one axis
        (X[K - 1], [ALL_OF_A, ALL_OF_B]),
        (Delta(as_index(I), as_index(J)), []),
        (Delta(as_index(I), as_index(K)), [ALL_OF_A, ALL_OF_B]),
        (Delta(as_index(I), Index(1)), [ALL_OF_A]),
        (Delta(Index(1), as_index(I)), [ALL_OF_A]),
        (Delta(as_index(K), as_index(I) + 1), [ALL_OF_A, ALL_OF_B]),
        (SizeOf(as_index(I)), [ALL_OF_A]),
        (Bracket(as_index(I) - as_index(K)), [ALL_OF_A, ALL_OF_B]),
        (Select(as_index(I), K, X[K]), [ALL_OF_A, ALL_OF_B]),
        (Sum(I, X[I]), []),
        (Sum(fresh(Axis("unit", A.stop, as_index(I))), ONE), [ALL_OF_A]),
        (Sum(fresh(Axis("unit", as_index(K))), ONE), [ALL_OF_B]),
        (RAGGED[I, fresh(Axis("unit", as_index(I)))], []),
        (RAGGED[I, J], [ALL_OF_A, (Index(1), as_index(I))]),
    ],
)
def test_where_more_counts_than_which_values_are_equal(node: Expr, ranges: list[object]) -> None:
    assert distinguished([node]) == set(ranges)


def test_equations_about_one_entry_tell_it_from_the_others() -> None:
    part = fresh(Axis("unit", as_index(K), as_index(I)))
    assert distinguished([], [as_index(I)]) == set()
    assert distinguished([], [as_index(I) + 1]) == {ALL_OF_A}
    assert distinguished([], [as_index(part)]) == {ALL_OF_A, ALL_OF_B}


def test_numbers_that_sizes_may_be_are_whole() -> None:
    said = spoken(2 * SizeOf(as_index(M)) + Number(Fraction(7, 2)) + W[as_index(T) - 5])
    assert (said.numbers, said.offsets, said.tensors) == ({2}, {0, -5}, {W})
