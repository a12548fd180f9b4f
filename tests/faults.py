#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""A fault at every system call: each try has a daemon of its own and one fault, made by strace.

usage: tests/faults.py [OPTION]... [TRY]...

  --signals LIST   of HUP,TERM,CHLD,USR1,PIPE,WINCH: one of them at one system call
  --errors LIST    of first,other: what one system call fails with, see ERRORS; or ""
  --scenes LIST    of start,serve,reload,drain and those of KINDS: what the daemon does meanwhile
  --range A..B     system calls of a scene, counted from its beginning; 1..1000
  --step N         only every Nth; 1
  --sample N       only so many, chosen by ...
  --seed N         ... this; printed when it is not given
  --seconds N      begin no more after that
  --jobs N         at the same time; 2
  -v               tell each try

A TRY, as it is printed when it fails, does only that: "reload openat:3 error=EMFILE".

A scene is recorded before it is swept, because strace counts every kind of call by itself: the
call number n of a scene is the kth of its kind, and what the sweep says is "NAME:k".  Only one
process is traced: the one that becomes the master or, in the scenes of WHOSE, one of its children.

What must be true after a fault, whatever it was:
  - the same process serves all services and the session that was open all the time; what needs
    a process that has died works again within its pause;
  - nobody spins;
  - after a reload it is either the new configuration or the old one, and the log says which;
  - it reloads then, and has as many descriptors as after a reload without a fault;
  - SIGTERM ends it with status 0, and its pid file is gone.
SIGTERM as the fault: status 0, and the pid file is gone.  Of the first four scenes errors are only
tried in a reload: they may end a start.

