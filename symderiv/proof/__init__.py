"""Decide whether a statement is true, knowing only the forward definitions."""
