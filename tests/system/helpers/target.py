#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What a service is redirected to, and a client that finds out whether all goes through.

target.py serve ADDRESS KIND [ARGUMENT]: a server; it writes "ready" when it can be asked.  ADDRESS is
a port of 127.0.0.1, ADDRESS:PORT, the path of a Unix socket or @NAME.  KIND:
    echo          sends back what comes, and half-closes when the client does
    name TEXT     says TEXT, and closes when the client does
    digest        reads to the end, then says how many bytes there were and their SHA-256
    source BYTES  sends so many, half-closes, and writes to stdout what the client says
    first         writes the first two pieces that come to stdout, in Python's notation, and closes
    reset TEXT    says TEXT and resets
    hang          takes nobody: its queue is full
    udp TEXT      answers each datagram by TEXT, the port that it came from, and the datagram
    udplate MS    echoes each datagram, after so long
    udplarge N    answers each datagram by N bytes
target.py echo PORT BYTES: sends so many to an echo, while it hears them; status 1 when they differ.
target.py digest PORT BYTES: sends so many, half-closes, and compares what a digest says.
target.py slow PORT: reads all from a source, slowly at first; writes how many bytes there were.
"""
import hashlib
import os
import random
import selectors
import socket
import struct
import sys
import threading
import time


def address_of(text):
    if text[0] in "/@":
        return socket.AF_UNIX, text.replace("@", "\0", 1) if text[0] == "@" else text
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    return (socket.AF_INET6 if ":" in host else socket.AF_INET), (host, int(port))


def read_all(sock):
    while True:
        piece = sock.recv(65536)
        if not piece:
            return
        yield piece


def echo(client, _):
    for piece in read_all(client):
        client.sendall(piece)
    client.shutdown(socket.SHUT_WR)


def name(client, text):
    client.sendall(text.encode() + b"\n")
    for _ in read_all(client):
        pass


def digest(client, _):
    total, sha = 0, hashlib.sha256()
    for piece in read_all(client):
        total += len(piece)
        sha.update(piece)
    client.sendall(b"%d %s\n" % (total, sha.hexdigest().encode()))


def source(client, size):
    client.sendall(random.Random(1).randbytes(int(size)))
    client.shutdown(socket.SHUT_WR)
    for piece in read_all(client):
        print(piece.decode(), end="", flush=True)


def first(client, _):
    print(client.recv(65536), client.recv(65536), flush=True)


def reset(client, text):
    client.sendall(text.encode())
    time.sleep(0.2)  # until it has been read
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def handle(kind, client, argument):
    try:
        kind(client, argument)
    except OSError:
        pass
    client.close()


def fill(family, address):
    """A queue of 0 takes one; the kernel drops whoever comes when it is full."""
    waiting = []
    for _ in range(3):
        sock = socket.socket(family)
        sock.setblocking(False)
        sock.connect_ex(address)
        waiting.append(sock)
    return waiting


def serve_streams(family, address, kind, argument):
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(address)
    server.listen(0 if kind == "hang" else 64)
    waiting = fill(family, address) if kind == "hang" else []
    print("ready", flush=True)
    while waiting:
        time.sleep(60)
    while True:
        client = server.accept()[0]
        threading.Thread(target=handle, args=(globals()[kind], client, argument)).start()


def answer_to(kind, argument, peer, datagram):
    if kind == "udp":
        return b"%s %d %s" % (argument.encode(), peer[1], datagram)
    if kind == "udplarge":
        return b"x" * int(argument)
    time.sleep(int(argument) / 1000)
    return datagram


def serve_datagrams(family, address, kind, argument):
    server = socket.socket(family, socket.SOCK_DGRAM)
    server.bind(address)
    print("ready", flush=True)
    while True:
        datagram, peer = server.recvfrom(65536)
        try:
            server.sendto(answer_to(kind, argument, peer, datagram), peer)
        except ConnectionRefusedError:
            pass


def client_echo(sock, size):
    data = os.urandom(size)
    sent, heard = 0, bytearray()
    sock.setblocking(False)
    selector = selectors.DefaultSelector()
    selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
    while True:
        for _, events in selector.select(10) or sys.exit("nothing happens"):
            if events & selectors.EVENT_WRITE:
                sent += sock.send(data[sent : sent + 65536])
                if sent == size:
                    sock.shutdown(socket.SHUT_WR)
                    selector.modify(sock, selectors.EVENT_READ)
            if events & selectors.EVENT_READ:
                piece = sock.recv(65536)
                if not piece:
                    sys.exit(bytes(heard) != data)
                heard += piece


def client_digest(sock, size):
    data = os.urandom(size)
    sock.settimeout(10)
    sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)
    expected = b"%d %s\n" % (size, hashlib.sha256(data).hexdigest().encode())
    sys.exit(b"".join(read_all(sock)) != expected)


def client_slow(sock, _):
    sock.settimeout(10)
    time.sleep(1)
    heard = b"".join(read_all(sock))
    sock.sendall(b"thanks\n")
    sock.close()
    print(len(heard), heard == random.Random(1).randbytes(len(heard)))


if sys.argv[1] == "serve":
    args = (*address_of(sys.argv[2]), sys.argv[3], (sys.argv + [None])[4])
    (serve_datagrams if sys.argv[3].startswith("udp") else serve_streams)(*args)
connection = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
globals()["client_" + sys.argv[1]](connection, int((sys.argv + ["0"])[3]))
