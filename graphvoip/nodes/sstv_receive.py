import asyncio
import importlib
import logging
import threading
from collections import deque
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..files import check_words, named, new_file
from ..kernel import barrier, event, fence, floats_at, kernel, sin_turns, sound
from ..node import Event, File, Node, Option, Output, Signal, State
from ..rings import FRAME, RATE
from ..sstv_decoder import Decoded
from ..sstv_modes import LEVELS, MODES, SPAN, mode_of, pillow
from ..sstv_receiver import Begun, Complete, Line, Receiver

PIECE = 2000  # samples after which Python looks at what has come
SIZE = 64 * PIECE  # samples of its ring: 16 s, if the program is held up
KEPT = 16  # pictures that `pictures` has at most
CENTRE = 1900.0  # Hz: between black and white
TAPS = 32  # of the lowpass behind the mixer
LINE = TAPS + FRAME  # samples of each of its four rows: what is mixed, twice, and what has passed it, twice
FAINT = np.float32(1e-8)  # power below which there is no tone to speak of
HALF = np.float32(0.5)
# atan(t) for -1..1: Abramowitz and Stegun, 4.4.49.
A1, A3, A5, A7, A9 = (np.float32(c) for c in (0.9998660, -0.3302995, 0.1801410, -0.0851330, 0.0208351))
BRIGHTNESS = np.float32(RATE / (2 * np.pi) / SPAN)
KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tiff")

log = logging.getLogger("graphvoip")


def _lowpass() -> np.ndarray:
    n = np.arange(TAPS) - (TAPS - 1) / 2
    taps = np.sinc(n * 2 * 900 / RATE) * np.hamming(TAPS)
    return (taps / taps.sum()).astype(np.float32)


LOWPASS = _lowpass()


class Received(NamedTuple):
    """A picture that has come."""

    image: Any  # a Pillow image; its `info` says which rows are there, who sent it, and how far off the sender was
    mode: str
    start: float  # seconds of this node's sound at which its header began
    path: Path | None  # the file