What may end it all the same is in legitimate_end().
"""

import argparse
import collections
import concurrent.futures
import contextlib
import os
import queue
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SIGNALS = "HUP TERM CHLD USR1 PIPE WINCH".split()
PATIENCE = 15  # seconds until something that should happen has not

# Scenes with services of other kinds, see SERVICES.
ALL_KINDS = "standing program fifo redirect tcpmux resolver".split()
KINDS = {
    **{kind: [kind] for kind in ALL_KINDS},
    "renew": ALL_KINDS,  # a reload, ...
    "retire": ALL_KINDS,  # ... and a drain
    "streams": ["streams"],
    "datagrams": ["datagrams"],
    "keeper": ["fifo"],
    "lookups": ["resolver"],
}
# Whose system calls: of the worker or the keeper of a service, or of the resolver.
WHOSE = {"streams": "streams", "datagrams": "datagrams", "keeper": "fifo", "lookups": None}
RELOADS = ("reload", "renew")
DRAINS = ("drain", "retire")
SCENES = ["start", "serve", "reload", "drain", *KINDS]

# PORT+n and FOLDER are the daemon's.  All answer with a daytime.
ANSWER = ("import socket, time; s = socket.socket(fileno=0);"
          " s.sendto(time.ctime().encode(), s.recvfrom(9)[1])")
SERVICES = {
    "standing": """
        service stream { listen = "tcp:127.0.0.1:PORT+4" handler = "daytime" wait = true
                         idle-timeout = "100ms" }
        service packet { listen = "udp:127.0.0.1:PORT+4" handler = "daytime"
                         idle-timeout = "100ms" }""",
    "streams": """service streams { listen = "tcp:127.0.0.1:PORT+4" handler = "daytime"
                                    wait = true }""",
    "datagrams": 'service datagrams { listen = "udp:127.0.0.1:PORT+4" handler = "daytime" }',
    "program": f"""service program {{ listen = "udp:127.0.0.1:PORT+5"
                     exec = {{ "/usr/bin/python3", "-ISc", "{ANSWER}" }} }}""",
    "fifo": 'service fifo { listen = "fifo:FOLDER/fifo" handler = "daytime" }',
    "redirect": 'service way { listen = "tcp:127.0.0.1:PORT+6" redirect = "tcp:127.0.0.1:PORT+0" }',
    "tcpmux": """service mux { listen = "tcp:127.0.0.1:PORT+7" handler = "tcpmux" }
                 service named { tcpmux = true handler = "daytime" }""",
    "resolver": """service far { listen = "tcp:127.0.0.1:PORT+8"
                                 redirect = "tcp:localhost:PORT+0" }""",
}
RESIDENTS = {"fifo": 1, "resolver": 1, "streams": 1, "datagrams": 1}  # processes that stay

# What a call may fail with, see its manual page; calls by the beginnings of their names.
ERRORS = [
    ("clone fork vfork", ["EAGAIN", "ENOMEM"]),
    ("execve", ["ENOENT", "ENOMEM"]),
    ("open socket accept dup pipe epoll_create signalfd memfd_create timerfd_create eventfd",
     ["EMFILE", "ENFILE"]),
    ("fcntl", ["EMFILE", "EINVAL"]),
    ("epoll_wait epoll_pwait", ["EINTR"]),
    ("epoll_ctl", ["ENOMEM", "ENOSPC"]),
    ("poll ppoll", ["ENOMEM", "EINTR"]),
    ("wait4", ["EINTR", "ECHILD"]),
    ("waitid", ["EINTR"]),  # that there are no children is true, or cannot be
    ("read pread", ["EIO", "EINTR"]),
    ("write pwrite ftruncate", ["ENOSPC", "EIO"]),
    ("send recv", ["ENOBUFS", "EINTR"]),
    ("kill tgkill", ["EPERM", "ESRCH"]),
    # strace makes a call fail by not making it.  close(2) closes even when it fails, and brk(2)
    # tells a failure by the old break: these two it cannot do.
    ("close brk exit", []),
    ("access stat fstat newfstatat lstat readlink unlink rename chmod fchmod chown fchown",
     ["EACCES", "ENOMEM"]),
    ("rt_sig sigaltstack prctl lseek listen bind getsockname setsockopt getsockopt"
     " setrlimit getrlimit prlimit", ["EINVAL", "EPERM"]),
    ("", ["ENOMEM", "EINVAL"]),
]

# A log line of which the write has failed is lost, and counted; everything else has been done.
LOGGING = ("write", "send")

Try = collections.namedtuple("Try", "scene name number kind what")


def text_of(attempt):
    return f"{attempt.scene} {attempt.name}:{attempt.number} {attempt.kind}={attempt.what}"


def parse_try(text):
    scene, call, fault = text.split()
    name, number = call.split(":")
    kind, what = fault.split("=")
    if scene not in SCENES or kind not in ("signal", "error"):
        sys.exit(f"faults.py: not a try: {text}")
    return Try(scene, name, int(number), kind, what)


def errors_of(name):
    for beginnings, errors in ERRORS:
        if not beginnings or name.startswith(tuple(beginnings.split())):
            return errors
    return []


class Wrong(Exception):
    """A try has failed."""


class Unable(Exception):
    """None can be made."""


class Daemon:
    """One begatd, from its start to its end, and the clients that look after it."""

    def __init__(self, lane, folder, kinds=()):
        self.folder = folder
        self.kinds = kinds
        self.port = 7100 + 10 * lane
        self.process = None
        self.strace = None
        self.session = None
        self.visitors = 0  # clients whose workers stay meanwhile
        self.may_litter = False
        os.mkdir(folder)
        os.chmod(folder, 0o755)
        self.configure("old")

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self, which):
        """The new one differs in all that can differ about a listener."""
        new = which == "new"
        lines = [
            f'log = "{self.path("log")}"',
            f'pidfile = "{self.path("pid")}"',
            'reload-timeout = "5s"',
            f'service daytime {{ listen = "tcp:127.0.0.1:{self.port}" handler = "daytime"'
            f' backlog = {64 if new else 32} }}',
            f'service cat {{ listen = "tcp:127.0.0.1:{self.port + 1}" exec = {{ "/bin/cat" }} }}',
            f'service socket {{ listen = "unix:{self.path("socket")}" handler = "daytime"'
            f' socket-mode = {"0600" if new else "0666"} }}',
            f'service {"added" if new else "removed"} {{'
            f' listen = {{ "tcp:127.0.0.1:{self.port + 2 if new else self.port + 3}",'
            f' "unix:{self.path("added" if new else "removed")}" }} handler = "daytime" }}',
        ]
        for kind in self.kinds:
            text = SERVICES[kind].replace("FOLDER", self.folder)
            lines.append(re.sub(r"PORT\+(\d)", lambda m: str(self.port + int(m[1])), text))
        with open(self.path("fresh"), "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        os.rename(self.path("fresh"), self.path("conf"))

    # The log, and what else can be seen from outside

    def log(self):
        try:
            with open(self.path("log"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def count(self, regex):
        return len(re.findall(regex, self.log(), re.M))

    def wait_for(self, what, condition, seconds=PATIENCE):
        end = time.monotonic() + seconds * FACTOR
        while not condition():
            if time.monotonic() > end:
                raise Wrong(f"{what} does not happen")
            time.sleep(0.01)

    def status(self):
        """None while it lives."""
        return self.process.poll()

    def residents(self):
        stay = sum(RESIDENTS.get(kind, 0) for kind in self.kinds)
        return stay + (self.session is not None) + self.visitors

    def is_idle(self):
        """No children but the session's and those that stay, and asleep."""
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
                state = file.read().rsplit(")", 1)[1].split()[0]
            path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
            with open(path, encoding="ascii") as file:
                children = len(file.read().split())
        except FileNotFoundError:
            return True
        return state in "SZ" and children <= self.residents()

    def rest(self):
        """Until nothing has gone on for a while: a signal may just be on its way."""
        quiet = collections.deque([False], maxlen=5)

        def is_over():
            quiet.append(self.is_idle())
            return all(quiet)

        self.wait_for("rest", is_over)

    def children(self):
        """Their pids, by what they call themselves."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        found, pids = {}, []
        with contextlib.suppress(FileNotFoundError), open(path, encoding="ascii") as file:
            pids = [int(pid) for pid in file.read().split()]
        for pid in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
                    found[pid] = file.read().replace("\0", " ").replace(self.folder, "").strip()
        return found

    def resident(self, service):
        """The last process of a service, or the resolver; None: there is none."""
        children = self.children()
        if service is None:
            pids = [pid for pid, title in children.items() if title.startswith("begat: resolver")]
        else:
            peer = "keeper" if service == "fifo" else ""  # its workers are for a moment
            begat = re.findall(rf"begat {service}\[(\d+)\] peer={peer}", self.log())
            pids = [pid for pid in map(int, begat) if pid in children]
        return pids[-1] if pids else None

    def check_quiet(self):
        """Neither the master nor anybody who stays spins."""
        def sights():
            found = {}
            for pid in [self.process.pid, *self.children()]:
                with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
                        words = file.read().rsplit(")", 1)[1].split()
                    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                        switches = re.search(r"^voluntary\w+:\s(\d+)", file.read(), re.M)
                    found[pid] = int(words[11]) + int(words[12]), int(switches[1])
            return found

        before = sights()
        time.sleep(0.3)
        for pid, (ticks, wakeups) in sights().items():
            old_ticks, old_wakeups = before.get(pid, (ticks, wakeups))
            if ticks - old_ticks > 8 or wakeups - old_wakeups > 15:
                raise Wrong(f"{pid} spins: {wakeups - old_wakeups} wake-ups, "
                            f"{ticks - old_ticks} ticks in 0.3 s: {self.children()}")

    def descriptors(self):
        """The master's, and how many its residents have."""
        found = self.descriptors_of_master()
        for pid, title in self.children().items():
            with contextlib.suppress(FileNotFoundError):
                count = len(os.listdir(f"/proc/{pid}/fd"))
                found += [f"of {title}"] * count if RESIDENT_TITLE.match(title) else []
        return found

    def descriptors_of_master(self):
        folder = f"/proc/{self.process.pid}/fd"
        found = []
        for name in os.listdir(folder):
            with contextlib.suppress(FileNotFoundError):
                link = os.readlink(os.path.join(folder, name)).replace(self.folder, "")
                found.append(re.sub("[0-9]+", "N", link))
        return sorted(found)

    # From the start to the end

    def start(self, prefix=()):
        """False when it ended instead of getting ready."""
        reader, writer = os.pipe()
        errors = open(self.path("stderr"), "wb")  # the daemon's from now on
        self.process = subprocess.Popen(
            [*prefix, BEGATD, "-n", "-f", self.path("conf"), "--ready-fd", str(writer)],
            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, pass_fds=[writer])
        errors.close()
        os.close(writer)
        try:
            return os.read(reader, 1) == b"\n"
        finally:
            os.close(reader)

    def attach(self, options, pid=None):
        """strace, from now on, of what the daemon does itself, or one of its children."""
        pid = pid or self.process.pid
        self.strace = subprocess.Popen(
            ["strace", "-qq", "-o", self.path("trace"), "-p", str(pid), *options],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.wait_for("strace's attaching", lambda: self.is_traced(pid))

    def is_traced(self, pid):
        """Or was, and has met its end at once."""
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                status = file.read()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if re.search(r"^State:\sZ", status, re.M):
            return True
        if self.strace.poll() is not None:
            error = self.strace.stderr.read().decode()
            raise (Unable if "not permitted" in error else Wrong)(f"strace: {error}")
        return not re.search(r"^TracerPid:\s0$", status, re.M)

    def detach(self):
        if self.strace:
            self.strace.terminate()
            self.strace.wait()
            self.strace.stderr.close()
            self.strace = None

    def clean_up(self):
        self.detach()
        if self.session:
            self.session.close()
        if self.process:
            if self.status() is None:
                children = self.children()
                self.process.kill()
                for pid in children:  # a program has its socket for as long as it likes
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # Clients

    def connect(self, place):
        if isinstance(place, int):
            return socket.create_connection(("127.0.0.1", place), timeout=PATIENCE * FACTOR)
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE * FACTOR)
        client.connect(place)
        return client

    def ask(self, place, words=b"", seconds=PATIENCE):
        try:
            with self.connect(place) as client:
                client.settimeout(seconds * FACTOR)
                client.sendall(words)
                answer = b""
                while data := client.recv(4096):
                    answer += data
        except OSError as error:
            raise Wrong(f"{place}: {error}") from None
        check_daytime(place, answer)

    def ask_datagram(self, port, seconds=PATIENCE):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(seconds * FACTOR)
            try:
                client.sendto(b"what?", ("127.0.0.1", port))
                answer = client.recv(4096)
            except OSError as error:
                raise Wrong(f"udp {port}: {error}") from None
        check_daytime(f"udp {port}", answer)

    def ask_fifo(self, seconds=PATIENCE):
        try:
            answer = subprocess.run(["cat", self.path("fifo")], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                                    timeout=seconds * FACTOR).stdout
        except subprocess.TimeoutExpired:
            raise Wrong("fifo: no answer") from None
        check_daytime("fifo", answer)

    def ask_kind(self, kind, seconds=PATIENCE):
        port = self.port
        if kind in ("standing", "streams"):
            self.ask(port + 4, seconds=seconds)
        if kind in ("standing", "datagrams"):
            self.ask_datagram(port + 4, seconds)
        if kind == "program":
            self.ask_datagram(port + 5, seconds)
        if kind == "fifo":
            self.ask_fifo(seconds)
        if kind == "redirect":
            self.ask(port + 6, seconds=seconds)
        if kind == "tcpmux":
            self.ask(port + 7, b"named\r\n", seconds)
        if kind == "resolver":
            self.ask(port + 8, seconds=seconds)

    def answers(self, kind):
        try:
            self.ask_kind(kind, 1)
            return True
        except Wrong:
            return False

    def ask_kinds(self):
        """Each works again within its pause, and then all the time."""
        for kind in self.kinds:
            self.wait_for(f"an answer of {kind}", lambda k=kind: self.answers(k))
        for kind in self.kinds:
            self.ask_kind(kind)

    def open_session(self):
        self.session = self.connect(self.port + 1)
        self.ask_session()

    def ask_session(self):
        word = str(random.random()).encode()
        try:
            self.session.sendall(word)
            answer = self.session.recv(len(word), socket.MSG_WAITALL)
        except OSError as error:
            raise Wrong(f"the session: {error}") from None
        if answer != word:
            raise Wrong(f"the session: {word} was answered by {answer}")

    def is_there(self, place):
        try:
            self.connect(place).close()
            return True
        except OSError:
            return False

    def ask_all(self):
        if self.status() is not None:
            raise Wrong(f"it has ended: {describe(self.status())}")
        self.ask(self.port)
        self.ask(self.path("socket"))
        self.ask_session()
        self.ask_kinds()

    def sight(self):
        """Who can be reached, and by whom: services of the new and of the old configuration."""
        places = [self.port + 2, self.path("added"), self.port + 3, self.path("removed")]
        mode = f"{os.stat(self.path('socket')).st_mode & 0o777:o}"
        if self.count("cannot set owner and mode"):  # is no reason to go back, but to say so
            mode = "any"
        return (*(self.is_there(place) for place in places), mode)

    def configuration(self):
        """Which one is in force.  A preflight that was not needed may take a moment to end."""
        end = time.monotonic() + 3 * FACTOR
        while (sight := self.sight()) not in SIGHTS:
            if time.monotonic() > end:
                raise Wrong("neither configuration: tcp and unix of the new one, of the old one, "
                            f"and the mode of another: {sight}")
            time.sleep(0.1)
        return SIGHTS[sight]

    # What it is told to do

    def outcomes(self):
        return self.count(OUTCOME)

    def reload(self):
        """To the new configuration.  The outcome, or None when nothing tells."""
        before = self.outcomes()
        self.configure("new")
        self.process.send_signal(signal.SIGHUP)
        return self.see_reload(before)

    def see_reload(self, before):
        """Where the line about it is lost it is over when nothing goes on."""
        quiet = []

        def is_over():
            if self.status() is not None or self.outcomes() > before:
                return True
            quiet.append(self.is_idle())
            return len(quiet) > 200 and all(quiet[-200:])

        self.wait_for("an end of the reload", is_over)
        found = re.findall(OUTCOME, self.log())
        return found[-1] if len(found) > before else None

    def stop(self):
        if self.status() is None:
            self.process.terminate()
        self.see_end()

    def see_end(self):
        if self.session:
            self.session.close()
        self.wait_for("its end", lambda: self.status() is not None)
        if self.status() != 0:
            raise Wrong(f"it has ended: {describe(self.status())}")
        for name in ("pid", "socket", "fifo"):
            if (os.path.exists(self.path(name)) and not self.may_litter
                    and not self.count(f"{name}: cannot remove")):
                raise Wrong(f"the file {name} is still there")


