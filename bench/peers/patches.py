"""The five patches in numbers, for every peer the same.

P1: 16 sines, mix, lowpass, gain. P2: 8 voices (a sine swept by another one, times an ADSR envelope), mix, gain, tanh;
all envelopes follow one gate. P3: touch tones, noise, mix; P3+: and a Goertzel filter for each of the 8 tones. P4: a
sine and 64 gains. P5: 249 sines, each with a gain, mix, gain.
"""

import math

RATE, FRAME = 8000, 160
NAMES = ("P1", "P2", "P3", "P4", "P5")

P1_FREQS = [200.0 + 100 * k for k in range(16)]
P1_CORNER, P1_Q, P1_GAIN = 1200.0, 0.7071, 0.05
_w = 2 * math.pi * P1_CORNER / RATE
_alpha, _c = math.sin(_w) / (2 * P1_Q), math.cos(_w)
P1_B = [b / (1 + _alpha) for b in ((1 - _c) / 2, 1 - _c, (1 - _c) / 2)]
P1_A = [a / (1 + _alpha) for a in (-2 * _c, 1 - _alpha)]

P2_FREQS = [55.0 * k for k in range(2, 10)]  # the modulator is an octave above, and sweeps by as much as its own pitch
P2_ATTACK, P2_DECAY, P2_SUSTAIN, P2_RELEASE = 0.05, 0.1, 0.7, 0.3  # straight lines
P2_GATE = 1.0  # Hz, half of the time on
P2_GAIN = 0.3

P3_TONES = (770.0, 1336.0)  # key 5
P3_LEVELS = (10 ** (-10 / 20), 10 ** (-8 / 20))
P3_ON = P3_OFF = 0.07
P3_NOISE = 0.05
P3_DETECTED = (697.0, 770.0, 852.0, 941.0, 1209.0, 1336.0, 1477.0, 1633.0)
P3_BLOCK, P3_LEAST = 205, 400.0  # samples, and the power from which on a tone is there

P4_FREQ, P4_GAINS = 440.0, [0.99] * 64

P5_FREQS = [100.0 + 10 * k for k in range(249)]
P5_EACH, P5_GAIN = 1 / 249, 0.8
