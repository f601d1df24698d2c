"""The choices a user has, in one light module: the command line's help needs nothing else."""

FORMATS = ("tex", "pdf", "md", "numpy", "json")
SUFFIXES = {"tex": ".tex", "pdf": ".pdf", "md": ".md", "numpy": ".py", "json": ".json"}
LAYOUTS = ("rows", "columns", "single")
LAYOUT, NOTATION = "columns", "nielsen"  # where nothing else is asked for
