#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""bind-unix.py PATH: leaves a socket there that nobody listens on, as a killed daemon does."""
import socket
import sys

dead = socket.socket(socket.AF_UNIX)
dead.bind(sys.argv[1])
dead.listen()