class SstvReceive(Node):
    """Receive the pictures that a caller sends, slow-scan television in any mode of the node `sstv`.

    A picture begins with its header, which tells the mode; lines can be seen in `preview()` as they come. When it is
    complete it is decoded again as a whole, without slant, and becomes a file and the event `picture`; `pictures` has
    the latest 16 of them, as (image, mode, start, path). Of one that is cut off, by a new header or by hanging up, what
    there is of it is kept, from 16 rows on. In the file's name, and in its folders, {call} stands for the call, {time}
    for when the picture came and {mode} for its mode; a file that is there already is never overwritten: the new one
    gets a number.

    The kernel only hands its input on, and makes `out`, the frequency as brightness; the decoder is Python, and works
    in a thread when there is more than a line to do. Extra: sstv.

    >>> SstvReceive(Sstv(mode="BW8"), file="pictures/{call}.png")
    """

    group = "analysis"
    known_as = "slow-scan television, sstv decoder, slow scan, picture, image"
    is_sink = True
    input = Signal(None, doc="what is looked at, a caller's voice")
    file = File(None, "the picture's file, PNG, JPEG, BMP, WebP or TIFF; its folder is made. None: pictures only")
    mode = Option("", "the mode of pictures whose header was missed", ("", *MODES))
    levels = Option("full", "of Y in Robot and PD modes, as the sender has them: full, or studio (MMSSTV)", LEVELS)
    out = Output("the brightness that is being sent: 0 black, 1 white, below 0 in synchronisation")
    receiving = Output("1 while a picture comes")
    more = Event("a piece of sound has come")
    header = Event("a picture begins; its value is the mode's place in the list of modes, from 0")
    line = Event("rows have come; its value is how many of them can be seen")
    picture = Event("a picture is there; its value counts them, from 1")
    state = State(
        memory="i8", written="i8", read="i8", lost="i8", scratch="i8", phase="f8", is_receiving="i8",
        begun="i8", begun_told="i8", kind="i8", rows="i8", rows_told="i8", made="i8", made_told="i8",
    )  # fmt: skip

    def start(self):
        if self.file is not None:
            if self.file.suffix.lower() not in KINDS:
                raise ValueError(f"sstv_receive: file {str(self.file)!r} is no picture; end its name in .png")
            check_words("sstv_receive", self.file, "call", "mode")
            pillow("sstv_receive")
        self.ring = np.zeros(SIZE, np.float32)
        self.mixed = np.zeros(4 * LINE, np.float32)
        self.state["memory"], self.state["scratch"] = self.ring.ctypes.data, self.mixed.ctypes.data
        self.pictures: deque[Received] = deque(maxlen=KEPT)
        self.receiver = Receiver(mode_of(self.mode, "sstv_receive") if self.mode else None, self.levels)
        self.call = ""

    def join(self, graph):
        self.call = graph.name
        # Lines need it, and come after a header: it is there by then, and no call has waited for it.
        threading.Thread(target=importlib.import_module, args=("scipy.ndimage",), daemon=True).start()
        graph.listen(self, "more", lambda sample, value: self.step())

    def leave(self):
        self.step()
        self._tell(self.receiver.finish())
        if self.state["lost"]:
            log.warning("%s: sstv_receive: %d samples are lost, the program was held up", self.call, self.state["lost"])

    def preview(self) -> np.ndarray:
        """The picture that comes, as far as it is there: an array (height, width, 3) of uint8, a copy."""
        return self.receiver.preview.copy()

    def step(self) -> None:
        """Look at what has come since the last time."""
        read, written = int(self.state["read"]), int(self.state["written"])
        if written == read:
            return
        block = self.ring[np.arange(read, written) % SIZE]
        barrier()
        self.state["read"] = written  # the kernel may use this memory again
        self._tell(self.receiver.push(np.where(np.abs(block) < 10, block, 0)))

    def _tell(self, news: list[Any]) -> None:
        """Hand the kernel what it is to tell as its events."""
        for one in news:
            if isinstance(one, Begun):
                self.state["kind"] = list(MODES).index(one.mode.name)
                barrier()
                self.state["begun"] += 1
            elif isinstance(one, Line):
                self.state["rows"] = one.rows
            elif isinstance(one, Complete):
                self._in_a_thread(one)
        self.state["is_receiving"] = self.receiver.mode is not None

    def _in_a_thread(self, one: Complete) -> None:
        """Decode and save a picture beside the event loop, where there is one."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._made(self._decoded(one))
        else:
            future = loop.run_in_executor(None, self._decoded, one)
            future.add_done_callback(lambda done: self._made(None if done.cancelled() else done.result()))

    def _decoded(self, one: Complete) -> Received | None:
        made = one.decode()
        if made is None:
            return None
        path = None
        try:
            path = self._saved(made) if self.file is not None else None
        except (OSError, ValueError) as error:  # a disk that is full, say
            log.error("%s: sstv_receive: %s", self.call, error)
        return Received(made.image(), made.mode.name, made.start, path)

    def _made(self, one: Received | None) -> None:
        if one is not None:
            self.pictures.append(one)
            barrier()
            self.state["made"] += 1

    def _saved(self, made: Decoded) -> Path:
        """Write the picture to a file of its own."""
        assert self.file
        path = new_file(self.file, call=self.call, mode=made.mode.name)
        try:
            with named(path):
                made.image().save(path)
        except BaseException:
            path.unlink(missing_ok=True)  # half a picture
            raise
        return path

    @kernel
    def process(state, input, out, receiving):
        ring, line = floats_at(state.memory, SIZE), floats_at(state.scratch, 4 * LINE)
        size, phase, written = out.size, state.phase, state.written
        room = max(0, SIZE - (written - state.read))
        for i in range(min(size, room)):
            ring[(written + i) % SIZE] = sound(input[i])
            if (written + i + 1) % PIECE == 0:
                state.more = event(i)
        # Down by 1900 Hz, through a lowpass; how far it turns from sample to sample is the frequency.
        for i in range(size):
            turns = np.float32(phase)
            line[TAPS + i] = sound(input[i]) * sin_turns(turns + np.float32(0.25))
            line[LINE + TAPS + i] = -sound(input[i]) * sin_turns(turns)
            phase += CENTRE / RATE
            phase -= np.floor(phase)
        heard = line[2 * LINE :]
        for i in range(size):
            heard[1 + i] = heard[LINE + 1 + i] = 0
        for j in range(TAPS):
            for i in range(size):
                heard[1 + i] += LOWPASS[j] * line[1 + i + j]
                heard[LINE + 1 + i] += LOWPASS[j] * line[LINE + 1 + i + j]
        for i in range(size):
            was_x, was_y, x, y = heard[i], heard[LINE + i], heard[1 + i], heard[LINE + 1 + i]
            along, across = x * was_x + y * was_y, y * was_x - x * was_y
            t = across / (along if along > FAINT else FAINT)
            t = min(max(t, np.float32(-1)), np.float32(1))
            s = t * t
            turned = t * (A1 + s * (A3 + s * (A5 + s * (A7 + s * A9))))
            out[i] = HALF + turned * BRIGHTNESS if along > FAINT else np.float32(0)
        heard[0], heard[LINE] = heard[size], heard[LINE + size]
        for k in range(TAPS):
            line[k], line[LINE + k] = line[size + k], line[LINE + size + k]
        state.phase = phase
        is_receiving = np.float32(1 if state.is_receiving != 0 else 0)
        for i in range(size):
            receiving[i] = is_receiving
        fence()
        state.written = written + min(size, room)
        state.lost += max(0, size - room)
        if state.begun != state.begun_told and state.header == 0:
            state.begun_told = state.begun
            state.header = event(0, state.kind)
        if state.rows != state.rows_told and state.line == 0:
            state.rows_told = state.rows
            state.line = event(0, state.rows)
        if state.made > state.made_told and state.picture == 0:
            state.made_told += 1
            state.picture = event(0, state.made_told)
