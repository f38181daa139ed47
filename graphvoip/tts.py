"""Text to speech: one way to ask for it, whichever engine speaks.

    samples = TTStoPCM("Hello.", ["-s", "140"])
    await call.say("Hello.", voice="en-us+f3")

An engine (tts_engines.py, tts_espeak.py) speaks a part of a text at a time, so that long texts begin at once. What has
been spoken is kept on the disk (tts_cache.py).
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import tts_cache
from .pcm import PCM

if TYPE_CHECKING:
    import numpy as np

    from .tts_engines import Engine

TIMEOUT = 60  # seconds for one part of a text: espeak-ng speaks an hour in about four

ENGINES = ("espeak", "flite", "festival", "rhvoice", "piper")

LONGEST = 10_000  # characters of a text in a patch: ten minutes


def TTStoPCM(text: str, opts: Iterable[str] = [], engine: str = "espeak", voice: str | None = None) -> PCM:
    """Speak a text.

    text: of any length. One that begins with <speak is SSML, for an engine that knows it (espeak).
    opts: the engine's options, as on its command line: ["-v", "en+f3", "-s", "140"]. For espeak the common ones are
        -v voice, -s speed (words a minute, 175), -p pitch (0 to 99, 50), -a amplitude (0 to 200, 100), -g gap between
        words (10 ms, 0), -m (it is SSML). The command takes all that it has (`espeak-ng --help`), the library of the
        `tts` extra these.
    engine: "espeak": the espeak-ng or espeak command, else the library. "flite", "festival", "rhvoice": these commands.
        "piper": neural voices, by the extra `piper`.
    voice: one of the engine's voices, the same for all engines.

    Returns a PCM, a list of floats in [-1, 1] at 8000 Hz; an empty one if there is nothing to say.
    Raises ValueError for an engine, voice or option that there is not, RuntimeError if nothing that can speak is
    installed, TimeoutError if it takes more than 60 s for about 1000 characters.

    espeak takes about a thousandth of the time it speaks, other engines up to a fifth, and the event loop waits
    meanwhile: on a call, `await call.say(text)` is better.
    """
    if not isinstance(text, str):
        raise TypeError(f"TTStoPCM: text is a str, not {type(text).__name__}")
    return PCM.adopt(spoken("TTStoPCM", text, opts, engine, voice), finite=True)


def spoken(what: str, text: str, opts: Iterable[str] = (), engine: str = "espeak", voice: str | None = None,
           speed: float = 1.0) -> "np.ndarray":  # fmt: skip
    """All of a text as float32 samples. what: who asks, for errors."""
    import numpy as np

    blocks: list[np.ndarray] = [np.zeros(0, np.float32)]
    speech = Utterance(what, text, opts, engine, voice, speed)
    while speech.step(blocks.append):
        pass
    return np.concatenate(blocks)


class Utterance:
    """A text on its way to sound, one part after the other."""

    def __init__(self, what: str, text: str, opts: Iterable[str] = (), engine: str = "espeak",
                 voice: str | None = None, speed: float = 1.0):  # fmt: skip
        if engine not in ENGINES:
            raise ValueError(f"{what}: no engine {engine!r}; there is: {', '.join(ENGINES)}")
        if not isinstance(text, str):
            raise TypeError(f"{what}: text is a str, not {type(text).__name__}")
        if isinstance(opts, str):
            raise TypeError(f"{what}: opts is a list such as ['-s', '140'], not the str {opts!r}")
        if voice is not None and not isinstance(voice, str):
            raise TypeError(f"{what}: voice is a str, not {type(voice).__name__}")
        self.what, self.text, self.engine, self.voice, self.speed = what, text, engine, voice, speed
        self.opts = [str(opt) for opt in opts]
        self.stopped = False  # nobody listens any more: set by another thread
        self._parts: Iterator[str] | None = None
        self._kept: list[Any] | None = []
        self._size = 0

    def step(self, give: "Callable[[np.ndarray], Any]") -> bool:
        """Speak the next part into give(samples); False after the last one. It takes as long as it takes."""
        if self.stopped or not self.text.strip():
            return False
        with _named(self.what):
            if self._parts is None:
                self._begin()
                found = tts_cache.load(self._file)
                if found is not None:
                    give(found)
                    return False
            part = next(self._parts or iter(()), None)
            if part is not None:
                self._speak(part, give)
                return True
        if self._kept is not None and not self.stopped:
            import numpy as np

            tts_cache.save(self._file, np.concatenate([np.zeros(0, np.float32), *self._kept]))
        return False

    def _begin(self) -> None:
        self._engine = engine = engine_of(self.engine)
        ssml = self.text.lstrip().startswith("<speak")
        if ssml and engine.ssml is None:
            raise ValueError(f"{self.engine} does not know SSML; espeak does")
        version = engine.version()
        if self.voice is not None:
            self.opts = [*engine.voice(self.voice), *self.opts]
        if self.speed != 1:
            self.opts += engine.speed(self.speed)
        self.opts += (engine.ssml or []) if ssml else []
        self._file = tts_cache.name_of(self.engine, version, *self.opts, self.text)
        whole = ssml or (engine.ssml is not None and "-m" in self.opts)
        self._parts = iter([self.text]) if whole else parts(self.text, engine.first, engine.part)

    def _speak(self, part: str, give: "Callable[[np.ndarray], Any]") -> None:
        from .tts_engines import Slow

        sink = _Sink(self, give)
        try:
            self._engine.speak(part, self.opts, sink, TIMEOUT)
        except Slow:
            size = len(part.encode("utf-8", "replace"))
            raise TimeoutError(f"{size} bytes of text took longer than {TIMEOUT} s; speak it in parts") from None
        sink.end()

    def keep(self, samples: "np.ndarray") -> None:
        """For the cache, unless it becomes too long for that."""
        self._size += len(samples)
        if self._size > tts_cache.LONGEST:
            self._kept = None
        elif self._kept is not None:
            self._kept.append(samples)


class _Sink:
    """An engine's sound, of whatever rate, becomes samples at 8000 Hz: whole steps of 16 bits, as a line has them."""

    def __init__(self, speech: Utterance, give: "Callable[[np.ndarray], Any]"):
        self.speech, self.give, self.resampler = speech, give, None

    def put(self, samples: "np.ndarray", rate: int) -> bool:
        import numpy as np

        from .rings import RATE

        if self.speech.stopped:
            return False
        if rate != RATE and self.resampler is None:
            import soxr

            self.resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality="VHQ")
        block = samples.astype(np.float32)
        self._pass(block if self.resampler is None else self.resampler.resample_chunk(block))
        return True

    def end(self) -> None:
        """The end of a part: what the resampler has in it."""
        import numpy as np

        if self.resampler is not None and not self.speech.stopped:
            self._pass(self.resampler.resample_chunk(np.zeros(0, np.float32), last=True))

    def stopped(self) -> bool:
        return self.speech.stopped

    def _pass(self, block: "np.ndarray") -> None:
        import numpy as np

        if len(block):
            samples = (np.rint(block).clip(-32768, 32767) / 32768).astype(np.float32)
            self.speech.keep(samples)
            self.give(samples)


