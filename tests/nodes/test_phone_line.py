import ctypes

import numpy as np
import pytest
import soundfile
from scipy import signal as design

from graphvoip.nodes import PhoneBand, PhoneLine, Sine

RATE = 8000
RANDOM = np.random.default_rng(1)
SPEECHLIKE = (0.2 * RANDOM.standard_normal(32000)).clip(-1, 1)
PLAIN = {"codec": "none", "band": False}


def has_gsm():
    try:
        return bool(ctypes.CDLL("libgsm.so.1"))
    except OSError:
        return False


gsm = pytest.mark.skipif(not has_gsm(), reason="libgsm1 is not installed")


def lost_packets(run, signal, packets=20000, **values):
    """Which packets of a signal that stays are silent."""
    out, _ = run(PhoneLine(signal(np.ones(160 * packets)), **PLAIN, conceal="silence", **values), packets)
    return out.reshape(-1, 160).mean(1) < 0.5


def test_without_anything_it_is_a_wire(run, signal):
    out, _ = run(PhoneLine(signal(SPEECHLIKE), **PLAIN), 200)
    np.testing.assert_array_equal(out, SPEECHLIKE.astype(np.float32))


@pytest.mark.parametrize(("codec", "subtype"), [("pcmu", "ULAW"), ("pcma", "ALAW")])
def test_g711_is_that_of_libsndfile_to_the_bit(run, signal, tmp_path, codec, subtype):
    samples = np.arange(-32760, 32768, 16) / 32768  # none is between two levels, where either is right
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype=subtype)
    expected = soundfile.read(tmp_path / "a.wav", dtype="float32")[0]
    out, _ = run(PhoneLine(signal(samples), codec=codec, band=False), 26)
    assert len(np.unique(expected)) > 200
    np.testing.assert_array_equal(out[: len(expected)], expected)


@gsm
def test_gsm_is_the_library_s_and_20_ms_late(run, signal):
    spoken = design.lfilter(*design.butter(2, 800, fs=RATE), SPEECHLIKE)
    out, _ = run(PhoneLine(signal(spoken), codec="gsm", band=False), 200)
    library = ctypes.CDLL("libgsm.so.1")
    library.gsm_create.restype = ctypes.c_void_p
    coder, decoder = ctypes.c_void_p(library.gsm_create()), ctypes.c_void_p(library.gsm_create())
    frame, made = ctypes.create_string_buffer(33), np.zeros(160, np.int16)
    for k in range(199):
        data = np.rint(spoken[160 * k : 160 * (k + 1)] * 32768).astype(np.int16)
        library.gsm_encode(coder, ctypes.c_void_p(data.ctypes.data), frame)
        library.gsm_decode(decoder, frame, ctypes.c_void_p(made.ctypes.data))
        np.testing.assert_array_equal(out[160 * (k + 1) : 160 * (k + 2)] * 32768, made)


def test_a_library_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: (_ for _ in ()).throw(OSError(name)))
    with pytest.raises(ValueError, match=r"codec 'gsm' needs the library libgsm\.so\.1: sudo apt install libgsm1"):
        PhoneLine(0.0, codec="gsm")


def test_its_band_is_that_of_a_telephone(run, signal):
    out, _ = run(PhoneLine(signal(SPEECHLIKE), codec="none"), 200)
    np.testing.assert_array_equal(out, run(PhoneBand(signal(SPEECHLIKE)), 200)[0])


def test_level_echo_hum_and_noise_are_as_loud_as_given(run, signal):
    click = np.zeros(16000)
    click[441] = 1
    out, _ = run(PhoneLine(signal(click), level=0.5, echo=0.25, echo_time=0.1234, **PLAIN), 100)
    assert dict(zip(np.flatnonzero(out).tolist(), out[out != 0].tolist(), strict=True)) == {441: 0.5, 441 + 987: 0.125}
    out, _ = run(PhoneLine(0.0, hum=0.1, hum_freq=60, **PLAIN), 100)
    t = np.arange(16000) / RATE
    waves = np.sin(2 * np.pi * 60 * t) + np.sin(2 * np.pi * 180 * t) / 3
    np.testing.assert_allclose(out, 0.1 * waves, atol=1e-5)
    out, _ = run(PhoneLine(0.0, noise=0.01, **PLAIN), 500)
    assert np.std(out) == pytest.approx(0.01, rel=0.02)


@pytest.mark.parametrize(("loss", "burst"), [(0.03, 1), (0.1, 1), (0.1, 4), (0.5, 2), (0.3, 10)])
def test_as_many_packets_are_lost_as_given_and_so_many_in_a_row(run, signal, loss, burst):
    lost = lost_packets(run, signal, loss=loss, burst=burst)
    rows = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], lost, [0]])))[:]).astype(float)[::2]
    assert lost.mean() == pytest.approx(loss, rel=0.15)
    assert rows.mean() == pytest.approx(max(burst, 1 / (1 - loss)), rel=0.15)


def test_none_and_all_can_be_lost(run, signal):
    assert not lost_packets(run, signal, 1000).any()
    assert lost_packets(run, signal, 1000, loss=1).all()


def test_packets_that_are_later_than_the_buffer_are_lost(run, signal):
    for wait in (0.02, 0.06):
        lost = lost_packets(run, signal, jitter=0.02, buffer=wait)[3:]
        assert lost.mean() == pytest.approx(np.exp(-wait / 0.02), rel=0.1)


def test_delay_and_buffer_add_up(run, signal):
    click = np.zeros(16000)
    click[441] = 1
    out, _ = run(PhoneLine(signal(click), delay=0.1, jitter=0.001, buffer=0.05, **PLAIN), 100)
    assert np.flatnonzero(out).tolist() == [441 + 1200]


def test_a_lost_packet_is_the_one_before_it_each_time_6_db_softer(run, signal):
    out, _ = run(PhoneLine(signal(SPEECHLIKE), loss=0.4, burst=3, seed=5, **PLAIN), 200)
    came = SPEECHLIKE.astype(np.float32).reshape(-1, 160)
    last, row, counts = np.zeros(160), 0, set()
    for heard, said in zip(out.reshape(-1, 160), came, strict=True):
        if np.array_equal(heard, said):
            last, row = said, 0
        else:
            row += 1
            np.testing.assert_allclose(heard, last * 0.5 ** (row - 1), atol=1e-7)
        counts.add(row)
    assert counts >= {0, 1, 2, 3}


def test_seeds_make_other_losses(run, signal):
    one, same, other = (lost_packets(run, signal, 500, loss=0.2, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_wrong_options_are_refused():
    for values, words in (
        ({"codec": "opus"}, "codec 'opus' is none of none, pcmu, pcma, gsm"),
        ({"buffer": "long"}, "phone_line: buffer 'long' is outside 0..2"),
        ({"jitter": 3.0}, "phone_line: jitter 3 s is outside"),
        ({"loss": 3}, "phone_line: loss 3 x is outside 0..1"),
    ):
        with pytest.raises(ValueError, match=words):
            PhoneLine(Sine(), **values)
