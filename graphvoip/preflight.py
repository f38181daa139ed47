"""Before the first call: which voices does a handler name that this machine lacks? Its source is read, never run."""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

# What speaks, and its arguments in their order.
PLACES = {
    "say": ["text", "voice", "engine", "opts"],
    "TTStoPCM": ["text", "opts", "engine", "voice"],
    "Tts": ["text", "voice", "engine", "opts"],
}
VOICE_OPTIONS = {"espeak": "-v", "flite": "-voice", "rhvoice": "-p", "piper": "-m"}
ABSENT, COMPUTED = object(), object()


class Speech(NamedTuple):
    """What a line of a source asks for. voice: "" for the engine's own."""

    line: int
    engine: str
    voice: str


def speech_in(source: str) -> Iterator[Speech]:
    """The engines and voices that calls of say, TTStoPCM and Tts name, where they are written as texts."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    for node in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in PLACES:
            engine, voice, opts = (_argument(node, key, PLACES[name].index(key)) for key in ("engine", "voice", "opts"))
            engine = "espeak" if engine is ABSENT else engine
            if isinstance(engine, str):
                voice = _voice_in(engine, opts) if voice in (ABSENT, None) else voice
                yield Speech(node.lineno, engine, voice if isinstance(voice, str) else "")


def _argument(call: ast.Call, name: str, at: int) -> Any:
    """Its value, if it is written there."""
    given = [one.value for one in call.keywords if one.arg == name] or call.args[at : at + 1]
    if not given:
        return ABSENT
    try:
        return ast.literal_eval(given[0])
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return COMPUTED


def _voice_in(engine: str, opts: Any) -> str:
    option = VOICE_OPTIONS.get(engine)
    if option and isinstance(opts, list | tuple) and option in opts[:-1]:
        return str(opts[opts.index(option) + 1])
    return ""


def missing_voices(file: Path) -> list[str]:
    """One line for each engine and voice that a Python file names and this machine lacks, with what to install."""
    try:
        source = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    found: dict[tuple[str, str], str] = {}
    for speech in speech_in(source):
        key = speech.engine, speech.voice
        if key not in found and (says := _lacking(*key)):
            found[key] = f"{file}:{speech.line}: {says}"
    return list(found.values())


def _lacking(engine: str, voice: str) -> str:
    """What is missing for it, or ""."""
    from .tts import ENGINES, engine_of

    if engine not in ENGINES:
        return f"no engine {engine!r}; there is: {', '.join(ENGINES)}"
    try:
        engine_of(engine).version()
        if voice:
            engine_of(engine).check_voice(voice)
    except (RuntimeError, ValueError) as error:
        return str(error)
    return ""


def missing_for(handler: Callable) -> list[str]:
    """The same for the file of a handler."""
    try:
        file = inspect.getsourcefile(inspect.unwrap(handler))
    except TypeError:
        return []
    return missing_voices(Path(file)) if file else []
