#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Clients from many places, for what is decided by who comes and how often.

once FROM PORT [BYTES]           connects from FROM, sends BYTES first, reads to the end, and prints what was
                                 said, escaped, and how it ended: "end", "reset" or, after 20 s, "time"
slowly FROM PORT BYTES           the same in pieces of 10000
many FROM COUNT PORT [STEP]      once from each of COUNT addresses, STEP apart, one after the other, with one
                                 byte and no more; prints how many were told something
again FROM COUNT PORT            COUNT times from the one address, likewise
hold FROM COUNT PORT             COUNT connections at a time that are not closed; prints "held", and waits
stream FROM PORT SECONDS         sends for as long as it can, reads nothing; prints how many MiB, and how it ended

FROM is an address of this machine, and decides whether they go to 127.0.0.1 or to ::1.  Of a network that is
routed to lo any address will do.
"""
import ipaddress
import socket
import sys
import time

IPV6_FREEBIND = 78


def connect(origin, port):
    family = socket.AF_INET6 if ":" in origin else socket.AF_INET
    sock = socket.socket(family)
    sock.settimeout(20)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
    sock.bind((origin, 0))
    sock.connect(("::1" if family == socket.AF_INET6 else "127.0.0.1", int(port)))
    return sock


def visit(origin, port, length=0, half_close=False, piece=1 << 30):
    said, end = b"", "end"
    with connect(origin, port) as sock:
        try:
            for sent in range(0, length, piece):
                if sent:
                    time.sleep(0.02)
                sock.sendall(b"x" * min(piece, length - sent))
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            while True:
                data = sock.recv(4096)
                if not data:
                    break
                said += data
        except TimeoutError:
            end = "time"
        except OSError:
            end = "reset"
    return said, end


def is_served(origin, port):
    return bool(visit(origin, port, 1, True)[0])


def once(origin, port, length=0, piece=1 << 30):
    said, end = visit(origin, port, int(length), piece=piece)
    print(said.decode("unicode_escape").encode("unicode_escape").decode(), end)


def slowly(origin, port, length):
    once(origin, port, length, 10000)


def many(origin, count, port, step=1):
    first = ipaddress.ip_address(origin)
    print(sum(is_served(str(first + i * int(step)), port) for i in range(int(count))))


def again(origin, count, port):
    print(sum(is_served(origin, port) for _ in range(int(count))))


def hold(origin, count, port):
    socks = [connect(origin, port) for _ in range(int(count))]
    print("held", flush=True)
    while socks:
        time.sleep(60)


def stream(origin, port, seconds):
    sent, end, until = 0, "time", time.monotonic() + float(seconds)
    sock = connect(origin, port)
    sock.settimeout(0.1)
    while time.monotonic() < until:
        try:
            sent += sock.send(b"x" * 65536)
        except TimeoutError:
            pass
        except OSError:
            end = "reset"
            break
    print(sent >> 20, end)


globals()[sys.argv[1]](*sys.argv[2:])
