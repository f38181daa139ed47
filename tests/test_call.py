"""The documented methods, by what the caller hears and what the handler gets."""

import array
import asyncio
import gc
import logging
import weakref
from pathlib import Path

import numpy as np
import pytest

from graphvoip import PCM, RecordController
from graphvoip.call import Call
from graphvoip.graph import Graph
from graphvoip.listen import has_tone, level, tones
from graphvoip.node import Node
from graphvoip.nodes import Gain, Mix, Pcm, Sine, Tone
from graphvoip.plan import Plan
from graphvoip.testing import run_virtual

FRAME = 160


async def _coroutine(*args):
    pass


def quiet(samples):
    return not np.any(samples)


def largest_step(samples):
    return np.abs(np.diff(samples)).max()


# --- Playing ----------------------------------------------------------------------------------------------------------


async def test_a_tone_has_its_pitch_length_and_level(phone, sine):
    async def handler(call):
        await call.playTone(441, 0.51)

    async with phone(handler) as p:
        assert await p.hung_up()
    tone = p.heard[:4080]
    assert tones(tone)[0][0] == pytest.approx(441, abs=1)
    np.testing.assert_allclose(tone[32:-32], sine(441, 0.51)[32:-32], atol=2 / 32768)
    assert quiet(p.heard[4080:])
    assert np.abs(tone[:4]).max() < 0.05  # soft edges: no click
    assert np.abs(tone[-4:]).max() < 0.05


async def test_tones_follow_each_other_without_a_gap(phone):
    async def handler(call):
        for frequency in (420, 560, 650):
            await call.playTone(frequency, 0.5)

    async with phone(handler) as p:
        for frequency in (420, 560, 650):
            assert await p.hears_tone(frequency)
        assert await p.hung_up()
    assert p.time == pytest.approx(1.5, abs=0.041)
    for n, frequency in enumerate((420, 560, 650)):
        part = p.heard[4000 * n : 4000 * (n + 1)]
        assert tones(part)[0][0] == pytest.approx(frequency, abs=1)
        assert level(part) == pytest.approx(-3.0, abs=0.1)


@pytest.mark.parametrize(
    "kind", [list, tuple, np.array, lambda x: array.array("f", x), lambda x: np.array(x, np.float32)]
)
async def test_samples_are_heard_as_they_are(phone, kind):
    sound = (np.arange(-1000, 1000, 7) / 32768).tolist()

    async def handler(call):
        await call.playPCM(kind(sound))

    async with phone(handler) as p:
        assert await p.hung_up()
    np.testing.assert_array_equal(p.heard[: len(sound)], np.array(sound, np.float32))
    assert quiet(p.heard[len(sound) :])


async def test_a_loop_goes_on_without_a_gap_until_it_is_cancelled(phone):
    sound = (np.arange(1, 334) / 1000).astype(np.float32)  # 333 samples: no multiple of a frame

    async def handler(call):
        playback = call.playPCM(sound, loop=True)
        await asyncio.sleep(1)
        playback.cancel()
        await asyncio.sleep(0.1)

    async with phone(handler) as p:
        assert await p.hung_up()
    expected = np.tile(np.rint(sound * 32768) / 32768, 30)[:8000]
    np.testing.assert_allclose(p.heard[:8000], expected, atol=1e-6)
    assert quiet(p.heard[8000 + FRAME :])


async def test_several_sounds_are_summed(phone):
    async def handler(call):
        await asyncio.gather(call.playPCM([0.25] * 800), call.playPCM([0.125] * 1600), call.playPCM([-0.5] * 400))

    async with phone(handler) as p:
        assert await p.hung_up()
    np.testing.assert_array_equal(p.heard[:1600], [-0.125] * 400 + [0.375] * 400 + [0.125] * 800)


