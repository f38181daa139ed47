"""The five patches for Faust, which compiles each as a whole, through DawDreamer. Gains are sliders, as one would have
them: a gain that is a constant would be gone before anything runs.
"""

import time
from typing import Any

import dawdreamer

from . import patches as p

INSTALL = "pip install dawdreamer (--peers-python says where)"
BASE = 'import("stdfaust.lib");\n'


def p1() -> str:
    sines = " + ".join(f"os.osc({freq})" for freq in p.P1_FREQS)
    coefficients = ", ".join(str(c) for c in (*p.P1_B, *p.P1_A))
    return f'process = {sines} : fi.tf2({coefficients}) : *(hslider("gain", {p.P1_GAIN}, 0, 1, 0.001));'


def p2() -> str:
    envelope = f"en.adsr({p.P2_ATTACK}, {p.P2_DECAY}, {p.P2_SUSTAIN}, {p.P2_RELEASE}, gate)"
    voices = [f"os.osc(os.osc({2 * freq}) * {2 * freq} + {freq}) * {envelope}" for freq in p.P2_FREQS]
    gain = f'hslider("gain", {p.P2_GAIN}, 0, 1, 0.001)'
    return f"gate = os.lf_squarewavepos({p.P2_GATE});\nprocess = ({' + '.join(voices)}) * {gain} : ma.tanh;"


def p3() -> str:
    tones = " + ".join(f"os.osc({freq}) * {level}" for freq, level in zip(p.P3_TONES, p.P3_LEVELS, strict=True))
    key = f"os.lf_squarewavepos({1 / (p.P3_ON + p.P3_OFF)})"
    return f"process = ({tones}) * {key} + no.noise * {p.P3_NOISE};"


def p4() -> str:
    gains = [f'*(hslider("gain {k:02}", {gain}, 0, 1, 0.001))' for k, gain in enumerate(p.P4_GAINS)]
    return f"process = os.osc({p.P4_FREQ}) : {' : '.join(gains)};"


def p5() -> str:
    sines = [
        f'os.osc({freq}) * hslider("gain {k:03}", {p.P5_EACH}, 0, 1, 0.00001)' for k, freq in enumerate(p.P5_FREQS)
    ]
    return f'process = ({" + ".join(sines)}) * hslider("gain", {p.P5_GAIN}, 0, 1, 0.001);'


class Peer:
    def __init__(self):
        self.engines: dict[str, Any] = {}

    def engine(self, name: str) -> Any:
        if name not in self.engines:
            engine = self.engines[name] = dawdreamer.RenderEngine(p.RATE, p.FRAME)
            patch = engine.make_faust_processor(name)
            patch.set_dsp_string(BASE + globals()[name.lower()]())
            if not patch.compile():
                raise RuntimeError(f"Faust could not compile {name}")
            engine.load_graph([(patch, [])])
        return self.engines[name]

    def sound(self, name: str, seconds: float) -> Any:
        self.engine(name).render(seconds)
        return self.engine(name).get_audio()[0]

    def time(self, name: str, frames: int) -> float:
        engine = self.engine(name)
        begin = time.process_time()
        engine.render(frames * p.FRAME / p.RATE)
        return time.process_time() - begin
