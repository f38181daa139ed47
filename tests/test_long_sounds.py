"""Long sounds on calls: how much of them is copied, and when."""

import asyncio
import sys
import tracemalloc

import numpy as np
import pytest

from graphvoip import PCM, RecordController

TEN_MINUTES = 600 * 8000


@pytest.fixture
def long_list():
    """30 s, in whole steps of 16 bits."""
    return (np.random.default_rng(3).integers(-9000, 9000, 30 * 8000) / 32768).tolist()


@pytest.mark.parametrize("kind", [list, tuple])
async def test_a_long_list_is_heard_as_it_was_when_it_was_played(phone, long_list, kind):
    played = kind(long_list)

    async def handler(call):
        playback = call.playPCM(played)
        if kind is list:
            played.clear()
        await playback

    async with phone(handler) as p:
        assert await p.hung_up(within=40)
    begin = int(np.flatnonzero(p.heard == np.float32(long_list[0]))[0])
    np.testing.assert_array_equal(p.heard[begin : begin + len(long_list)], np.array(long_list, np.float32))


class Watched(list):
    """A list that counts the samples that are taken out of it."""

    taken = 0

    def __getitem__(self, index):
        found = super().__getitem__(index)
        self.taken += len(found) if isinstance(index, slice) else 1
        return found


async def test_of_ten_minutes_no_more_than_one_is_taken_at_once(phone):
    """To take them all held the event loop for 40 ms."""
    sound = Watched([0.25] * TEN_MINUTES)

    async def handler(call):
        playback = call.playPCM(sound)
        call.taken = sound.taken
        await asyncio.sleep(0.1)
        playback.cancel()

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.taken == 60 * 8000


async def test_list_that_grows_meanwhile_is_heard_as_long_as_it_was(phone):
    sound = [0.25] * (70 * 8000)

    async def handler(call):
        playback = call.playPCM(sound)
        sound.extend([0.5] * 8000)
        await playback

    async with phone(handler) as p:
        assert await p.hung_up(within=80)
    assert np.count_nonzero(p.heard == np.float32(0.25)) == 70 * 8000
    assert not np.any(p.heard > 0.3)


async def test_a_long_list_in_a_loop_has_no_seam(phone, long_list):
    async def handler(call):
        call.playPCM(long_list, loop=True)
        await asyncio.sleep(70)

    async with phone(handler) as p:
        assert await p.hung_up(within=80)
    begin = int(np.flatnonzero(p.heard == np.float32(long_list[0]))[0])
    heard = p.heard[begin : begin + 69 * 8000]
    np.testing.assert_array_equal(heard, np.resize(np.array(long_list, np.float32), len(heard)))


async def test_what_is_wrong_at_the_beginning_of_a_long_list_is_raised_at_once(phone, long_list):
    async def handler(call):
        long_list[79_999] = float("nan")
        with pytest.raises(ValueError, match=r"playPCM: sample 79999 is nan; samples are finite floats in \[-1, 1\]"):
            call.playPCM(long_list)
        call.seen = True

    async with phone(handler) as p:
        assert await p.hung_up(within=40)
    assert p.call.seen


@pytest.mark.parametrize(("bad", "error"), [(float("inf"), ValueError), (None, TypeError)])
async def test_what_is_wrong_further_on_is_raised_where_it_is_awaited(phone, long_list, bad, error):
    async def handler(call):
        long_list[200_000] = bad
        playback = call.playPCM(long_list)
        with pytest.raises(error, match="playPCM: sample"):
            await playback
        call.seen = True

    async with phone(handler) as p:
        assert await p.hung_up(within=40)
    assert p.call.seen


def test_the_rest_of_a_long_list_is_converted_while_the_event_loop_goes_on(live):
    sound = np.zeros(TEN_MINUTES).tolist()

    async def test(engine, call):
        steps = 0
        playing = asyncio.Event()

        async def handler(call):
            call.playback = call.playPCM(sound)
            call.converted = int(call.playback.node.state["written"])
            playing.set()
            await call.playback

        _, one, _ = call(handler)
        await playing.wait()
        while one.playback.node.state["written"] < TEN_MINUTES:
            steps += 1
            await asyncio.sleep(0)
        assert one.converted == 10 * 8000
        assert steps > 20  # in one step it would be none
        assert one.playback.node.state["missed"] == 0
        one.hangup()

    live(test)


def test_twenty_calls_that_play_one_sound_share_its_memory(live):
    sound = PCM(np.full(TEN_MINUTES, 0.25))

    async def test(engine, call):
        async def handler(call):
            await call.playPCM(sound)

        async def answering(call):
            call.key = await call.getDTMF()

        leg, other, task = call(answering)
        tracemalloc.start()
        try:
            calls = [call(handler)[1] for _ in range(20)]
            while not all(one._playing for one in calls):
                await asyncio.sleep(0)
            leg.on_digit("5", "event")
            await task
            grown = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert other.key == "5"
        assert grown < 4 * TEN_MINUTES
        before = np.asarray(sound)
        sound[0] = 1  # the twenty do not hear that
        assert before[0] == 0.25
        for one in calls:
            one.hangup()

    live(test)


def test_what_plays_is_not_what_is_changed_meanwhile(live):
    sound = PCM(np.full(8000, 0.25))

    async def test(engine, call):
        async def handler(call):
            playback = call.playPCM(sound)
            sound[:] = [1.0] * 8000
            assert playback.node.data.tolist() == [0.25] * 8000
            assert sound == [1.0] * 8000

        _, _, task = call(handler)
        await task

    live(test)


async def test_a_recording_makes_no_object_for_each_of_its_samples(phone):
    async def handler(call):
        controller = RecordController()
        recording = call.recordPCM(controller)
        await asyncio.sleep(59.9)
        call.blocks = sys.getallocatedblocks()
        tracemalloc.start()
        controller.stop()
        call.result = await recording
        call.peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        call.blocks = sys.getallocatedblocks() - call.blocks
        call.so_far = controller.recorded

    async with phone(handler) as p:
        assert await p.hung_up(within=80)
    call = p.call
    assert len(call.result) == 59.9 * 8000
    assert call.so_far == call.result
    assert call.blocks < 5000
    assert call.peak < 4.5 * 60 * 8000


async def test_the_history_of_a_call_can_be_sliced(phone):
    async def handler(call):
        await call.playTone(440, 0.1)
        call.first = call.history[:2]

    async with phone(handler) as p:
        await p.hung_up()
    texts = [text for _, text in p.call.first]
    assert texts == ['from "5556667777" <sip:5556667777@localhost>', "tone 440 Hz, 0.1 s"]
    assert p.call.history[-1][1].startswith("ended")
    assert p.call.history[::-1] == list(reversed(p.call.history))
