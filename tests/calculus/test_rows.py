"""What the rows of the tables say of themselves."""

from __future__ import annotations

from symderiv.calculus.functions import rows


def test_the_identity_is_known_by_what_it_is() -> None:
    assert [row.name for row in rows().values() if row.is_identity] == ["identity"]


def test_what_an_activation_learns() -> None:
    assert rows()["prelu"].learned == ("alpha",)
    assert rows()["leaky-relu"].learned == rows()["softmax"].learned == ()
