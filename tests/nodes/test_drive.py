import numpy as np
import pytest

from graphvoip.nodes import Drive, Sine

CURVES = {
    "tanh": np.tanh,
    "clip": lambda u: np.clip(u, -1, 1),
    "fold": lambda u: 1 - 4 * np.abs((u / 4 + 0.25) % 1 - 0.5),
    "sine": lambda u: np.sin(np.pi / 2 * u),
}
LATE = 24


def lines(shape, drive, bias, amp):
    """The amplitudes of the harmonics 0, 1, 2 ... that a curve makes of a sine, folded nowhere."""
    curve, full = CURVES[shape], drive if shape == "tanh" else min(drive, 1)
    sine = amp * np.sin(2 * np.pi * (np.arange(65536) + 0.5) / 65536)
    wave = (curve(drive * sine + bias) - curve(bias)) / curve(full)
    found = np.abs(np.fft.rfft(wave)) / 32768
    found[0] /= 2
    return found


def measured(run, frequency, **values):
    samples, _ = run(Drive(Sine(freq=frequency, amp=values.pop("amp", 1.0)), **values), 150)
    found = np.abs(np.fft.rfft(samples[8000:24000].astype(float))) / 8000  # lines of 0.5 Hz
    found[0] /= 2
    return found


@pytest.mark.parametrize("shape", CURVES)
@pytest.mark.parametrize(("drive", "bias"), [(0.5, 0), (4, 0), (4, 0.4)])
def test_harmonics_are_those_of_the_curve(run, shape, drive, bias):
    found, exact = measured(run, 441, drive=drive, bias=bias, shape=shape), lines(shape, drive, bias, 1.0)
    for k in range(8):  # up to 3087 Hz
        if exact[k] > 1e-3:
            assert 20 * np.log10(found[882 * k] / exact[k]) == pytest.approx(0, abs=0.25), k
        else:
            assert found[882 * k] < 2e-3, k


@pytest.mark.parametrize(("shape", "limit"), [("tanh", -80), ("clip", -55), ("fold", -40), ("sine", -60)])
def test_what_folds_back_is_low(run, shape, limit):
    """At 8000 Hz a clip with drive 4 would have lines at -16 dB where none should be, and a fold some at 5 dB."""
    for frequency in (441, 1234.5):
        found = measured(run, frequency, drive=4, shape=shape)
        harmonics = np.arange(1, int(4000 / frequency) + 1) * round(2 * frequency)
        wrong = found[: 2 * 3400].copy()
        wrong[0] = 0
        wrong[harmonics[harmonics < len(wrong)]] = 0
        assert 20 * np.log10(wrong.max() / found[round(2 * frequency)]) < limit


def test_a_drive_near_0_is_a_delay_of_24_samples_flat_to_3400_hz(run):
    for frequency in (50.5, 441, 1234.5, 3000, 3400):
        samples, _ = run(Drive(Sine(freq=frequency), drive=0.01), 20)
        sine = np.sin(2 * np.pi * frequency * (np.arange(3200) - LATE) / 8000)
        np.testing.assert_allclose(samples[800:], sine[800:], atol=0.003)


@pytest.mark.parametrize("shape", CURVES)
def test_a_bias_alone_is_silence(run, signal, shape):
    bias = np.random.default_rng(1).uniform(-1, 1, 1600)
    samples, _ = run(Drive(signal(np.zeros(1600)), bias=0.37, shape=shape), 10)
    assert np.all(samples == 0)
    samples, _ = run(Drive(signal(np.zeros(1600)), bias=signal(bias), shape=shape), 10)
    assert np.all(samples == 0)


@pytest.mark.parametrize("shape", ["tanh", "clip"])
def test_full_scale_stays_there_whatever_the_drive(run, signal, shape):
    for drive in (0.01, 0.7, 3, 100):
        samples, _ = run(Drive(signal(np.ones(800)), drive=drive, shape=shape), 5)
        assert samples[400] == pytest.approx(1, abs=1e-4)
    samples, _ = run(Drive(signal(np.ones(800)), level=0.3, shape=shape), 5)
    assert samples[400] == pytest.approx(0.3, abs=1e-4)


def test_no_value_of_any_input_stays_in_it(run, signal):
    good = np.random.default_rng(1).uniform(-1, 1, 1600)
    bad = np.where(np.arange(1600) % 7 == 0, np.resize([np.nan, np.inf, -np.inf, 1e30, -1e30], 1600), good)
    for shape in CURVES:
        for name in ("input", "drive", "bias"):
            inputs = {"input": signal(np.tile(good, 2))} | {name: signal(np.concatenate([bad, good]))}
            samples, _ = run(Drive(shape=shape, **inputs), 20)
            assert np.all(np.isfinite(samples)), (shape, name)
            assert np.abs(samples[1700:]).max() < 100, (shape, name)


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="drive: shape 'tan' is none of tanh, clip, fold, sine; did you mean 'tanh'"):
        Drive(shape="tan")
