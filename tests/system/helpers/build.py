#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""build.py FROM TO VERSION OTHER: a program that is of another build than its twin: every mention of the
version, which the build's stamp begins with, becomes another one of the same length."""
import os
import sys

source, target, version, other = sys.argv[1:]
with open(source, "rb") as file:
    program = file.read()
if version.encode() not in program or len(version) != len(other):
    sys.exit(source + " does not mention " + version)
with open(target, "wb") as file:
    file.write(program.replace(version.encode(), other.encode()))
os.chmod(target, 0o755)
