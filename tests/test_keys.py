"""getDTMF: filters, type-ahead, timeouts; no key is lost or counted twice, whatever the instant."""

import asyncio

import pytest

from graphvoip.testing import run_virtual


async def test_n_keys_in_their_order(phone):
    async def handler(call):
        call.got = await call.getDTMF(n=4)

    async with phone(handler) as p:
        await p.press("1#A0")
        assert await p.hung_up()
        assert p.call.got == "1#A0"


async def test_keys_outside_the_filter_are_ignored(phone):
    async def handler(call):
        call.got = await call.getDTMF(n=2, filter="0123456789")

    async with phone(handler) as p:
        await p.press("*1#B2")
        assert await p.hung_up()
        assert p.call.got == "12"


@pytest.mark.parametrize("filter", ["12", ["1", "2"], ("1", "2"), {"1", "2"}])
async def test_a_filter_is_any_collection_of_keys(phone, filter):
    async def handler(call):
        call.got = await call.getDTMF(filter=filter)

    async with phone(handler) as p:
        await p.press("32")
        assert p.call.got == "2"


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"filter": 5}, TypeError, "getDTMF: filter is 5; it is a string of keys"),
        ({"filter": [1, 2]}, TypeError, "getDTMF: filter is [1, 2]"),
        ({"filter": ""}, ValueError, "holds no key"),
        ({"filter": "12x"}, ValueError, "one that no keypad has"),
        ({"n": 0}, ValueError, "getDTMF: n is 0"),
        ({"n": "4"}, ValueError, "getDTMF: n is '4'"),
        ({"on_first": "1"}, TypeError, "getDTMF: on_first is '1'"),
        ({"on_first": asyncio.sleep}, TypeError, "it is a plain function of one key"),
    ],
)
async def test_bad_arguments_are_named_and_nothing_waits(phone, arguments, error, says):
    async def handler(call):
        with pytest.raises(error) as caught:
            call.getDTMF(**arguments)
        assert says in str(caught.value)
        call.got = await call.getDTMF()

    async with phone(handler) as p:
        await p.press("7")
        assert p.call.got == "7"


async def test_keys_typed_ahead_are_kept_and_can_be_flushed(phone):
    async def handler(call):
        await asyncio.sleep(1)
        call.first = await call.getDTMF()
        call.flushed = call.flushDTMF()
        call.second = await call.getDTMF()

    async with phone(handler) as p:
        await p.press("123")
        await p.wait(1)
        await p.press("9")
        assert (p.call.first, p.call.flushed, p.call.second) == ("1", "23", "9")


async def test_on_first_is_called_once_at_the_first_key_that_counts(phone):
    firsts = []

    async def handler(call):
        await call.getDTMF(n=3, filter="123", on_first=lambda key: firsts.append((key, call.time)))

    async with phone(handler) as p:
        await p.press("9")
        await p.press("312")
    assert [key for key, _ in firsts] == ["3"]
    assert 0.2 <= firsts[0][1] < 0.3


async def test_an_exception_in_on_first_is_raised_where_the_keys_are_awaited(phone):
    async def handler(call):
        with pytest.raises(ZeroDivisionError):
            await call.getDTMF(on_first=lambda key: 1 / 0)
        call.survived = True

    async with phone(handler) as p:
        await p.press("1")
        assert p.call.survived


async def test_a_second_wait_while_one_is_pending_raises(phone):
    async def handler(call):
        first = call.getDTMF()
        with pytest.raises(RuntimeError, match="waits for keys already"):
            call.getDTMF()
        call.got = await first

    async with phone(handler) as p:
        await p.press("1")
        assert p.call.got == "1"


async def test_after_a_cancelled_wait_its_keys_are_the_next_ones(phone):
    async def handler(call):
        wanted = call.getDTMF(n=4)
        await asyncio.sleep(0.5)
        wanted.cancel()
        call.got = await call.getDTMF(n=4)

    async with phone(handler) as p:
        await p.press("12")
        await p.wait(0.5)
        await p.press("34")
        assert p.call.got == "1234"


@pytest.mark.parametrize("with_timeout", [True, False])
@pytest.mark.parametrize("n", [1, 2])
def test_no_key_is_lost_or_doubled_at_any_instant_of_a_timeout(with_timeout, n):
    """A key every frame, and timeouts that fall on, before and after them: all keys arrive, in order, once."""
    from graphvoip.testing import phone

    keys = "0123456789*#ABCD" * 4

    async def handler(call):
        call.got = ""
        while len(call.got) < len(keys):
            try:
                if with_timeout:
                    async with asyncio.timeout(0.03):
                        call.got += await call.getDTMF(n=n)
                else:
                    call.got += await asyncio.wait_for(call.getDTMF(n=n), 0.03)
            except TimeoutError:
                pass

    async def main(pause):
        async with phone(handler) as p:
            for key in keys:
                p._leg.on_digit(key, "event")
                await asyncio.sleep(pause)
            await p.hung_up()
            return p.call.got

    for pause in (0.0, 0.02, 0.04, 0.06):
        assert run_virtual(main(pause)) == keys


async def test_a_task_cancelled_as_its_last_key_comes_gives_the_keys_back(phone):
    async def handler(call):
        task = asyncio.ensure_future(_await(call.getDTMF()))
        await asyncio.sleep(0)
        call._keys.press("5")  # the future has its result, the task has not run yet
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        call.got = await call.getDTMF()

    async def _await(wanted):
        return await wanted

    async with phone(handler) as p:
        await p.hung_up()
        assert p.call.got == "5"


async def test_keys_given_back_go_to_who_waits_by_then(phone):
    async def handler(call):
        task = asyncio.ensure_future(_await(call.getDTMF()))
        await asyncio.sleep(0)
        call._keys.press("5")
        task.cancel()
        call.got = await call.getDTMF()

    async def _await(wanted):
        return await wanted

    async with phone(handler) as p:
        assert await p.hung_up()
        assert p.call.got == "5"


async def test_all_sixteen_keys(phone):
    async def handler(call):
        call.got = await call.getDTMF(n=16)

    async with phone(handler) as p:
        await p.press("0123456789*#abcd")
        assert p.call.got == "0123456789*#ABCD"


async def test_hundreds_of_keys_at_once_all_arrive(phone):
    async def handler(call):
        call.got = await call.getDTMF(n=300)

    async with phone(handler) as p:
        for n in range(300):
            p._leg.on_digit(str(n % 10), "event")
        assert await p.hung_up(within=10)
        assert p.call.got == "0123456789" * 30
