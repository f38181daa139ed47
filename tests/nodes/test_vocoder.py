import itertools

import numpy as np
import pytest
from scipy import signal as design

from graphvoip.nodes import Sine, Vocoder

RATE = 8000
RANDOM = np.random.default_rng(10)
T = np.arange(32000) / RATE
SAW = 2 * ((110.3 * T) % 1) - 1


def band_levels(samples):
    """The level of eight bands every 20 ms, in dB."""
    edges = np.geomspace(150, 3400, 9)
    pieces = [
        design.sosfilt(design.butter(3, pair, "band", fs=RATE, output="sos"), samples).reshape(-1, 160).std(1)
        for pair in itertools.pairwise(edges)
    ]
    return 20 * np.log10(np.array(pieces) + 1e-4)


def babble():
    """Noise in which bands come and go by themselves, as in speech, about 4 times a second."""
    voice = np.zeros(32000)
    for low, high in ((150, 330), (330, 730), (730, 1600), (1600, 3400)):
        gate = np.convolve(np.repeat(RANDOM.random(32) < 0.5, 1000), np.hanning(400) / 200, "same")
        noise = design.sosfilt(design.butter(4, [low, high], "band", fs=RATE, output="sos"), RANDOM.normal(0, 1, 32000))
        voice += 0.1 * gate * noise / np.std(noise)
    return voice


@pytest.mark.parametrize("bands", [8, 16, 24])
def test_the_carrier_has_the_levels_of_the_voice_band_by_band(run, signal, bands):
    voice = babble()
    samples, _ = run(Vocoder(signal(voice), carrier=signal(SAW), bands=bands), 200)
    a, b = band_levels(voice)[:, 10:], band_levels(samples)[:, 10:]
    for k in range(8):
        assert np.corrcoef(np.maximum(a[k], -50), np.maximum(b[k], -50))[0, 1] > 0.7, k
    assert abs(20 * np.log10(np.std(samples) / np.std(voice))) < 4


def test_what_is_heard_is_the_carriers_pitch(run, signal):
    samples, _ = run(Vocoder(signal(babble()), carrier=signal(SAW)), 200)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(32000))) ** 2
    freqs = np.fft.rfftfreq(32000, 1 / RATE)
    near = np.abs(freqs / 110.3 - np.round(freqs / 110.3)) < 0.15  # a third of all frequencies
    assert spectrum[near].sum() > 0.9 * spectrum.sum()


def test_a_tone_opens_its_own_band_only(run, signal):
    noise = RANDOM.normal(0, 0.3, 32000)
    for freq in (234.5, 734.5, 2345):
        samples, _ = run(Vocoder(Sine(freq=freq, amp=0.5), carrier=signal(noise)), 200)
        spectrum = np.abs(np.fft.rfft(samples)) ** 2
        freqs = np.fft.rfftfreq(len(samples), 1 / RATE)
        near = np.abs(np.log2(freqs[1:] / freq)) < 0.5
        assert spectrum[1:][near].sum() > 0.9 * spectrum.sum()


def test_a_dull_carrier_speaks_as_loud_as_a_bright_one(run, signal):
    voice, dull = babble(), design.lfilter([0.05], [1, -0.95], SAW) * 0.5
    (one, _), (other, _) = (run(Vocoder(signal(voice), carrier=signal(c)), 200) for c in (SAW, dull))
    assert abs(20 * np.log10(np.std(one) / np.std(other))) < 2


def test_silence_of_either_is_silence_and_release_is_how_soon(run, signal):
    voice = np.where(T < 1, babble(), 0)
    assert not run(Vocoder(signal(voice)), 100)[0].any()
    fall = []
    for release in (0.01, 0.3):
        samples, _ = run(Vocoder(signal(voice), carrier=signal(SAW), release=release), 200)
        level = samples.reshape(-1, 160).std(1)
        fall.append(np.flatnonzero(level > 0.01 * level[:50].max())[-1] - 50)
    assert fall[0] < 8
    assert 40 < fall[1] < 100  # 40 dB are 4.6 times the release: 69 frames
    assert np.abs(samples[-160:]).max() < 1e-3


def test_faults_are_silence(run, signal):
    voice, carrier = babble(), SAW.copy()
    voice[5000:5003] = np.nan, np.inf, -1e9
    carrier[9000:9003] = np.nan, np.inf, -1e9
    heard, _ = run(Vocoder(signal(voice), carrier=signal(carrier)), 200)
    voice[5000:5003] = carrier[9000:9003] = 0
    expected, _ = run(Vocoder(signal(voice), carrier=signal(carrier)), 200)
    np.testing.assert_array_equal(heard, expected)


def test_values_out_of_range_are_refused():
    for values, words in (({"bands": 7}, "bands 7 is outside 8..24"), ({"release": 0}, "release 0 s is outside")):
        with pytest.raises(ValueError, match=words):
            Vocoder(Sine(), **values)
