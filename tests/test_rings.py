"""Rings between two sides that never wait for each other; wakes that count."""

import mmap
import os

import pytest

from graphvoip.rings import DEPTH, FRAME_BYTES, OUT_FRAMES, OUT_WRITTEN, PATIENCE, RING_BYTES, LineRing, Wake


def frame(n):
    return bytes([n % 256]) * FRAME_BYTES


def write_out(ring, n):
    """What line_out does."""
    at = OUT_FRAMES + FRAME_BYTES * (ring.words[OUT_WRITTEN] % DEPTH)
    ring.memory[at : at + FRAME_BYTES] = frame(n)
    ring.words[OUT_WRITTEN] += 1


def test_frames_come_in_order():
    ring = LineRing()
    for n in range(100):
        write_out(ring, n)
        assert ring.waiting() == 1
        assert ring.receive() == frame(n)
    assert ring.receive() is None
    assert ring.counts()["out_missed"] == 1


def test_a_reader_that_was_away_hears_the_newest():
    ring = LineRing()
    for n in range(5):
        write_out(ring, n)
    assert ring.receive() == frame(4)
    assert ring.counts()["out_skipped"] == 4


def test_a_wait_that_never_goes_away_is_cut():
    ring = LineRing()
    write_out(ring, 0)
    for n in range(1, PATIENCE + 10):
        write_out(ring, n)
        got = ring.receive()
    assert got == frame(PATIENCE + 9)
    assert ring.counts()["out_skipped"] == 1


def test_open_forgets_the_frames_of_an_earlier_call():
    ring = LineRing()
    write_out(ring, 1)
    ring.open()
    assert ring.waiting() == 0


def test_two_rings_on_shared_memory_are_one():
    memory = mmap.mmap(-1, 2 * RING_BYTES)
    one, other = LineRing(memory, RING_BYTES), LineRing(memory, RING_BYTES)
    write_out_at = OUT_FRAMES + RING_BYTES
    memory[write_out_at : write_out_at + FRAME_BYTES] = frame(7)
    one.words[OUT_WRITTEN] += 1
    assert other.receive() == frame(7)


@pytest.mark.parametrize("has_eventfd", [True, False])
def test_a_wake_adds_up_and_never_blocks(monkeypatch, has_eventfd):
    if not has_eventfd:
        monkeypatch.delattr(os, "eventfd", raising=False)
    wake = Wake()
    assert wake.take() == 0
    wake.give(1)
    wake.give(1 << 32)
    assert wake.wait() == (1 << 32) + 1
    assert wake.wait(0.0) == 0
    for _ in range(100_000):
        wake.give()  # more than a pipe holds
    assert wake.take() > 0


def test_a_dropped_wake_closes_its_descriptors():
    wake = Wake()
    fd = wake.read_fd
    del wake
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
