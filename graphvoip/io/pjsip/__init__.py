"""A SIP exchange on PJSIP: trunk.py in this process, line.py in child processes of its own.

A line is one PJSIP endpoint on one UDP port. Sound crosses in shared memory (rings.py), signalling as small messages
on a socket. So PJSIP and the handlers share neither a thread nor the interpreter's lock, an assertion that fails in the
C library costs the calls of one line and nothing else, and more lines lift the limit that PJSIP was compiled with.

Only a line process imports pjsua2.
"""
