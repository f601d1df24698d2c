"""Settings of all tests: property tests draw the same examples on every run and every machine."""

import pytest
from hypothesis import settings

settings.register_profile("symderiv", derandomize=True, deadline=None, database=None)
settings.load_profile("symderiv")


@pytest.fixture(autouse=True)
def _judged_anew() -> None:
    """No verdict of one test is taken over by another: a planted error must meet the judge."""
    from symderiv.proof.likeness import forget

    forget()