async def test_full_scale_is_left_alone_and_beyond_it_is_turned_down_not_clipped(phone, sine):
    loud = sine(441, 0.5).astype(np.float32)

    async def handler(call):
        await call.playPCM(loud)
        await asyncio.gather(call.playPCM(loud), call.playPCM(loud))

    async with phone(handler) as p:
        assert await p.hung_up()
    np.testing.assert_allclose(p.heard[:4000], loud, atol=1 / 32768)
    summed = p.heard[4000:8000][400:]
    assert np.abs(summed).max() <= 1
    harmonics = [db for frequency, db in tones(summed, floor=-90, share=1e-9) if abs(frequency - 1323) < 20]
    assert max(harmonics, default=-99) < -35  # a clipper at twice its limit has its third harmonic at -14 dB


@pytest.mark.parametrize(
    ("play", "error", "says"),
    [
        (lambda call: call.playTone(440, -1), ValueError, "playTone: seconds is -1"),
        (lambda call: call.playTone(440, float("nan")), ValueError, "playTone: seconds is nan"),
        (lambda call: call.playTone(5000, 1), ValueError, "playTone: frequency is 5000; it is a number from 0 to 4000"),
        (lambda call: call.playTone("a", 1), ValueError, "playTone: frequency is 'a'"),
        (lambda call: call.playPCM([0.0, float("nan")]), ValueError, "playPCM: sample 1 is nan"),
        (lambda call: call.playPCM(None), TypeError, "playPCM: samples are a sequence of floats"),
        (
            lambda call: call.playPCM("x.wav"),
            TypeError,
            "playPCM: samples are a sequence of floats, not str; load the file by loadWAVtoPCM('x.wav')",
        ),
        (
            lambda call: call.playPCM(Path("bell.json")),
            TypeError,
            f"floats, not {type(Path()).__name__}; a patch is played by call.play(load_patch('bell.json')())",
        ),
        (lambda call: call.playPCM(Sine()), TypeError, "of floats, not Sine; call.play plays nodes and patches"),
        (lambda call: call.play("x.wav"), TypeError, "not a node; load the file by loadWAVtoPCM('x.wav')"),
        (lambda call: call.play("bell.json"), TypeError, "not a node; a patch is played by call.play(load_patch('bell"),
        (lambda call: call.playCustom(5), TypeError, "playCustom: 5 is not a plain function"),
        (lambda call: call.recordCustom(5), TypeError, "recordCustom: 5 is not a plain function"),
        (
            lambda call: call.recordPCM(),
            ValueError,
            "recordPCM: nothing would end it; give a RecordController, or maxlen",
        ),
        (lambda call: call.recordPCM(maxlen=0), ValueError, "recordPCM: maxlen is 0"),
        (lambda call: call.recordPCM(controller=5), TypeError, "recordPCM: controller is 5"),
        (lambda call: call.play(5), TypeError, "play: 5 is not a node; playPCM plays samples"),
        (lambda call: call.play(Sine(), until=Gain(Sine())), ValueError, "is no node with an event 'done'"),
        (lambda call: call.play(Sine(), until=5), ValueError, "play: 5 is no node with an event 'done'"),
        (lambda call: call.play(Sine(), until=Tone()), ValueError, "play: tone is not a part of what plays"),
        (lambda call: call.play(Sine(), fade=-1), ValueError, "play: fade is -1; it is a number from 0"),
        (lambda call: call.play(Sine(), fade=float("inf")), ValueError, "play: fade is inf"),
        (lambda call: call.recordPCM(maxlen=10**30), ValueError, "recordPCM: maxlen is 1000000000000"),
        (lambda call: call.playCustom(_coroutine), TypeError, "is not a plain function of (t, delta)"),
        (lambda call: call.recordCustom(_coroutine), TypeError, "is not a plain function of one sample"),
    ],
)
async def test_bad_arguments_are_said_in_one_line_and_nothing_plays(phone, play, error, says):
    async def handler(call):
        with pytest.raises(error) as caught:
            play(call)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
        await asyncio.sleep(0.1)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert quiet(p.heard)


