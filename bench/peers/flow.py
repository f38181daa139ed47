"""The five patches for SignalFlow, rendered block by block without a sound card."""

import time
from typing import Any

import signalflow as sf

from . import *  # noqa: F403


def p1() -> sf.Node:
    low = sf.BiquadFilter(sf.Sum([sf.SineOscillator(freq) for freq in P1_FREQS]), "low_pass", P1_CORNER, P1_Q)
    return low * P1_GAIN


def p2() -> sf.Node:
    gate = sf.SquareLFO(P2_GATE)
    voices = []
    for freq in P2_FREQS:
        swept = sf.SineOscillator(sf.SineOscillator(2 * freq) * (2 * freq) + freq)
        voices.append(swept * sf.ADSREnvelope(P2_ATTACK, P2_DECAY, P2_SUSTAIN, P2_RELEASE, gate))
    return sf.Tanh(sf.Sum(voices) * P2_GAIN)


def p3() -> sf.Node:
    (low, high), (a, b) = P3_TONES, P3_LEVELS
    key = sf.SquareLFO(1 / (P3_ON + P3_OFF))
    return (sf.SineOscillator(low) * a + sf.SineOscillator(high) * b) * key + sf.WhiteNoise() * P3_NOISE


def p4() -> sf.Node:
    sound = sf.SineOscillator(P4_FREQ)
    for gain in P4_GAINS:
        sound = sound * gain
    return sound


def p5() -> sf.Node:
    return sf.Sum([sf.SineOscillator(freq) * P5_EACH for freq in P5_FREQS]) * P5_GAIN


class Peer:
    def __init__(self):
        config = sf.AudioGraphConfig()
        config.sample_rate = RATE
        config.output_buffer_size = FRAME
        config.cpu_usage_limit = 0
        self.graph = sf.AudioGraph(config=config, output_device=sf.AudioOut_Dummy(1, RATE, FRAME), start=False)

    def sound(self, name: str, seconds: float) -> Any:
        node = globals()[name.lower()]()
        self.graph.play(node)
        buffer = self.graph.render_to_new_buffer(round(seconds * RATE))
        self.graph.stop(node)
        return buffer.data[0].copy()

    def time(self, name: str, frames: int) -> float:
        node = globals()[name.lower()]()
        self.graph.play(node)
        begin = time.process_time()
        for _ in range(frames):
            self.graph.render(FRAME)
        spent = time.process_time() - begin
        self.graph.stop(node)
        return spent
