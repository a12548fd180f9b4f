#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""subreaper.py COMMAND...: runs the command as one that inherits orphans, as a container's init does,
and with a child of which it knows nothing."""
import ctypes
import os
import sys
import time

PR_SET_CHILD_SUBREAPER = 36

if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
    sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
if os.fork() == 0:
    os.closerange(0, 1024)
    time.sleep(0.3)
    os._exit(7)
os.execv(sys.argv[1], sys.argv[1:])