OUTCOME = r"reload: kept|reload failed"
ROUTINE = r"\]: (begat|reaped) \w+\["
RESIDENT_TITLE = re.compile("begat: (resolver|keeper)|.*keeper of")
SIGHTS = {
    (True, True, False, False, "600"): "new",
    (True, True, False, False, "any"): "new",
    (False, False, True, True, "666"): "old",
}


def check_daytime(place, answer):
    """The last line: tcpmux says "+" before."""
    lines = answer.strip().splitlines()
    if not lines or len(lines[-1]) != 24:
        raise Wrong(f"{place}: not a daytime: {answer}")


def describe(status):
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


# The scenes: what is traced.


def play_start(daemon, options):
    prefix = ["strace", "-D", "-qq", "-o", daemon.path("trace"), *options]
    if not daemon.start(prefix):
        daemon.process.wait()
        return
    if daemon.count("SIGTERM: stopping") == 0:
        with contextlib.suppress(OSError, Wrong):
            daemon.open_session()


def play_serve(daemon, options):
    daemon.attach(options)
    for _ in range(2):
        # SIGTERM may be what is tried; ask_all() comes later.
        with contextlib.suppress(Wrong, OSError):
            daemon.ask(daemon.port)
            daemon.ask(daemon.path("socket"))
            daemon.connect(daemon.port + 1).close()


