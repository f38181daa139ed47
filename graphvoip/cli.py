"""The command line. Heavy modules are imported inside the commands: --help is quick."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from . import __version__
from .cli_files import load_handler, plainly
from .cli_patch import check, draw, nodes, play
from .cli_render import render
from .io import LIMIT, NUMBER, PORT

CALLS, PATCHES, MACHINE = "Calls", "Patches", "This machine"


app = typer.Typer(
    help="Phone calls as graphs of sound: ring a handler from a script, let it answer real calls, render and play "
    "patches.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Real(StrEnum):
    """Far ends that are not scripted."""

    pjsip = "pjsip"
    pyaudio = "pyaudio"


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


@app.command(rich_help_panel=CALLS)
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
        Path | None, typer.Option(metavar="WAV", help="Write what the caller heard to this WAV or FLAC file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw the call to this PNG file (needs the extra plot).")
    ] = None,
    number: Annotated[str, typer.Option(metavar="NUMBER", help="The caller's number.")] = NUMBER,
    inband: Annotated[
        bool, typer.Option("--inband", metavar="", help="Keys are sent as tones, not as telephone events.")
    ] = False,
    line: Annotated[
        str | None, typer.Option(metavar="LINE", help="A telephone line between: 'pcmu, loss=3%, noise=-45dB'.")
    ] = None,
    handler: Name = None,
) -> None:
    """Ring a handler from a scripted caller, faster than real time.

    [dim]graphvoip call examples/password.py --script "wait 2; keys 1234; wait 3"[/dim]
    """
    answer = load_handler(file, handler)
    from .story import ring

    ring(answer, script, out, plot, number, inband, line)


# --- serve ------------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel=CALLS)
@plainly
def serve(
    file: File,
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="PORT", help="The UDP port of SIP.")] = PORT,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on; all of them without it.")
    ] = None,
    device: Annotated[Real, typer.Option(help="SIP, or this machine's sound card.")] = Real.pjsip,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Calls at once; others hear that it is busy.")] = LIMIT,
    media_timeout: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="End a SIP call without a packet of sound for so long: 30; 0 for never."),
    ] = None,
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

        run(answer, Trunk(port, host=host, media_timeout=media_timeout), limit)
    else:
        from .io.sound_card import SoundCard

        if run(answer, SoundCard(uri_of(number)), limit):
            raise typer.Exit(1)  # the handler's traceback is in the log


# --- Patches ----------------------------------------------------------------------------------------------------------

for command in (render, play, check, draw, nodes):
    app.command(rich_help_panel=PATCHES)(command)


# --- doctor -----------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel=MACHINE)
def doctor() -> None:
    """Say what this machine can do, and what to install for the rest."""
    from .doctor import examine

    raise typer.Exit(0 if examine(PORT) else 1)
