"""The palette on a terminal: a table by group, or all of one node."""

import itertools
import json
import textwrap
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table

from .node import Node
from .palette import entry, example_document
from .patchwriter import dumps

LONGEST = 12  # items of a list that are shown


def print_all(entries: list[dict[str, Any]], example: str = "sine") -> None:
    """A line a node, by group. example: the node that is named at the end."""
    console = Console(highlight=False)
    width = max(len(one["type"]) for one in entries)
    for group, rows in itertools.groupby(entries, key=lambda one: one["group"] or "others"):
        console.print(f"\n[bold]{group}[/]")
        table = _table()
        table.add_column(width=width, style="cyan", no_wrap=True)
        table.add_column()
        for one in rows:
            table.add_row(one["type"], escape(one["summary"]))
        console.print(Padding(table, (0, 0, 0, 2)))
    some = f"{len(entries)} nodes; " if len(entries) > 1 else ""
    console.print(f"\n{some}[bold]graphvoip nodes NAME[/] says all of one, as graphvoip nodes {example}", style="dim")


def print_one(cls: type[Node]) -> None:
    """What it is, its slots with units and ranges, and its example in both forms."""
    one = entry(cls)
    console = Console(highlight=False)
    console.print(f"[bold cyan]{one['type']}[/]  [dim]{one['group']}; {one['class']} in Python[/]\n")
    console.print(escape(_paragraphs(one["doc"])))
    if one["known_as"]:
        console.print(f"\n[dim]Also known as {escape(', '.join(one['known_as']))}.[/]")
    for title, rows in (("inputs", map(_input, one["inputs"])), ("options", map(_option, one["options"]))):
        _print_slots(console, title, list(rows))
    for title in ("outputs", "events"):
        _print_slots(console, title, [(row["name"], "", "", row["doc"]) for row in one[title]])
    if one["example"]:
        _code(console, "in Python", one["example"], "python")
        try:
            document = _short(example_document(cls))
        except ValueError:
            return  # a function, or a node for Python only
        _code(console, "in a patch file", dumps(document).rstrip(), "json")


def _code(console: Console, title: str, text: str, language: str) -> None:
    """With colours on a terminal, and with no line broken: it can be copied."""
    console.print(f"\n[bold]{title}[/]")
    syntax = Syntax("", language, theme="ansi_dark", background_color="default")
    console.print(syntax.highlight(textwrap.indent(text, "  ")), end="", soft_wrap=True)


def _paragraphs(doc: str) -> str:
    """Lines that were wrapped for the source are joined; lists and code are left as they are."""
    parts = doc.split("\n\n")
    return "\n\n".join(
        part if "\n " in part or part.startswith(("-", " ")) else " ".join(part.split()) for part in parts
    )


def _table() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))


def _print_slots(console: Console, title: str, rows: list[tuple[str, str, str, str]]) -> None:
    if not rows:
        return
    console.print(f"\n[bold]{title}[/]")
    table = _table()
    table.add_column(style="cyan", no_wrap=True)
    for k in range(1, 3):
        if any(row[k] for row in rows):
            table.add_column(no_wrap=k == 1)
    table.add_column()
    used = [k for k in range(4) if k in (0, 3) or any(row[k] for row in rows)]
    for row in rows:
        table.add_row(*(escape(row[k]) for k in used))
    console.print(Padding(table, (0, 0, 0, 2)))


def _input(slot: dict[str, Any]) -> tuple[str, str, str, str]:
    if slot["many"]:
        return slot["name"], "", "any number", slot["doc"]
    default = "must be given" if slot["default"] is None else f"{slot['default']:g}"
    return slot["name"], default, _range(slot), slot["doc"]


def _option(slot: dict[str, Any]) -> tuple[str, str, str, str]:
    default = "" if slot["default"] is None else json.dumps(slot["default"])
    said = " | ".join(slot["choices"]) or _range(slot) or {"file": "a file", "sound": "a sound"}.get(slot["kind"], "")
    return slot["name"], default, said, slot["doc"]


def _range(slot: dict[str, Any]) -> str:
    low, high = slot["low"], slot["high"]
    unit = "" if slot["unit"] == "x" else slot["unit"]
    if low is None and high is None:
        return unit
    span = f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
    return f"{span} {unit}".strip()


def _short(value: Any) -> Any:
    """Without the middle of long lists."""
    if isinstance(value, dict):
        return {key: _short(one) for key, one in value.items()}
    if isinstance(value, list) and len(value) > LONGEST:
        return [*value[: LONGEST - 4], f"... {len(value) - LONGEST + 4} more"]
    return [_short(one) for one in value] if isinstance(value, list) else value
