"""Sound as a picture: waveform and spectrogram; of a call what happened too, on one time axis. Extra: `plot`."""

import io
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from .files import write_whole
from .rings import RATE

Event = tuple[float, str, str]  # seconds since the call began, who ("caller" or "call"), what

INK, GRID, WAVE = "#22303c", "#d8dee4", "#3b6ea5"
COLOURS = {"caller": "#c2570c", "call": "#1f6f8b"}
WIDTH, DPI = 11.0, 130  # inches, dots an inch
SOUND = (1.5, 2.6)  # inches of waveform and spectrogram
WINDOW = 256  # samples of a spectrum
COLUMNS = 3000  # of the spectrogram at most, however long the call
LEFT, BOTTOM, TOP, MARGIN = 0.75, 0.55, 0.05, 0.8  # inches around the axes; MARGIN is the least to the right
LINE, SIZE, LONGEST = 0.2, 8.5, 46  # inches a row of labels, points of their letters, letters
ROWS = 12  # rows of labels; events beyond them have a mark only
TOGETHER = 0.5  # seconds within which key follows key in one label


def plot_call(heard: np.ndarray, history: Sequence[Event], path: str | os.PathLike[str]) -> None:
    """Draw a call to a PNG file.

    heard: what the caller heard, samples at 8000 Hz; history: what happened and when.
    Raises ImportError, with the remedy, without matplotlib.
    """
    _save(draw(heard, history), path)


