"""getDTMF: filters, type-ahead, timeouts; no key counts twice, whatever the instant."""

import asyncio

import pytest

import voip as quecey  # under its own name it would make all handlers of this file its own
from graphvoip.testing import run_virtual


@pytest.fixture(params=[None, quecey.runVoipClient.adapt], ids=["graphvoip", "voip"])
def written_for(request):
    """Make a handler one of this package's."""
    return request.param or (lambda handler: handler)


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


async def test_an_exception_in_on_first_is_raised_where_the_keys_are_awaited(phone, written_for):
    async def handler(call):
        with pytest.raises(ZeroDivisionError):
            await call.getDTMF(on_first=lambda key: 1 / 0)
        call.got = await call.getDTMF()

    async with phone(written_for(handler)) as p:
        await p.press("12")
        assert await p.hung_up()
        assert p.call.got == "2"


async def test_a_second_wait_while_one_is_pending_raises(phone):
    async def handler(call):
        first = call.getDTMF()
        with pytest.raises(RuntimeError, match="waits for keys already"):
            call.getDTMF()
        call.got = await first

    async with phone(handler) as p:
        await p.press("1")
        assert p.call.got == "1"


async def test_keys_of_a_timed_out_wait_go_with_it(phone, written_for):
    async def handler(call):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.getDTMF(n=4), 2)
        call.got = await call.getDTMF(n=4)

    async with phone(written_for(handler)) as p:
        await p.press("55")
        await p.wait(3)
        await p.press("1234")
        assert await p.hung_up()
        assert p.call.got == "1234"


async def test_keys_of_a_cancelled_wait_go_with_it(phone):
    async def handler(call):
        wanted = call.getDTMF(n=4)
        await asyncio.sleep(0.5)
        wanted.cancel()
        call.got = await call.getDTMF(n=4)

    async with phone(handler) as p:
        await p.press("12")
        await p.wait(0.5)
        await p.press("3456")
        assert await p.hung_up()
        assert p.call.got == "3456"


async def test_keys_pressed_after_a_timeout_stay_for_the_next_wait(phone):
    async def handler(call):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.getDTMF(n=4), 1)
        await asyncio.sleep(2)
        call.got = await call.getDTMF(n=4)

    async with phone(handler) as p:
        await p.press("55")
        await p.wait(1)
        await p.press("1234")
        assert await p.hung_up()
        assert p.call.got == "1234"


async def test_keys_that_a_filter_refused_do_not_come_again_after_a_timeout(phone):
    async def handler(call):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.getDTMF(filter="9"), 1)
        call.got = await call.getDTMF()

    async with phone(handler) as p:
        await p.press("12")
        await p.wait(1)
        await p.press("3")
        assert await p.hung_up()
        assert p.call.got == "3"


@pytest.mark.parametrize("with_timeout", [True, False])
@pytest.mark.parametrize("n", [1, 2])
def test_every_key_counts_once_or_goes_with_its_timeout(with_timeout, n):
    """A key every frame, and timeouts that fall on, before and after them."""
    from graphvoip.testing import phone

    keys = list("0123456789*#ABCD" * 4)

    async def handler(call):
        call.got, call.firsts, call.timeouts = [], 0, 0

        def first(key):
            call.firsts += 1

        while True:
            try:
                if with_timeout:
                    async with asyncio.timeout(0.03):
                        call.got.append(await call.getDTMF(n=n, on_first=first))
                else:
                    call.got.append(await asyncio.wait_for(call.getDTMF(n=n, on_first=first), 0.03))
            except TimeoutError:
                call.timeouts += 1

    async def main(pause):
        async with phone(handler) as p:
            for key in keys:
                p._leg.on_digit(key, "event")
                await asyncio.sleep(pause)
            await p.wait(3)
        return p.call

    for pause in (0.0, 0.02, 0.04, 0.06):
        call = run_virtual(main(pause))
        left = "".join(keys)
        for taken in call.got:  # the keys of one wait are neighbours, and no key is in two waits
            assert taken in left
            left = left[left.index(taken) + n :]
        given_up = call.firsts - len(call.got)  # waits that had taken a key and timed out
        lost = len(keys) - n * len(call.got)
        assert given_up <= lost <= n * given_up
        assert call.timeouts > 0


async def test_keys_of_a_task_cancelled_as_its_last_key_comes_go_with_it(phone):
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
        await p.press("6")
        assert await p.hung_up()
        assert p.call.got == "6"


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
