#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A crafted client: talk.py PORT STEP... does exactly these steps and writes what it got to stdout.

send:TEXT       in one piece; TEXT knows \\r, \\xff and the other escapes of Python
bytes:TEXT      a packet for each byte
repeat:N:TEXT   N times; a server that hangs up is no error
expect:TEXT     reads until TEXT has come
half            no more is sent (FIN); a server that has hung up is no error
rest            reads until the end
reset           ends the connection with RST
PORT is a TCP port of 127.0.0.1 or the path of a Unix socket.  The exit status is 1 when nothing came
for ten seconds, 2 when the connection ended before what was expected.
"""
import codecs
import socket
import struct
import sys
import time

got = b""
seen = 0


def unescape(text):
    return codecs.escape_decode(text.encode("latin-1"))[0]


def connect(place):
    if place.startswith("/"):
        client = socket.socket(socket.AF_UNIX)
        client.connect(place)
    else:
        client = socket.create_connection(("127.0.0.1", int(place)))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.settimeout(10)
    return client


def read(client):
    global got
    try:
        more = client.recv(65536)
    except ConnectionResetError:
        more = b""
    got += more
    return more


def expect(client, text):
    global seen
    while text not in got[seen:]:
        if not read(client):
            finish(2)
    seen = got.index(text, seen) + len(text)


def send_bytes(client, text):
    for byte in text:
        client.sendall(bytes([byte]))
        time.sleep(0.002)


def repeat(client, count, text):
    try:
        client.sendall(text * count)
    except (BrokenPipeError, ConnectionResetError):
        pass


def half(client):
    try:
        client.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def do(client, step):
    verb, _, text = step.partition(":")
    if verb == "send":
        client.sendall(unescape(text))
    elif verb == "bytes":
        send_bytes(client, unescape(text))
    elif verb == "repeat":
        count, _, text = text.partition(":")
        repeat(client, int(count), unescape(text))
    elif verb == "expect":
        expect(client, unescape(text))
    elif verb == "half":
        half(client)
    elif verb == "rest":
        while read(client):
            pass
    elif verb == "reset":
        reset(client)
    else:
        sys.exit("unknown step " + step)


def finish(status):
    sys.stdout.buffer.write(got)
    sys.stdout.buffer.flush()
    sys.exit(status)


def main():
    try:
        client = connect(sys.argv[1])
        for step in sys.argv[2:]:
            do(client, step)
    except socket.timeout:
        finish(1)
    finish(0)


main()
