#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# wait = true: one worker has the listener, for programs as inetd had it, and for our own services.

load lib

# So that programs can be read where only root gets to.
ME=
if is_root; then ME='user = "root"'; fi

datagram() { "$SRCDIR/tests/system/helpers/datagram.py" "$@"; }
reload() {
	local before
	before=$(log_count 'generation')
	kill -HUP "$MASTER"
	until_true 10 has_more_than "$before" || fail "no reload"
}
has_more_than() { [ "$(log_count 'generation')" -gt "$1" ]; }
worker() { pgrep -P "$MASTER" | head -n1; }

@test "daytime over TCP, by one worker, and each client gets its line and the end" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" wait = true }'
	start
	for _ in $(seq 100); do [ "$(ask 7013 | wc -c)" = 26 ]; done
	[ "$(ask 7013 'unwanted words' | wc -c)" = 26 ]
	[ "$(log_count 'begat daytime')" = 1 ]
	stop
	log_has 'reaped daytime\[[0-9]+\] peer=- result=ok served=101 refused=0'
}

@test "a client that neither reads nor closes holds up nobody" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" wait = true }'
	start
	python3 -c '
import socket, sys
held = [socket.create_connection(("127.0.0.1", 7013)) for _ in range(600)]
for client in held[:500]:
    client.send(b"x")
sys.stdin.read()' < <(sleep 20) &
	HELPERS=$!
	for _ in 1 2 3 4 5; do [ "$(ask 7013 | wc -c)" = 26 ]; done
	# Each of them is let go after two seconds: the descriptors do not add up.
	until_true 10 eval '[ "$(find /proc/$(worker)/fd | wc -l)" -lt 20 ]'
	stop
}

