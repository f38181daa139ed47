"""Numbers that the documentation promises, written out: a constant that changes fails here."""

import asyncio

import pytest

from graphvoip.client import Exchange
from graphvoip.clock import run_virtual
from graphvoip.digits import Presses
from graphvoip.engine import Engine
from graphvoip.io.virtual import Phone
from graphvoip.rings import OUT_WRITTEN, LineRing


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


def test_frame_is_160_samples_of_16_bits():
    ring = LineRing()
    ring.words[OUT_WRITTEN] += 1
    frame = ring.receive()
    assert frame is not None
    assert len(frame) == 320
