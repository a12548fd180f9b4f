#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""caged.py REPORT SERVICE WORKER MASTER ANSWER: whether what begatd --security --json says of a service is what
can be seen of its worker in /proc, and what the probe, in the place of its program, has found it can do (ANSWER).
Prints each difference; the exit status is 1 when there is one."""
import json
import os
import re
import subprocess
import sys

report, service, worker, master, answer = sys.argv[1:]
with open(report) as file:
    said = next(one for one in json.load(file) if one["service"] == service)
with open(answer) as file:
    found = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
capabilities = set(said["capabilities"])
uid = said["identity"]["uid"]
network = said["network"]


def status(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", file.read(), re.M))


def has_own(namespace):
    return os.readlink(f"/proc/{worker}/ns/{namespace}") != os.readlink(f"/proc/{master}/ns/{namespace}")


def did(name):
    return found[name] == "done"


def may(right, path):
    path = os.path.realpath(path)
    rules = said["files"]["paths"]
    return any(rule[right] and (path + "/").startswith(rule["path"].rstrip("/") + "/") for rule in rules)


names = subprocess.run(["setpriv", "--list-caps"], capture_output=True, text=True, check=True).stdout.split()
mask = sum(1 << names.index(name.replace("-", "_")) for name in capabilities)
seen = status(worker)

# What it is.
same = [
    ("uid", [uid] * 4, [int(i) for i in seen["Uid"].split()]),
    ("gid", [said["identity"]["gid"]] * 4, [int(i) for i in seen["Gid"].split()]),
    ("groups", sorted(said["identity"]["groups"]), sorted(int(i) for i in seen["Groups"].split())),
    ("permitted", mask, int(seen["CapPrm"], 16)),
    ("effective", mask, int(seen["CapEff"], 16)),
    ("bounding", mask, int(seen["CapBnd"], 16)),
    ("no-new-privileges", said["no-new-privileges"], seen["NoNewPrivs"] == "1"),
    ("umask", said["files"]["umask"], seen["Umask"]),
    ("filter", said["system-calls"]["filter"],
     int(seen["Seccomp_filters"]) > int(status(master)["Seccomp_filters"])),
    ("private network", network["private"], has_own("net")),
    ("private-pids", said["private-pids"], has_own("pid")),
    ("private-tmp or private-pids", said["files"]["private-tmp"] or said["private-pids"], has_own("mnt")),
    ("memory-deny-write-execute", said["memory-deny-write-execute"], not did("write-execute")),
]
# Files that their permissions leave to everybody, or to root.
for name, right, path in (
    ("passwd", "read", "/etc/passwd"),
    ("outside", "read", "/srv/outside"),
    ("write-tmp", "write", "/tmp"),
    ("write-var-tmp", "write", "/var/tmp"),
    ("write-shm", "write", "/dev/shm"),
    ("shell", "execute", "/bin/sh"),
) + (uid == 0) * (
    ("shadow", "read", "/etc/shadow"),
    ("list-root", "read", "/root"),
    ("sysctl", "write", "/proc/sys/kernel/core_pattern"),
    ("write-root", "write", "/"),
    ("write-etc", "write", "/etc"),
    ("write-usr", "write", "/usr/bin"),
    ("append-passwd", "write", "/etc/passwd"),
):
    same.append((name, may(right, path), did(name)))
differences = [pair for pair in same if pair[1] != pair[2]]

# What it can do only when that is said.
needs = {
    "setuid": "setuid setresuid setfsuid suid",
    "setgid": "setgid setresgid setgroups drop-groups",
    "sys-chroot": "chroot chroot-escape",
    "sys-admin": "mount umount pivot-root hostname swap unshare-network unshare-mounts setns",
    "sys-ptrace": "ptrace process-read memory-file environ maps master-root pidfd-getfd parent-ptrace"
                  " parent-memory parent-environ",
    "sys-module": "insert-module remove-module",
    "sys-boot": "reboot kexec",
    "sys-rawio": "memory-device ioperm iopl",
    "sys-nice": "nice realtime",
    "sys-resource": "raise-limit",
    "sys-time": "settime",
    "sys-pacct": "accounting",
    "syslog": "kernel-log",
    "bpf": "bpf",
    "perfmon": "perf",
    "mknod": "device",
    "kill": "signal signal-thread signal-pidfd",
    "net-raw": "raw-socket packet-socket",
    "net-admin": "interface",
    "net-bind-service": "bind-low",
}
for capability, tries in needs.items():
    if capability not in capabilities:
        differences += [(name, f"no {capability}", "done") for name in tries.split() if did(name)]
if network["connect"] == []:
    differences += [(name, "no connections", "done") for name in ("tcp", "tcp-fast-open", "multipath") if did(name)]
if network["private"] and did("udp"):
    differences.append(("udp", "no network", "done"))
if not network["sockets"] and did("abstract"):
    differences.append(("abstract", "no sockets outside", "done"))
if said["private-pids"] and did("see-other"):
    differences.append(("see-other", "its own processes alone", "done"))

for name, ours, theirs in differences:
    print(f"{service}: {name}: --security says {ours!r}, and it is {theirs!r}")
sys.exit(1 if differences else 0)
