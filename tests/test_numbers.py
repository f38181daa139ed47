"""Numbers that the documentation promises, written out: a constant that changes fails here."""

import asyncio
import contextlib
import types

import numpy as np
import pytest

from graphvoip.client import Exchange, choose_device
from graphvoip.clock import VirtualLoop, run_virtual
from graphvoip.digits import Presses
from graphvoip.engine import LATE, SKIPPED, STOP, TICKS, Engine, serve
from graphvoip.io.virtual import Phone
from graphvoip.rings import OUT_WRITTEN, LineRing

MS = 1_000_000  # nanoseconds


# The first one, because frames of another size overwrite memory in all other tests.
def test_frame_is_160_samples_of_16_bits():
    ring = LineRing()
    ring.words[OUT_WRITTEN] += 1
    frame = ring.receive()
    assert frame is not None
    assert len(frame) == 320


@pytest.mark.parametrize(("after", "keys"), [(0.4, ""), (0.6, "5")])
async def test_own_tones_are_their_echo_for_half_a_second_after_they_end(phone, after, keys):
    async def handler(call):
        await call.sendDTMF("5", how="tones", on=0.1, off=0)
        call.sent = call.time
        await asyncio.sleep(2)
        call.got = call.flushDTMF()

    async with phone(handler) as p:
        await p.wait(0.02)
        while not hasattr(p.call, "sent"):
            await p.wait(0.02)
        await p.wait(after - 0.08)  # a key is recognized some 60 to 80 ms after its beginning
        await p.press("5", inband=True)
        await p.hung_up()
    assert p.call.got == keys


@pytest.mark.parametrize(("after", "new"), [(0.58, False), (0.62, True)])
def test_same_key_another_way_within_0_6_s_is_the_same_press(after, new):
    presses = Presses()
    assert presses.is_new("1", "event", 10.0)
    assert presses.is_new("1", "info", 10.0 + after) is new


def test_ten_calls_at_once_are_taken_and_the_eleventh_hears_busy():
    async def handler(call):
        await asyncio.sleep(5)

    async def main():
        engine = Engine()
        engine.start()
        exchange = Exchange(handler, engine)
        phones = [Phone(str(n)) for n in range(11)]
        for one in phones:
            await one.open(engine, exchange.incoming)
        busy = [one.busy for one in phones]
        await exchange.close()
        engine.stop()
        return busy

    assert run_virtual(main()) == [False] * 10 + [True]


def test_wait_in_a_ring_that_never_goes_away_is_cut_after_250_frames():
    ring = LineRing()
    skipped = []
    ring.words[OUT_WRITTEN] += 1
    for _ in range(260):
        ring.words[OUT_WRITTEN] += 1
        assert ring.receive() is not None
        skipped.append(ring.counts()["out_skipped"])
    assert skipped.index(1) == 249


async def test_history_keeps_1000_entries(phone):
    async def handler(call):
        for n in range(1200):
            call.playTone(n, 0)
        await call.getDTMF()

    async with phone(handler) as p:
        await p.wait(0.1)
    assert len(p.call.history) == 1000


async def test_a_sound_may_last_a_million_seconds(phone):
    async def handler(call):
        call.playTone(440, 1_000_000)
        with pytest.raises(ValueError, match="a number from 0 to 1e\\+06"):
            call.playTone(440, 1_000_001)
        call.fine = True

    async with phone(handler) as p:
        await p.hung_up()
    assert p.call.fine


async def test_comma_in_dialled_keys_is_one_second(phone):
    async def handler(call):
        before = call.time
        await call.sendDTMF("1,2", how="events", on=0.1, off=0.1)
        call.took = call.time - before

    async with phone(handler) as p:
        await p.hung_up()
    assert p.call.took == pytest.approx(1.4, abs=0.061)


async def test_recording_that_silence_ends_gives_up_after_5_s_without_a_word(phone):
    async def handler(call):
        before = call.time
        call.said = await call.recordPCM(silence=0.5)
        call.took = call.time - before

    async with phone(handler) as p:
        await p.hung_up(within=20)
    assert list(p.call.said) == []
    assert p.call.took == pytest.approx(5, abs=0.041)


def serve_on_time(delays):
    """Run the loop of the audio thread on a simulated clock; delays: ms by which it oversleeps each of its ticks.

    The control words, the lateness of each tick in ms, and when devices were woken before and after each: (ms, column).
    """
    time, woken, control, lateness = 0, [], np.zeros(12, np.int64), np.zeros(64, np.int64)
    spec, left = np.zeros(2, np.int64), list(delays)

    def sleep_until(due, spec):
        nonlocal time
        time = max(time, due)
        if woken and woken[-1][1] == 1:  # it is the tick that is slept for, not the wake-up before it
            time += left.pop(0) * MS

    def tick(control):
        control[TICKS] += 1
        control[STOP] = not left
        return 0

    simulated = {
        "now": lambda spec: time,
        "sleep_until": sleep_until,
        "wake": lambda control, column: woken.append((time / MS, column)),
        "tick": tick,
    }
    types.FunctionType(serve.py_func.__code__, {**serve.py_func.__globals__, **simulated})(control, lateness, spec)
    return control, (lateness[: len(delays)] / MS).tolist(), woken