async def test_nothing_to_play_is_over_at_once(phone):
    async def handler(call):
        await call.playPCM([])
        await call.playTone(440, 0)
        call.at = call.time

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.at == 0


@pytest.mark.parametrize("after", [0.02, 0.1, 0.32])
async def test_cancelling_takes_effect_in_the_next_frame_without_a_click(phone, after):
    async def handler(call):
        playback = call.playTone(441, 60)
        await asyncio.sleep(after)
        playback.cancel()
        assert playback.cancelled()
        await asyncio.sleep(0.2)

    async with phone(handler) as p:
        assert await p.hung_up()
    end = round(after * 8000)
    assert not quiet(p.heard[end : end + FRAME])
    assert quiet(p.heard[end + FRAME :])
    assert largest_step(p.heard) <= 1.05 * 2 * np.pi * 441 / 8000  # the tone's own slope


async def test_cancelled_before_its_first_frame_it_is_never_heard(phone):
    async def handler(call):
        call.playTone(441, 60).cancel()
        await asyncio.sleep(0.2)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert quiet(p.heard)


async def test_a_timeout_around_a_playback_cuts_it_off(phone):
    async def handler(call):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.playTone(441, 60), 0.5)
        await asyncio.sleep(0.2)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert quiet(p.heard[4000 + FRAME :])


async def test_stop_fades_for_as_long_as_it_is_told_and_then_it_is_done(phone):
    async def handler(call):
        playback = call.playTone(441, 60)
        await asyncio.sleep(0.5)
        playback.stop(fade=0.25)
        await playback
        call.at = call.time

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.at == pytest.approx(0.76, abs=0.02)
    fading = np.abs(p.heard[4000:6000])
    assert fading[:200].max() > 0.9 > 0.6 > fading[1000:1200].max() > 0.4 > 0.1 > fading[1900:].max()


# --- Functions --------------------------------------------------------------------------------------------------------


async def test_a_function_is_given_its_time_and_is_heard_sample_by_sample(phone):
    calls = []

    def ramp(t, delta):
        calls.append((t, delta))
        return None if t >= 0.1 else t

    async def handler(call):
        await asyncio.sleep(0.5)
        await call.playCustom(ramp)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert calls == [(n / 8000, 1 / 8000) for n in range(801)]
    np.testing.assert_allclose(p.heard[4000:4800], np.arange(800) / 8000, atol=1 / 32768)
    assert quiet(p.heard[4800:])


async def test_an_echo_is_as_late_as_its_ring_is_long(phone, sine):
    """recordCustom hears frame k after it has run, playCustom is asked 2 frames ahead: 320 samples."""
    delay = []

    async def handler(call):
        kept = []
        call.recordCustom(kept.append)
        call.playCustom(lambda t, delta: kept.pop(0) if kept else 0.0)
        await call.getDTMF()

    voice = 0.5 * sine(441, 0.3) * np.hanning(2400)
    async with phone(handler) as p:
        await p.wait(0.1)
        await p.play(voice)
        await p.wait(0.2)
        delay.append(int(np.argmax(np.correlate(p.heard, p.said, "full"))) - len(p.said) + 1)
    assert delay == [320]


async def test_record_custom_ends_with_false_and_gets_every_sample(phone):
    got = []

    async def handler(call):
        await call.recordCustom(lambda sample: got.append(sample) or len(got) < 1000)
        call.at = call.time

    sound = (np.arange(1, 2001) / 32768).astype(np.float32)
    async with phone(handler) as p:
        await p.play(sound)
        assert await p.hung_up()
    assert got == (p.said[:1000]).tolist()
    assert p.call.at == pytest.approx(0.14, abs=0.001)


