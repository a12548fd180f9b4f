#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""witness.py TCP UDP PATH NAME: listens on both ports of 127.0.0.1, on a Unix socket at PATH that everybody
may use, and on the abstract one called NAME.  Writes "ready" when it does, and "tcp", "udp", "unix" or
"abstract" for everybody who comes; answers datagrams."""
import os
import select
import socket
import sys

tcp_port, udp_port, path, name = sys.argv[1:]


def listen(family, address):
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(address)
    listener.listen()
    return listener


udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", int(udp_port)))
names = {
    udp: "udp",
    listen(socket.AF_INET, ("127.0.0.1", int(tcp_port))): "tcp",
    listen(socket.AF_UNIX, path): "unix",
    listen(socket.AF_UNIX, "\0" + name): "abstract",
}
os.chmod(path, 0o777)
print("ready", flush=True)
while True:
    for ready in select.select(list(names), [], [])[0]:
        print(names[ready], flush=True)
        if ready is udp:
            udp.sendto(b"x", udp.recvfrom(99)[1])
        else:
            ready.accept()[0].close()
