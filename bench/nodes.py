"""Microseconds a frame (160 samples, 20 ms) of single nodes at work, and of what makes them slower.

    python bench/nodes.py [--json] [--repeats 15]

bench/palette.py has all nodes of the palette, with noise at their inputs; bench/peers.py whole patches.
"""

import measure
import numpy as np

from graphvoip.node import Node
from graphvoip.nodes import Adsr, Biquad, Fade, Gain, LineIn, LineOut, Mix, Pcm, Sine, Tone
from graphvoip.plan import Plan
from graphvoip.rings import RATE, LineRing


def single() -> dict[str, Node]:
    """Their inputs are numbers, so nothing else is measured."""
    in_a_cycle = Gain(0.0, 0.5)
    in_a_cycle.input = in_a_cycle
    fading = Fade(0.5)
    fading.state["level"], fading.state["step"] = 0.5, 1e-12
    return {
        "gain": Gain(0.5, 0.9),
        "gain that feeds itself, sample by sample": in_a_cycle,
        "mix of 4": Mix(0.1, 0.2, 0.3, 0.4),
        "sine": Sine(),
        "sine, swept by another sine": Sine(freq=Sine(freq=1.0, amp=4000.0)),
        "adsr, while it sustains": Adsr(1.0),
        "adsr, while it falls": Adsr(1.0, decay=60.0),
        "tone": Tone(seconds=1e6),
        "biquad": Biquad(0.5),
        "biquad, swept by a sine": Biquad(0.5, freq=Sine(freq=1.0, amp=3000.0)),
        "pcm": Pcm(data=np.zeros(RATE), loop=True),
        "fade, while it fades": fading,
        "line_in": LineIn(ring=LineRing()),
        "line_out": LineOut(0.5, ring=LineRing()),
        "line_out, limiting": LineOut(2.0, ring=LineRing()),
    }


def one(name: str, node: Node, repeats: int) -> dict:
    plan = Plan([node])
    ((fastest, median),) = measure.alternate(repeats, (lambda: plan.run(2000), 2000))
    return {"node": name, "us": median, "fastest": fastest}


if __name__ == "__main__":
    options = measure.arguments(__doc__, repeats=15)
    rows = [one(name, node, options.repeats) for name, node in single().items()]
    measure.show({"microseconds a frame, one node": rows}, options.json)
