"""Stage report: one self-contained HTML file of a set of results; `python -m uniapl.report --help`."""
