"""What bench/peers.py compares: the same patches for each program. patches.py has them in numbers."""
