"""Words of a caller: pocketsphinx behind one function. Extra: `listen`.

Its model is of English at 16 kHz; a telephone has half of that. A few words that sound different, yes and no, it tells
apart well; digits badly. It always finds one of its phrases, whatever was said.
"""

import functools
import re
import threading
from typing import Any

import numpy as np

RATE = 16000  # of its model
INSTALL = "pip install 'graphvoip[listen]'"


class Recognizer:
    """Tells which of a few phrases somebody has said."""

    def __init__(self, phrases: tuple[str, ...]):
        try:
            from pocketsphinx import Decoder  # type: ignore[import-not-found]
        except ImportError:
            raise RuntimeError(f"listen: pocketsphinx is not installed; {INSTALL}") from None
        self.phrases = {phrase.lower(): phrase for phrase in phrases}
        self.lock = threading.Lock()
        self.decoder: Any = Decoder(lm=None, loglevel="FATAL")
        for phrase in self.phrases:
            for word in phrase.split():
                if self.decoder.lookup_word(word) is None:
                    raise ValueError(f"listen: {word!r} is not in pocketsphinx's dictionary of English")
        rule = " | ".join(self.phrases)
        self.decoder.add_jsgf_string("phrases", f"#JSGF V1.0; grammar g; public <phrase> = {rule};")
        self.decoder.activate_search("phrases")

    def hear(self, samples: Any) -> str | None:
        """The phrase in samples at 8000 Hz, or None where nothing was made out. It takes about 50 ms a second."""
        import soxr

        wide = soxr.resample(np.asarray(samples, np.float32), 8000, RATE)
        peak = float(np.abs(wide).max(initial=0))
        data = np.rint(wide * (16000 / peak if peak > 0 else 1)).astype("<i2").tobytes()
        with self.lock:
            self.decoder.start_utt()
            self.decoder.process_raw(data, full_utt=True)
            self.decoder.end_utt()
            found = self.decoder.hyp()
        return self.phrases.get(found.hypstr) if found is not None else None


def checked(phrases: Any) -> tuple[str, ...]:
    """Phrases as a grammar may have them. What else they might be would be read as a part of the grammar."""
    if isinstance(phrases, str) or not phrases:
        raise ValueError(f"listen: phrases is {phrases!r}; it is a list such as ['yes', 'no']")
    for phrase in phrases:
        if not isinstance(phrase, str) or not re.fullmatch(r"[A-Za-z']+( [A-Za-z']+)*", phrase):
            raise ValueError(f"listen: {phrase!r} is no phrase of English words")
    return tuple(phrases)


@functools.lru_cache(8)
def recognizer(phrases: tuple[str, ...]) -> Recognizer:
    """It takes half a second to load, so it stays."""
    return Recognizer(phrases)
