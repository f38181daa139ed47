import itertools
import logging
import time
from pathlib import Path

import numpy as np

from ..kernel import barrier, event, fence, floats_at, kernel
from ..node import Event, File, Node, Port, Signal, State
from ..rings import RATE

PIECE = 5 * RATE  # samples of a piece of memory: so much is lost at most when the machine stops
PIECES = 3  # one that is filled, one that comes next, one that is being written

log = logging.getLogger("graphvoip")


class Record(Node):
    """Record wires into a WAV file of 16 bits: one of them, or two as left and right.

    The file grows every 5 s and is complete when the node leaves the graph. In its name {call} and {time} stand for the
    call and for when it began. A file that is there already is never overwritten: the new one gets a number.

    >>> Record(Sine(freq=441) * 0.5, file="recordings/{call}.wav")
    """

    group = "graph"
    left = Signal(None, doc="what is recorded; the left channel if there is a right one")
    right = Signal(0.0, "x", doc="the right channel; without it the file is mono")
    file = File(None, "the WAV file; its folder is made")
    more = Event("a piece has been filled")
    state = State(memory="i8", filled="i8", at="i8", written="i8", lost="i8")

    def start(self):
        self.pieces = np.zeros((PIECES, PIECE, 2), np.float32)
        self.state["memory"] = self.pieces.ctypes.data
        self.saved = 0  # samples that are in the file
        self.path: Path | None = None
        self.stereo = False
        if self.file is not None and self.file.suffix.lower() not in (".wav", ".flac"):
            raise ValueError(f"record: file {str(self.file)!r} is no WAV or FLAC file; end its name in .wav")

    def join(self, graph):
        self.stereo = isinstance(self.wires["right"], Port)
        if self.file is not None and self.path is None:
            self.path = self._new_file(graph.name)
        graph.listen(self, "more", lambda sample, value: self.save())

    def leave(self):
        self.save()
        if self.state["lost"]:
            log.warning("%s: %d samples are lost, the disk was too slow", self.path, self.state["lost"])

    def _new_file(self, call: str) -> Path:
        """An empty file of its own, so that nobody else takes its name."""
        import soundfile

        name = self.file.name.replace("{call}", call.replace(" ", "-")).replace(
            "{time}", time.strftime("%Y%m%d-%H%M%S")
        )
        first = self.file.with_name(name)
        first.parent.mkdir(parents=True, exist_ok=True)
        path = first
        for number in itertools.count(2):
            try:
                path.touch(exist_ok=False)
                break
            except FileExistsError:
                path = first.with_stem(f"{first.stem}-{number}")
        soundfile.SoundFile(path, "w", RATE, 2 if self.stereo else 1, "PCM_16").close()
        return path

    def save(self) -> None:
        """Append what has come to the file. It is opened for that only, so what is in it can always be read."""
        written = int(self.state["written"])
        if self.path is None or written == self.saved:
            return
        import soundfile

        places = np.arange(self.saved, written) % (PIECES * PIECE)
        samples = self.pieces.reshape(-1, 2)[places]
        try:
            with soundfile.SoundFile(self.path, "r+") as file:
                file.seek(0, soundfile.SEEK_END)
                file.write(np.clip(samples if self.stereo else samples[:, 0], -1, 1))
        except (OSError, soundfile.LibsndfileError) as error:
            log.error("%s: %s; the recording is kept in memory for %g s", self.path, error, PIECES * PIECE / RATE)
            return
        self.saved = written
        barrier()
        self.state["filled"] = written  # the kernel may use this memory again

    @kernel
    def process(state, left, right):
        size = 2 * PIECES * PIECE
        memory = floats_at(state.memory, size)
        for i in range(left.size):
            if state.written - state.filled >= PIECES * PIECE:
                state.lost += 1
            else:
                at = 2 * (state.written % (PIECES * PIECE))
                memory[at], memory[at + 1] = left[i], right[i]
                state.written += 1
                if state.written % PIECE == 0:
                    state.more = event(i)
        fence()
