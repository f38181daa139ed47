"""Classes of the original package that make no sense here."""

from typing import Any


def gone(module: str, name: str, why: str) -> Any:
    """A class in its place that can be imported, and says why it can be neither made nor derived from."""
    text = f"{module}.{name} is not in graphvoip: {why}"

    def refuse(*args: Any, **given: Any) -> Any:
        raise NotImplementedError(text)

    members = {"__new__": refuse, "__init_subclass__": refuse, "__doc__": text, "__module__": module}
    return type(name, (), members)
