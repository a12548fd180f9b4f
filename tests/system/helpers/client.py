#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Clients on 127.0.0.1 that behave as the system tests want.

flood PORT COUNT       connects COUNT times in a row, reads to the end; prints how many got an answer
reset PORT COUNT       connects and resets at once
hold PORT COUNT        connects COUNT times, prints "held", and waits to be killed
drip PORT INTERVAL     sends a byte every INTERVAL seconds; prints the seconds until the server ended it
crowd PORT COUNT       holds COUNT connections at a time and has each echo twice, the last one first
backlog PORT COUNT PID connects COUNT times without waiting, continues PID; prints the length of the answer
                       to each that was connected by then
deaf PORT              sends, never reads, prints "stuck" when nothing more fits, and waits to be killed
"""

import os
import resource
import select
import signal
import socket
import struct
import sys
import time


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def read_all(sock):
    length = 0
    while True:
        data = sock.recv(4096)
        if not data:
            return length
        length += len(data)


def flood(port, count):
    answered = 0
    for _ in range(count):
        with connect(port) as sock:
            answered += read_all(sock) > 0
    print(answered)


def reset(port, count):
    for _ in range(count):
        sock = connect(port)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()


def hold(port, count):
    socks = [connect(port) for _ in range(count)]
    print("held", flush=True)
    while socks:
        time.sleep(60)


def crowd(port, count):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 50, hard))
    # From eight addresses, each of which has 28,232 ports.
    socks = [socket.create_connection(("127.0.0.1", port), 30, ("127.0.0.%d" % (i % 8 + 1), 0))
             for i in range(count)]
    for text in b"first", b"again":
        for sock in socks:
            sock.send(text)
        for sock in reversed(socks):
            assert sock.recv(99) == text


def backlog(port, count, pid):
    socks = [socket.socket() for _ in range(count)]
    for sock in socks:
        sock.setblocking(False)
        sock.connect_ex(("127.0.0.1", port))
    time.sleep(0.2)
    connected = select.select([], socks, [], 0)[1]
    os.kill(pid, signal.SIGCONT)
    for sock in connected:
        sock.settimeout(10)
        print(read_all(sock))


def drip(port, interval):
    sock = connect(port)
    start = time.monotonic()
    try:
        while True:
            sock.send(b"x")
            time.sleep(interval)
            if select.select([sock], [], [], 0)[0] and not sock.recv(4096):
                break
    except OSError:
        pass
    print("%.2f" % (time.monotonic() - start))


def deaf(port):
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", port))
    sock.setblocking(False)
    while select.select([], [sock], [], 0.3)[1]:
        try:
            sock.send(b"x" * 65536)
        except BlockingIOError:
            pass
    print("stuck", flush=True)
    time.sleep(60)


def main():
    commands = {f.__name__: f for f in (flood, reset, hold, crowd, backlog, drip, deaf)}
    command, port, *rest = sys.argv[1:]
    commands[command](int(port), *(float(x) if "." in x else int(x) for x in rest))


if __name__ == "__main__":
    main()
