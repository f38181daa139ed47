"""Filters that are designed by hand, because a call needs them at its start, are those of scipy."""

import numpy as np
import pytest
from scipy import signal as design

from graphvoip.dsp import butterworth, sincs
from graphvoip.nodes import dtmf, sstv_receive
from graphvoip.sstv_decoder import BAND, CODE, NARROW, analytic


@pytest.mark.parametrize(("freq", "kind"), [(200, "highpass"), (250, "highpass"), (750, "lowpass"), (3000, "lowpass")])
def test_a_butterworth_section(freq, kind):
    b, a = design.butter(2, freq, kind, fs=8000)
    assert butterworth(freq, low=kind == "lowpass") == pytest.approx([*b, *a[1:]], abs=1e-12)


def test_the_lowpass_behind_the_mixer_of_pictures():
    taps = sstv_receive.LOWPASS
    assert taps == pytest.approx(design.firwin(32, 900, window="hamming", fs=8000), abs=1e-8)


def test_the_filter_that_keeps_dial_tone_from_touch_tones():
    taps = -design.firwin(dtmf.TAPS, 565, window=("kaiser", 3.6), fs=8000)
    taps[dtmf.TAPS // 2] += 1
    assert dtmf.TABLES[dtmf.HIGH : dtmf.HIGH + dtmf.TAPS] == pytest.approx(taps, abs=1e-7)


@pytest.mark.parametrize(("taps", "phases"), [(16, 64), (8, 4)])
def test_a_sinc_between_samples_is_a_polyphase_of_one_long_filter(taps, phases):
    long = design.firwin(taps * phases + 1, 1 / phases, window=("kaiser", 6), scale=False)
    rows = np.array([long[phases - p :: phases][:taps] for p in range(phases)])
    assert sincs(taps, phases)[:phases] == pytest.approx(rows / rows.sum(1, keepdims=True), abs=1e-6)


@pytest.mark.parametrize("band", [BAND, CODE, NARROW])
@pytest.mark.parametrize("size", [1, 50, 1951, 20000])
def test_the_analytic_signal(band, size):
    low, high = band
    samples = np.random.default_rng(size).uniform(-1, 1, size)
    shape = design.firwin(97, (high - low) / 2, window=("kaiser", 5), fs=8000)
    taps = 2 * shape * np.exp(1j * np.pi * (low + high) / 8000 * (np.arange(97) - 48))
    wanted = design.oaconvolve(np.pad(samples, 48), taps, "valid")
    assert analytic(samples, band) == pytest.approx(wanted, abs=2e-6)
