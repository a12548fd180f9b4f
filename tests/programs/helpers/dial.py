#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""dial.py COMMAND HOST PORT STEP...: runs an interactive client on a terminal of its own.

Steps: expect:REGEX waits for it in what has come since the last expect, line:TEXT types a line,
send:TEXT types without one.  Exits with 1, and what has come, when something does not come.
"""

import os
import pty
import re
import select
import sys
import time

TIMEOUT_S = 10


def read(terminal, until):
    ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
    try:
        return os.read(terminal, 4096) if ready else b""
    except OSError:  # EIO: the client has gone
        return b""


def expect(terminal, pattern, come):
    until = time.monotonic() + TIMEOUT_S
    while not (found := re.search(pattern.encode(), come)):
        more = read(terminal, until)
        if not more:
            sys.exit(f"{pattern!r} has not come, but {come!r}")
        come += more
    return come[found.end():]


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "vt100"
        os.execvp(sys.argv[1], sys.argv[1:4])
    come = b""
    for step in sys.argv[4:]:
        kind, text = step.split(":", 1)
        if kind == "expect":
            come = expect(terminal, text, come)
        else:
            os.write(terminal, text.encode() + (b"\r" if kind == "line" else b""))
    os.close(terminal)
    os.waitpid(pid, 0)


main()