def play_reload(daemon, options):
    daemon.attach(options)
    daemon.reload()
    with contextlib.suppress(Wrong, OSError):
        daemon.ask(daemon.port)


def play_drain(daemon, options):
    daemon.attach(options)
    daemon.process.terminate()
    with contextlib.suppress(Wrong):  # the line may be what has got lost
        daemon.wait_for("the drain",
                        lambda: daemon.count("stopping") or daemon.status() is not None, 2)
    daemon.see_end()


def ask_briefly(daemon, kinds):
    for kind in kinds:
        with contextlib.suppress(Wrong, OSError):
            daemon.ask_kind(kind, 1)


def play_clients(daemon, options):
    """Two, one after the other, each with a worker of its own."""
    daemon.attach(options)
    for _ in range(2):
        ask_briefly(daemon, daemon.kinds)
        daemon.rest()


def play_tcpmux(daemon, options):
    play_clients(daemon, options)
    with contextlib.suppress(Wrong, OSError):
        daemon.ask(daemon.port + 7, b"daytime\r\n", 1)  # is not to be had


def play_death(daemon, options, service):
    """Of who stays, between two clients."""
    daemon.attach(options)
    ask_briefly(daemon, daemon.kinds)
    pid = daemon.resident(service)
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        # On its way to an end the daemon has told it to remove the FIFO, and nobody else does.
        daemon.may_litter = service == "fifo" and daemon.count("stopping") > 0

    def is_back():
        return daemon.status() is not None or daemon.resident(service) not in (None, pid)

    with contextlib.suppress(Wrong, FileNotFoundError):
        daemon.wait_for("another one", is_back, 4)
        ask_briefly(daemon, daemon.kinds)