@pytest.mark.parametrize("awaited", [True, False])
@pytest.mark.parametrize("kind", ["playCustom", "recordCustom"])
async def test_an_exception_in_a_function_is_raised_in_its_handler(phone, kind, awaited, caplog):
    def broken(*args):
        raise ZeroDivisionError("mine")

    async def handler(call):
        try:
            future = getattr(call, kind)(broken)
            await (future if awaited else asyncio.sleep(60))
        finally:
            call.cleaned = True

    with pytest.raises(ZeroDivisionError, match="mine"):
        async with phone(handler) as p:
            assert await p.hung_up()
    assert p.call.cleaned
    assert p.time < 1
    assert "call" in caplog.text
    assert "ZeroDivisionError: mine" in caplog.text


async def test_a_function_that_gives_no_number_is_named_with_its_time(phone):
    async def handler(call):
        await call.playCustom(lambda t, delta: "loud" if t > 0.01 else 0.0)

    with pytest.raises(TypeError, match=r"playCustom: the function gave 'loud' at 0.010\d* s"):
        async with phone(handler) as p:
            assert await p.hung_up()


async def test_a_cancelled_function_is_not_called_any_more(phone):
    calls = []

    async def handler(call):
        playback = call.playCustom(lambda t, delta: calls.append(t) or 0.1)
        await asyncio.sleep(0.2)
        playback.cancel()
        await asyncio.sleep(0.2)
        call.made = len(calls)
        await asyncio.sleep(1)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert len(calls) == p.call.made < 8000 * 0.32


async def test_what_is_not_finite_is_silenced_and_named_and_the_call_goes_on(phone, caplog):
    async def handler(call):
        playback = call.playCustom(lambda t, delta: float("nan") if t > 0.1 else 0.25)
        await call.playPCM([0.125] * 4000)
        assert playback.done()

    async with phone(handler) as p:
        assert await p.hung_up()
    np.testing.assert_array_equal(p.heard[:640], [0.375] * 640)
    np.testing.assert_array_equal(p.heard[960:4000], [0.125] * 3040)
    assert "the sound of custom is not finite" in caplog.text


@pytest.mark.parametrize("error", [StopIteration("mine"), SystemExit("mine"), asyncio.CancelledError("mine")])
async def test_an_exception_with_a_meaning_of_its_own_ends_the_call_like_any_other(phone, error):
    def broken(t, delta):
        raise error

    async def handler(call):
        await call.playCustom(broken)

    with pytest.raises(RuntimeError, match=r"a function of the call raised .*mine"):
        async with phone(handler) as p:
            assert await p.hung_up()


@pytest.mark.parametrize("what", ["hangup", "cancel", "stop", "controller"])
@pytest.mark.parametrize("clock", ["virtual", "live"])
def test_a_function_may_end_what_the_handler_began(clock, what, live):
    from graphvoip.testing import phone

    ended = []

    async def handler(call):
        controller = RecordController()
        recording = call.recordPCM(controller)
        tone = call.playTone(441, 60)
        ends = {"hangup": call.hangup, "cancel": tone.cancel, "stop": tone.stop, "controller": controller.stop}

        def function(sample):
            ends[what]()
            return False

        listening = call.recordCustom(function)
        try:
            await (recording if what == "controller" else tone)
        finally:
            ended.append(call.time)
            listening.cancel()

    async def virtual():
        async with phone(handler) as p:
            assert await p.hung_up(within=2)

    async def real(engine, call):
        _, _, task = call(handler)
        await asyncio.wait([task], timeout=5)
        assert task.done()

    run_virtual(virtual()) if clock == "virtual" else live(real)
    assert ended
    assert ended[0] < 1.0


@pytest.mark.parametrize("begin", ["playTone", "recordPCM", "getDTMF"])
async def test_a_function_cannot_begin_anything(phone, begin):
    async def handler(call):
        begins = {
            "playTone": lambda: call.playTone(441, 1),
            "recordPCM": lambda: call.recordPCM(maxlen=5),
            "getDTMF": call.getDTMF,
        }
        await call.playCustom(lambda t, delta: begins[begin]() and None)

    with pytest.raises(RuntimeError, match="let the handler do it"):
        async with phone(handler) as p:
            assert await p.hung_up()


