#!/usr/bin/python3
# SPDX-License-Identifier: ISC
r"""A name server on 127.0.0.1:53 that knows what it is told, and is silent about everything else.

dns.py LOG READY [RULE...]
  ADDRESS=NAME     the address has that name (escapes as in Python: \x1b)
  NAME=ADDRESS     the name has that address; ADDRESS - : there is no such name
  ...@SECONDS      behind either: answered only after so long
Writes each name that it is asked for to LOG, and creates READY when it can be asked.
"""
import select
import socket
import struct
import sys
import time

PTR, A, AAAA = 12, 1, 28


def encode(name):
    raw = name.encode("latin-1").decode("unicode_escape").encode("latin-1")
    return b"".join(bytes([len(label)]) + label for label in raw.split(b".")) + b"\0"


def is_address(text):
    return text.replace(".", "").isdigit() and text.count(".") == 3


def reverse(address):
    return ".".join(reversed(address.split("."))) + ".in-addr.arpa"


def read_rules(texts):
    rules = {}
    for text in texts:
        text, _, delay = text.partition("@")
        left, _, right = text.partition("=")
        if is_address(left):
            rules[reverse(left), PTR] = encode(right), float(delay or 0)
        else:
            known = b"" if right == "-" else socket.inet_aton(right)
            rules[left, A] = known, float(delay or 0)
            rules[left, AAAA] = b"", float(delay or 0)
    return rules


def read_question(packet):
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("latin-1"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack("!H", packet[at + 1:at + 3])[0], packet[12:at + 5]


def make_answer(packet, kind, question, data):
    answer = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(data)) + data if data else b""
    return packet[:2] + struct.pack("!HHHHH", 0x8180, 1, bool(data), 0, 0) + question + answer


def main(log, ready, *texts):
    rules = read_rules(texts)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    open(ready, "w").close()
    later = []
    while True:
        now = time.monotonic()
        for due, answer, peer in [each for each in later if each[0] <= now]:
            server.sendto(answer, peer)
        later = [each for each in later if each[0] > now]
        wait = min([each[0] for each in later], default=now + 60) - now
        if not select.select([server], [], [], wait)[0]:
            continue
        packet, peer = server.recvfrom(4096)
        name, kind, question = read_question(packet)
        with open(log, "a") as out:
            print(name, kind, file=out)
        if (name, kind) in rules:
            data, delay = rules[name, kind]
            later.append((time.monotonic() + delay, make_answer(packet, kind, question, data), peer))


main(*sys.argv[1:])
