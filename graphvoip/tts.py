"""Text to speech.

An engine is a function of a text and its options to samples at 8000 Hz, and a line in ENGINES.

espeak-ng is GPL-3 and no part of graphvoip: its command is run, or its library is loaded when first asked for.
"""

import ctypes
import functools
import getopt
import io
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterable
from typing import Any

from .io.wav import loadWAVtoPCM, resample

TIMEOUT = 60  # seconds for one text: espeak-ng speaks an hour in about four

INSTALL = "sudo apt install espeak-ng (macOS: brew install espeak-ng), or pip install 'graphvoip[tts]'"


def TTStoPCM(text: str, opts: Iterable[str] = [], engine: str = "espeak") -> list[float]:
    """Speak a text.

    text: of any length.
    opts: the engine's options, as on its command line: ["-v", "en+f3", "-s", "140"]. For espeak the common ones are
        -v voice, -s speed (words a minute, 175), -p pitch (0 to 99, 50), -a amplitude (0 to 200, 100), -g gap between
        words (10 ms, 0). The command takes all that it has (`espeak-ng --help`), the library of the `tts` extra these.
    engine: "espeak": the espeak-ng or espeak command, else the library.

    Returns a list of floats in [-1, 1] at 8000 Hz; [] if there is nothing to say.
    Raises ValueError for an engine, voice or option that there is not, RuntimeError if nothing that can speak is
    installed, TimeoutError after 60 s.

    It takes about a thousandth of the time it speaks, and the event loop waits meanwhile: for a long text,
    `await asyncio.to_thread(TTStoPCM, text)`.
    """
    if engine not in ENGINES:
        raise ValueError(f"TTStoPCM: no engine {engine!r}; there is: {', '.join(ENGINES)}")
    if not isinstance(text, str):
        raise TypeError(f"TTStoPCM: text is a str, not {type(text).__name__}")
    if isinstance(opts, str):
        raise TypeError(f"TTStoPCM: opts is a list such as ['-s', '140'], not the str {opts!r}")
    if not text.strip():
        return []
    return ENGINES[engine](text, [str(opt) for opt in opts])


def espeak(text: str, opts: list[str]) -> list[float]:
    data = text.encode("utf-8", "replace").replace(b"\0", b" ")  # both the command and the library stop at a zero
    command = shutil.which("espeak-ng") or shutil.which("espeak")
    return _espeak_command(command, data, opts) if command else _espeak_library(data, opts)


ENGINES = {"espeak": espeak}


def _espeak_command(command: str, text: bytes, opts: list[str]) -> list[float]:
    # On its standard input a text may begin with "-" and be longer than arguments may.
    name = os.path.basename(command)
    try:
        done = subprocess.run([command, "--stdin", "--stdout", *opts], input=text, capture_output=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        raise _too_long(text) from None
    if done.returncode or not done.stdout.startswith(b"RIFF"):  # it says 0 for an option that it does not know
        words = " ".join(done.stderr.decode(errors="replace").split()) or "it gave no sound"
        raise ValueError(f"TTStoPCM: {name} {' '.join(opts)}: {words}; see {name} --help and {name} --voices")
    return loadWAVtoPCM(io.BytesIO(done.stdout))


# The library's numbers, from its speak_lib.h.
_SYNCHRONOUS, _DONT_EXIT = 2, 0x8000
_CHARACTERS = 1
_FLAGS = 0x1 | 0x100 | 0x1000  # UTF-8, [[phonemes]], the pause at the end: what the command sets
_PARAMETERS = {"-s": (1, 175), "-a": (2, 100), "-p": (3, 50), "-g": (7, 0)}  # option: number, default
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)

_one_at_a_time = threading.Lock()  # the library has one voice, one set of parameters and one callback a process


def _espeak_library(text: bytes, opts: list[str]) -> list[float]:
    import numpy as np

    with _one_at_a_time:
        library, rate = _library()
        voice, parameters = _library_options(opts)
        if library.espeak_SetVoiceByName(voice.encode()):
            raise ValueError(f"TTStoPCM: espeak-ng has no voice {voice!r}; voices are en, en-us, en+f3, de, fr ...")
        for number, value in parameters.items():
            library.espeak_SetParameter(number, value, 0)

        sound = []
        deadline = time.monotonic() + TIMEOUT

        @_CALLBACK
        def collect(address: int | None, count: int, events: Any) -> int:
            if address:
                sound.append(ctypes.string_at(address, 2 * count))
            return time.monotonic() > deadline  # true ends it

        library.espeak_SetSynthCallback(collect)
        size = ctypes.c_size_t(len(text) + 1)
        failed = library.espeak_Synth(text, size, 0, _CHARACTERS, 0, _FLAGS, None, None)
    if time.monotonic() > deadline:
        raise _too_long(text)
    if failed:
        raise RuntimeError(f"TTStoPCM: the espeak-ng library failed with code {failed}")
    return resample(np.frombuffer(b"".join(sound), np.int16).astype(np.float32) / 32768, rate).tolist()


def _library_options(opts: list[str]) -> tuple[str, dict[int, int]]:
    """The voice, and every parameter's value: what an earlier text set must not stay."""
    try:
        given = dict(getopt.gnu_getopt(opts, "v:s:a:p:g:")[0])
    except getopt.GetoptError as error:
        raise ValueError(
            f"TTStoPCM: {error}: the espeak-ng library takes -v -s -p -a -g; for others install the command: {INSTALL}"
        ) from None
    voice = given.pop("-v", "en")
    for option, value in given.items():
        if not value.strip().isdecimal():
            raise ValueError(f"TTStoPCM: {option} takes a whole number, not {value!r}")
    return voice, {number: int(given.get(option, default)) for option, (number, default) in _PARAMETERS.items()}


@functools.cache
def _library() -> tuple[Any, int]:
    """The library, ready, and its rate in Hz."""
    try:
        import espeakng_loader
    except ImportError:
        raise RuntimeError(f"TTStoPCM: espeak-ng is not installed; {INSTALL}") from None
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path()
    except (OSError, RuntimeError) as error:
        raise RuntimeError(f"TTStoPCM: the espeak-ng library does not load: {error}; {INSTALL}") from None
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
    if rate <= 0:  # its buffer for a path holds 160 characters or so
        raise RuntimeError(f"TTStoPCM: the espeak-ng library cannot read its data in {data}; {INSTALL}")
    return library, rate


def _too_long(text: bytes) -> TimeoutError:
    return TimeoutError(f"TTStoPCM: {len(text)} bytes of text took longer than {TIMEOUT} s; speak it in parts")
