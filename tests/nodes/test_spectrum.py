import itertools

import numpy as np
import pytest

from graphvoip.nodes import Pcm, Sine, Spectrum

NOISE = np.random.default_rng(1).uniform(-1, 1, 16000).astype(np.float32)
HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(256) / 256)


def reference(samples):
    """numpy's magnitudes of 256 samples; a sine of full scale is 1."""
    found = np.abs(np.fft.rfft(samples.astype(float) * HANN)) * 2 / HANN.sum()
    found[[0, -1]] /= 2
    return found


def test_magnitudes_are_those_of_numpy(run, signal):
    spectrum = Spectrum(signal(NOISE))
    run(spectrum, 40)
    np.testing.assert_allclose(spectrum.magnitudes(), reference(NOISE[6400 - 256 : 6400]), atol=1e-6)


@pytest.mark.parametrize(("freq", "k"), [(0, 0), (1000, 32), (2562.5, 82), (4000, 128)])
def test_full_scale_is_one(run, signal, freq, k):
    spectrum = Spectrum(signal(np.cos(2 * np.pi * freq * np.arange(640) / 8000)))
    run(spectrum, 4)
    found = spectrum.magnitudes()
    assert found[k] == pytest.approx(1, abs=1e-6)
    assert found[np.abs(np.arange(129) - k) > 1].max() < 1e-6
    assert spectrum.magnitudes(decibels=True)[k] == pytest.approx(0, abs=1e-4)


def test_what_is_given_out_is_a_copy(run):
    spectrum = Spectrum(Sine(freq=1000))
    run(spectrum, 4)
    spectrum.magnitudes()[:] = 7
    assert spectrum.magnitudes().max() == pytest.approx(1, abs=1e-3)


def test_centroid_flux_and_flatness_come_from_the_magnitudes_every_hop(run, signal):
    spectrum = Spectrum(signal(NOISE), hop=100 / 8000)
    found = {name: [] for name in ("out", "flux", "flatness")}
    for _ in range(10):
        run(spectrum)
        for name, values in found.items():
            values.append(spectrum.samples(name).copy())
    padded = np.concatenate([np.zeros(256, np.float32), NOISE])
    made = [np.zeros(129)] + [reference(padded[100 * n : 100 * n + 256]) for n in range(1, 16)]
    power = np.array(made[1:]) ** 2 + 1e-30
    expected = {
        "out": [m @ np.arange(129) * 31.25 / m.sum() for m in made[1:]],
        "flux": [np.maximum(b - a, 0).sum() for a, b in itertools.pairwise(made)],
        "flatness": np.exp(np.log(power).mean(1)) / power.mean(1),
    }
    for name, values in found.items():
        values = np.concatenate(values)
        assert np.all(values[:100] == 0)
        np.testing.assert_allclose(values[100:].reshape(-1, 100)[:, 0], expected[name], rtol=1e-4)
        np.testing.assert_array_equal(values[100:].reshape(-1, 100), np.repeat(values[100::100, None], 100, axis=1))


def test_a_tone_is_not_flat_and_noise_is(run, signal):
    for source, flat in ((Sine(freq=441), 0.0), (signal(NOISE), 0.56)):
        values = []
        spectrum = Spectrum(source)
        for _ in range(90):
            run(spectrum)
            values.append(spectrum.samples("flatness")[0])
        assert np.mean(values[10:]) == pytest.approx(flat, abs=0.02)


def test_silence_has_no_centroid(run):
    spectrum = Spectrum(Pcm(data=NOISE[:800]))
    centroids, _ = run(spectrum, 20)
    assert centroids[400] > 1000
    assert centroids[-1] == 0
    assert spectrum.samples("flatness")[-1] == 0


def test_a_wrong_hop_is_refused():
    with pytest.raises(ValueError, match=r"hop 0.004 s is outside 0.005..1"):
        Spectrum(Sine(), hop=0.004)
