from ..kernel import kernel, nth
from ..node import Node, Output, Signals


class Mix(Node):
    """The sum of any number of signals: Mix(a, b, c). Nothing is scaled; put a Gain after it.

    >>> Mix(Sine(freq=440), Sine(freq=550), Sine(freq=660)) * 0.3
    """

    group = "dynamics"
    known_as = "mixer, sum, bus, adder, summing amplifier"
    inputs = Signals("the signals to sum")
    out = Output()

    @kernel
    def process(inputs, out):
        out[:] = 0
        for k in range(inputs.addresses.size):
            signal = nth(inputs, k)
            for i in range(out.size):
                out[i] += signal[i]
