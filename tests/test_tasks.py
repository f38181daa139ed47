"""What the methods of a call return, in tasks of asyncio."""

import asyncio

import pytest

from graphvoip import RecordController


def begins(call):
    """All that can be begun on a call, by name."""
    return {
        "key": call.getDTMF(),
        "tone": call.playTone(440, 5),
        "sound": call.playPCM([0.1] * 40000),
        "function": call.playCustom(lambda t, delta: 0.1),
        "keys": call.sendDTMF("123456789"),
        "recording": call.recordPCM(maxlen=40000),
        "listening": call.recordCustom(lambda sample: True),
    }


async def test_every_method_gives_what_create_task_takes(phone):
    async def handler(call):
        call.results = {}
        tasks = {name: asyncio.create_task(one, name=name) for name, one in begins(call).items()}
        assert tasks["key"].get_name() == "key"
        tasks["end"] = asyncio.create_task(call.ended)
        for name in ("key", "tone", "sound", "keys", "recording"):
            call.results[name] = await tasks[name]

    async with phone(handler) as p:
        await p.press("7")
        await p.wait(6)
    assert p.call.results["key"] == "7"
    assert len(p.call.results["recording"]) == 40000
    assert {"tone", "sound", "keys"} <= set(p.call.results)


async def test_task_group_waits_for_a_sound_and_a_key(phone):
    async def handler(call):
        async with asyncio.TaskGroup() as group:
            key = group.create_task(call.getDTMF())
            group.create_task(call.playTone(440, 1))
        await call.playTone({"3": 880}[key.result()], 1)

    async with phone(handler) as p:
        assert await p.hears_tone(440)
        await p.press("3")
        assert await p.hears_tone(880)


@pytest.mark.parametrize("begun", [False, True], ids=["before its first step", "while it waits"])
async def test_cancelled_task_cancels_what_it_waits_for(phone, begun):
    async def handler(call):
        playback, key = call.playTone(440, 30), call.getDTMF()
        tasks = [asyncio.create_task(playback), asyncio.create_task(key)]
        if begun:
            await asyncio.sleep(0.5)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.sleep(0)
        call.cancelled = playback.cancelled() and key.cancelled()
        call.key = await call.getDTMF()  # nobody else waits for it

    async with phone(handler) as p:
        await p.wait(1)
        await p.press("5")
        assert await p.hung_up()
    assert p.call.cancelled
    assert p.call.key == "5"


async def test_task_in_a_group_that_fails_is_cut_off(phone):
    async def handler(call):
        async with asyncio.TaskGroup() as group:
            group.create_task(call.playTone(440, 30))
            await call.getDTMF()
            raise LookupError("mine")

    async def ring():
        async with phone(handler) as p:
            assert await p.hears_tone(440)
            await p.press("1")
            assert await p.hung_up()

    with pytest.raises(BaseExceptionGroup) as caught:
        await ring()
    assert caught.group_contains(LookupError, match="mine")


async def test_failure_of_a_function_is_raised_in_the_task(phone):
    async def handler(call):
        task = asyncio.create_task(call.playCustom(lambda t, delta: 1 / 0))
        with pytest.raises(ZeroDivisionError):
            await task
        await call.playTone(440, 1)

    async with phone(handler) as p:
        assert await p.hears_tone(440)


async def test_a_wait_in_a_task_is_not_taken_for_forgotten(phone, caplog):
    async def handler(call):
        asyncio.create_task(call.getDTMF())  # noqa: RUF006
        await call.playTone(440, 0.5)

    async with phone(handler) as p:
        assert await p.hung_up()
    assert "getDTMF waited" not in caplog.text


async def test_asyncio_wait_takes_them_still(phone):
    async def handler(call):
        key, tone = call.getDTMF(), call.playTone(440, 30)
        done, _ = await asyncio.wait({key, tone}, return_when=asyncio.FIRST_COMPLETED)
        call.first = done == {key}
        tone.stop()

    async with phone(handler) as p:
        await p.press("1")
        assert await p.hung_up()
    assert p.call.first


async def test_coroutines_are_tasks_as_before(phone):
    async def handler(call):
        controller = RecordController()

        async def record():
            return await call.recordPCM(controller)

        task = asyncio.create_task(record(), name="recording")
        await asyncio.sleep(1)
        controller.stop()
        call.size, call.name = len(await task), task.get_name()
        with pytest.raises(TypeError):
            asyncio.create_task(5)  # noqa: RUF006

    async with phone(handler) as p:
        assert await p.hung_up()
    assert p.call.size == pytest.approx(8000, abs=160)
    assert p.call.name == "recording"


def test_it_is_the_same_on_the_real_clock(live):
    async def test(engine, call):
        got = []

        async def handler(call):
            async with asyncio.TaskGroup() as group:
                key = group.create_task(call.getDTMF())
                group.create_task(call.playTone(440, 0.1))
            got.append(key.result())

        leg, _, task = call(handler)
        await asyncio.sleep(0.05)
        leg.on_digit("4", "event")
        await asyncio.wait([task])
        return got

    assert live(test) == ["4"]
