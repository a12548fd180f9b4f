#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""no-ipv6.py COMMAND...: runs the command as on a kernel without IPv6: socket(AF_INET6) gives
EAFNOSUPPORT, by a seccomp filter (seccomp(2))."""
import ctypes
import errno
import os
import socket
import struct
import sys

NUMBERS = {"x86_64": (41, 0xC000003E), "aarch64": (198, 0xC00000B7)}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000

number, arch = NUMBERS[os.uname().machine]
rules = [
    (LOAD, 0, 0, 4),
    (JUMP_EQUAL, 0, 5, arch),
    (LOAD, 0, 0, 0),
    (JUMP_EQUAL, 0, 3, number),
    (LOAD, 0, 0, 16),
    (JUMP_EQUAL, 0, 1, socket.AF_INET6),
    (RETURN, 0, 0, ERRNO | errno.EAFNOSUPPORT),
    (RETURN, 0, 0, ALLOW),
]
program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("rules", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
wanted = Filter(len(rules), ctypes.addressof(program))
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or \
        libc.prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(wanted), 0, 0) != 0:
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
