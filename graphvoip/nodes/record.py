import logging
import struct
from pathlib import Path
from typing import Any

import numpy as np

from ..files import check_words, new_file, reason
from ..kernel import barrier, event, fence, floats_at, kernel
from ..node import Event, File, Node, Output, Port, Signal, State
from ..rings import RATE

PIECE = 5 * RATE  # samples of a piece of memory: so much is lost at most when the machine stops
PIECES = 3  # one that is filled, one that comes next, one that is being written

HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")  # of a WAV file

log = logging.getLogger("graphvoip")


def _header(frame: int, size: int) -> bytes:
    """The header of `size` bytes of samples. A file that is too long for it is read to its end all the same."""
    size = min(size, 0xFFFFFFFF - HEADER.size)
    form = (b"fmt ", 16, 1, frame // 2, RATE, frame * RATE, frame, 16)
    return HEADER.pack(b"RIFF", HEADER.size - 8 + size, b"WAVE", *form, b"data", size)


def _write_all(file: Any, data: bytes) -> None:
    """A disk that is nearly full takes a part, and says why only when it is asked to take the rest."""
    while data:
        data = data[file.write(data) :]


class Record(Node):
    """Record wires into a WAV file of 16 bits: one of them, or two as left and right.

    The file grows every 5 s and is complete when the node leaves the graph. In its name, and in its folders, {call} and
    {time} stand for the call and for when it began. A file that is there already is never overwritten: the new one gets
    a number. While the disk takes nothing, 15 s are kept in memory and it is tried again every 5 s; what comes beyond
    them is lost, and told.

    >>> tone = Sine(freq=441) * 0.5
    >>> Record(tone, file="recordings/{call}.wav")
    >>> tone
    """

    group = "graph"
    known_as = "recorder, wav writer, tape, capture, call recording, dump"
    is_sink = True
    left = Signal(None, doc="what is recorded; the left channel if there is a right one")
    right = Signal(0.0, "x", doc="the right channel; without it the file is mono")
    file = File(None, "the WAV file; its folder is made")
    out = Output("the left signal as it is")
    more = Event("a piece has been filled, or lost: it is time to write")
    state = State(memory="i8", filled="i8", written="i8", lost="i8")

    def start(self):
        self.pieces = np.zeros((PIECES, PIECE, 2), np.float32)
        self.state["memory"] = self.pieces.ctypes.data
        self.saved = 0  # samples that are in the file; what follows them there was written in part
        self.path: Path | None = None  # until it could be made
        self.call = ""
        self.stereo = False
        self.in_trouble = False
        self.error = "the disk was too slow"  # the last one
        if self.file is not None and self.file.suffix.lower() != ".wav":
            raise ValueError(f"record: file {str(self.file)!r} is no WAV file; end its name in .wav")
        if self.file is not None:
            check_words("record", self.file, "call")

    def join(self, graph):
        self.stereo = isinstance(self.wires["right"], Port)
        self.call = graph.name
        if self.path is None:
            self.save()
        graph.listen(self, "more", lambda sample, value: self.save())

    def leave(self):
        if self.file is None:
            return
        self._append()
        lost = int(self.state["lost"]) + int(self.state["written"]) - self.saved
        if lost:
            where = self.path or self.file
            log.error("%s: %d samples are lost, they could not be written: %s", where, lost, self.error)

    def save(self) -> None:
        """Append what has come to the file. Trouble is told once, until it is over."""
        known = self.in_trouble
        self._append()
        if self.in_trouble and not known:
            log.error(
                "%s: %s; tried again every %g s, what does not fit into a memory of %g s is lost",
                self.path or self.file, self.error, PIECE / RATE, PIECES * PIECE / RATE,
            )  # fmt: skip

    def _append(self) -> None:
        """The file is opened for this only, so what is in it can always be read. It never raises."""
        written = int(self.state["written"])
        if self.file is None or written == self.saved > 0:
            return
        try:
            if self.path is None:
                self.path = new_file(self.file, call=self.call)
            samples = self.pieces.reshape(-1, 2)[np.arange(self.saved, written) % (PIECES * PIECE)]
            self._write(np.clip(samples if self.stereo else samples[:, :1], -1, 1))
        except Exception as error:  # a disk that is full, or has gone: the call goes on
            self.in_trouble, self.error = True, reason(error, self.path or self.file)
            return
        self.saved, self.in_trouble = written, False
        barrier()
        self.state["filled"] = written  # the kernel may use this memory again

    def _write(self, samples: np.ndarray) -> None:
        """Put samples behind those that are saved: first them, then the header that says that they are there."""
        data = np.rint(samples * 32768).clip(-32768, 32767).astype("<i2").tobytes()
        frame = 4 if self.stereo else 2  # bytes
        assert self.path
        with open(self.path, "r+b", buffering=0) as file:
            file.seek(HEADER.size + frame * self.saved)  # and not its end: a try that failed may have written a part
            _write_all(file, data)
            file.seek(0)
            _write_all(file, _header(frame, frame * self.saved + len(data)))

    @kernel
    def process(state, left, right, out):
        size = 2 * PIECES * PIECE
        memory = floats_at(state.memory, size)
        for i in range(out.size):
            out[i] = left[i]
            if state.written - state.filled >= PIECES * PIECE:
                state.lost += 1
                if state.lost % PIECE == 0:  # so that writing is tried again
                    state.more = event(i)
            else:
                at = 2 * (state.written % (PIECES * PIECE))
                memory[at], memory[at + 1] = left[i], right[i]
                state.written += 1
                if state.written % PIECE == 0:
                    state.more = event(i)
        fence()