def play_renew(daemon, options):
    """With a client of tcpmux who takes his time."""
    ask_briefly(daemon, daemon.kinds)
    with contextlib.suppress(OSError), daemon.connect(daemon.port + 7) as client:
        client.settimeout(2 * FACTOR)
        daemon.wait_for("its worker", lambda: daemon.resident("mux"))
        daemon.visitors = 1
        daemon.attach(options)
        daemon.reload()
        client.sendall(b"named\r\n")
        while client.recv(4096):
            pass
    daemon.visitors = 0
    ask_briefly(daemon, daemon.kinds)


def play_retire(daemon, options):
    ask_briefly(daemon, daemon.kinds)
    play_drain(daemon, options)


def play_child(daemon, options, service):
    """What a child of the master does for three clients."""
    ask_briefly(daemon, daemon.kinds)
    daemon.attach(options, daemon.resident(service))
    ask_briefly(daemon, daemon.kinds)
    if "fifo" in daemon.kinds:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(daemon.path("fifo"))
    ask_briefly(daemon, 2 * daemon.kinds)


PLAYS = {
    "start": play_start, "serve": play_serve, "reload": play_reload, "drain": play_drain,
    "standing": play_clients, "program": play_clients, "redirect": play_clients,
    "tcpmux": play_tcpmux, "renew": play_renew, "retire": play_retire,
    "fifo": lambda *arguments: play_death(*arguments, "fifo"),
    "resolver": lambda *arguments: play_death(*arguments, None),
}


