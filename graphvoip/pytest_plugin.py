"""pytest: the fixture `phone`, and async tests that use it run on the virtual clock."""

import inspect

import pytest


@pytest.fixture
def phone():
    """Call a handler: `async with phone(handler) as p`. See graphvoip/testing.py."""
    from .testing import phone

    return phone


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if "phone" not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    from .clock import run_virtual

    names = inspect.signature(pyfuncitem.obj).parameters
    run_virtual(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs}))
    return True
