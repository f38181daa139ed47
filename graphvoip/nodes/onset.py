import numpy as np

from ..kernel import event, kernel, limited, sound
from ..node import Event, Node, Output, Signal, State
from ..rings import RATE

HOP = 40  # samples from one look to the next, 5 ms
PAST = 8  # hops that are remembered, a power of two
BANDS = 6
SOFT = 1e-3  # of the loudest band: what is 30 dB below it does not count
QUIET = 3e-6 * HOP  # energy in two hops, about -55 dBFS: what rises from below it rises from here
WIDE, NARROW = 2.5, 8.0  # dB that the bands must rise at sensitivity 1 and 0

# Bandpasses an octave apart, by the Audio EQ Cookbook: y = b (x - x'') - a1 y' - a2 y''.
_w = 2 * np.pi * np.array([120.0, 250.0, 500.0, 1000.0, 2000.0, 3200.0]) / RATE
_alpha = np.sin(_w) / (2 * 1.2)
B, A1, A2 = _alpha / (1 + _alpha), -2 * np.cos(_w) / (1 + _alpha), (1 - _alpha) / (1 + _alpha)


class Onset(Node):
    """A trigger where something begins: a plucked string, a drum, a syllable.

    In six bands an octave apart it compares the energy of the last 10 ms with the most that there was 10 to 30 ms
    before, and triggers when it has risen by so many dB on average over the bands (a rise by bands as in Klapuri,
    1999). It does so within 10 ms of a hard attack. One attack is one trigger: nothing more within `gap`, nor before
    the rise is over.

    >>> Decay(Onset(voice), time=0.1) * Noise()
    """

    group = "analysis"
    known_as = "attack detector, transient detector, beat detector, drum trigger, clap detector, hit"
    input = Signal(None, doc="what is listened to")
    sensitivity = Signal(0.5, "x", 0, 1, "0 hears only hard attacks, 1 the softest")
    gap = Signal(0.05, "s", 0.005, 10, "least time from one trigger to the next")
    out = Output("1 at the sample at which an attack has been heard, 0 elsewhere")
    attack = Event("an attack has been heard")
    state = State(
        left="i8",
        hops="i8",
        since="i8",
        rising="i8",
        z=("f8", 2 * BANDS),
        sums=("f8", BANDS),
        past=("f8", PAST * BANDS),
    )

    def start(self):
        self.state["left"] = HOP
        self.state["since"] = 1 << 40

    @kernel
    def process(state, input, sensitivity, gap, out):
        done = 0
        while done < out.size:
            size = min(out.size - done, state.left)
            for band in range(BANDS):
                b, a1, a2 = B[band], A1[band], A2[band]
                z0, z1, total = state.z[2 * band], state.z[2 * band + 1], state.sums[band]
                for i in range(done, done + size):
                    x = np.float64(sound(input[i]))
                    y = b * x + z0
                    z0 = z1 - a1 * y
                    z1 = -b * x - a2 * y
                    total += y * y
                state.z[2 * band], state.z[2 * band + 1], state.sums[band] = z0, z1, total
            out[done : done + size] = 0
            done += size
            state.since += size
            state.left -= size
            if state.left > 0:
                continue
            state.left = HOP
            hop = state.hops
            state.hops = hop + 1
            loudest = 0.0
            for band in range(BANDS):
                state.past[PAST * band + (hop & (PAST - 1))] = state.sums[band]
                state.sums[band] = 0.0
                loudest = max(loudest, state.past[PAST * band + (hop & (PAST - 1))])
            rise, floor = 0.0, QUIET + SOFT * loudest
            for band in range(BANDS):
                row = PAST * band
                now = state.past[row + (hop & (PAST - 1))] + state.past[row + ((hop - 1) & (PAST - 1))]
                before = 0.0
                for k in range(2, 6):
                    one = state.past[row + ((hop - k) & (PAST - 1))] + state.past[row + ((hop - k - 1) & (PAST - 1))]
                    before = max(before, one)
                rise += max(0.0, np.log10((now + floor) / (before + floor)))
            rise *= 10 / BANDS
            needed = NARROW + (WIDE - NARROW) * limited(sensitivity[done - 1], 0, 1)
            if rise < 0.5 * needed:
                state.rising = 0
            elif rise >= needed and state.rising == 0 and state.since >= limited(gap[done - 1], 0.005, 10) * RATE:
                state.rising, state.since = 1, 0
                out[done - 1] = 1
                if state.attack == 0:
                    state.attack = event(done - 1)