def play_scene(daemon, scene, options):
    if scene in WHOSE:
        play_child(daemon, options, WHOSE[scene])
    else:
        PLAYS[scene](daemon, options)


def play(daemon, scene, options):
    if scene != "start":
        if not daemon.start():
            raise Wrong("it does not start")
        daemon.open_session()
        daemon.ask_all()
    play_scene(daemon, scene, options)


# Recording: the calls of a scene, in their order.


def read_trace(daemon, scene):
    with open(daemon.path("trace"), encoding="utf-8", errors="replace") as file:
        # strace may have been told to go in the middle of a call, before it could do anything to it.
        whole = (line for line in file if "<detached ...>" not in line)
        calls = [m for m in (re.match(r"([a-z_0-9]+)\((.*)", line) for line in whole) if m]
    if scene == "start" and calls and calls[0][1] == "execve":
        del calls[0]  # strace's own, which it does not count
    return calls


class Recording:
    """The calls of a scene as NAME:k, and which of them are not begat's own business."""

    def __init__(self, lines):
        self.calls = []  # (NAME, k)
        self.startup = set()
        self.unblocked = set()
        counts = collections.Counter()
        starting, blocked = False, False
        for line in lines:
            name = line[1]
            counts[name] += 1
            call = (name, counts[name])
            self.calls.append(call)
            if name.startswith("execve"):
                starting = "= 0" in line[2]
            elif "PR_SET_NAME" in line[2]:  # is the first thing that main() does
                starting = False
            elif starting:
                self.startup.add(call)
            if not blocked:
                self.unblocked.add(call)
            if name == "rt_sigprocmask" and "SIG_SETMASK, ~[" in line[2]:
                blocked = True


def record(scene, lane, folder):
    with tried(scene, lane, folder) as daemon:
        play(daemon, scene, ["-e", "trace=all"])
        daemon.detach()
        if scene not in DRAINS:
            daemon.stop()
        return Recording(read_trace(daemon, scene))


def record_descriptors(scene, lane, folder):
    """After a reload of which nothing came, and another one."""
    with tried(scene, lane, folder) as daemon:
        play(daemon, "serve", ["-e", "trace=none"])
        daemon.detach()
        for _ in range(2):
            if daemon.reload() != "reload: kept":
                raise Wrong("it does not reload")
        daemon.ask_all()
        daemon.configuration()
        daemon.rest()
        return daemon.descriptors()


@contextlib.contextmanager
def tried(scene, lane, folder):
    daemon = Daemon(lane, tempfile.mktemp(prefix="try-", dir=folder), KINDS.get(scene, ()))
    try:
        yield daemon
    except Wrong as wrong:
        lines = [line for line in daemon.log().splitlines() if not re.search(ROUTINE, line)]
        tail = "".join(f"\n    {line}" for line in lines[-12:])
        with open(daemon.path("stderr"), encoding="utf-8", errors="replace") as file:
            tail += "".join(f"\n    stderr: {line.rstrip()}" for line in file.readlines()[-30:])
        raise Wrong(f"{wrong}{tail}") from None
    finally:
        daemon.clean_up()


# A try


def legitimate_end(attempt, recording, status):
    """Why the daemon may have ended, or None.

    - Until begatd has blocked them, in the first lines of its main(), signals do what they do to
      every program.
    - Between the exec of the static program and its main() the C library ends it when it cannot
      have its thread pointer or protect its relocations.  No code of ours runs there, and the
      preflight has started the same program a moment before.  (Signals do nothing there: they
      stay blocked over an exec.)
    """
    call = (attempt.name, attempt.number)
    if attempt.kind == "signal" and attempt.scene == "start" and call in recording.unblocked:
        if status == -getattr(signal, "SIG" + attempt.what):
            return "signals are not blocked yet"
    if attempt.kind == "error" and call in recording.startup:
        return "the C library could not start the program"
    return None


def was_reached(daemon, attempt):
    lines = [line for line in read_trace(daemon, attempt.scene) if line[1] == attempt.name]
    if attempt.kind == "error":
        return any("(INJECTED)" in line[2] for line in lines)
    return len(lines) >= attempt.number


