import numpy as np
from numba import njit

from ..dsp import hermite
from ..kernel import HUGE, OPTIONS, floats_at, kernel, limited, sound
from ..node import Node, Option, Output, Signal, Sound, State
from ..rings import RATE

EXTRA = 3  # each wave is stored with its last sample before it and its first two after it


@njit(**OPTIONS)
def value(data, at, f):
    """The curve through data[at .. at + 3], f of the way from the second to the third."""
    return hermite(data[at], data[at + 1], data[at + 2], data[at + 3], f)


class Wavetable(Node):
    """Oscillator that reads one turn of any wave from a table, or goes between several of them.

    What is between two samples comes from a cubic curve. A table is read as it is: harmonics that the pitch lifts
    beyond 4000 Hz come back below as aliases, so a table with k harmonics is clean up to 4000 / k Hz. The wave that is
    there without a table has 8. A table's mean, if it has one, is heard too.

    >>> waves = np.repeat([0, 1, 0, -1, 1, 1, -1, -1], 8)  # a narrow wave and a square
    >>> Wavetable(table=waves, waves=2, freq=110, position=Sine(freq=0.5, amp=0.5) + 0.5, amp=0.5)
    """

    group = "sources"
    known_as = "ppg, wavetable oscillator, vector synthesis, waldorf, single-cycle waveform, vco"
    freq = Signal(440.0, "Hz", 0, RATE / 2, "pitch")
    position = Signal(
        0.0, "x", 0, 1, "which of the table's waves: 0 the first, 1 the last, between them a blend of two"
    )
    amp = Signal(1.0, "x", doc="level; 1 leaves the table as it is")
    table = Sound(None, "one turn of the wave, 2 samples or more; or several turns of equal length, see `waves`")
    waves = Option(1, "how many waves the table holds, one after the other", low=1, high=4096)
    out = Output()
    state = State(phase="f8", table_="i8", size="i8", waves_="i8")

    def start(self):
        turns = np.arange(512) / 512
        bright = np.sum([np.sin(2 * np.pi * k * turns) / k for k in range(1, 9)], axis=0)
        table = self.table if self.table.size else np.tile(bright / bright.max(), self.waves)
        size = table.size // self.waves
        if table.size != size * self.waves or size < 2:
            raise ValueError(
                f"wavetable: table has {table.size} samples; {self.waves} waves of equal length, 2 samples or more, "
                "cannot be made of them"
            )
        table = np.where(np.abs(table) < HUGE, table, 0).reshape(self.waves, size)
        self.rows = np.ascontiguousarray(np.hstack([table[:, -1:], table, table[:, :2]]), np.float32)
        self.state["table_"] = self.rows.ctypes.data
        self.state["size"] = size
        self.state["waves_"] = self.waves

    @kernel
    def process(state, freq, position, amp, out):
        size, waves = state.size, state.waves_
        stride = size + EXTRA
        data = floats_at(state.table_, waves * stride)
        phase = state.phase
        for i in range(out.size):
            x = phase * size
            k = max(0, min(np.int64(x), size - 1))
            f = np.float32(x - k)
            if waves == 1:
                y = value(data, k, f)
            else:
                wave = limited(position[i], 0, 1) * (waves - 1)
                row = max(0, min(np.int64(wave), waves - 2))
                one, other = value(data, row * stride + k, f), value(data, (row + 1) * stride + k, f)
                y = one + np.float32(wave - row) * (other - one)
            out[i] = y * sound(amp[i])
            phase += limited(freq[i], 0, RATE / 2) / RATE
            phase -= np.floor(phase)
        state.phase = phase
