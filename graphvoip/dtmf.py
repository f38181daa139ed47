"""Touch tones in a whole recording, found by the node `dtmf`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

CHUNK = 500  # frames run at once
TAIL = 800  # samples of silence after it, so that the last digit ends


def detect_dtmf(samples: "Collection[float]") -> list[tuple[str, float, float]]:
    """The digits in a recording, in their order: (digit, start, end), in seconds.

    samples: 8000 a second, a list or an array of floats; 1.0 is full scale.
    """
    import numpy as np

    from .nodes.dtmf import Dtmf
    from .nodes.pcm import Pcm
    from .pcm import samples as as_samples
    from .plan import Plan, run_to_event
    from .rings import FRAME, RATE

    data: Any = as_samples(samples, "detect_dtmf")
    data = np.concatenate([data, np.zeros(TAIL, np.float32)])
    node = Dtmf(Pcm(data=data))
    plan = Plan([node])
    frames, done, found = -(-len(data) // FRAME), 0, []
    names = list(node.slots.events)
    while done < frames:
        done += int(run_to_event(plan.address, min(CHUNK, frames - done)))
        for token, at, value in plan.taken_events():
            if token >> 4 == node.id and names[token & 15] == "release":
                end = (done - 1) * FRAME + at + 1 - (value >> 32)
                length = value >> 8 & 0xFFFFFF
                found.append((chr(value & 0xFF), (end - length) / RATE, end / RATE))
    return found