def check_serving(daemon, attempt, expected):
    # A HUP that came on the way may still be at work, and may have another one behind it.
    daemon.rest()
    daemon.ask_all()
    if attempt.kind == "error" and attempt.scene in RELOADS:
        in_force = daemon.configuration()
        told = re.findall(OUTCOME, daemon.log())[-1:]
        is_lost = attempt.name.startswith(LOGGING) and not told
        if not is_lost and told != ["reload: kept" if in_force == "new" else "reload failed"]:
            raise Wrong(f"the {in_force} configuration is in force, and the log says {told}")
    if attempt.kind == "error" or attempt.what == "HUP":
        if (outcome := daemon.reload()) != "reload: kept":
            raise Wrong(f"the reload afterwards: {outcome or 'nothing is said'}")
        daemon.rest()
        daemon.ask_all()
        if daemon.configuration() != "new":
            raise Wrong("it has not reloaded, though it says so")
        daemon.rest()
        if daemon.kinds:
            daemon.check_quiet()
        # Fewer are no loss: the pipe for a service's messages is opened again when it is needed.
        more = collections.Counter(daemon.descriptors()) - collections.Counter(expected)
        if more:
            raise Wrong(f"more descriptors than there should be: {dict(more)}")


def outlive(daemon, attempt, expected):
    if attempt.what != "TERM":
        if daemon.session is None and daemon.status() is None:
            daemon.open_session()
        check_serving(daemon, attempt, expected)
        daemon.stop()
    elif was_reached(daemon, attempt) and attempt.scene not in WHOSE:
        daemon.see_end()  # without another one
    elif attempt.scene in WHOSE:
        check_serving(daemon, attempt, expected)
        daemon.stop()
    else:
        daemon.stop()


def do(attempt, recording, expected, lane, folder):
    """A word about what has become of it."""
    fault = f"{attempt.kind}={signal_name(attempt)}:when={attempt.number}"
    options = ["-e", f"trace={attempt.name}", "-e", f"inject={attempt.name}:{fault}"]
    with tried(attempt.scene, lane, folder) as daemon:
        # What it cannot look at it leaves alone.
        daemon.may_litter = (attempt.scene in DRAINS and attempt.kind == "error"
                             and "stat" in attempt.name)
        try:
            play(daemon, attempt.scene, options)
            daemon.detach()
            if attempt.scene not in DRAINS:
                outlive(daemon, attempt, expected)
        except Wrong:
            daemon.detach()
            status = daemon.status()
            why = legitimate_end(attempt, recording, status) if status is not None else None
            if why is None:
                raise
            return why
        return "survived" if was_reached(daemon, attempt) else "not reached"


def signal_name(attempt):
    return ("SIG" if attempt.kind == "signal" else "") + attempt.what


# The sweep


def list_tries(options, recordings):
    first, last = (int(end) for end in options.range.split(".."))
    tries = []
    for scene in SCENES:
        if scene not in recordings:
            continue
        # What strace has interrupted by its coming goes on as restart_syscall(2).
        calls = [call for call in recordings[scene].calls[first - 1:last:options.step]
                 if call[0] != "restart_syscall"]
        if scene in options.scenes:
            tries += [Try(scene, *call, "signal", what)
                      for what in options.signals for call in calls]
        if scene in options.scenes and scene in ("reload", *KINDS):
            for which in options.errors:
                place = ("first", "other").index(which)
                tries += [Try(scene, *call, "error", errors_of(call[0])[place]) for call in calls
                          if len(errors_of(call[0])) > place]
    return tries