def engine_of(name: str) -> "Engine":
    """The engine of this name."""
    from . import tts_engines
    from .tts_espeak import Espeak

    found = {"flite": tts_engines.Flite, "festival": tts_engines.Festival, "rhvoice": tts_engines.Rhvoice,
             "piper": tts_engines.Piper, "espeak": Espeak}  # fmt: skip
    return found[name]()


def voices(engine: str = "espeak") -> list[str]:
    """The voices that an engine has here. RuntimeError if it is not installed."""
    if engine not in ENGINES:
        raise ValueError(f"voices: no engine {engine!r}; there is: {', '.join(ENGINES)}")
    found = engine_of(engine)
    with _named("voices"):
        found.version()
        return found.voices()


# The end of a sentence, but not of an abbreviation such as "Dr.", or an empty line.
SENTENCE = re.compile(r"(?<=\w{4}[.!?])[\"')]*\s+|(?<=[。！？…])\s*|\n\s*\n")


def parts(text: str, first: int, size: int) -> Iterator[str]:
    """A text in parts of at most so many characters, cut after sentences, else between words, else anywhere."""
    at, room = 0, first
    while len(text) - at > room:
        window = text[at : at + room]
        ends = [found.end() for found in SENTENCE.finditer(window)] or [
            found.end() for found in re.finditer(r"\s+", window)
        ]
        cut = ends[-1] if ends and ends[-1] else room
        if text[at : at + cut].strip():
            yield text[at : at + cut]
        at, room = at + cut, size
    if text[at:].strip():
        yield text[at:]


def safe_voice(what: str, voice: Any) -> str:
    """A voice's name as a patch may give it: no file, and nothing that an engine would run."""
    if not isinstance(voice, str) or not re.fullmatch(r"[A-Za-z0-9][\w.+-]*", voice):
        raise ValueError(f"{what}: voice {voice!r} is no name of a voice")
    return voice


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Errors say who asked."""
    try:
        yield
    except (ValueError, RuntimeError, TimeoutError) as error:
        kind = next(one for one in (ValueError, RuntimeError, TimeoutError) if isinstance(error, one))
        raise kind(f"{what}: {error}") from None
