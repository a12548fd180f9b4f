#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""security.py REPORT SERVICE ANSWER: whether what begatd --security --json says of a service is what a program
in it has found, mirror.c and probe.c together.  Prints each difference; the exit status is 1 when there is one."""
import json
import sys

report, service, answer = sys.argv[1:]
with open(report) as file:
    said = next(one for one in json.load(file) if one["service"] == service)
with open(answer) as file:
    found = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)


def did(name):
    return found[name] == "done"


network = said["network"]
files = said["files"]
pairs = [
    ("uid", " ".join(3 * [str(said["identity"]["uid"])]), found["uid"]),
    ("gid", " ".join(3 * [str(said["identity"]["gid"])]), found["gid"]),
    ("groups", " ".join(map(str, said["identity"]["groups"])), found["groups"]),
    ("any capability", said["capabilities"] != [], found["permitted"] != "0"),
    ("no-new-privileges", said["no-new-privileges"], found["no-new-privileges"] == "1"),
    ("filter", said["system-calls"]["filter"] or said["system-calls"]["guards"] != [], found["filter"] == "2"),
    ("umask", files["umask"], found["umask"]),
    ("private-pids", said["private-pids"], int(found["processes"]) < 5),
    ("private-tmp", files["private-tmp"], found["temporary"] == "0"),
    ("private network", network["private"], found["interfaces"] == "lo:down"),
    ("all files", files["paths"] is None, did("passwd")),
    ("connect", not network["private"] and network["connect"] != [], did("tcp")),
    ("bind", network["private"] or network["bind"] != [], did("bind")),
    ("memory-deny-write-execute", said["memory-deny-write-execute"], not did("write-execute")),
]
differences = [pair for pair in pairs if pair[1] != pair[2]]
for name, ours, theirs in differences:
    print(f"{service}: {name}: --security says {ours!r}, and it is {theirs!r}")
sys.exit(1 if differences else 0)
