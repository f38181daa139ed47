"""The commands for patches: render, play, check, draw, nodes."""

import contextlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from .cli_files import Problem, Source, last_line, load_handler, one_line, plainly, settings, tell

PORT, LIMIT = 5060, 10
SECONDS = 10.0  # that are rendered of what never ends
PATIENCE = 600.0  # seconds in which a patch must have come to its end, or it is cut
PATIENT = 0.3  # seconds without a progress bar

Patches = Annotated[
    list[str],
    typer.Argument(
        metavar="PATCH...", help="Patch files, [bold]file.json[/bold] or [bold]file.py:name[/bold].", show_default=False
    ),
]
OnePatch = Annotated[
    str,
    typer.Argument(
        metavar="PATCH", help="A patch file, [bold]file.json[/bold] or [bold]file.py:name[/bold].", show_default=False
    ),
]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set", metavar="NAME=NUMBER", help="A parameter, or a number of a node: index=6, ding.freq=440. Repeatable."
    ),
]
Seed = Annotated[int | None, typer.Option(min=0, metavar="N", help="Another seed makes other noises.")]


class Bits(StrEnum):
    """Of a sample in a file: whole numbers as a call sends them, or floats."""

    b16 = "16"
    b32 = "32"


class FarEnd(StrEnum):
    """Who is played to."""

    pyaudio = "pyaudio"
    pjsip = "pjsip"
    virtual = "virtual"


# --- render -----------------------------------------------------------------------------------------------------------