def test_frame_counts_as_late_beyond_5_ms():
    control, lateness, _ = serve_on_time([0, 4, 5, 6, 0])
    assert lateness == [0, 4, 5, 6, 0]
    assert control[LATE] == 1


def test_devices_are_woken_10_ms_before_each_tick_of_20_ms_and_after_it():
    _, _, woken = serve_on_time([0, 0, 0])
    assert woken == [(10, 1), (20, 2), (30, 1), (40, 2), (50, 1), (60, 2)]


@pytest.mark.parametrize(("late", "skipped"), [(59, 0), (61, 3), (1005, 50)])
def test_frames_are_skipped_when_a_tick_is_more_than_60_ms_late(late, skipped):
    control, _, _ = serve_on_time([0, late, 0, 0, 0])
    assert control[SKIPPED] == skipped


def test_second_is_50_frames():
    async def main():
        engine = Engine()
        engine.start()
        await asyncio.sleep(1)
        engine.stop()
        return engine.stats().frames

    assert run_virtual(main()) == 50


def test_ring_holds_8_frames_each_way_behind_16_words():
    ring = LineRing()
    places = [(ring.next_in(), ring.send(bytes(320)))[0] - ring.address for _ in range(9)]
    assert places == [128, 448, 768, 1088, 1408, 1728, 2048, 2368, 128]
    assert len(ring.memory) == 128 + 2 * 8 * 320


@pytest.mark.parametrize(("waiting", "skipped"), [(2, 0), (3, 2)])
def test_reader_lets_2_frames_wait_and_skips_to_the_newest_of_more(waiting, skipped):
    ring = LineRing()
    ring.words[OUT_WRITTEN] += waiting
    ring.receive()
    assert ring.counts()["out_skipped"] == skipped


def test_time_passes_after_10_000_steps_of_a_task_that_only_polls():
    async def main():
        loop, steps = asyncio.get_running_loop(), {}
        while loop.time() < 0.06:
            await asyncio.sleep(0)
            steps[loop.time()] = steps.get(loop.time(), 0) + 1
        return [steps[0.02], steps[0.04]]

    assert run_virtual(main()) == [10_000, 10_000]


def test_program_may_wait_for_12_hours_of_virtual_time():
    async def main():
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.frames = 50 * 12 * 3600 - 10
        await asyncio.sleep(0.2)
        with pytest.raises(RuntimeError, match="12 hours of virtual time"):
            loop.advance()

    run_virtual(main())


async def test_list_of_10_s_is_converted_at_once_and_a_longer_one_while_it_is_heard(phone):
    async def handler(call):
        with pytest.raises(TypeError):
            call.playPCM([0.0] * 79_999 + ["x"])
        longer = call.playPCM([0.0] * 80_000 + ["x"])
        with pytest.raises(TypeError):
            await longer
        call.fine = True

    async with phone(handler) as p:
        await p.hung_up(within=20)
    assert p.call.fine


@pytest.mark.parametrize(
    ("size", "outcome"),
    [
        (480_000, contextlib.nullcontext()),
        (
            480_001,
            pytest.raises(
                ValueError,
                match=r"^playPCM: the list was shortened while it was played: got 480000 samples, expected 480001. "
                r"Play a copy: PCM\(samples\)$",
            ),
        ),
    ],
)
async def test_first_60_s_of_a_list_are_heard_whatever_is_done_to_it(phone, size, outcome):
    async def handler(call):
        samples = [0.25] * size
        playback = call.playPCM(samples)
        samples.clear()
        with outcome:
            await playback
        call.fine = True

    async with phone(handler) as p:
        await p.hung_up(within=80)
    assert p.call.fine


async def test_function_that_plays_is_told_time_in_steps_of_an_8000th(phone):
    told = []

    async def handler(call):
        await call.playCustom(lambda t, delta: told.append((t, delta)) or (0.0 if len(told) < 3 else None))

    async with phone(handler) as p:
        await p.hung_up()
    assert told == [(0, 0.000125), (0.000125, 0.000125), (0.00025, 0.000125)]


async def test_handler_is_named_10_s_after_the_end_of_its_call(phone, caplog):
    async def handler(call):
        for _ in range(20):
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                pass

    said = []
    async with phone(handler) as p:
        await p.wait(1)
        p.hangup()
        for seconds in (9.9, 0.2):
            await asyncio.sleep(seconds)
            said.append("after the end" in caplog.text)
    assert said == [False, True]


def test_server_listens_on_port_5060(monkeypatch):
    monkeypatch.delenv("GRAPHVOIP_MEDIA_TIMEOUT", raising=False)
    assert [line.port for line in choose_device(name="pjsip").lines] == [5060]
