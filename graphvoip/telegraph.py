"""Text in recordings: what `fsk`, `caller_id` and `morse` send, and how it is read. Whole recordings, any length.

    samples = fsk_encode("HELLO", "tdd")
    assert fsk_decode(samples, "tdd") == "HELLO"

On a call the nodes `fsk`, `fsk_receive`, `caller_id`, `morse`, `morse_receive` do the same.
"""

from typing import Any

import numpy as np

from .codes import STANDARDS, parsed
from .node import Node
from .nodes.caller_id import CallerId
from .nodes.fsk import Fsk
from .nodes.fsk_receive import FskReceive
from .nodes.morse import Morse
from .nodes.morse_receive import MorseReceive
from .nodes.pcm import Pcm
from .nodes.recorder import Recorder
from .plan import Plan
from .rings import FRAME, RATE

CHUNK = 50  # frames at once: a receiver keeps more characters than come in a second


def fsk_encode(text: str, standard: str = "bell103", **options: Any) -> np.ndarray:
    """A text as a modem sends it, float32 at 8000 Hz. standard, options: those of the node `fsk`."""
    return _all_of(Fsk(text=text, standard=standard, **options))


def fsk_decode(samples: Any, standard: str = "bell103", **options: Any) -> str:
    """The text that a modem has sent in a recording. standard, options: those of the node `fsk_receive`."""
    return _read(FskReceive(_source(samples, "fsk_decode"), standard=standard, **options))


def caller_id_encode(number: str, name: str = "", when: str = "", **options: Any) -> np.ndarray:
    """Who calls, as a telephone hears it. options: those of the node `caller_id`."""
    return _all_of(CallerId(number=number, caller=name, when=when, **options))


def caller_id_decode(samples: Any, standard: str = "bell202") -> dict[str, str] | None:
    """Who calls: number, name and when, as far as the message has them; None if there is no message."""
    if standard not in STANDARDS:
        raise ValueError(f"caller_id_decode: standard {standard!r} is none of {', '.join(STANDARDS)}")
    node, found = FskReceive(_source(samples, "caller_id_decode"), standard=standard), b""
    for _ in _chunks(node):
        found += node.take_bytes()
    return parsed(found)


def morse_encode(text: str, wpm: float = 20.0, freq: float = 600.0, **options: Any) -> np.ndarray:
    """A text in Morse code. options: those of the node `morse`."""
    return _all_of(Morse(text=text, wpm=wpm, freq=freq, **options))


def morse_decode(samples: Any, freq: float | None = None, wpm: float | None = None) -> str:
    """The text of a recording in Morse code. freq, wpm: known ones; without them they are found."""
    source = _source(samples, "morse_decode")
    if freq is None:
        freq = _loudest(source.data)
    if wpm is None:  # the first time through, for the speed
        node = MorseReceive(source, freq=freq)
        for _ in _chunks(node):
            pass
        wpm = float(np.clip(node.samples("speed")[-1], 5, 60))
        source = Pcm(data=source.data)
    return _read(MorseReceive(source, freq=freq, wpm=wpm)).strip()


def _loudest(data: np.ndarray) -> float:
    """The pitch that is there most, of 200 to 3000 Hz."""
    from scipy.signal import welch

    size = 1024
    if len(data) < size:
        return 600.0
    freq, power = welch(data, RATE, nperseg=size, noverlap=0, nfft=4 * size)
    within = (freq >= 200) & (freq < 3000)
    return float(freq[within][power[within].argmax()])


def _source(samples: Any, what: str) -> Pcm:
    from .pcm import samples as as_samples

    return Pcm(data=np.concatenate([as_samples(samples, what), np.zeros(RATE, np.float32)]))


def _chunks(node: Any) -> Any:
    plan, left = Plan([node]), -(-len(node.input.node.data) // FRAME)
    while left > 0:
        plan.run(min(CHUNK, left))
        left -= CHUNK
        yield


def _read(node: Any) -> str:
    return "".join(node.take() for _ in _chunks(node))


def _all_of(node: Node) -> np.ndarray:
    end = int(node.state["end"])
    recorder = Recorder(node, limit=end)
    plan, left = Plan([recorder]), -(-end // FRAME)
    while left > 0:
        plan.run(min(CHUNK, left))
        left -= CHUNK
        recorder.grow()
    return recorder.recorded()
