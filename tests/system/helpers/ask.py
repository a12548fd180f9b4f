#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A crafted client of the control socket: ask.py PATH STEP... does exactly these steps.

send:TEXT     one packet; TEXT knows \\x00 and the other escapes of Python
repeat:N:TEXT one packet with N times the text
fds:N:TEXT    one packet with N descriptors beside the text
answer        writes the packet that comes, and "+N" for N descriptors with it; "end" when there is none
crowd:N       connects N times more, writes "held", and "closed" when the daemon has closed all of them
stay          writes "held" and waits to be killed
The exit status is 1 when nothing came for twenty seconds.
"""
import array
import codecs
import os
import signal
import socket
import sys

path = sys.argv[1]


def say(text):
    print(text, flush=True)


def connect():
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.settimeout(20)
    client.connect(path)
    return client


def unescape(text):
    return codecs.escape_decode(text.encode("latin-1"))[0]


def send(client, text):
    try:
        client.send(text)
    except (BrokenPipeError, ConnectionResetError):
        pass  # it has hung up already


def send_fds(client, count, text):
    fds = array.array("i", [os.open("/dev/null", os.O_RDONLY) for _ in range(count)])
    client.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    for fd in fds:
        os.close(fd)


def receive(client):
    for _ in range(2):
        try:
            return client.recvmsg(4096, 4096)[:2]
        except ConnectionResetError:
            pass  # said once, before what is still to be read
    return b"", []


def answer(client):
    text, extra = receive(client)
    if not text:
        say("end")
        return
    count = sum(len(data) // 4 for _, _, data in extra)
    say(text.decode("latin-1") + (f" +{count}" if count else ""))


def crowd(count):
    clients = [connect() for _ in range(count)]
    say("held")
    for client in clients:
        receive(client)
    say("closed")


def do(client, step):
    verb, _, text = step.partition(":")
    if verb == "send":
        send(client, unescape(text))
    elif verb in ("repeat", "fds"):
        count, _, text = text.partition(":")
        if verb == "repeat":
            send(client, unescape(text) * int(count))
        else:
            send_fds(client, int(count), unescape(text))
    elif verb == "answer":
        answer(client)
    elif verb == "crowd":
        crowd(int(text))
    elif verb == "stay":
        say("held")
        signal.pause()
    else:
        sys.exit("unknown step " + step)


def main():
    client = None
    for step in sys.argv[2:]:
        if client is None and not step.startswith("crowd"):
            client = connect()
        do(client, step)


try:
    main()
except socket.timeout:
    sys.exit(1)
