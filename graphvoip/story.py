"""A handler and a scripted caller, told: what happened, what was heard, how fast it went."""

import functools
import logging
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from .cli_files import Problem, check_place, last_line, one_line
from .io import NUMBER

log = logging.getLogger("graphvoip")

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
    from .kernel_errors import KernelError

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

    @functools.wraps(handler)
    def answer(call: Any) -> Any:
        calls.append(call)
        return handler(call)

    def logged(record: logging.LogRecord) -> bool:
        """What the handler raised is told at the end, and not by the log as well."""
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, Exception) and calls and error is calls[0].error)

    trouble = None
    before = time.perf_counter()
    log.addFilter(logged)
    try:
        run(answer, phone)
    except Exception as error:  # a step of the script: what happened until then is told first
        trouble = error
    finally:
        log.removeFilter(logged)
    took = time.perf_counter() - before
    story = tell(calls[0], phone) if calls else []
    _print(story, phone.time, took)
    try:
        _write(phone, story, out, plot, form)
        if trouble:
            raise trouble
    finally:
        if calls and isinstance(calls[0].error, KernelError):  # it names the place itself
            raise Problem(f"the handler failed: {calls[0].error}") from None
        if calls and calls[0].error:  # the others may come of it
            raise Problem(f"the handler failed: {last_line(calls[0].error)}", _traced(calls[0].error)) from None


def _traced(error: BaseException) -> str:
    """A traceback without our own functions, which called the user's; "" if it was one of them that raised."""
    tb = error.__traceback__
    ours = (Path(__file__).parent, Path(__file__).parent.parent / "voip")
    while tb and any(Path(tb.tb_frame.f_code.co_filename).is_relative_to(folder) for folder in ours):
        tb = tb.tb_next
    return "".join(traceback.format_exception(type(error), error, tb)) if tb else ""


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
        if what.startswith("failed: "):
            continue  # its traceback comes below
        table.add_row(f"{at:.2f} s", f"[yellow]{who}[/]" if who == "caller" else f"[cyan]{who}[/]", escape(what))
    console = Console(highlight=False)
    console.print(table)
    speed = f": {seconds / took:.0f} times real time" if seconds else ""
    console.print(f"{seconds:.2f} s of call in {took:.3f} s{speed}")


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
