"""Settings of all tests: property tests draw the same examples on every run and every machine."""

from hypothesis import settings

settings.register_profile("symderiv", derandomize=True, deadline=None, database=None)
settings.load_profile("symderiv")
