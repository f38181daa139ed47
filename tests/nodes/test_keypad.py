import pytest

from graphvoip.nodes import Keypad
from graphvoip.plan import Plan


def test_one_key_a_frame_in_their_order(run):
    keypad = Keypad()
    for key in "12#d":
        keypad.press(key)
    samples, events = run(keypad, 6)
    assert events == [("digit", 160 * n, ord(key)) for n, key in enumerate("12#D")]
    assert samples[::160].tolist() == [ord("1"), ord("2"), ord("#"), ord("D"), ord("D"), ord("D")]


def test_while_an_event_waits_the_next_key_waits_too():
    keypad = Keypad()
    plan = Plan([keypad])
    for key in "12":
        keypad.press(key)
    plan.run(3)  # nobody takes the event
    assert [value for _, _, value in plan.taken_events()] == [ord("1")]
    plan.run()
    assert [value for _, _, value in plan.taken_events()] == [ord("2")]


def test_more_keys_than_the_queue_holds(run):
    keypad = Keypad()
    for n in range(200):
        keypad.press(str(n % 10))
    plan, got = Plan([keypad]), ""
    for _ in range(200):
        plan.run()
        got += "".join(chr(value) for _, _, value in plan.taken_events())
        keypad.feed()
    assert got == "0123456789" * 20


@pytest.mark.parametrize("key", ["", "12", "E", " ", "é"])
def test_what_is_no_key(key):
    with pytest.raises(ValueError, match="is not a key"):
        Keypad().press(key)
