"""python -m graphvoip: the command line."""

from .cli import app

app(prog_name="graphvoip")
