"""pytest: the fixture `phone`; async tests that use it, and their async fixtures, run on the virtual clock."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture
def virtual_clock() -> Iterator[Any]:
    """The asyncio.Runner of one test, on virtual time."""
    import asyncio

    from .clock import VirtualLoop

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        yield runner


@pytest.fixture
def phone(virtual_clock: Any) -> Any:
    """Call a handler: `async with phone(handler) as p`. See graphvoip/testing.py."""
    from .testing import phone

    return phone


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Any:
    """Make an async test that uses `phone` a plain one, before any plugin that runs async tests sees it."""
    test = _written(pyfuncitem.obj)
    if "phone" not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(test):
        return (yield)
    runner: Any = pyfuncitem.funcargs["virtual_clock"]
    before, method = pyfuncitem.obj, _bound(test, pyfuncitem.instance)
    names = inspect.signature(test).parameters
    pyfuncitem.obj = lambda **given: runner.run(
        method(**{name: value for name, value in given.items() if name in names})
    )
    try:
        return (yield)
    finally:
        pyfuncitem.obj = before


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Any:
    """Run an async fixture of a test that uses `phone` on the clock of that test, whoever else would run it."""
    function = _written(fixturedef.func)
    asynchronous = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    if not asynchronous or request.scope != "function" or "phone" not in request.fixturenames:
        return (yield)
    before = fixturedef.func
    runner = request.getfixturevalue("virtual_clock")
    fixturedef.func = _run_by(runner, _bound(function, request.instance))
    try:
        return (yield)
    finally:
        fixturedef.func = before


def _run_by(runner: Any, function: Callable) -> Callable:
    """An async fixture as a plain one."""

    async def call(function: Callable, *args: Any, **options: Any) -> Any:
        return await function(*args, **options)

    def value(**given: Any) -> Any:
        return runner.run(call(function, **given))

    def values(**given: Any) -> Iterator[Any]:
        generator = function(**given)
        yield runner.run(call(generator.__anext__))
        if runner.run(call(anext, generator, runner)) is not runner:
            raise RuntimeError(f"the fixture {function.__name__} has more than one 'yield'")

    return values if inspect.isasyncgenfunction(function) else value


def _written(function: Any) -> Any:
    """The coroutine function that somebody has written, where pytest-asyncio has made a plain function of it."""
    return inspect.unwrap(
        function, stop=lambda one: inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one)
    )


def _bound(function: Any, instance: Any) -> Any:
    """The method of a test's class, where a function of it was unwrapped."""
    return function if instance is None or inspect.ismethod(function) else function.__get__(instance)