def plot_sound(heard: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Draw the waveform and the spectrogram of samples at 8000 Hz to a PNG file. ImportError without matplotlib."""
    heard = np.asarray(heard, float)
    figure = _figure()
    height = sum(SOUND) + TOP + BOTTOM
    figure.set_size_inches(WIDTH, height)
    wave, spectrum = figure.subplots(2, 1, sharex=True, height_ratios=SOUND)
    figure.subplots_adjust(LEFT / WIDTH, BOTTOM / height, 1 - 0.3 / WIDTH, 1 - 0.15 / height, hspace=0.07)
    _waveform(wave, heard)
    _spectrogram(spectrum, heard)
    wave.set_ylabel("")
    spectrum.set_xlim(0, max(len(heard) / RATE, 0.1))
    _save(figure, path)


def _save(figure: Any, path: str | os.PathLike[str]) -> None:
    data = io.BytesIO()
    figure.savefig(data, format="png")
    write_whole(path, data.getvalue())


def _figure() -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"a picture needs matplotlib ({error}): pip install 'graphvoip[plot]'") from None
    figure = Figure(dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def draw(heard: np.ndarray, history: Sequence[Event]) -> Any:
    """plot_call as a matplotlib figure."""
    heard = np.asarray(heard, float)
    seconds = max(len(heard) / RATE, 0.1)
    figure = _figure()
    events = _grouped(history)
    widths = [_width(_text(event), figure) for event in events]
    axis = _axis(events, widths, seconds)
    rows = _rows(events, widths, seconds / axis)
    heights = (LINE * (2 + max((row for row in rows if row is not None), default=0)), *SOUND)
    height = sum(heights) + TOP + BOTTOM
    figure.set_size_inches(WIDTH, height)
    story, wave, spectrum = figure.subplots(3, 1, sharex=True, height_ratios=heights)
    figure.subplots_adjust(LEFT / WIDTH, BOTTOM / height, (LEFT + axis) / WIDTH, 1 - TOP / height, hspace=0.07)
    _story(story, events, rows)
    _waveform(wave, heard)
    _spectrogram(spectrum, heard)
    for at, who, _ in events:
        wave.axvline(at, color=_colour(who), lw=0.8, alpha=0.55)
        spectrum.axvline(at, color=_colour(who), lw=0.8, alpha=0.7)
    for row, who in enumerate(COLOURS):
        wave.annotate(f"● {who}", (1, 1), (8, -8 - 14 * row), "axes fraction", "offset points",
                      color=_colour(who), size=SIZE, va="center", annotation_clip=False)  # fmt: skip
    spectrum.set_xlim(0, seconds)
    figure.align_ylabels((wave, spectrum))
    return figure


def _colour(who: str) -> str:
    return COLOURS.get(who, INK)


# --- What happened ----------------------------------------------------------------------------------------------------


def _grouped(history: Sequence[Event]) -> list[Event]:
    """The events worth a label: keys pressed one after the other become one, the call's echo of each is left out."""
    grouped: list[Event] = []
    last = -np.inf  # when the last key was pressed
    for at, who, what in history:
        key = what.removeprefix("presses ") if who == "caller" and what.startswith("presses ") else ""
        if who == "call" and what.startswith("key "):
            continue
        if key and at - last < TOGETHER and grouped and grouped[-1][2].startswith("presses "):
            began, _, before = grouped.pop()
            grouped.append((began, who, before + key))
        else:
            grouped.append((at, who, what))
        last = at if key else last
    return grouped


def _text(event: Event) -> str:
    return event[2] if len(event[2]) <= LONGEST else event[2][: LONGEST - 1] + "…"


def _width(text: str, figure: Any) -> float:
    """The width of a label in inches, with the gaps around it."""
    from matplotlib.font_manager import FontProperties

    width, _, _ = figure.canvas.get_renderer().get_text_width_height_descent(text, FontProperties(size=SIZE), False)
    return width / DPI + 0.18


def _axis(events: list[Event], widths: list[float], seconds: float) -> float:
    """How long the time axis can be, in inches, so that the last labels have room to its right."""
    room = WIDTH - LEFT
    fits = ((room - width) * seconds / at for (at, *_), width in zip(events, widths, strict=True) if at > 0)
    return max(room / 2, min([room - MARGIN, *fits]))


def _rows(events: list[Event], widths: list[float], scale: float) -> list[int | None]:
    """The row of each label, or None if there is no room. scale: seconds an inch.

    Rows are given from the last event to the first, each the lowest that is free. So the stem on which a later label
    stands is never crossed: whatever would cross it is put above.
    """
    free = [np.inf] * ROWS  # up to where each row is free, in inches
    rows: list[int | None] = []
    for (at, *_), width in zip(reversed(events), reversed(widths), strict=True):
        begin = at / scale
        row = next((row for row in range(ROWS) if begin + width < free[row]), None)
        if row is not None:
            free[: row + 1] = [begin] * (row + 1)
        rows.append(row)
    return rows[::-1]


def _story(axes: Any, events: list[Event], rows: list[int | None]) -> None:
    axes.set_ylim(0, max((row for row in rows if row is not None), default=0) + 2)
    axes.set_axis_off()
    for event, row in zip(events, rows, strict=True):
        if row is not None:
            at, colour = event[0], _colour(event[1])
            axes.plot([at, at], [0, row + 1], color=colour, lw=0.8, clip_on=False, solid_capstyle="butt")
            axes.plot(at, row + 1, "o", color=colour, ms=3.5, clip_on=False)
            axes.annotate(_text(event), (at, row + 1), (5, 0), textcoords="offset points",
                          color=colour, size=SIZE, va="center", annotation_clip=False)  # fmt: skip


# --- What was heard ---------------------------------------------------------------------------------------------------


def _waveform(axes: Any, heard: np.ndarray) -> None:
    """The lowest and highest sample of every dot, so that no peak is lost."""
    size = max(1, len(heard) // round(WIDTH * DPI))
    blocks = heard[: len(heard) // size * size].reshape(-1, size)
    t = np.arange(len(blocks)) * size / RATE
    if len(blocks):
        axes.fill_between(t, blocks.min(axis=1), blocks.max(axis=1), color=WAVE, lw=0.6)
    if len(heard) and np.abs(heard).max() > 1:  # no sound, but the values of a control signal
        axes.set_ylim(*(heard.min() - 0.05 * np.ptp(heard), heard.max() + 0.05 * np.ptp(heard) + 1e-9))
    else:
        axes.set_ylim(-1.05, 1.05)
        axes.set_yticks((-1, 0, 1))
    axes.set_ylabel("heard")
    _dress(axes)
    axes.tick_params(labelbottom=False)


def _spectrogram(axes: Any, heard: np.ndarray) -> None:
    from scipy.signal import ShortTimeFFT
    from scipy.signal.windows import hann

    step = max(64, len(heard) // COLUMNS)
    columns = len(heard) // step + 1
    transform = ShortTimeFFT(hann(WINDOW), step, RATE, scale_to="magnitude")
    heard = np.pad(heard, (0, max(0, WINDOW - len(heard))))
    level = 20 * np.log10(np.maximum(2 * np.abs(transform.stft(heard, 0, columns)), 1e-5))  # a full-scale sine is 0 dB
    extent = (-step / 2 / RATE, (columns - 0.5) * step / RATE, 0, RATE / 2000)
    axes.imshow(
        level, aspect="auto", origin="lower", extent=extent, cmap="magma", vmin=-75, vmax=0, interpolation="bilinear"
    )
    axes.set_facecolor("black")
    axes.set_ylim(0, RATE / 2000)
    axes.set_ylabel("kHz")
    axes.set_xlabel("seconds")
    _dress(axes)


def _dress(axes: Any) -> None:
    for side in axes.spines.values():
        side.set_color(GRID)
    axes.tick_params(colors=INK, labelsize=8.5, color=GRID)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)
