"""Rendering: the samples of a call without one."""

import numpy as np
import pytest

from graphvoip import Param, patch, render
from graphvoip.nodes import Compressor, Gain, Keymap, Lfo, Meter, Mix, Noise, Pcm, Ramp, Recorder, Send, Sine, Tone
from graphvoip.offline import key_times


@patch
def beep(freq=Param(441, "Hz", 100, 2000)):
    return Sine(freq=freq) * 0.5


def test_a_sine_is_rendered_as_long_as_asked_with_a_frame_of_fade():
    samples = render(beep(), seconds=0.1234)
    assert samples.dtype == np.float32
    assert len(samples) == round(0.1234 * 8000)
    tone = 0.5 * np.sin(2 * np.pi * 441 * np.arange(len(samples)) / 8000)
    np.testing.assert_allclose(samples[160:], tone[160:], atol=1e-6)
    np.testing.assert_allclose(samples[:160], tone[:160] * np.arange(1, 161) / 160, atol=1e-6)


def test_nodes_and_ports_are_rendered_too():
    assert np.abs(render(Sine(), seconds=0.1)).max() > 0.9
    assert np.abs(render(Meter(Sine()).peak, seconds=0.1)).max() > 0.9


def test_it_ends_with_the_event_done_and_a_frame():
    assert len(render(Tone(seconds=0.1))) == 800 + 160
    assert len(render(Tone(seconds=0.1), seconds=0.05)) == 400
    assert len(render(Tone(seconds=0.1), seconds=5)) == 960


def test_keys_come_at_their_frame():
    samples = render(Keymap(0.0).out, seconds=0.1)
    assert np.abs(samples - 1).max() < 1.01

    @patch
    def pressed(keys):
        return keys * 0.01

    samples = render(pressed(), seconds=1, keys="5@0.3 9@0.301 #@0.9")
    assert [(at, round(100 * samples[at])) for at in np.flatnonzero(samples)] == [(2400, 53), (2560, 57), (7200, 35)]


def test_keys_of_one_moment_stay_in_their_order():
    @patch
    def pressed(keys):
        return keys * 0.01

    samples = render(pressed(), seconds=1, keys="9@0.5 1@0.5 5@0.5 7@0.1")
    assert [round(100 * samples[at]) for at in np.flatnonzero(samples)] == [55, 57, 49, 53]


def test_what_tells_the_end_is_run_though_nothing_listens_to_it():
    @patch
    def beeps():
        end = Ramp(time=0.29)
        return Sine(freq=441) * 0.5, end.done

    assert len(render(beeps())) == 2400 + 160


def test_a_voice_is_as_on_a_line():
    voice = np.linspace(-1, 1, 8000, dtype=np.float32)

    @patch
    def echo(voice):
        return voice * 1.0

    samples = render(echo(), seconds=1, voice=voice)
    np.testing.assert_array_equal(samples[160:], (np.rint(voice * np.float32(32768)).clip(-32768, 32767) / 32768)[160:])


def test_a_long_rendering_has_every_sample_once():
    """Longer than a piece of the recorder's memory, and than what is run at once."""
    ramp = (np.arange(8000 * 65) % 30011 / 60000).astype(np.float32)
    np.testing.assert_array_equal(render(Pcm(data=ramp), seconds=65)[160:], ramp[160:])


def test_two_renderings_are_the_same_bits():
    def build():
        return Mix(*(Gain(Noise(seed=k), 0.1) for k in range(5)), Sine(freq=441, amp=0.2))

    np.testing.assert_array_equal(render(build(), seconds=2), render(build(), seconds=2))


def test_progress_is_told_in_seconds():
    told = []
    render(Sine(), seconds=25, progress=told.append)
    assert told[-1] == 25
    assert told == sorted(told)


def test_a_patch_can_be_rendered_again_and_goes_on():
    made = beep()
    first, second = render(made, seconds=0.1), render(made, seconds=0.1)
    assert len(first) == len(second) == 800


def test_a_bus_in_a_rendering_is_its_own():
    from graphvoip.nodes import Receive

    @patch
    def loop():
        Send(Sine(freq=441) * 0.5, bus="here")
        return Receive(bus="here") * 1.0

    samples = render(loop(), seconds=0.1)
    assert np.abs(samples[:160]).max() == 0
    tone = 0.5 * np.sin(2 * np.pi * 441 * np.arange(640) / 8000)
    np.testing.assert_allclose(samples[160:], tone, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: render(Sine()), ValueError, "render: nothing ends it; say how many seconds"),
        (lambda: render(Sine(), seconds=0), ValueError, "render: seconds is 0; it is a number above 0"),
        (lambda: render(5, seconds=1), TypeError, "render: 5 is not a patch or a node"),
        (lambda: render(Recorder(Sine()), seconds=1), ValueError, "recorder has no output"),
        (lambda: render(Gain(), seconds=1), ValueError, "gain: 'input' must be given"),
        (lambda: render(Sine(), seconds=1, keys="5"), ValueError, "keys: '5' is no key and time; write 5@0.3"),
        (lambda: render(Sine(), seconds=1, keys="x@1"), ValueError, "keys: 'x@1' is no key and time"),
        (lambda: render(Sine(), seconds=1, keys="5@soon"), ValueError, "keys: '5@soon' is no key and time"),
        (lambda: render(Sine(), seconds=1, keys=[("5",)]), ValueError, "keys: '5' is no key and time"),
        (lambda: render(Sine(), seconds=1, voice="none.wav"), FileNotFoundError, "none.wav: no such sound file"),
    ],
)
def test_mistakes_are_told(make, error, says):
    with pytest.raises(error) as caught:
        make()
    assert says in str(caught.value)


def test_keys_as_text_and_as_pairs():
    assert key_times("5@0.3  #@1e0") == key_times([("5", 0.3), ("#", 1)]) == [("5", 0.3), ("#", 1.0)]


def test_what_is_not_finite_is_silent_and_the_rest_goes_on():
    broken = Pcm(data=np.concatenate([np.full(800, 0.25), [np.nan], np.full(7199, 0.25)]))
    samples = render(broken, seconds=1)
    assert np.all(np.isfinite(samples))


def test_what_never_ends_is_told_after_an_hour_of_sound():
    @patch
    def endless():
        waiting = Tone(seconds=1e5)
        return waiting * 0.5, waiting.done

    with pytest.raises(ValueError, match="render: it is not done after 3600 s; say how many seconds"):
        render(endless())


def test_a_control_signal_is_limited_and_that_is_told_or_its_values_are_as_they_are(caplog):
    """15 dB of a compressor were 1.0 once, without a word."""

    def reduction():
        return Compressor(Sine(freq=441), threshold_db=-20, ratio=4, attack=0, knee_db=0).reduction

    assert np.abs(render(reduction(), seconds=0.5)).max() <= 1
    assert [one.message for one in caplog.records] == [
        "render: limited: it came to 15, 1 is full scale; values=True gives it as it is"
    ]
    caplog.clear()
    values = render(reduction(), seconds=0.5, values=True)
    assert values[4000 - 1] == pytest.approx(15, abs=0.5)
    wave = render(Lfo(freq=2, low=200, high=800), seconds=0.5, values=True)
    assert (wave[0], wave.min(), wave.max()) == pytest.approx((500, 200, 800), abs=0.1)
    assert render(Ramp(begin=5, end=9, time=0.1), values=True)[:800] == pytest.approx(
        5 + np.arange(800) / 200, abs=1e-5
    )
    assert not caplog.records
    with pytest.raises(ValueError, match="values are not sound, they cannot go over a line"):
        render(reduction(), seconds=0.5, line="pcmu", values=True)