@plainly
def render(
    patches: Patches,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="A .wav or .flac file, or a folder; without it NAME.wav in this folder."
        ),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=86400, metavar="S", help="How long at most; without it up to its end, or 10 s if it has none."
        ),
    ] = None,
    set: Settings = [],
    keys: Annotated[str, typer.Option(metavar="KEYS", help="What the caller presses: '5@0.3 9@0.9'.")] = "",
    voice: Annotated[Path | None, typer.Option(metavar="FILE", help="What the caller says, a sound file.")] = None,
    rate: Annotated[int, typer.Option(metavar="HZ", help="Samples a second of the file.")] = 8000,
    bits: Annotated[Bits, typer.Option(help="16 as a call sends them, or 32: floats.")] = Bits.b16,
    seed: Seed = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw waveform and spectrogram (extra: plot).")
    ] = None,
    script: Annotated[
        str | None, typer.Option(metavar="STEPS", help="For a file with a handler: what its caller does, as in 'call'.")
    ] = None,
) -> None:
    """Write what patches sound like to files, faster than real time.

    Several patches are rendered at once, on all cores. Ctrl-C writes what there is until then.

    [dim]graphvoip render patches/chime.json -o chime.wav --set pitch=700[/dim]

    [dim]graphvoip render patches/keypad_fm.json --seconds 3 --keys "5@0.3 9@0.9" --plot fm.png[/dim]
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    form = {"rate": rate, "bits": int(bits)}
    given = {"--keys": keys, "--voice": voice, "--set": set, "--seed": seed, "--seconds": seconds}
    if script is not None:
        if len(patches) > 1 or patches[0].endswith(".json"):
            raise Problem("--script is for one file with a handler; a patch takes --keys and --voice")
        file, _, name = patches[0].partition(".py:")
        _ring(Path(f"{file}.py" if name else file), name or None, script, out, plot, form, given)
        return
    sources = [Source(text, handlers=len(patches) == 1) for text in patches]
    if sources[0].handler:
        _ring(sources[0].file, None, None, out, plot, form, given)
        return
    values, pressed = settings(set), _pressed(keys)
    files = _places(sources, out, ".wav")
    pictures = _places(sources, plot, ".png") if plot else [None] * len(sources)
    with one_line(ValueError):
        from .io.wav import check_format, load

        for file in files:
            check_format(file, **form)
        said = None if voice is None else load(voice)
    jobs = [
        _Job(source, source.build(seed, values), seconds, pressed, said, file, picture, form)
        for source, file, picture in zip(sources, files, pictures, strict=True)
    ]
    for option, name in (("--keys", "keys"), ("--voice", "voice")):
        if given[option] and not any(name in job.patch.inputs for job in jobs):
            raise Problem(f"{option}: {' and '.join(patches)} has no input '{name}'")
    failed = _render_all(jobs)
    if failed or _stop.is_set():
        raise typer.Exit(1 if failed else 130)


def _ring(
    file: Path,
    name: str | None,
    script: str | None,
    out: Path | None,
    plot: Path | None,
    form: dict[str, Any],
    given: dict[str, Any],
) -> None:
    """Render a handler: what `call --out` does."""
    from .story import ring

    for option, value in given.items():
        if value:
            raise Problem(f"{file}: {option} is for patches, and this is a handler; say what its caller does with --script")
    answer = load_handler(file, name)
    with one_line(ValueError):
        from .io.wav import check_format

        check_format(out or ".wav", **form)
    ring(answer, script, out or Path(f"{file.stem}.wav"), plot, **form)


def _pressed(keys: str) -> list[tuple[str, float]]:
    from .offline import key_times

    with one_line(ValueError):
        return key_times(keys)


def _places(sources: list[Source], given: Path | None, kind: str) -> list[Path]:
    """The files to write, one a patch. Folders are made, and what cannot be written is told now."""
    if given is None or given.is_dir() or len(sources) > 1:
        if given and given.suffix and not given.is_dir():
            raise Problem(f"{given}: this is one file, and there are {len(sources)} patches; name a folder")
        folder = given or Path()
        files = [folder / f"{source.name}{kind}" for source in sources]
        for one in {file for file in files if files.count(file) > 1}:
            raise Problem(f"{one}: two patches would have this file; render them one after the other")
        folder.mkdir(parents=True, exist_ok=True)
    else:
        files = [given]
    for file in files:
        check_place(file)
    return files


def check_place(file: Path) -> None:
    """Problem if a file cannot be written there."""
    if file.is_dir():
        raise Problem(f"{file}: a directory")
    if not file.parent.is_dir():
        raise Problem(f"{file}: no directory {file.parent} to save it in")
    if not os.access(file.parent, os.W_OK):
        raise Problem(f"{file}: nothing may be written to {file.parent.resolve()}")


_stop = threading.Event()  # Ctrl-C: render no more, write what there is


class _Stopped(Exception):
    pass


class _Job:
    """One patch on its way to a file."""

    def __init__(self, source: Source, patch: Any, seconds: float | None, keys: Any, voice: Any, file: Path,
                 picture: Path | None, form: dict[str, Any]):  # fmt: skip
        from .offline import Rendering

        self.source, self.patch, self.file, self.picture, self.form = source, patch, file, picture, form
        self.seconds = seconds
        self.longest = seconds or (PATIENCE if patch.done else SECONDS)
        late = [f"{key}@{at:g}" for key, at in keys if at >= self.longest]
        with source.blamed("cannot be rendered"):
            self.rendering = Rendering(patch, self.longest, keys, voice)
        graph, fade = self.rendering.graph, self.rendering.fade
        graph.listen(fade, "fault", lambda sample, value: self._faulty(sample))
        self.notes = [f"after its end: {' '.join(late)}"] if late else []
        self.warnings: list[str] = []

    def _faulty(self, sample: int) -> None:
        self.warnings.append(f"{self.source.text}: not finite after {sample / 8000:.2f} s, and silent from there on")

    def run(self, progress: Any) -> str:
        """Render and write it; the line that says so."""
        before = time.perf_counter()

        def went(seconds: float) -> None:
            progress(seconds)
            if _stop.is_set():
                raise _Stopped

        try:
            with self.source.blamed("failed"):
                heard = self.rendering.run(went)
        except (_Stopped, KeyboardInterrupt):
            _stop.set()
            heard = self.rendering.recorder.recorded()[: self.rendering.samples]
        took = time.perf_counter() - before
        with one_line(ValueError):
            from .io.wav import save

            save(heard, self.file, **self.form)
        self.heard = heard
        notes = "".join(f", {note}" for note in self._notes(len(heard) / 8000))
        return f"{self.file}: {len(heard) / 8000:.2f} s{notes}, {len(heard) / 8000 / took:.0f} times real time"

    def _notes(self, seconds: float) -> Iterator[str]:
        if _stop.is_set() and seconds < self.longest:
            yield "stopped"
        elif self.seconds is None and seconds >= self.longest:
            what = "it had not ended" if self.patch.done else "nothing ends it"
            yield f"cut ({what}; --seconds says how long)"
        if not self.heard.any():
            yield "silent"
        yield from self.notes

    def draw(self) -> None:
        from .plot import plot_sound

        assert self.picture
        with one_line(ImportError, ValueError):
            plot_sound(self.heard, self.picture)
        typer.echo(f"{self.picture}: waveform and spectrogram")


def _render_all(jobs: list[_Job]) -> bool:
    """Run the jobs, on all cores if there are several; did one of them fail?"""
    failed = False
    with _interruptible(), _Bar() as bar:
        for job, line in _lines(jobs, bar):
            if isinstance(line, Problem | OSError):
                failed = True
                bar.say(lambda line=line: tell(line))
                continue
            for warning in job.warnings:
                bar.say(lambda warning=warning: typer.echo(f"graphvoip: {warning}", err=True))
            bar.say(lambda line=line: typer.echo(line))
            if job.picture:
                try:
                    job.draw()
                except (Problem, OSError) as error:
                    failed = True
                    tell(error)
    return failed


def _lines(jobs: list[_Job], bar: "_Bar") -> Iterator[tuple[_Job, Any]]:
    """Each job, and the line that it ended with, or the problem."""

    def run(job: _Job) -> Any:
        try:
            return job.run(bar.of(job))
        except (Problem, OSError) as error:
            return error
        finally:
            bar.over(job)

    if len(jobs) == 1:
        yield jobs[0], run(jobs[0])
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from zip(jobs, pool.map(run, jobs), strict=True)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """The first Ctrl-C asks for the end, the second one takes it."""
    _stop.clear()

    def asked(number: int, frame: Any) -> None:
        if _stop.is_set():
            raise KeyboardInterrupt
        _stop.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Bar:
    """A progress bar on a terminal, for what takes longer than a moment."""

    def __enter__(self) -> "_Bar":
        self.began, self.rich, self.tasks = time.perf_counter(), None, {}
        self.lock = threading.Lock()
        self.wanted = sys.stderr.isatty()
        return self

    def __exit__(self, *exception: Any) -> None:
        if self.rich:
            self.rich.stop()

    def of(self, job: _Job) -> Any:
        return lambda seconds: self._went(job, seconds)

    def _went(self, job: _Job, seconds: float) -> None:
        if not self.wanted or time.perf_counter() - self.began < PATIENT:
            return
        with self.lock:
            if self.rich is None:
                from rich.console import Console
                from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

                columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} s"))
                self.rich = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
                self.rich.start()
            if job not in self.tasks:
                total = job.longest if job.seconds or not job.patch.done else None
                self.tasks[job] = self.rich.add_task(job.file.name, total=total)
        self.rich.update(self.tasks[job], completed=seconds)

    def over(self, job: _Job) -> None:
        with self.lock:
            if self.rich and job in self.tasks:
                self.rich.remove_task(self.tasks.pop(job))

    def say(self, write: Any) -> None:
        """Write a line; the bar is out of its way."""
        if not self.rich:
            write()
            return
        self.rich.stop()
        write()
        self.rich.start()


# --- play -------------------------------------------------------------------------------------------------------------


@plainly
def play(
    patch: OnePatch,
    device: Annotated[FarEnd, typer.Option(help="This machine's sound card, SIP, or nobody.")] = FarEnd.pyaudio,
    port: Annotated[int, typer.Option(min=1, max=65535, metavar="PORT", help="The UDP port of SIP.")] = PORT,
    seconds: Annotated[
        float | None, typer.Option(min=0.001, max=1e6, metavar="S", help="How long at most; else up to its end.")
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
    for name in source.build(seed, values).inputs:
        if name not in ("voice", "keys", *values):
            raise Problem(f"{patch}: a call has voice and keys to give, no '{name}'; write --set {name}=NUMBER")
    from .client import run
    from .io import NUMBER, uri_of
    from .watch import Player

    player = Player(source, values, seed, seconds, watch)
    if device is FarEnd.pjsip:
        from .io.pjsip.trunk import Trunk

        run(player.answer, Trunk(port), LIMIT)
    elif device is FarEnd.pyaudio:
        from .io.pyaudio import SoundCard

        run(player.answer, SoundCard(uri_of(NUMBER)))
    else:
        from .io.virtual import Phone

        run(player.answer, Phone())
    if player.trouble:
        raise Problem(f"{patch}: {last_line(player.trouble)}")


# --- check ------------------------------------------------------------------------------------------------------------


@plainly
def check(
    patches: Annotated[
        list[str] | None,
        typer.Argument(metavar="PATCH...", help="Patch files, .json or .py:name.", show_default=False),
    ] = None,
    write: Annotated[
        bool, typer.Option("--write", metavar="", help="Write sound .json files anew, in their canonical form.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", metavar="", help="Print the JSON Schema of patch files, for editors.")
    ] = False,
) -> None:
    """Say all that is wrong with patches, or that they are fine.

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
    source = Source(text)
    patch = source.build()
    recipe: Any = source.recipe
    warnings = recipe.warnings if source.is_json else [f"{name}: it feeds nothing" for name in patch.unheard()]
    for warning in warnings:
        typer.echo(f"{text}: warning: {warning}", err=True)
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
    from .io.wav import write_whole
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
    (file,) = _places([source], out, ".svg")
    if file.suffix.lower() != ".svg":
        raise Problem(f"{file}: its name must end in .svg")
    made = source.build()
    from .draw import patch_svg
    from .io.wav import write_whole

    write_whole(file, patch_svg(made).encode())
    typer.echo(f"{file}: {made.name}, {len(made.nodes) - len(made.params) - len(made.inputs)} nodes")


# --- nodes ------------------------------------------------------------------------------------------------------------


@plainly
def nodes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A node's type.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print it as JSON.")] = False,
) -> None:
    """List the nodes, or say all of one of them.

    [dim]graphvoip nodes biquad[/dim]
    """
    from . import palette_text
    from .palette import entry, palette

    kinds = palette()
    if name is None:
        shown: Any = [entry(cls) for cls in kinds.values()]
        typer.echo(json.dumps(shown, indent=2, ensure_ascii=False)) if as_json else palette_text.print_all(shown)
        return
    found = kinds.get(name) or next((cls for cls in kinds.values() if cls.__name__ == name), None)
    if found is None:
        import difflib

        near = difflib.get_close_matches(name.lower(), kinds, 1)
        raise Problem(f"no node '{name}'; " + (f"did you mean '{near[0]}'?" if near else "graphvoip nodes lists them"))
    if as_json:
        typer.echo(json.dumps(entry(found), indent=2, ensure_ascii=False))
    else:
        palette_text.print_one(found)
