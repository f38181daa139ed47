"""The fixture that ships with the package, as a user's own project would use it."""

import subprocess
import sys
import textwrap

import pytest


def pytest_in(folder, text, *options):
    (folder / "test_mine.py").write_text(textwrap.dedent(text))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_rings_handlers_and_fails_where_it_should(tmp_path):
    done = pytest_in(
        tmp_path,
        """
        import pytest

        async def handler(call):
            if await call.getDTMF(n=4) == "1234":
                await call.playTone(440, 1)
            else:
                raise LookupError("wrong")

        async def test_right(phone):
            async with phone(handler) as p:
                await p.press("1234")
                assert await p.hears_tone(440)

        async def test_not_heard(phone):
            async with phone(handler) as p:
                await p.press("1234")
                assert await p.hears_tone(880)

        async def test_broken_handler(phone):
            async with phone(handler) as p:
                await p.press("4321")

        @pytest.mark.parametrize("n", [1, 2])
        async def test_with_other_fixtures(phone, tmp_path, n):
            async with phone(handler, number="5") as p:
                assert p.call.getRemoteUri().startswith('"5"')
                assert tmp_path.exists()

        def test_that_is_not_async():
            pass
        """,
    )
    assert "2 failed, 4 passed" in done.stdout, done.stdout + done.stderr
    assert "LookupError: wrong" in done.stdout
    assert "assert False" in done.stdout


FIXTURES = """
    import asyncio
    import pytest
    import pytest_asyncio

    async def menu(call):
        key = await call.getDTMF()
        await call.playTone({"1": 440, "2": 880}[key], 0.5)
        await call.getDTMF()

    @pytest.fixture
    async def number():
        await asyncio.sleep(60)
        return "4477"

    @pytest.fixture
    async def held(phone, number):
        async with phone(menu, number=number) as p:
            yield p
        assert p.ended == "the caller hung up"

    async def test_fixture(held):
        assert held.call.getRemoteUri().startswith('"4477"')
        await held.press("1")
        assert await held.hears_tone(440)

    class TestMine:
        @pytest.fixture
        async def two(self, phone):
            async with phone(menu) as p:
                yield p, self

        async def test_in_a_class(self, two):
            p, me = two
            assert type(me) is type(self)
            await p.press("2")
            assert await p.hears_tone(880)

    @pytest.mark.parametrize("n", [1, 2])
    async def test_by_itself(phone, n):
        async with phone(menu) as p:
            await p.press("1")
            assert await p.hears_tone(440)

    @pytest_asyncio.fixture
    async def marked(phone):
        async with phone(menu) as p:
            yield p

    @pytest.mark.asyncio
    async def test_marked(marked):
        await marked.press("1")
        assert await marked.hears_tone(440)

    async def test_that_fails(held):
        await held.press("1")
        assert await held.hears_tone(555)

    @pytest.mark.asyncio
    async def test_without_a_phone():
        assert "Virtual" not in type(asyncio.get_running_loop()).__name__
"""


@pytest.mark.parametrize(
    "options",
    [
        ("-o", "asyncio_mode=strict"),
        ("-o", "asyncio_mode=auto"),
        ("-o", "asyncio_mode=strict", "-o", "anyio_mode=auto"),
        ("-o", "asyncio_mode=auto", "-p", "no:anyio"),
    ],
    ids=["strict", "auto", "anyio", "auto without anyio"],
)
def test_phone_works_in_async_fixtures_beside_other_plugins(tmp_path, options):
    done = pytest_in(tmp_path, FIXTURES, *options)
    assert "1 failed, 6 passed" in done.stdout, done.stdout + done.stderr
    assert "hears_tone(555)" in done.stdout


def test_phone_works_in_async_fixtures_without_other_plugins(tmp_path):
    text = FIXTURES.replace("import pytest_asyncio", "").replace("pytest_asyncio.fixture", "pytest.fixture")
    text = text.replace("@pytest.mark.asyncio\n", "\n").split("    async def test_without")[0]
    done = pytest_in(tmp_path, text, "-p", "no:asyncio", "-p", "no:anyio")
    assert "1 failed, 5 passed" in done.stdout, done.stdout + done.stderr
    assert "hears_tone(555)" in done.stdout


def test_used_wrongly_it_says_how(tmp_path):
    done = pytest_in(
        tmp_path,
        """
        import asyncio

        async def handler(call):
            pass

        def test_wrong(phone):
            async def main():
                async with phone(handler):
                    pass
            asyncio.run(main())
        """,
    )
    assert "phone() needs the virtual clock" in done.stdout


def test_the_plugin_costs_nothing_where_it_is_not_used():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, graphvoip.pytest_plugin; print('numpy' in sys.modules, 'numba' in sys.modules)",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False"]