class Sweep:
    def __init__(self, tries, recordings, expected, options, folder):
        self.tries = collections.deque(tries)
        self.recordings, self.expected, self.folder = recordings, expected, folder
        self.verbose = options.v
        self.end = time.monotonic() + options.seconds if options.seconds else None
        self.results = collections.Counter()
        self.failures = []

    def take(self):
        if self.end and time.monotonic() > self.end:
            return None
        try:
            return self.tries.popleft()
        except IndexError:
            return None

    def work(self, lane):
        while attempt := self.take():
            try:
                recording = self.recordings[attempt.scene]
                expected = self.expected[attempt.scene]
                result = do(attempt, recording, expected, lane, self.folder)
            except (Wrong, Unable, OSError) as wrong:
                result = "FAILED"
                self.failures.append(attempt)
                print(f"FAILED: {text_of(attempt)}: {wrong}", flush=True)
            self.results[result] += 1
            if self.verbose:
                print(f"{text_of(attempt)}: {result}", flush=True)

    def run(self, jobs):
        threads = [threading.Thread(target=self.work, args=(lane,)) for lane in range(jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def split(text):
    return text.split(",") if text else []


def parse_arguments():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n", 1)[1])
    parser.add_argument("--signals", type=split, default=SIGNALS)
    parser.add_argument("--errors", type=split, default=["first", "other"])
    parser.add_argument("--scenes", type=split, default=SCENES)
    parser.add_argument("--range", default="1..1000")
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("-v", action="store_true")
    parser.add_argument("tries", type=parse_try, nargs="*")
    return parser.parse_args()


def is_possible(*command):
    return subprocess.call(command, stderr=subprocess.DEVNULL) == 0


def enter_namespace():
    """A network of our own, where there is one to be had; see tests/bats.sh."""
    if os.environ.get("FAULTS_INSIDE"):
        return
    os.environ["FAULTS_INSIDE"] = "1"
    lo_up = ["ip", "link", "set", "lo", "up"]
    again = [sys.executable, *sys.argv]
    script = ["sh", "-c", f'{" ".join(lo_up)} && exec "$@"', "sh"]
    if os.getuid() == 0:
        if is_possible("unshare", "-n", "true"):
            os.execvp("unshare", ["unshare", "-n", *script, *again])
    elif is_possible("unshare", "-Un", "--map-current-user", "--keep-caps", *lo_up):
        os.execvp("unshare", ["unshare", "-Un", "--map-current-user", "--keep-caps", *script,
                              "setpriv", "--inh-caps=-all", "--ambient-caps=-all", *again])


def main():
    options = parse_arguments()
    if not BEGATD:
        sys.exit('faults.py: use "make check-faults", or set BEGATD and BEGAT_MASTER')
    enter_namespace()
    folder = tempfile.mkdtemp(prefix="faults-")
    os.chmod(folder, 0o755)
    try:
        if shutil.which("strace") is None:
            raise Unable("strace is not installed")
        sys.exit(sweep(options, folder))
    except Unable as why:
        print(why)
        sys.exit(77)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def record_all(scenes, jobs, folder):
    """The recordings, and the descriptors that a daemon like that has."""
    lanes = queue.SimpleQueue()
    for lane in range(jobs):
        lanes.put(lane)

    def in_a_lane(function, scene):
        lane = lanes.get()
        try:
            return function(scene, lane, folder)
        finally:
            lanes.put(lane)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        recordings = {scene: pool.submit(in_a_lane, record, scene) for scene in scenes}
        likes = {tuple(KINDS.get(scene, ())): scene for scene in scenes}
        expected = {kinds: pool.submit(in_a_lane, record_descriptors, scene)
                    for kinds, scene in likes.items()}
        return ({scene: future.result() for scene, future in recordings.items()
                 if is_recorded(scene, future)},
                {scene: expected[tuple(KINDS.get(scene, ()))].result() for scene in scenes})


def is_recorded(scene, future):
    """Who is not root may trace the master, but not its children of other users."""
    if scene not in WHOSE or not isinstance(future.exception(), Unable):
        return True
    print(f"{scene} is left out: {future.exception()}".rstrip())
    return False


def sweep(options, folder):
    try:
        scenes = sorted({attempt.scene for attempt in options.tries} or options.scenes,
                        key=SCENES.index)
        recordings, expected = record_all(scenes, options.jobs, folder)
    except Wrong as wrong:
        print(f"without a fault: {wrong}")
        return 1
    tries = options.tries or list_tries(options, recordings)
    if not options.tries:
        print("system calls: " + ", ".join(f"{len(r.calls)} of {s}" for s, r in recordings.items()))
    if options.sample:
        seed = options.seed if options.seed is not None else int(time.time())
        print(f"seed {seed}", flush=True)
        tries = random.Random(seed).sample(tries, min(options.sample, len(tries)))
    work = Sweep(tries, recordings, expected, options, folder)
    work.run(options.jobs)
    for result, count in sorted(work.results.items()):
        print(f"{count} {result}")
    if work.tries:
        print(f"{len(work.tries)} not tried, for want of time")
    for attempt in work.failures:
        print(f"again: tests/faults.py '{text_of(attempt)}'")
    return 1 if work.failures else 0


BEGATD = os.environ.get("BEGATD", "")
FACTOR = int(os.environ.get("FAULTS_SLOW", "1"))  # more patience
# LeakSanitizer wants to trace, as strace does.
os.environ["ASAN_OPTIONS"] = "detect_leaks=0:abort_on_error=1"
os.environ["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1"

if __name__ == "__main__":
    main()
