"""A peer that is a Python module, in an interpreter of its own: it takes orders from stdin and answers on stdout.

python -m peers.worker flow|faust
"""

import importlib
import json
import os
import sys


def main(name: str) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a module prints is no answer
    peer = importlib.import_module(f"peers.{name}").Peer()

    def answer(value) -> None:
        print(json.dumps(value), file=answers, flush=True)

    answer("ready")
    for order in sys.stdin:
        what, patch, number = json.loads(order)
        if what == "sound":
            answer([float(x) for x in peer.sound(patch, number)])
        else:
            answer(peer.time(patch, number))


if __name__ == "__main__":
    main(sys.argv[1])
