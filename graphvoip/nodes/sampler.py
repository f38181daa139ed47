import numpy as np
from numba import njit

from ..dsp import hermite
from ..kernel import HUGE, OPTIONS, event, floats_at, kernel, limited, sound
from ..node import Event, Node, Option, Output, Signal, Sound, State
from ..rings import RATE


@njit(**OPTIONS)
def near(data, at, low, high, up, down):
    """data[at]; beyond an end of the loop, if it goes on there, from its other end; 0 where nothing is."""
    if up and at >= high:
        at = low + (at - low) % (high - low)
    elif down and at < low:
        at = high - 1 - (low - 1 - at) % (high - low)
    return data[at] if 0 <= at < data.size else np.float32(0)


class Sampler(Node):
    """Play a sound at any speed, forwards or backwards, once or in a loop.

    It plays at once; with a signal at `trigger`, each time that this rises above 0, from the start again. What is
    between two samples comes from a cubic curve; at rate 1 the samples are those of the sound, bit for bit. A rate
    above 1 brings aliases of what it lifts beyond 4000 Hz: play a sound without such heights. A playback ends with the
    first `done`: to trigger it time and again, play it in a Mix.

    >>> drop = np.sin(np.linspace(0, 20, 1600) ** 2) * np.linspace(1, 0, 1600)
    >>> Sampler(data=drop, rate=Sine(freq=0.5, amp=2), trigger=Impulse(freq=4), amp=0.5)
    """

    group = "sources"
    known_as = "sample player, one-shot, looper, varispeed, turntable, akai, mellotron, scratch"
    rate = Signal(1.0, "x", -8, 8, "speed: 2 is an octave up, -1 backwards, 0 stands still")
    trigger = Signal(1.0, "trigger", doc="begins it, again and again; without a wire it begins at once")
    begin = Signal(0.0, "s", 0, doc="how far into the sound a start is; backwards it counts from the end")
    amp = Signal(1.0, "x", doc="level; 1 leaves the sound as it is")
    data = Sound(None, "samples at 8000 Hz, 1.0 is full scale, or the name of a sound file")
    loop = Option(False, "go on for ever, from `loop_end` to `loop_start` without a gap")
    loop_start = Option(0.0, "where the loop begins", unit="s", low=0, high=86400)
    loop_end = Option(None, "where the loop ends; without it at the end of the sound", unit="s", low=0, high=86400)
    out = Output()
    done = Event("it has played to its end; never in a loop. A trigger may start it again, and so it may come again")
    state = State(address="i8", size="i8", low="i8", high="i8", loop_="i8",
                  at="f8", playing="i8", again="i8", on="i8")  # fmt: skip

    def start(self):
        size = self.data.size
        low, high = round(self.loop_start * RATE), size if self.loop_end is None else round(self.loop_end * RATE)
        if high > size:
            raise ValueError(f"sampler: loop_end {self.loop_end:g} s is beyond the end of the sound, {size / RATE:g} s")
        if low >= high and (size or low):
            raise ValueError(
                f"sampler: loop_start {self.loop_start:g} s is not before the loop's end, {high / RATE:g} s"
            )
        self.sound = np.where(np.abs(self.data) < HUGE, self.data, np.float32(0))
        self.state["address"] = self.sound.ctypes.data
        self.state["size"] = size
        self.state["low"], self.state["high"] = low, high
        self.state["loop_"] = bool(self.loop)

    @kernel
    def process(state, rate, trigger, begin, amp, out):
        size, low, high, loop = state.size, state.low, state.high, state.loop_
        at, playing, again, on = state.at, state.playing, state.again, state.on
        data = floats_at(state.address, size)
        for i in range(out.size):
            speed = limited(sound(rate[i]), -8, 8)
            if trigger[i] > 0 and on == 0:
                at = np.floor(limited(sound(begin[i]), 0, size / RATE) * RATE + 0.5)
                at = max(0.0, min(at, size - 1.0))
                at = at if speed >= 0 else size - 1 - at
                playing, again = 1, 0
            on = 1 if trigger[i] > 0 else 0
            if playing == 0:
                out[i] = 0
                continue
            k = np.int64(np.floor(at))
            f = np.float32(at - k)
            up, down = loop > 0 and k < high, again > 0
            if k > (low if down else 0) and k + 2 < (high if up else size):
                a, b, c, d = data[k - 1], data[k], data[k + 1], data[k + 2]
            else:
                a, b = near(data, k - 1, low, high, up, down), near(data, k, low, high, up, down)
                c, d = near(data, k + 1, low, high, up, down), near(data, k + 2, low, high, up, down)
            out[i] = hermite(a, b, c, d, f) * sound(amp[i])
            at += speed
            if loop > 0 and size > 0:
                if speed > 0 and at >= high:
                    at -= (high - low) * np.floor((at - low) / (high - low))
                    again = 1
                elif speed < 0 and at < low:
                    at += (high - low) * np.ceil((low - at) / (high - low))
                    again = 1
            elif not (-1 < at < size):
                playing = 0
                if state.done == 0:
                    state.done = event(i)
        state.at, state.playing, state.again, state.on = at, playing, again, on
