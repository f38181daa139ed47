"""The machine guesses a word of the caller's, who says where its letters are."""

import asyncio

from voip import TTStoPCM, loadWAVtoPCM, runVoipClient

WORDS = ["ear", "eel", "tea", "tee"]

intro = loadWAVtoPCM("assets/hangman/intro.wav")
prompt = loadWAVtoPCM("assets/hangman/prompt.wav")
position = loadWAVtoPCM("assets/hangman/position.wav")
letters = {letter: loadWAVtoPCM(f"assets/hangman/{letter.upper()}.wav") + prompt for letter in "aelrt"}
numbers = {number: loadWAVtoPCM(f"assets/hangman/{number}.wav") for number in (1, 2, 3)}


def play_speech(call, speech, loop=False):
    return call.playPCM(TTStoPCM(speech.strip(), engine="espeak", opts=["-p", "60"]), loop=loop)


def best_letter(words):
    return max("aelrt", key=lambda letter: len({tuple(one == letter for one in word) for word in words}))


async def play_places(call, places):
    await call.playPCM(position)
    for place in sorted(places):
        await asyncio.sleep(0.2)
        await call.playPCM(numbers[place])


async def handler(call):
    sound = call.playPCM(intro, loop=True)
    length = int(await call.getDTMF(filter="23456789"))
    words = [word for word in WORDS if len(word) == length]
    while len(words) > 1:
        sound.cancel()
        guess = best_letter(words)
        sound = call.playPCM(letters[guess], loop=True)
        places = set()
        while key := int(await call.getDTMF(filter="0123456789")):
            places ^= {key}
            sound.cancel()
            sound = asyncio.ensure_future(play_places(call, places))
        words = [word for word in words if {n for n, one in enumerate(word, 1) if one == guess} == places]
    sound.cancel()
    await play_speech(call, words[0] if words else "I give up")


if __name__ == "__main__":
    runVoipClient(handler)
