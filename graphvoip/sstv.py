"""Pictures by telephone: slow-scan television, both ways. Extra: `sstv` (Pillow).

    samples = sstv_encode("cat.jpg", "PD120")
    for image, mode, start in sstv_decode(samples):
        image.save("cat.png")

The nodes `sstv` and `sstv_receive` do the same on a call.
"""

import os
from typing import Any

import numpy as np

from .sstv_modes import LEVELS, mode_of

CHUNK = 1500  # frames that are made at once: a recorder has memory for as long


def sstv_encode(
    image: Any,
    mode: str = "M1",
    fsk_id: str | None = None,
    *,
    vox: bool = False,
    fit: str = "crop",
    levels: str = "full",
) -> np.ndarray:
    """A picture as sound: float32 samples at 8000 Hz, to be played to a receiver.

    image: a Pillow image, the name of a file, or an array (height, width, 3) of uint8. It is scaled to the mode's size,
        in its right proportions: `fit` is "crop", the frame is filled, or "pad", all of the picture between bars.
    mode: M1 M2 S1 S2 SDX R36 R72 BW8 BW12 BW24 PD50 PD90 PD120 PD160 PD180 PD240 PD290 P3 P5 P7 W120 W180.
    fsk_id: who sends, told after the picture. vox: begin with eight tones that open a transmitter.
    levels: of Y in Robot and PD modes: "full", 0 to 255, or "studio", 16 to 235, for receivers such as MMSSTV.

    Raises ValueError for a mode that there is not and for a file that is no picture, ImportError without Pillow. The
    samples are those of the node `sstv`, bit for bit.
    """
    from .nodes.recorder import Recorder
    from .nodes.sstv import Sstv
    from .plan import Plan
    from .rings import FRAME

    options: dict[str, Any] = {"mode": mode_of(mode, "sstv_encode").name, "vox": vox, "fit": fit,
                               "levels": levels}  # fmt: skip
    options["file" if isinstance(image, (str, os.PathLike)) else "image"] = image
    node = Sstv(**options, fsk_id=fsk_id or "")
    end = int(node.state["end"])
    recorder = Recorder(node, limit=end)
    plan = Plan([recorder])
    left = -(-end // FRAME)
    while left > 0:
        plan.run(min(CHUNK, left))
        left -= CHUNK
        recorder.grow()
    return recorder.recorded()


def sstv_decode(samples: Any, mode: str | None = None, *, levels: str = "full") -> list[tuple[Any, str, float]]:
    """The pictures in a recording: a list of (Pillow image, mode, second at which its header begins).

    samples: at 8000 Hz, any sequence of floats. mode: told, a picture is found though its header was missed, and
    begins with the first row that is there. levels: as the sender has them, see sstv_encode. What else is known of a
    picture is in its `info`: rows, complete, fsk_id, hz and ppm by which the sender was off, the share of lost pixels.
    """
    from .pcm import samples as as_samples
    from .sstv_decoder import decode

    told = mode_of(mode, "sstv_decode") if mode is not None else None
    if levels not in LEVELS:
        raise ValueError(f"sstv_decode: levels {levels!r} is none of {', '.join(LEVELS)}")
    found = decode(as_samples(samples, "sstv_decode"), told, levels)
    return [(one.image(), one.mode.name, one.start) for one in found]