# --- Recording --------------------------------------------------------------------------------------------------------


async def test_a_recording_is_what_was_said_from_then_on(phone):
    controller = RecordController()

    async def handler(call):
        await asyncio.sleep(0.1)
        recorder = call.recordPCM(controller)
        await call.getDTMF()
        controller.stop()
        call.recording = await recorder
        await call.playPCM(call.recording)

    sound = np.arange(1, 4001) / 32768
    async with phone(handler) as p:
        await p.play(sound)
        await p.press("1")
        assert await p.hung_up(within=10)
    assert type(p.call.recording) is PCM
    assert type(p.call.recording[0]) is float
    recorded = np.array(p.call.recording, np.float32)
    np.testing.assert_array_equal(recorded, p.said[800 : 800 + len(recorded)])
    assert p.call.recording == controller.recorded
    began = len(p.heard) - FRAME * -(-len(recorded) // FRAME)
    np.testing.assert_array_equal(p.heard[began:][: len(recorded)], recorded)


@pytest.mark.parametrize("maxlen", [1, 159, 160, 161, 8000])
async def test_maxlen_is_in_samples(phone, maxlen):
    async def handler(call):
        call.recording = await call.recordPCM(maxlen=maxlen)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert len(p.call.recording) == maxlen


async def test_a_long_recording_has_every_sample(phone):
    """Longer than a piece of the recorder's memory (30 s)."""
    controller = RecordController()

    async def handler(call):
        recorder = call.recordPCM(controller)
        await asyncio.sleep(100)
        controller.stop()
        call.recording = await recorder

    sound = np.random.default_rng(1).integers(-32768, 32768, 800_000) / 32768
    async with phone(handler) as p:
        await p.play(sound)
        assert await p.hung_up(within=10)
    np.testing.assert_array_equal(np.array(p.call.recording, np.float32), p.said[:800_000])


async def test_what_was_recorded_is_there_after_a_hangup(phone):
    controller = RecordController()

    async def handler(call):
        await call.recordPCM(controller)

    sound = np.arange(1, 1601) / 32768
    async with phone(handler) as p:
        await p.play(sound)
    np.testing.assert_array_equal(np.array(controller.recorded[:1600], np.float32), sound.astype(np.float32))


async def test_a_controller_serves_one_time(phone):
    async def handler(call):
        controller = RecordController()
        recorder = call.recordPCM(controller)
        await asyncio.sleep(0.1)
        controller.stop()
        await recorder
        with pytest.raises(ValueError, match="has stopped a recording already; make a new one"):
            call.recordPCM(controller)
        early = RecordController()
        early.stop()  # before it began, by a key that was typed ahead, say
        call.early = await call.recordPCM(early)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.early == []


async def test_one_controller_stops_several_recordings(phone):
    controller = RecordController()

    async def handler(call):
        both = asyncio.gather(call.recordPCM(controller), call.recordPCM(controller, maxlen=800))
        await asyncio.sleep(0.5)
        controller.stop()
        call.lengths = [len(one) for one in await both]

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.lengths == [4000, 800]


# --- The graph --------------------------------------------------------------------------------------------------------


async def test_a_graph_plays_until_its_node_is_done(phone):
    async def handler(call):
        tone = Tone(freq=441, seconds=0.5)
        await call.play(Gain(tone, 0.5), fade=0, until=tone)
        call.at = call.time
        await call.play(Tone(freq=600, seconds=0.1))

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.at == 0.5
    assert np.abs(p.heard[:4000]).max() == pytest.approx(0.5, abs=0.001)
    assert has_tone(p.heard[4000:4800], 600)


async def test_a_graph_comes_in_and_goes_out_without_a_click(phone):
    async def handler(call):
        source = Sine(freq=441)
        Plan([source]).run(3)  # so that it does not begin at phase 0
        playback = call.play(Mix(Gain(source, 0.9)))
        await asyncio.sleep(0.3)
        playback.stop()
        await playback

    async with phone(handler) as p:
        assert await p.hung_up()
    assert largest_step(p.heard) <= 0.9 * 1.05 * 2 * np.pi * 441 / 8000
    assert quiet(p.heard[round(0.3 * 8000) + FRAME :])


async def test_the_callers_voice_is_a_signal(phone):
    async def handler(call):
        call.play(Gain(call.voice, 0.5), fade=0)
        await call.getDTMF()

    sound = (np.arange(1, 801) / 16384).astype(np.float32)
    async with phone(handler) as p:
        await p.wait(0.1)
        await p.play(sound)
    np.testing.assert_array_equal(p.heard[800:1600], sound / 2)  # heard in the very frame in which it was said


async def test_a_node_cannot_sound_in_two_calls(phone):
    shared = Sine()

    async def handler(call):
        call.play(shared)
        await call.getDTMF()

    async with phone(handler) as p:
        await p.wait(0.3)
        with pytest.raises(ValueError, match=r"sine sounds in call \d+ already; build another one for call \d+"):
            async with phone(handler) as q:
                assert await q.hung_up()
        assert level(p.heard[-800:]) == pytest.approx(-3, abs=0.1)


async def test_one_node_may_be_played_twice_in_its_call(phone):
    async def handler(call):
        tone = Tone(freq=441, seconds=0.2)
        await asyncio.gather(call.play(tone, fade=0), call.play(Gain(tone, 0.5), fade=0, until=tone))
        call.at = call.time

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.at == 0.2


async def test_what_has_come_to_its_end_is_not_played_again(phone):
    async def handler(call):
        tone = Tone(freq=441, seconds=0.1)
        await call.play(tone)
        with pytest.raises(ValueError, match="this tone has come to its end; build another one"):
            call.play(tone)

    async with phone(handler) as p:
        assert await p.hung_up()


@pytest.mark.parametrize("steps", range(4))
@pytest.mark.parametrize("how", ["stop", "cancel"])
async def test_ended_at_any_moment_of_its_beginning_it_leaves_nothing_behind(phone, how, steps):
    async def handler(call):
        for _ in range(20):
            playback = call.play(Sine(freq=441))
            for _ in range(steps):
                await asyncio.sleep(0)
            getattr(playback, how)()
            if how == "stop":
                await playback
        await asyncio.sleep(0.1)
        assert not call._playing
        assert not call._out.inputs
        assert len(call._graph._listeners) == 3  # the keypad's, and two of the tones in the sound

    async with phone(handler) as p:
        assert await p.hung_up()


async def test_a_wire_to_another_calls_node_is_refused_and_nobody_hears_it(phone):
    theirs = []

    async def first(call):
        theirs.append(Sine(freq=441))
        call.play(theirs[0], fade=0)
        await call.getDTMF()

    async def second(call):
        gain = Gain(Sine(freq=600), 0.5)
        call.play(gain, fade=0)
        await asyncio.sleep(0.2)
        with pytest.raises(ValueError, match=r"sine sounds in call [0-9]+ already"):
            gain.input = theirs[0]
        call.playTone(800, 0.1)  # makes a new plan
        await asyncio.sleep(0.2)

    async with phone(first) as p:
        await p.wait(0.1)
        async with phone(second) as q:
            assert await q.hung_up()
    assert tones(q.heard[800:1600])[0][0] == pytest.approx(600, abs=2)
    assert largest_step(p.heard[:-FRAME]) <= 1.05 * 2 * np.pi * 441 / 8000


async def test_the_node_that_is_not_finite_is_named(phone, caplog):
    async def handler(call):
        broken = Pcm(data=np.array([0.1] * 800 + [np.nan] * 800, np.float32))
        await call.play(Gain(Mix(broken, Sine(freq=441)), 0.5))

    async with phone(handler) as p:
        assert await p.hung_up()
    assert "the sound of pcm is not finite" in caplog.text


async def test_wires_can_be_changed_while_it_sounds(phone):
    async def handler(call):
        gain = Gain(Sine(freq=441), 0.5)
        call.play(gain)
        await asyncio.sleep(0.5)
        gain.input = Sine(freq=600)
        await asyncio.sleep(0.5)
        gain.gain = 0.25
        await asyncio.sleep(0.5)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert tones(p.heard[800:3200])[0][0] == pytest.approx(441, abs=1)
    assert tones(p.heard[4800:7200])[0][0] == pytest.approx(600, abs=1)
    assert np.abs(p.heard[8800:11000]).max() == pytest.approx(0.25, abs=0.01)
    assert largest_step(p.heard) <= 1.05 * 0.5 * 2 * np.pi * 600 / 8000  # no edit clicks


# --- The end ----------------------------------------------------------------------------------------------------------


async def test_a_handler_that_returns_ends_its_call(phone):
    async def handler(call):
        await call.playTone(441, 0.1)

    async with phone(handler) as p:
        assert await p.hung_up()
        assert await p.call.ended == "the handler is done"
    assert p.ended == "the other side hung up"


async def test_after_a_hangup_all_that_is_pending_is_cancelled_and_finally_runs(phone):
    futures = []

    async def handler(call):
        futures.extend(
            [
                call.playTone(441, 60),
                call.playPCM([0.1], loop=True),
                call.playCustom(lambda t, delta: 0.0),
                call.recordPCM(RecordController()),
                call.recordCustom(lambda sample: True),
                call.getDTMF(),
            ]
        )
        try:
            await asyncio.sleep(60)
        finally:
            call.cleaned = True

    async with phone(handler) as p:
        await p.wait(1)
        p.hangup()
        await p.wait(0.1)
        assert p.call.cleaned
        assert all(future.cancelled() for future in futures)
        assert await p.call.ended == "the caller hung up"
        assert p.call.playTone(441, 1).cancelled()  # and nothing can begin any more
        assert p.call.getDTMF().cancelled()
        assert p.call.recordPCM(maxlen=5).cancelled()


async def test_hangup_from_the_handler_fades_what_plays(phone):
    async def handler(call):
        call.playTone(441, 60)
        await asyncio.sleep(0.3)
        call.hangup()
        await asyncio.sleep(60)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.time < 0.5
    assert largest_step(np.append(p.heard, 0)) <= 1.05 * 2 * np.pi * 441 / 8000


async def test_an_exception_ends_the_call_is_logged_with_its_id_and_nobody_else_notices(phone, caplog):
    async def broken(call):
        await asyncio.sleep(0.1)
        raise LookupError("nothing there")

    async def fine(call):
        await call.playTone(441, 1)

    async with phone(fine) as p:
        with pytest.raises(LookupError):
            async with phone(broken) as q:
                assert await q.hung_up()
        assert await p.hung_up()
    assert level(p.heard[:8000]) == pytest.approx(-3, abs=0.1)
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == f"{q.call.id}: the handler failed"
    assert "LookupError: nothing there" in caplog.text


async def test_a_handler_that_ends_by_awaiting_what_was_cancelled_is_told(phone, caplog):
    async def handler(call):
        playback = call.playTone(441, 1)
        playback.cancel()
        await playback

    async with phone(handler) as p:
        assert await p.hung_up()
    assert f"{p.call.id}: the handler ended because it awaited something that had been cancelled" in caplog.text


async def test_a_handler_that_outlives_its_call_is_named(phone, caplog):
    async def handler(call):
        for _ in range(20):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                pass

    async with phone(handler) as p:
        await p.wait(1)
    assert f"{p.call.id}: its handler goes on 10 s after the end" in caplog.text


@pytest.mark.parametrize("kind", [lambda x: array.array("f", x), lambda x: np.array(x, np.float32)])
async def test_samples_belong_to_the_caller_again_when_it_plays(phone, kind):
    async def handler(call):
        sound = kind([0.5] * 1600)
        playback = call.playPCM(sound)
        for n in range(1600):
            sound[n] = 0.0
        await playback

    async with phone(handler) as p:
        assert await p.hung_up()
    np.testing.assert_array_equal(p.heard[:1600], [0.5] * 1600)


async def test_numbers_of_numpy_are_numbers(phone):
    async def handler(call):
        for frequency in np.arange(400, 600, 100):
            await call.playTone(frequency, np.float32(0.1))
        call.recording = await call.recordPCM(maxlen=np.int64(80))
        call.keys = await call.getDTMF(n=np.int64(1))

    async with phone(handler) as p:
        assert await p.hears_tone(400)
        assert await p.hears_tone(500)
        await p.press("1")
    assert len(p.call.recording) == 80
    assert p.call.keys == "1"


async def test_after_the_end_no_key_is_given(phone):
    async def handler(call):
        await asyncio.sleep(1)

    async with phone(handler) as p:
        await p.press("12")
        assert await p.hung_up()
        assert p.call.getDTMF().cancelled()


async def test_a_handler_that_is_no_coroutine_function_is_told(phone):
    with pytest.raises(TypeError, match=r"<lambda> is not a coroutine function; write 'async def handler\(call\)'"):
        async with phone(lambda call: None) as p:
            assert await p.hung_up()


async def test_the_callers_uri(phone):
    async def handler(call):
        call.uri = call.getRemoteUri()

    async with phone(handler, number="123") as p:
        assert await p.hung_up()
    assert p.call.uri == '"123" <sip:123@localhost>'


def test_a_thousand_calls_leave_nothing_behind():
    from graphvoip.testing import phone

    async def handler(call):
        call.playTone(441, 3)
        call.playCustom(lambda t, delta: 0.1)
        call.recordPCM(RecordController())
        call.recordCustom(lambda sample: True)
        await call.getDTMF()

    async def main(count):
        last = None
        for _ in range(count):
            async with phone(handler) as p:
                await p.wait(0.05)
                await p.press("1")
                last = weakref.ref(p.call)
        return last

    def remaining():
        gc.collect()
        return sum(issubclass(type(one), (Call, Node, Plan, Graph)) for one in gc.get_objects())

    run_virtual(main(10))
    before = remaining()
    last = run_virtual(main(1000))
    assert remaining() <= before
    assert last() is None


def test_two_runs_are_the_same_to_the_last_bit(sine):
    from graphvoip.testing import phone

    async def handler(call):
        call.playCustom(lambda t, delta: 0.1 * np.sin(2000 * t))
        call.play(Gain(call.voice, 0.5))
        menu = call.playTone(441, 9)
        await call.getDTMF(n=2)
        menu.cancel()
        await call.playTone(600, 0.333)

    async def main():
        async with phone(handler) as p:
            await p.play(sine(317, 0.5))
            await p.press("12")
            await p.hung_up()
            return p.heard, list(p.call.history)[1:]

    (one, first), (two, second) = run_virtual(main()), run_virtual(main())
    np.testing.assert_array_equal(one, two)
    assert first == second


async def test_what_was_not_awaited_is_told(phone, caplog):
    async def handler(call):
        call.playTone(440, 1)
        key = call.getDTMF()
        if key == "1":
            raise AssertionError

    async with phone(handler) as p:
        await p.hung_up()
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text.partition(": ")[2] for text in told] == [
        "the handler ended before its tone was heard: write 'await' before what plays it",
        "the handler ended while getDTMF waited for a key: write 'key = await call.getDTMF()'",
    ]


async def test_what_is_left_on_purpose_is_not_told(phone, caplog):
    async def handler(call):
        call.playTone(440, 5)
        await asyncio.wait([call.getDTMF()], timeout=0.2)

    async with phone(handler) as p:
        await p.hung_up()
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
