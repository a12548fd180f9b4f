#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""datagrams.py ask HOST PORT [TEXT]: writes the answer to one datagram; status 1: there was none.
datagrams.py send HOST PORT COUNT: sends so many, and takes no answers.
datagrams.py count HOST PORT COUNT RATE: sends so many different ones, so many in a second, to a service that
echoes; writes how many different answers have come.
datagrams.py hold HOST PORT [reuse]: is in the way; writes "ready", and stays until it is ended."""
import select
import signal
import socket
import sys
import time

mode, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in host else socket.AF_INET
sock = socket.socket(family, socket.SOCK_DGRAM)


def ask(text):
    sock.settimeout(5)
    sock.connect((host, port))  # so that an answer from elsewhere is none
    sock.send(text.encode())
    try:
        sys.stdout.buffer.write(sock.recv(65536))
    except (TimeoutError, ConnectionRefusedError):
        sys.exit(1)


def count(number, rate):
    answers = set()
    start = time.monotonic()
    sock.connect((host, port))
    for i in range(number):
        sock.send(b"%d" % i)
        while select.select([sock], [], [], max(0, start + (i + 1) / rate - time.monotonic()))[0]:
            answers.add(sock.recv(65536))
    while len(answers) < number and select.select([sock], [], [], 3)[0]:
        answers.add(sock.recv(65536))
    print(len(answers))


def hold(reuse):
    with open("/proc/self/comm", "w") as comm:
        comm.write("squatter")
    if reuse:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    print("ready", flush=True)
    signal.pause()


if mode == "ask":
    ask(sys.argv[4] if len(sys.argv) > 4 else "")
elif mode == "send":
    for serial in range(int(sys.argv[4])):
        sock.sendto(b"%d" % serial, (host, port))
elif mode == "count":
    count(int(sys.argv[4]), float(sys.argv[5]))
else:
    hold("reuse" in sys.argv)
