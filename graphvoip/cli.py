"""The command line: graphvoip call, serve, doctor. Heavy modules are imported inside the commands: --help is quick."""

import contextlib
import functools
import importlib.machinery
import importlib.util
import inspect
import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from . import __version__
from .io import NUMBER

PORT, LIMIT = 5060, 10

app = typer.Typer(
    help="Phone calls as graphs of sound: ring a handler from a script, or let it answer real calls.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Real(StrEnum):
    """Far ends that are not scripted."""

    pjsip = "pjsip"
    pyaudio = "pyaudio"


class Problem(Exception):
    """Something the user can mend: said in one line, without a traceback."""


def plainly(command: Callable) -> Callable:
    """Decorates a command: its problems are one line on stderr and exit code 1."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        from .io import DeviceError

        try:
            return command(*args, **options)
        except (Problem, DeviceError, OSError) as error:
            typer.echo(f"graphvoip: {error}", err=True)
            raise typer.Exit(1) from None

    return run


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"graphvoip {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", metavar="", callback=_version, is_eager=True, help="Say the version and stop.")
    ] = False,
) -> None:
    pass


# --- call -------------------------------------------------------------------------------------------------------------

File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="A Python file with [bold]async def handler(call)[/bold].", show_default=False),
]
Name = Annotated[
    str | None, typer.Option("--handler", metavar="NAME", help="The handler's name, if it is not 'handler'.")
]


@app.command(rich_help_panel="Commands")
@plainly
def call(
    file: File,
    script: Annotated[
        str | None,
        typer.Option(
            metavar="STEPS",
            help='What the caller does: \'wait 2; keys 12#; play file.wav; say "my name"; until quiet; until tone 440; '
            "hangup'. Without it the caller listens, for up to 60 s.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="WAV", help="Write what the caller heard to this WAV file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the call to this PNG file (extra: plot).")
    ] = None,
    number: Annotated[str, typer.Option(metavar="NUMBER", help="The caller's number.")] = NUMBER,
    inband: Annotated[
        bool, typer.Option("--inband", metavar="", help="Keys are sent as tones, not as telephone events.")
    ] = False,
    handler: Name = None,
) -> None:
    """Ring a handler from a scripted caller, faster than real time.

    [dim]graphvoip call examples/password.py --script "wait 2; keys 1234; wait 3" --out call.wav[/dim]
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    answer = load_handler(file, handler)
    from .client import run
    from .doctor import compile_kernels
    from .io.virtual import Phone

    phone = Phone(number, script, inband)
    compile_kernels()  # now, so that the speed is that of calls
    calls = []

    def ring(call: Any) -> Any:
        calls.append(call)
        return answer(call)

    trouble = None
    before = time.perf_counter()
    try:
        run(ring, phone)
    except Exception as error:  # a step of the script: what happened until then is told first
        trouble = error
    took = time.perf_counter() - before
    story = tell(calls[0], phone) if calls else []
    _print_story(story, phone.time, took)
    _write(phone, story, out, plot)
    if trouble:
        raise trouble
    if calls and calls[0].error:
        raise Problem(f"the handler failed: {_last_line(calls[0].error)}")


def tell(call: Any, phone: Any) -> list[tuple[float, str, str]]:
    """What happened, in order: (seconds since the call began, who, what). The caller is told of first."""
    caller = [(at, "caller", text.removeprefix("caller ")) for at, text in phone.history if text.startswith("caller ")]
    return sorted([*caller, *((at, "call", text) for at, text in call.history)], key=lambda one: one[0])


def _print_story(story: list[tuple[float, str, str]], seconds: float, took: float) -> None:
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


def _write(phone: Any, story: list[tuple[float, str, str]], out: Path | None, plot: Path | None) -> None:
    if out:
        from .io.wav import savePCMtoWAV

        savePCMtoWAV(phone.heard, out)
        typer.echo(f"{out}: what the caller heard, {len(phone.heard) / 8000:.2f} s")
    if plot:
        from .plot import plot_call

        with _one_line(ImportError, ValueError):
            plot_call(phone.heard, story, plot)
        typer.echo(f"{plot}: the call as a picture")


@contextlib.contextmanager
def _one_line(*kinds: type[Exception]) -> Iterator[None]:
    try:
        yield
    except kinds as error:
        raise Problem(str(error)) from None


def _last_line(error: BaseException) -> str:
    return traceback.format_exception_only(error)[-1].strip()


# --- The handler of a file --------------------------------------------------------------------------------------------


def load_handler(file: Path, name: str | None = None) -> Callable:
    """The handler of a Python file: the function `name`, else what it gives to runVoipClient, else `handler`.

    The file is imported, not run: runVoipClient does nothing meanwhile, guarded by `if __name__ == "__main__"` or not.
    """
    if not file.is_file():
        raise Problem(f"{file}: {'a directory, not a Python file' if file.is_dir() else 'no such file'}")
    module, given = import_file(file)
    found = getattr(module, name or "handler", None) if name or not given else given[-1]
    if callable(found):
        return found
    there = [key for key, value in vars(module).items() if inspect.iscoroutinefunction(value)]
    hint = f"it has {', '.join(there)}: choose with --handler" if there else "write: async def handler(call)"
    raise Problem(f"{file}: there is no '{name or 'handler'}' in it; {hint}")


def import_file(file: Path) -> tuple[Any, list[Callable]]:
    """The file as a module, with its folder on the path, and the handlers that it gave to runVoipClient."""
    from . import client

    folder = str(file.resolve().parent)
    name = file.stem if file.stem not in sys.modules else f"{file.stem} in {folder}"  # a user's typer.py is not typer
    spec = importlib.util.spec_from_loader(name, importlib.machinery.SourceFileLoader(name, str(file)))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, folder)
    client.importing = given = []
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        lines = traceback.format_exception(type(error), error, _from(file, error.__traceback__))
        typer.echo("".join(lines), err=True, nl=False)
        raise Problem(f"{file} cannot be imported: {_last_line(error)}") from None
    finally:
        client.importing = None
    return module, given


def _from(file: Path, tb: Any) -> Any:
    """A traceback from the user's file on, without the machinery that imported it."""
    while tb and tb.tb_frame.f_code.co_filename != str(file):
        tb = tb.tb_next
    return tb


# --- serve ------------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel="Commands")
@plainly
def serve(
    file: File,
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="PORT", help="The UDP port of SIP.")] = PORT,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on; all of them without it.")
    ] = None,
    device: Annotated[Real, typer.Option(help="SIP, or this machine's sound card.")] = Real.pjsip,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Calls at once; others hear that it is busy.")] = LIMIT,
    number: Annotated[str, typer.Option(metavar="NUMBER", help="The caller's number, on a sound card.")] = NUMBER,
    handler: Name = None,
) -> None:
    """Answer calls until Ctrl-C: a SIP server, or one call on the sound card.

    [dim]graphvoip serve examples/password.py --port 5060[/dim]
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    answer = load_handler(file, handler)
    from .client import run, uri_of

    if device is Real.pjsip:
        from .io.pjsip.trunk import Trunk

        run(answer, Trunk(port, host=host), limit)
    else:
        from .io.pyaudio import SoundCard

        run(answer, SoundCard(uri_of(number)), limit)


# --- doctor -----------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel="Commands")
def doctor() -> None:
    """Say what this machine can do, and what to install for the rest."""
    from .doctor import examine

    raise typer.Exit(0 if examine(PORT) else 1)
