import numpy as np

from ..kernel import doubles_at, event, kernel, shorts_at, sin_turns, sound
from ..node import Event, File, Node, Option, Output, Signal, State
from ..rings import RATE
from ..sstv_modes import BLACK, LEVELS, MODES, SPAN, STEPS, TAIL, mode_of, picture, pixels, tones

EDGE = round(TAIL * RATE / 1000)  # samples in which the sound comes and goes
LEVEL = SPAN / 255 / STEPS  # Hz


class Sstv(Node):
    """A picture as sound: slow-scan television.

    Martin M1 M2, Scottie S1 S2 SDX, Robot R36 R72 and black and white BW8 BW12 BW24, PD50 to PD290, Pasokon P3 P5 P7
    and Wraase W120 W180, each with its header (VIS), so that receivers know the mode; docs/sstv.md has their sizes and
    lengths. `file` is a PNG, JPEG, BMP, WEBP, TIFF or GIF picture of up to 50 million pixels (extra: sstv), scaled to
    the mode's size in its right proportions; Python may give a Pillow image instead. Without one a test card is sent.

    The phase of the tone is the sum of the picture's own frequencies up to each sample, however a sample's edges and
    those of pixels lie: no time is rounded, and nothing drifts.

    >>> Sstv(mode="PD120")
    """

    group = "sources"
    known_as = "slow-scan television, slow scan, picture, image, martin, scottie, robot 36"
    amp = Signal(0.5, "x", doc="level; 1 is full scale")
    file = File(None, "the picture")
    image = Option(None, "a Pillow image, or an array (height, width, 3) of uint8, instead of a file; for Python")
    mode = Option("M1", "how it is sent", tuple(MODES))
    fit = Option("crop", "crop: fill the frame and cut off the rest; pad: show all of it between bars", ("crop", "pad"))
    levels = Option("full", "of Y in Robot and PD modes: full, 0 to 255, or studio, 16 to 235 (MMSSTV)", LEVELS)
    fsk_id = Option("", "who sends it, a call sign of up to 17 letters, told after the picture")
    vox = Option(False, "begin with eight tones that open a transmitter")
    out = Output("the sound")
    progress = Output("how much has been sent, 0 to 1")
    done = Event("the last sample has been made")
    state = State(
        phase="f8", at="i8", end="i8", piece="i8", pixel="i8", table="i8", size="i8", rows="i8", width="i8", count="i8",
    )  # fmt: skip

    def start(self):
        if self.file is not None and self.image is not None:
            raise ValueError("sstv: both file and image are given; one picture is sent")
        if not isinstance(self.fsk_id, str):
            raise ValueError(f"sstv: fsk_id is {self.fsk_id!r}; it is a text")
        mode = mode_of(self.mode, "sstv")
        rgb = picture(self.image if self.file is None else self.file, mode, self.fit, "sstv")
        self.rows = pixels(rgb, mode, self.levels)
        self.table = tones(mode, self.fsk_id, self.vox, "sstv")
        self.state["table"], self.state["size"] = self.table.ctypes.data, len(self.table)
        self.state["rows"], self.state["count"] = self.rows.ctypes.data, self.rows.size
        self.state["width"], self.state["end"] = mode.width, round(self.table[-1, 0])

    @kernel
    def process(state, amp, out, progress):
        table, rows = doubles_at(state.table, 5 * state.size), shorts_at(state.rows, state.count)
        phase, piece, pixel, width = state.phase, state.piece, state.pixel, state.width
        at, end = state.at, state.end
        size = min(out.size, end - at)
        for i in range(size):
            out[i] = phase
            # What the tone turns from this sample to the next: of every pixel in between as much as lies there.
            now, then = np.float64(at + i), np.float64(at + i + 1)
            turned = 0.0
            while piece < state.size:
                here = 5 * piece
                stop, hz = table[here], table[here + 1]
                is_row = hz == 0.0
                if is_row:
                    hz = BLACK + LEVEL * rows[np.int64(table[here + 3]) + pixel]
                    if pixel + 1 < width:
                        stop = table[here + 4] + (pixel + 1) * table[here + 2]
                if stop > then:
                    turned += (then - now) * hz
                    break
                turned += (stop - now) * hz
                now = stop
                pixel += 1
                if not is_row or pixel == width:
                    pixel = 0
                    piece += 1
            phase += turned * (1 / RATE)
            phase -= np.floor(phase)
        for i in range(size):
            out[i] = sound(amp[i]) * sin_turns(out[i])
        for i in range(min(size, EDGE - at)):
            out[i] *= np.float32(0.5 - 0.5 * np.cos(np.pi / EDGE * (at + i + 0.5)))
        for i in range(max(0, end - EDGE - at), size):
            out[i] *= np.float32(0.5 - 0.5 * np.cos(np.pi / EDGE * (end - at - i - 0.5)))
        for i in range(size, out.size):
            out[i] = 0
        for i in range(out.size):
            progress[i] = min(at + i + 1, end) / end
        state.phase, state.piece, state.pixel = phase, piece, pixel
        state.at = at + size
        if size > 0 and at + size == end and state.done == 0:
            state.done = event(size - 1)
