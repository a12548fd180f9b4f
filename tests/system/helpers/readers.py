#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Readers of a FIFO that behave as the system tests want.

together PATH COUNT ROUNDS  COUNT processes open it at the same moment, again and again; prints how many
                            answers were whole lines that nobody else got, and how many were not
leave PATH COUNT            opens and closes it COUNT times
hold PATH                   opens it, prints "held", never reads, and waits to be killed
remove PATH SECONDS         removes it as fast as it can; prints how many times
"""

import mmap
import os
import sys
import time


def read_all(path):
    with open(path, "rb", buffering=0) as fifo:
        data = b""
        while True:
            more = fifo.read(65536)
            if not more:
                return data
            data += more


def read_at(path, begin, pipe):
    while begin[0] == 0:
        os.sched_yield()
    os.write(pipe, read_all(path).replace(b"\n", b"|") + b"\n")
    os._exit(0)


def gather(path, count):
    begin = mmap.mmap(-1, 4096)
    source, sink = os.pipe()
    pids = []
    for _ in range(count):
        pid = os.fork()
        if pid == 0:
            read_at(path, begin, sink)
        pids.append(pid)
    os.close(sink)
    time.sleep(0.01)
    begin[0] = 1
    for pid in pids:
        os.waitpid(pid, 0)
    with os.fdopen(source) as answers:
        return answers.read().splitlines()


def together(path, count, rounds):
    answers = [answer for _ in range(int(rounds)) for answer in gather(path, int(count))]
    whole = [a for a in answers if len(a) > 1 and a.index("|") == len(a) - 1 and answers.count(a) == 1]
    print(len(whole), len(answers) - len(whole))
    for answer in answers:
        if answer not in whole:
            print(repr(answer), file=sys.stderr)


def leave(path, count):
    for _ in range(int(count)):
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def hold(path):
    os.open(path, os.O_RDONLY)
    print("held", flush=True)
    time.sleep(60)


def remove(path, seconds):
    end = time.monotonic() + float(seconds)
    removed = 0
    while time.monotonic() < end:
        try:
            os.unlink(path)
            removed += 1
        except FileNotFoundError:
            pass
    print(removed)


if __name__ == "__main__":
    {"together": together, "leave": leave, "hold": hold, "remove": remove}[sys.argv[1]](*sys.argv[2:])
