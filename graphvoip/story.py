"""A handler and a scripted caller, told: what happened, what was heard, how fast it went."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from .cli_files import Problem, check_place, last_line, one_line
from .io import NUMBER

Story = list[tuple[float, str, str]]  # seconds since the call began, who, what


def ring(
    handler: Callable,
    script: str | None,
    out: Path | None,
    plot: Path | None,
    number: str = NUMBER,
    inband: bool = False,
    line: str | None = None,
    **form: Any,
) -> None:
    """Ring a handler, print what happened, write what the caller heard. form: the file's rate and bits."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    from .call import prepare
    from .client import run
    from .io.virtual import Phone

    for file in (out, plot):
        if file:
            check_place(file)
    phone = Phone(number, script, inband)
    if line is not None:
        from .line import Line

        with one_line(ValueError):
            phone.line = Line(line)
    prepare()  # now, so that the speed is that of calls
    calls = []

    def answer(call: Any) -> Any:
        calls.append(call)
        return handler(call)

    trouble = None
    before = time.perf_counter()
    try:
        run(answer, phone)
    except Exception as error:  # a step of the script: what happened until then is told first
        trouble = error
    took = time.perf_counter() - before
    story = tell(calls[0], phone) if calls else []
    _print(story, phone.time, took)
    _write(phone, story, out, plot, form)
    if trouble:
        raise trouble
    if calls and calls[0].error:
        raise Problem(f"the handler failed: {last_line(calls[0].error)}")


def tell(call: Any, phone: Any) -> Story:
    """What happened, in order. The caller is told of first."""
    caller = [(at, "caller", text.removeprefix("caller ")) for at, text in phone.history if text.startswith("caller ")]
    return sorted([*caller, *((at, "call", text) for at, text in call.history)], key=lambda one: one[0])


def _print(story: Story, seconds: float, took: float) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("time", justify="right", style="dim", no_wrap=True)
    table.add_column("who", no_wrap=True)
    table.add_column("what")
    for at, who, what in story:
        table.add_row(f"{at:.2f} s", f"[yellow]{who}[/]" if who == "caller" else f"[cyan]{who}[/]", escape(what))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{seconds:.2f} s of call in {took:.3f} s: {seconds / took:.0f} times real time")


def _write(phone: Any, story: Story, out: Path | None, plot: Path | None, form: dict[str, Any]) -> None:
    if out:
        from .io.wav import save

        with one_line(ValueError):
            save(phone.heard, out, **form)
        typer.echo(f"{out}: what the caller heard, {len(phone.heard) / 8000:.2f} s")
    if plot:
        from .plot import plot_call

        with one_line(ImportError, ValueError):
            plot_call(phone.heard, story, plot)
        typer.echo(f"{plot}: the call as a picture")