@test "qotd, time, users and motd stand too, and a Unix socket is as good" {
	printf 'message\n' >"$BATS_TEST_TMPDIR/motd"
	chmod 755 "$BATS_TEST_TMPDIR"
	configure "service time { listen = \"tcp:127.0.0.1:7037\" handler = \"time\" wait = true }
		service users { listen = \"tcp:127.0.0.1:7011\" handler = \"users\" wait = true }
		service motd { listen = \"unix:$BATS_TEST_TMPDIR/motd.sock\" handler = \"motd\" wait = true $ME
			options = { \"file=$BATS_TEST_TMPDIR/motd\" } }"
	start
	[ "$(ask 7037 | wc -c)" = 4 ]
	ask 7011 >/dev/null
	[ "$(run_for 5 nc -N -U "$BATS_TEST_TMPDIR/motd.sock" </dev/null)" = message ]
	stop
}

@test "the same admission: access, rates, bans and their lifting" {
	need_root
	ip address add 127.0.0.2/8 dev lo || :
	configure "control = \"$BATS_TEST_TMPDIR/control\"
		service daytime { listen = \"tcp:127.0.0.1:7013\" handler = \"daytime\" wait = true
			no-access = \"127.0.0.2\" rate-per-source = \"3/1h\" ban = \"1h\" ban-after = \"2/10s\"
			banner-fail = \"Go away, %h\" }"
	start
	[ "$(run_for 5 nc -N -s 127.0.0.2 127.0.0.1 7013 </dev/null)" = "$(printf 'Go away, 127.0.0.2\r')" ]
	log_has 'refused daytime peer=127\.0\.0\.2:[0-9]+ reason=access'
	for _ in 1 2 3; do [ "$(ask 7013 | wc -c)" = 26 ]; done
	for _ in 1 2; do [ "$(ask 7013)" = "$(printf 'Go away, 127.0.0.1\r')" ]; done
	log_has 'banned 127\.0\.0\.1:[0-9]+ from daytime for 1h: 2 refusals in 10s'
	"$BEGAT" --control "$BATS_TEST_TMPDIR/control" status --json | grep -q '"source":"127.0.0.1"'
	[ "$(ask 7013 | wc -c)" != 26 ]
	log_has 'reason=banned'
	"$BEGAT" --control "$BATS_TEST_TMPDIR/control" unban 127.0.0.1
	log_has 'unbanned 127\.0\.0\.1 by uid=0: 1 ban lifted'
	[ "$(ask 7013)" = "$(printf 'Go away, 127.0.0.1\r')" ] # the rate, not the ban
	stop
}

@test "bans and rates outlive the worker and a reload" {
	configure "control = \"$BATS_TEST_TMPDIR/control\"
		service daytime { listen = \"tcp:127.0.0.1:7013\" handler = \"daytime\" wait = true
			rate-per-source = \"2/1h\" }"
	start
	for _ in 1 2; do [ "$(ask 7013 | wc -c)" = 26 ]; done
	[ "$(ask 7013 | wc -c)" = 0 ]
	kill -KILL "$(worker)"
	log_has 'result=signalled signal=KILL'
	[ "$(ask 7013 | wc -c)" = 0 ]
	reload
	[ "$(ask 7013 | wc -c)" = 0 ]
	stop
}

@test "the counters of a standing worker are in the status, after a reload too" {
	configure "control = \"$BATS_TEST_TMPDIR/control\"
		service daytime { listen = \"tcp:127.0.0.1:7013\" handler = \"daytime\" wait = true }"
	start
	for _ in 1 2 3; do ask 7013 >/dev/null; done
	reload
	for _ in 1 2; do ask 7013 >/dev/null; done
	until_true 5 eval '"$BEGAT" --control "$BATS_TEST_TMPDIR/control" status --json |
		grep -Eq "\"served\": *5[,}]"' || fail "$("$BEGAT" --control "$BATS_TEST_TMPDIR/control" status --json)"
	stop
}

@test "a worker ends when nobody comes, and another comes with the next client" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" wait = true
		idle-timeout = "1s" }'
	start
	ask 7013 >/dev/null
	log_has 'reaped daytime.* result=ok served=1'
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
	[ "$(log_count 'begat daytime')" = 2 ]
}

@test "a reload with other rules holds at once for a standing worker" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" wait = true }'
	start
	[ "$(ask 7013 | wc -c)" = 26 ]
	sed -i 's/wait = true/wait = true no-access = "127.0.0.0\/8"/' "$CONF"
	reload
	until_true 5 eval '[ "$(ask 7013 | wc -c)" = 0 ]' || fail "it goes by the old rules"
	log_has 'reason=access'
	stop
}

@test "no client is lost while a standing worker is replaced, over and over" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" wait = true }'
	start
	python3 - >"$BATS_TEST_TMPDIR/answers" <<'EOF' &
import socket
count = 0
for _ in range(4000):
    client = socket.create_connection(("127.0.0.1", 7013), 10)
    client.settimeout(10)
    text = b""
    while (piece := client.recv(100)):
        text += piece
    count += len(text) == 26
    client.close()
print(count)
EOF
	for _ in 1 2 3 4 5; do reload; done
	wait $!
	[ "$(cat "$BATS_TEST_TMPDIR/answers")" = 4000 ]
	stop
}

@test "F61: with the master dies the worker, and a new master can start at once" {
	configure 'service daytime { listen = { "tcp:127.0.0.1:7013", "udp:127.0.0.1:7013" } handler = "daytime" wait = true }'
	start
	ask 7013 >/dev/null
	[ "$(datagram ask 127.0.0.1 7013 61)" != none ]
	workers=$(pgrep -P "$MASTER" | tr '\n' ' ')
	[ "$(echo "$workers" | wc -w)" = 2 ]
	kill -KILL "$MASTER"
	wait "$MASTER" || :
	for pid in $workers; do until_true 3 is_gone "$pid" || fail "$pid lives"; done
	start
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "a program gets the socket as inetd gave it: blocking, bound, unconnected" {
	cat >"$BATS_TEST_TMPDIR/wait.py" <<'EOF'
import fcntl, os, socket, sys
s = socket.socket(fileno=os.dup(0))
flags = fcntl.fcntl(0, fcntl.F_GETFL)
fds = sorted(int(n) for n in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + n))
try:
    s.getpeername()
    peer = "connected"
except OSError:
    peer = "unconnected"
data, peer_address = s.recvfrom(100)
s.sendto(("%s %s %s %s %s" % (data.decode(), "nonblocking" if flags & os.O_NONBLOCK else "blocking", peer,
    os.environ.get("PROTO"), os.environ.get("REMOTE_ADDR"))).encode(), peer_address)
EOF
	chmod 755 "$BATS_TEST_TMPDIR"
	configure "$ME service w { listen = \"udp:127.0.0.1:7069\" exec = { \"/usr/bin/python3\", \"$BATS_TEST_TMPDIR/wait.py\" } }"
	start
	for word in one two; do
		answer=$(datagram ask 127.0.0.1 7069 "$(printf %s $word | od -An -tx1 | tr -d ' ')" | cut -d' ' -f3 |
			sed 's/../\\x&/g')
		# shellcheck disable=SC2059 # bytes
		[ "$(printf "$answer")" = "$word blocking unconnected UDP None" ] || fail "$answer"
		until_true 5 no_workers
	done
	stop
}

@test "wait = true over TCP: a program accepts for itself, and the master polls again after it" {
	cat >"$BATS_TEST_TMPDIR/wait.py" <<'EOF'
import os, socket
s = socket.socket(fileno=os.dup(0))
client, _ = s.accept()
client.send(b"%d %s\n" % (os.getpid(), os.environ["PROTO"].encode()))
EOF
	chmod 755 "$BATS_TEST_TMPDIR"
	configure "$ME service w { listen = \"tcp:127.0.0.1:7069\" wait = true
		exec = { \"/usr/bin/python3\", \"$BATS_TEST_TMPDIR/wait.py\" } }"
	start
	one=$(ask 7069)
	two=$(ask 7069)
	[ "${one#* }" = TCP ]
	[ "${two#* }" = TCP ]
	[ "$one" != "$two" ]
	stop
}

@test "F31: a program that does not read what woke it is throttled, and not for ever" {
	configure 'service w { listen = "udp:127.0.0.1:7069" exec = { "/bin/true" } }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	datagram size 127.0.0.1 7069 3 >/dev/null
	log_has 'w: throttled for 1 s: [0-9]+ workers in a row failed at once \(it has not taken what it was started for\)'
	sleep 3
	[ "$(log_count 'begat w')" -le 12 ] || fail "$(log_count 'begat w') workers"
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "F31: the same over TCP" {
	configure 'service w { listen = "tcp:127.0.0.1:7069" wait = true exec = { "/bin/true" } }'
	start
	ask 7069 >/dev/null &
	log_has 'w: throttled for 1 s'
	sleep 2
	[ "$(log_count 'begat w')" -le 12 ]
	stop
	wait
}

@test "a program that takes one datagram and ends is not throttled by the next ones" {
	cat >"$BATS_TEST_TMPDIR/one.py" <<'EOF'
import os, socket
s = socket.socket(fileno=os.dup(0))
data, peer = s.recvfrom(100)
s.sendto(data, peer)
EOF
	chmod 755 "$BATS_TEST_TMPDIR"
	configure "$ME service w { listen = \"udp:127.0.0.1:7069\" exec = { \"/usr/bin/python3\", \"-S\", \"-E\", \"$BATS_TEST_TMPDIR/one.py\" } }"
	start
	python3 -c '
import socket
clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(12)]
for client in clients:
    client.sendto(b"hello", ("127.0.0.1", 7069))
for client in clients:
    client.settimeout(15)
    assert client.recv(100) == b"hello"'
	log_lacks throttled
	stop
}

@test "F101: a crash loop pauses the service, and never switches it off" {
	configure 'service w { listen = "udp:127.0.0.1:7069" exec = { "/bin/sh", "-c", "kill -SEGV $$" } }'
	start
	datagram size 127.0.0.1 7069 3 >/dev/null
	log_has 'w: throttled for 1 s: .*signal SEGV'
	before=$(log_count 'begat w')
	until_true 5 eval '[ "$(log_count "begat w")" -gt '"$before"' ]' || fail "it stays off"
	stop
}

@test "F81: a program keeps its socket over reloads, and the master polls again when it ends" {
	cat >"$BATS_TEST_TMPDIR/stay.py" <<'EOF'
import os, socket
s = socket.socket(fileno=os.dup(0))
while True:
    data, peer = s.recvfrom(100)
    s.sendto(b"%d" % os.getpid(), peer)
    if data == b"end":
        break
EOF
	chmod 755 "$BATS_TEST_TMPDIR"
	configure "$ME service w { listen = \"udp:127.0.0.1:7069\" exec = { \"/usr/bin/python3\", \"$BATS_TEST_TMPDIR/stay.py\" } }"
	start
	first=$(datagram ask 127.0.0.1 7069 61)
	reload
	[ "$(datagram ask 127.0.0.1 7069 61)" = "$first" ]
	reload
	[ "$(datagram ask 127.0.0.1 7069 656e64)" = "$first" ]
	log_has 'reaped w'
	second=$(datagram ask 127.0.0.1 7069 656e64)
	[ "$second" != none ]
	[ "$second" != "$first" ]
	[ "$(log_count 'begat w')" = 2 ]
	stop
}

@test "F102: a program that leaves a child with the socket is waited for no longer than itself" {
	configure 'service w { listen = "udp:127.0.0.1:7069"
		exec = { "/bin/sh", "-c", "head -c 3 >/dev/null; sleep 3 & exit 0" } }'
	start
	datagram size 127.0.0.1 7069 3 >/dev/null
	log_has 'reaped w'
	datagram size 127.0.0.1 7069 3 >/dev/null
	until_true 5 eval '[ "$(log_count "begat w")" = 2 ]'
	stop
}

@test "a standing program is asked to end when the daemon stops" {
	configure 'stop-timeout = "20s"
		service w { listen = "udp:127.0.0.1:7070" exec = { "/bin/sleep", "100" } }'
	start
	datagram size 127.0.0.1 7070 3 >/dev/null
	log_has 'begat w'
	before=$(date +%s)
	stop
	[ $(($(date +%s) - before)) -le 5 ]
}

@test "P4: nobody comes, and nobody wakes" {
	configure 'service daytime { listen = { "tcp:127.0.0.1:7013", "udp:127.0.0.1:7013" } handler = "daytime" wait = true }'
	start
	ask 7013 >/dev/null
	[ "$(datagram ask 127.0.0.1 7013 61)" != none ]
	sleep 1.5 # the notes
	before=$(count_wakeups)
	sleep 2
	[ $(($(count_wakeups) - before)) -le 1 ]
	stop
}

@test "a listener comes back from a program as it was, whatever the next one does with it" {
	cat >"$BATS_TEST_TMPDIR/one.py" <<'EOF'
import socket
client, _ = socket.socket(fileno=0).accept()
client.send(b"program\n")
EOF
	chmod 755 "$BATS_TEST_TMPDIR"
	configure "$ME service w { listen = \"tcp:127.0.0.1:7069\" wait = true
		exec = { \"/usr/bin/python3\", \"$BATS_TEST_TMPDIR/one.py\" } }"
	start
	[ "$(ask 7069)" = program ]
	until_true 5 no_workers
	configure 'service w { listen = "tcp:127.0.0.1:7069" handler = "daytime" }'
	reload
	for _ in 1 2 3; do [ "$(ask 7069 | wc -c)" = 26 ]; done
	stop
}

@test "P4, P5: a program that shuts its socket down makes nobody spin, and the listener is there again" {
	configure "$ME"'
		service d { listen = "udp:127.0.0.1:7069"
			exec = { "/usr/bin/python3", "-c", "import socket; socket.socket(fileno=0).shutdown(0)" } }
		service s { listen = "tcp:127.0.0.1:7070" wait = true
			exec = { "/usr/bin/python3", "-c", "import socket; s = socket.socket(fileno=0); s.accept()[0].send(b\"x\"); s.shutdown(0)" } }'
	start
	datagram size 127.0.0.1 7069 3 >/dev/null
	log_has 'reaped d'
	before=$(count_wakeups)
	sleep 2
	[ $(($(count_wakeups) - before)) -le 60 ] || fail "$(($(count_wakeups) - before)) wake-ups"
	[ "$(ask 7070)" = x ]
	until_true 10 eval '[ "$(ask 7070)" = x ]'
	stop
}

@test "many who ask the same at once are no reason to throttle who takes one at a time" {
	cat >"$BATS_TEST_TMPDIR/one.py" <<'EOF'
import socket, sys
s = socket.socket(fileno=0)
if sys.argv[1] == "udp":
    s.sendto(*s.recvfrom(100))
else:
    s.accept()[0].send(b"x")
EOF
	chmod 755 "$BATS_TEST_TMPDIR"
	configure "$ME
		service u { listen = \"udp:127.0.0.1:7069\" exec = { \"/usr/bin/python3\", \"$BATS_TEST_TMPDIR/one.py\", \"udp\" } }
		service t { listen = \"tcp:127.0.0.1:7070\" wait = true exec = { \"/usr/bin/python3\", \"$BATS_TEST_TMPDIR/one.py\", \"tcp\" } }"
	start
	run_for 40 python3 -c '
import socket
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.settimeout(15)
for _ in range(10):
    one.sendto(b"same", ("127.0.0.1", 7069))
for _ in range(10):
    assert one.recv(100) == b"same"
clients = [socket.create_connection(("127.0.0.1", 7070), 15) for _ in range(8)]
for client in clients:
    assert client.recv(1) == b"x"'
	log_lacks throttled
	stop
}

@test "the rate of a service outlives its worker" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" wait = true
		rate = "3/1h" when-full = "refuse" idle-timeout = "1s" }'
	start
	for _ in 1 2 3; do [ "$(ask 7013 | wc -c)" = 26 ]; done
	log_has 'reaped daytime'
	[ "$(ask 7013 | wc -c)" = 0 ]
	log_has 'reason=rate:'
	stop
}

@test "as many workers stand as there are listeners, however few instances there may be" {
	configure 'service daytime { listen = { "tcp:127.0.0.1:7013", "udp:127.0.0.1:7013" } handler = "daytime"
		wait = true instances = 1 }'
	start
	[ "$(ask 7013 | wc -c)" = 26 ]
	[ "$(datagram ask 127.0.0.1 7013 61)" != none ]
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "a worker that does not finish when it is asked to is ended, and another one goes by the new rules" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" wait = true kill-grace = "500ms" }'
	start
	[ "$(ask 7013 | wc -c)" = 26 ]
	kill -STOP "$(worker)"
	reload
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}
