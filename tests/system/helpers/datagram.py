#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A crafted client for datagrams.

datagram.py ask HOST PORT HEX [FROM [FROMPORT]]  sends it, writes "ADDRESS PORT HEX" of the answer, or "none"
datagram.py size HOST PORT BYTES                 sends so many, writes how many come back, or "none"
datagram.py spoof SOURCE SPORT HOST PORT [N]     sends N (1) with a forged source, from a raw socket
datagram.py flood HOST PORT SECONDS [FROM]       sends as fast as it can, writes how many
datagram.py many HOST PORT N                     N questions, one after the other; writes the answers' number
An answer is waited for half a second, which on loopback is for ever; ask waits for two.
"""
import socket
import struct
import sys
import time


def family(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def connect(host, source=None, port=0, wait=0.5):
    client = socket.socket(family(host), socket.SOCK_DGRAM)
    client.settimeout(wait)
    if source:
        client.bind((source, port))
    return client


def ask(host, port, text, source=None, sport="0"):
    client = connect(host, source, int(sport), 2)
    client.sendto(bytes.fromhex(text), (host, int(port)))
    try:
        answer, peer = client.recvfrom(65536)
        print(peer[0], peer[1], answer.hex())
    except OSError:
        print("none")


def size(host, port, count):
    client = connect(host)
    client.sendto(b"x" * int(count), (host, int(port)))
    try:
        print(len(client.recv(65536)))
    except OSError:
        print("none")


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def spoof(source, sport, host, port, count="1", bad=False):
    raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    ends = socket.inet_aton(source) + socket.inet_aton(host)
    body = b"hello"
    head = struct.pack("!HHHH", int(sport), int(port), 8 + len(body), 0)
    total = checksum(ends + struct.pack("!BBH", 0, 17, 8 + len(body)) + head + body) or 0xFFFF
    if bad:
        total ^= 0x5555
    udp = struct.pack("!HHHH", int(sport), int(port), 8 + len(body), total) + body
    packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + ends + udp
    for _ in range(int(count)):
        raw.sendto(packet, (host, 0))


def flood(host, port, seconds, source=None):
    client = connect(host, source)
    end = time.monotonic() + float(seconds)
    count = 0
    while time.monotonic() < end:
        for _ in range(64):
            client.sendto(b"x", (host, int(port)))
        count += 64
    print(count)


def many(host, port, count):
    client = connect(host)
    client.connect((host, int(port)))
    answers = 0
    for _ in range(int(count)):
        client.send(b"x")
        try:
            client.recv(65536)
            answers += 1
        except OSError:
            pass
    print(answers)


def corrupt(*arguments):
    spoof(*arguments, bad=True)


{"ask": ask, "size": size, "spoof": spoof, "flood": flood, "many": many, "corrupt": corrupt}[
    sys.argv[1]
](*sys.argv[2:])
