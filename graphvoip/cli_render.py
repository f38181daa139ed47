"""graphvoip render: patches, or a handler, to sound files."""

import contextlib
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

from .cli_files import (
    Patches,
    Problem,
    Seed,
    Settings,
    Source,
    load_handler,
    one_line,
    places,
    plainly,
    settings,
    tell,
)

SECONDS = 10.0  # that are rendered of what never ends
PATIENCE = 600.0  # seconds in which a patch must have come to its end, or it is cut
PATIENT = 0.3  # seconds without a progress bar
HOW = {"keys": "keys: give them with --keys '5@0.3 9@0.9'", "voice": "the caller's voice: give it with --voice FILE"}


class Bits(StrEnum):
    """Of a sample in a file: whole numbers as a call sends them, or floats."""

    b16 = "16"
    b32 = "32"


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
            min=0.001,
            max=86400,
            metavar="S",
            help="How long at most; without it up to its end, or 10 s if it has none.",
        ),
    ] = None,
    set: Settings = [],
    keys: Annotated[str, typer.Option(metavar="KEYS", help="What the caller presses: '5@0.3 9@0.9'.")] = "",
    voice: Annotated[Path | None, typer.Option(metavar="FILE", help="What the caller says, a sound file.")] = None,
    line: Annotated[
        str | None, typer.Option(metavar="LINE", help="A telephone line between: 'pcmu, loss=3%, noise=-45dB'.")
    ] = None,
    rate: Annotated[int, typer.Option(metavar="HZ", help="Samples a second of the file.")] = 8000,
    bits: Annotated[Bits, typer.Option(help="16 as a call sends them, or 32: floats.")] = Bits.b16,
    values: Annotated[
        bool,
        typer.Option("--values", help="For control signals: their values as they are, as floats, without a limiter."),
    ] = False,
    seed: Seed = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="PNG", help="Draw waveform and spectrogram (needs the extra plot).")
    ] = None,
    script: Annotated[
        str | None, typer.Option(metavar="STEPS", help="For a file with a handler: what its caller does, as in 'call'.")
    ] = None,
) -> None:
    """Write what patches sound like to files, faster than real time.

    Several patches are rendered at once, on all cores. Ctrl-C writes what there is until then.

    [dim]graphvoip render patches/chime.json -o chime.wav --set pitch=700[/dim]

    [dim]graphvoip render patches/keypad_fm.json --seconds 3 --keys "5@0.3 9@0.9"[/dim]
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    form = {"rate": rate, "bits": 32 if values else int(bits)}
    given = {
        "--keys": keys,
        "--voice": voice,
        "--set": set,
        "--seed": seed,
        "--seconds": seconds,
        "--values": values,
    }
    if script is not None:
        if len(patches) > 1 or patches[0].endswith(".json"):
            raise Problem("--script is for one file with a handler; a patch takes --keys and --voice")
        file, _, name = patches[0].partition(".py:")
        _ring(Path(f"{file}.py" if name else file), name or None, script, out, plot, form, given, line)
        return
    sources = [Source(text, handlers=len(patches) == 1) for text in patches]
    if sources[0].handler:
        _ring(sources[0].file, None, None, out, plot, form, given, line)
        return
    changed, pressed = settings(set), _pressed(keys)
    files = places(sources, out, ".wav")
    pictures = places(sources, plot, ".png") if plot else [None] * len(sources)
    with one_line(ValueError):
        from .io.wav import check_format, load

        for file in files:
            check_format(file, **form)
        said = None if voice is None else load(voice)
        if line is not None:
            from .line import parse

            parse(line)
    jobs = [
        _Job(source, source.playable(seed, changed), seconds, pressed, said, file, picture, form, line, values)
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
    line: str | None,
) -> None:
    """Render a handler: what `call --out` does."""
    from .story import ring

    for option, value in given.items():
        if value:
            raise Problem(f"{file}: {option} is for patches; this has a handler, whose caller follows --script")
    answer = load_handler(file, name)
    with one_line(ValueError):
        from .io.wav import check_format

        check_format(out or f"{file.stem}.wav", **form)
    ring(answer, script, out or Path(f"{file.stem}.wav"), plot, line=line, **form)


def _pressed(keys: str) -> list[tuple[str, float]]:
    from .offline import key_times

    with one_line(ValueError):
        return key_times(keys)


_stop = threading.Event()  # Ctrl-C: render no more, write what there is


class _Job:
    """One patch on its way to a file."""

    def __init__(self, source: Source, patch: Any, seconds: float | None, keys: Any, voice: Any, file: Path,
                 picture: Path | None, form: dict[str, Any], line: str | None, values: bool):  # fmt: skip
        from .offline import Rendering

        self.source, self.patch, self.file, self.picture, self.form = source, patch, file, picture, form
        self.seconds = seconds
        self.longest = seconds or (PATIENCE if patch.done else SECONDS)
        given = [name for name, one in (("keys", keys), ("voice", voice)) if one is not None and len(one)]
        self.waiting = [name for name in patch.inputs if name in HOW and name not in given]
        late = [f"{key}@{at:g}" for key, at in keys if at >= self.longest]
        with source.blamed("cannot be rendered"):
            self.rendering = Rendering(patch, self.longest, keys, voice, line, values)
        graph, fade = self.rendering.graph, self.rendering.fade
        graph.listen(fade, "fault", lambda sample, value: self._faulty(sample))
        self.notes = [f"after its end: {' '.join(late)}"] if late else []
        self.warnings: list[str] = []

    def _faulty(self, sample: int) -> None:
        self.warnings[:] = self.warnings or [f"not finite after {sample / 8000:.2f} s, and silent from there on"]

    def run(self, progress: Any) -> str:
        """Render and write it; the line that says so."""
        before = time.perf_counter()

        def went(seconds: float) -> None:
            progress(seconds)
            if _stop.is_set():
                raise KeyboardInterrupt

        try:
            with self.source.blamed("failed"):
                heard = self.rendering.run(went)
        except KeyboardInterrupt:
            _stop.set()
            heard = self.rendering.recorder.recorded()[: self.rendering.samples]
        took = time.perf_counter() - before
        with one_line(ValueError):
            from .io.wav import save

            save(heard, self.file, **self.form)
        self.heard = heard
        notes = "".join(f", {note}" for note in self._notes(len(heard) / 8000))
        speed = f", {len(heard) / 8000 / took:.0f} times real time" if len(heard) else ""
        return f"{self.file}: {len(heard) / 8000:.2f} s{notes}{speed}"

    def _notes(self, seconds: float) -> Iterator[str]:
        if _stop.is_set() and seconds < self.longest:
            yield "stopped"
        elif self.seconds is None and seconds >= self.longest:
            what = "it had not ended" if self.patch.done else "nothing ends it"
            yield f"cut ({what}; --seconds says how long)"
        if not self.heard.any():
            yield "silent"
        if (loudest := self.rendering.loudest) > 1:
            yield f"limited (it came to {loudest:.3g}, 1 is full scale; --values writes a control signal as it is)"
        yield from self.notes

    def hint(self) -> str:
        """What nobody gave it, if nothing was heard; empty if there is nothing to say."""
        waits = [f"{self.patch.reader(name)} waits for {HOW[name]}" for name in self.waiting if self.patch.reader(name)]
        return "" if self.heard.any() else " and ".join(waits)

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
                bar.say(lambda text=f"{job.source.text}: {warning}": tell(Problem(text)))
            bar.say(lambda line=line: typer.echo(line))
            if hint := job.hint():
                bar.say(lambda text=f"{job.source.text}: {hint}": tell(Problem(text)))
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
