import numpy as np

from ..dsp import hermite
from ..kernel import HUGE, bipolar, floats_at, kernel, limited, shuffled, sin_turns
from ..node import Node, Option, Output, Signal, Sound, State
from ..rings import RATE

MANY = 32  # grains at once
SHORT, LONG = 0.002, 2.0  # s


def _tone() -> np.ndarray:
    """What is heard without a sound: a second of a tone whose overtones come and go."""
    t = np.arange(RATE) / RATE
    parts = [np.sin(2 * np.pi * 220 * k * t) * (1 + np.cos(2 * np.pi * (t - k / 5))) / (2 * k) for k in range(1, 6)]
    return 0.5 * np.sum(parts, 0)


class Grains(Node):
    """A cloud of grains: short pieces of a sound, each under a Hann window, at many places and pitches (Roads, 1978).

    A grain takes position, rate and size as they are when it begins. Position 0 is the grain at the sound's beginning,
    1 the one at its end. Up to 32 sound at once, so density is held to 30 / size. The level hardly depends on density;
    grains that are alike, from one place, add up to more. A grain costs 0.5 us a frame, all of them 15 us.

    >>> Grains(density=40, size=0.08, spread=0.5, rate=Lfo(freq=0.5, low=0.5, high=2))
    """

    group = "sources"
    known_as = "granular synthesis, granular, cloud, clouds, time stretch, texture"
    density = Signal(30.0, "Hz", 0, 1000, "grains a second")
    size = Signal(0.1, "s", SHORT, LONG, "length of a grain")
    position = Signal(0.5, "x", 0, 1, "where in the sound a grain is taken; move it to go through the sound")
    spread = Signal(0.1, "x", 0, 1, "how far from there it may be, by chance")
    rate = Signal(1.0, "x", -8, 8, "pitch: 2 is an octave up, below 0 is backwards")
    jitter = Signal(0.5, "x", 0, 1, "0: grains begin at equal distances; 1: quite by chance")
    data = Sound(None, "the sound that is taken apart; without it a tone")
    seed = Option(None, "its own noise; without it a patch gives it one")
    out = Output()
    state = State(random="u8", address="i8", count="i8", next="f8", begin=("f8", MANY), speed=("f8", MANY),
                  gain=("f8", MANY), age=("i8", MANY), length=("i8", MANY))  # fmt: skip

    def start(self):
        data = self.data if self.data.size else _tone()
        data = np.where(np.abs(data) < HUGE, data, 0)  # nor what is not a number
        # One sample before and three after, as if it were a ring: the cubic looks at four.
        self.table = np.concatenate([data[-1:], data, np.resize(data, 3)]).astype(np.float32)
        self.state["address"], self.state["count"] = self.table.ctypes.data, data.size

    @kernel
    def process(state, density, size, position, spread, rate, jitter, out):
        count, random, next = state.count, state.random, state.next
        data = floats_at(state.address, count + 4)
        for i in range(out.size):
            out[i] = 0
        made = 0
        while made < out.size:
            while next <= 0:  # a grain begins at this sample
                seconds, speed = limited(size[made], SHORT, LONG), limited(rate[made], -8, 8)
                random = shuffled(random)
                place = abs(limited(position[made], 0, 1) + limited(spread[made], 0, 1) * bipolar(random))
                place = place if place < 1 else 2 - place
                random = shuffled(random)
                next += max(0.02, 1 + limited(jitter[made], 0, 1) * bipolar(random))
                overlap = seconds * limited(density[made], 0, 1000)
                free = -1
                for k in range(MANY):
                    free = k if state.age[k] >= state.length[k] else free
                if free >= 0:
                    length = np.int64(seconds * RATE + 0.5)
                    span = length * abs(speed)
                    begin = place * max(0.0, count - 1 - span)
                    state.begin[free] = begin if speed >= 0 else begin + span
                    state.speed[free] = speed
                    state.gain[free] = 1 / np.sqrt(max(1.0, min(30.0, overlap)))
                    state.length[free], state.age[free] = length, 0
            until = made
            while until < out.size and next > 0:
                seconds = limited(size[until], SHORT, LONG)
                next -= min(limited(density[until], 0, 1000), 30 / seconds) * (1 / RATE)
                until += 1
            for k in range(MANY):
                age, length = state.age[k], state.length[k]
                some = min(until - made, length - age)
                if some > 0:
                    begin, speed, gain = state.begin[k], state.speed[k], np.float32(state.gain[k])
                    block = out[made : made + some]
                    for i in range(some):
                        place = begin + (age + i) * speed
                        place -= np.floor(place / count) * count
                        n = max(0, min(np.int64(place), count - 1))
                        x = np.float32(place - n)
                        y = hermite(data[n], data[n + 1], data[n + 2], data[n + 3], x)
                        window = sin_turns(np.float32((age + i + 0.5) / (2 * length)))
                        block[i] += gain * window * window * y
                    state.age[k] = age + some
            made = until
        state.random, state.next = random, next
