"""How soon and how fast engines speak, and what pocketsphinx hears: the tables of docs/signals.md, "Speech".

python bench/speech.py
"""

import os
import time

import numpy as np

from graphvoip.tts import ENGINES, Utterance, spoken, voices

TEXT = "This is a test of speech, spoken by a machine. It has two sentences. " * 40  # three minutes
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
WORDS = {"yes, no": ["yes", "no"], "ten digits": DIGITS}
PATH = os.environ["PATH"]


def first_and_all(engine: str) -> tuple[float, float, float]:
    """Seconds until the first samples, until all, and of sound, of a long text whose engine is warm."""
    spoken("bench", "Hello.", engine=engine)
    blocks: list[tuple[float, int]] = []
    begin = time.perf_counter()
    utterance = Utterance("bench", TEXT, engine=engine)
    while utterance.step(lambda block: blocks.append((time.perf_counter() - begin, len(block)))):
        pass
    return blocks[0][0], time.perf_counter() - begin, sum(size for _, size in blocks) / 8000


def main() -> None:
    os.environ["GRAPHVOIP_CACHE"] = "off"
    print("| engine | first sound | times real time |\n| --- | --- | --- |")
    for engine, path in (("espeak", ""), *((engine, PATH) for engine in ENGINES)):
        os.environ["PATH"] = path
        try:
            voices(engine)
        except RuntimeError:
            continue
        rows = [first_and_all(engine) for _ in range(3 if engine != "piper" else 1)]
        first, whole, sound = np.median(rows, axis=0)
        name = engine + {"": ", library", PATH: ", command"}[path] * (engine == "espeak")
        print(f"| {name} | {1000 * first:.1f} ms | {sound / whole:.0f} |")
    os.environ["PATH"] = PATH
    try:
        from graphvoip.hearing import recognizer

        print("\n| phrases | said by flite | right |\n| --- | --- | --- |")
        for name, words in WORDS.items():
            told = recognizer(tuple(words))
            said = [(word, voice) for word in words for voice in ("slt", "awb", "rms", "kal", "kal16")]
            right = sum(
                told.hear(0.5 * spoken("bench", word, engine="flite", voice=voice)) == word for word, voice in said
            )
            print(f"| {name} | {len(said)} | {right} |")
    except RuntimeError as error:
        print(error)


if __name__ == "__main__":
    main()
