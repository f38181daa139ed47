"""The commands for patches: play, check, draw, nodes; render is in cli_render.py."""

import json
import logging
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .cli_files import OnePatch, Problem, Seed, Settings, Source, last_line, places, plainly, settings, tell
from .io import LIMIT, PORT
from .preflight import missing_voices


class FarEnd(StrEnum):
    """Who is played to."""

    pyaudio = "pyaudio"
    pjsip = "pjsip"
    virtual = "virtual"


# --- play -------------------------------------------------------------------------------------------------------------


@plainly
def play(
    patch: OnePatch,
    device: Annotated[
        FarEnd,
        typer.Option(
            help="This machine's sound card; SIP calls; or virtual: one simulated caller, faster than real time."
        ),
    ] = FarEnd.pyaudio,
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="PORT", help="The UDP port of SIP.")] = PORT,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.001, max=1e6, metavar="S", help="How long at most; without it up to its end."),
    ] = None,
    set: Settings = [],
    seed: Seed = None,
    watch: Annotated[
        bool, typer.Option("--watch", metavar="", help="Take over the file whenever it is saved, while it sounds.")
    ] = False,
) -> None:
    """Play a patch to every caller: on the sound card, whose keypad is the keyboard, or as a SIP server.

    [dim]graphvoip play patches/keypad_fm.json --set index=6 --watch[/dim]
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    source, values = Source(patch), settings(set)
    source.playable(seed, values)  # what is wrong with it is told now
    from .client import run
    from .io import NUMBER, uri_of
    from .watch import Player

    player = Player(source, values, seed, seconds, watch)
    if device is FarEnd.pjsip:
        from .io.pjsip.trunk import Trunk

        failed = run(player.answer, Trunk(port), LIMIT)
    elif device is FarEnd.pyaudio:
        from .io.sound_card import SoundCard

        failed = run(player.answer, SoundCard(uri_of(NUMBER)))
    else:
        from .io.virtual import Phone

        failed = run(player.answer, Phone())
    if player.trouble:
        raise Problem(f"{patch}: {last_line(player.trouble)}")
    if failed:
        raise typer.Exit(1)  # its traceback is in the log


# --- check ------------------------------------------------------------------------------------------------------------


@plainly
def check(
    patches: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="Patch files, [bold]file.json[/bold] or [bold]file.py:name[/bold], and files with a handler.",
            show_default=False,
        ),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", metavar="", help="Write .json files that are fine anew, in canonical form.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", metavar="", help="Print the JSON Schema of patch files, for editors.")
    ] = False,
) -> None:
    """Say all that is wrong with patches, or that they are fine; and which voices a handler needs that are not here.

    [dim]graphvoip check patches/*.json[/dim]

    [dim]graphvoip check --schema > patch.schema.json[/dim]
    """
    if schema:
        from .patchwriter import schema as schema_of

        typer.echo(json.dumps(schema_of(), indent=2, ensure_ascii=False))
    elif not patches:
        raise Problem("check: name a patch, or --schema")
    failed = False
    for text in patches or ():
        try:
            _check(text, write)
        except (Problem, OSError) as error:
            tell(error)
            failed = True
    if failed:
        raise typer.Exit(1)


def _check(text: str, write: bool) -> None:
    if (python := re.fullmatch(r"(.+\.py)(:\w+)?", text)) is not None:
        for line in missing_voices(Path(python[1])):
            typer.echo(f"{line.split(': ')[0]}: warning: {line.partition(': ')[2]}", err=True)
    from .patchfile import starts

    source = Source(text, handlers=True)
    if source.handler:
        if write:
            _rewrite(source)
        typer.echo(f"{text}: fine, a handler: {source.handler.__name__}")
        return
    patch = source.build()
    recipe: Any = source.recipe
    warnings = recipe.warnings if source.is_json else [f"{name}: it feeds nothing" for name in patch.unheard()]
    lines = starts(text, warnings, recipe.warning_spots if source.is_json else [])
    for start, warning in zip(lines, warnings, strict=True):
        typer.echo(f"{start}warning: {warning}", err=True)
    count = len(patch.nodes) - len(patch.params) - len(patch.inputs)
    parts = [f"fine, {count} node{'s' if count != 1 else ''}"]
    parts[0] += f", params {', '.join(recipe.params)}" if recipe.params else ""
    parts += [f"inputs {', '.join(recipe.inputs)}"] if recipe.inputs else []
    parts += [f"outputs {', '.join(patch.outputs)}"] if list(patch.outputs) != ["out"] else []
    parts += [f"ends at {patch.done.node.name}.{patch.done.name}"] if patch.done else []
    if write:
        parts.append(_rewrite(source))
    typer.echo(f"{text}: {'; '.join(parts)}")


def _rewrite(source: Source) -> str:
    from .files import write_whole
    from .patchwriter import dumps

    if not source.is_json:
        raise Problem(f"{source.text}: --write is for .json files")
    recipe: Any = source.recipe
    data = dumps(recipe.document).encode()
    if source.file.read_bytes() == data:
        return "canonical already"
    write_whole(source.file, data)
    return "written anew"


# --- draw -------------------------------------------------------------------------------------------------------------


@plainly
def draw(
    patch: OnePatch,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="SVG", help="The file; without it NAME.svg in this folder.")
    ] = None,
) -> None:
    """Draw the graph of a patch: its nodes, wires, values, parameters and loops.

    [dim]graphvoip draw patches/chime.json -o chime.svg[/dim]
    """
    source = Source(patch)
    (file,) = places([source], out, ".svg")
    if file.suffix.lower() != ".svg":
        raise Problem(f"{file}: its name must end in .svg")
    made = source.build()
    from .draw import patch_svg
    from .files import write_whole

    write_whole(file, patch_svg(made).encode())
    typer.echo(f"{file}: {made.name}, {len(made.nodes) - len(made.params) - len(made.inputs)} nodes")


# --- nodes ------------------------------------------------------------------------------------------------------------


@plainly
def nodes(
    name: Annotated[
        list[str] | None, typer.Argument(metavar="WORD", help="A node's type, or what you call it.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print it as JSON.")] = False,
) -> None:
    """List the nodes, or those that a word may mean, or say all of one of them.

    [dim]graphvoip nodes biquad[/dim]

    [dim]graphvoip nodes moog[/dim]
    """
    from . import palette_text
    from .palette import entry, look_up, palette, words_of

    word = " ".join(name or ())
    kinds = palette()
    found = look_up(word) if name else list(kinds.values())
    if not found:
        import difflib

        known = [*kinds, *(one for cls in kinds.values() for one in words_of(cls))]
        near = [one for one in kinds if one.startswith(word.lower())]
        near = near or difflib.get_close_matches(word.lower(), known, 1)
        raise Problem(f"no node '{word}'; " + (f"did you mean '{near[0]}'?" if near else "graphvoip nodes lists them"))
    if as_json:
        shown = [entry(cls) for cls in found]
        typer.echo(json.dumps(shown[0] if len(shown) == 1 else shown, indent=2, ensure_ascii=False))
    elif len(found) == 1:
        palette_text.print_one(found[0])
    else:
        palette_text.print_all([entry(cls) for cls in found], example=found[0].type if name else "sine")
