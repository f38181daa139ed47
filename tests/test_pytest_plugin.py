"""The fixture that ships with the package, as a user's own project would use it."""

import subprocess
import sys
import textwrap


def pytest_in(folder, text):
    (folder / "test_mine.py").write_text(textwrap.dedent(text))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)],
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
