"""The five patches for SignalFlow, rendered block by block without a sound card."""

import time
from typing import Any

import signalflow as sf

from . import patches as p


def p1() -> sf.Node:
    low = sf.BiquadFilter(sf.Sum([sf.SineOscillator(freq) for freq in p.P1_FREQS]), "low_pass", p.P1_CORNER, p.P1_Q)
    return low * p.P1_GAIN


def p2() -> sf.Node:
    gate = sf.SquareLFO(p.P2_GATE)
    voices = []
    for freq in p.P2_FREQS:
        swept = sf.SineOscillator(sf.SineOscillator(2 * freq) * (2 * freq) + freq)
        voices.append(swept * sf.ADSREnvelope(p.P2_ATTACK, p.P2_DECAY, p.P2_SUSTAIN, p.P2_RELEASE, gate))
    return sf.Tanh(sf.Sum(voices) * p.P2_GAIN)


def p3() -> sf.Node:
    (low, high), (a, b) = p.P3_TONES, p.P3_LEVELS
    key = sf.SquareLFO(1 / (p.P3_ON + p.P3_OFF))
    return (sf.SineOscillator(low) * a + sf.SineOscillator(high) * b) * key + sf.WhiteNoise() * p.P3_NOISE


def p4() -> sf.Node:
    sound = sf.SineOscillator(p.P4_FREQ)
    for gain in p.P4_GAINS:
        sound = sound * gain
    return sound


def p5() -> sf.Node:
    return sf.Sum([sf.SineOscillator(freq) * p.P5_EACH for freq in p.P5_FREQS]) * p.P5_GAIN


class Peer:
    def __init__(self):
        config = sf.AudioGraphConfig()
        config.sample_rate = p.RATE
        config.output_buffer_size = p.FRAME
        config.cpu_usage_limit = 0
        self.graph = sf.AudioGraph(config=config, output_device=sf.AudioOut_Dummy(1, p.RATE, p.FRAME), start=False)

    def sound(self, name: str, seconds: float) -> Any:
        node = globals()[name.lower()]()
        self.graph.play(node)
        buffer = self.graph.render_to_new_buffer(round(seconds * p.RATE))
        self.graph.stop(node)
        return buffer.data[0].copy()

    def time(self, name: str, frames: int) -> float:
        node = globals()[name.lower()]()
        self.graph.play(node)
        begin = time.process_time()
        for _ in range(frames):
            self.graph.render(p.FRAME)
        spent = time.process_time() - begin
        self.graph.stop(node)
        return spent
