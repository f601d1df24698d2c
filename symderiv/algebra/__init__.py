"""Index expressions with symbolic sizes: the soundness core, without SymPy."""
