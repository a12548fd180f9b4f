#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""listen.py ADDRESS PORT: is in the way.  Writes "ready" when it is, and stays until it is ended; it is
called "squatter"."""
import signal
import socket
import sys

with open("/proc/self/comm", "w") as comm:
    comm.write("squatter")
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
listener = socket.socket(family)
if family == socket.AF_INET6:
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((sys.argv[1], int(sys.argv[2])))
listener.listen()
print("ready", flush=True)
signal.pause()
