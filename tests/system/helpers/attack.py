#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""attack.py MASTER: what a process of the service's user can do to workers, done to each of them as
soon as it can be seen: SIGSTOP, then PTRACE_SEIZE and reading its memory.

Runs until it is ended, and writes a line for each worker that it stopped: "early PID" for one that was
still begat's own code, as its files in /proc belong to root then, "late PID" for one that was the
program already.  "traced PID" or "read PID" in addition says that begat's own code could be traced or
read, which must never be.
"""
import ctypes
import os
import signal
import sys

PTRACE_SEIZE = 0x4206

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def say(what, pid):
    print(what, pid, flush=True)


def is_stopped(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] in "Tt"


def check(pid):
    early = os.stat(f"/proc/{pid}/mem").st_uid == 0
    say("early" if early else "late", pid)
    if not early:
        return
    try:
        with open(f"/proc/{pid}/mem", "rb"):
            say("read", pid)
    except OSError:
        pass
    if libc.ptrace(PTRACE_SEIZE, pid, None, None) == 0:
        say("traced", pid)


def attack(pid):
    try:
        os.kill(pid, signal.SIGSTOP)
        while not is_stopped(pid):
            pass
        check(pid)
    except PermissionError:
        return False  # root's still
    except OSError:
        pass
    return True


def main():
    master = sys.argv[1]
    done = set()
    say("ready", master)
    while True:
        with open(f"/proc/{master}/task/{master}/children") as children:
            pids = {int(pid) for pid in children.read().split()}
        done &= pids
        for pid in pids - done:
            if attack(pid):
                done.add(pid)


main()
