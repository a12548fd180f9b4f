#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Tries every way back to root, and says for each "denied" or "gained"."""
import os

ways = (
    lambda: os.setuid(0),
    lambda: os.seteuid(0),
    lambda: os.setreuid(-1, 0),
    lambda: os.setresuid(-1, -1, 0),
    lambda: os.setgid(0),
    lambda: os.setegid(0),
    lambda: os.setresgid(0, 0, 0),
    lambda: os.setgroups([0]),
)
for way in ways:
    try:
        way()
        print("gained")
    except PermissionError:
        print("denied")
