#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Names are looked up by a process of their own: what it says is checked, what it does is limited,
# and nobody else waits for it.

load lib
load fault

setup() {
	need_root
	need python3
	need nc
}

# own_names HOSTS: the daemon gets an /etc/hosts with these lines, and asks a name server on
# 127.0.0.1 for the rest; for $WRAPPER.
own_names() {
	local etc=$BATS_TEST_TMPDIR/etc
	mkdir -p "$etc"
	printf '%s\n' "$1" >"$etc/hosts"
	printf 'nameserver 127.0.0.1\noptions timeout:30 attempts:1\n' >"$etc/resolv.conf"
	printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$etc/nsswitch.conf"
	cat >"$BATS_TEST_TMPDIR/own-names" <<-END
		#!/bin/sh
		set -e
		for file in hosts resolv.conf nsswitch.conf; do
			mount --bind "$etc/\$file" /etc/\$file
		done
		exec "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/own-names"
	unshare -m "$BATS_TEST_TMPDIR/own-names" true 2>/dev/null || skip "no mount namespaces here"
	# shellcheck disable=SC2034 # for start()
	WRAPPER="unshare -m $BATS_TEST_TMPDIR/own-names"
}

# name_server RULE...: helpers/dns.py; what it was asked for is in $ASKED.
name_server() {
	ASKED=$BATS_TEST_TMPDIR/asked
	background python3 "$BATS_TEST_DIRNAME/helpers/dns.py" "$ASKED" "$BATS_TEST_TMPDIR/serves" "$@"
	until_true 5 test -e "$BATS_TEST_TMPDIR/serves" || skip "port 53 is not free"
}

# greet_from ADDRESS [PORT]: the first line that a client with that address gets.
greet_from() { run_for 10 nc -N -s "$1" 127.0.0.1 "${2:-7000}" </dev/null | head -n 1 | tr -d '\r'; }

# crowd COUNT: so many clients at once, from an address each; what they are greeted with.
crowd() {
	run_for 30 python3 - "$1" <<-'END'
		import socket, sys
		clients = [socket.create_connection(("127.0.0.1", 7000), source_address=(f"127.1.0.{i + 1}", 0))
		           for i in range(int(sys.argv[1]))]
		for client in clients:
		    print(client.makefile().readline().strip())
	END
}

GREETING='service hello { listen = "tcp:127.0.0.1:7000" handler = "discard" banner = "Hello %n" }'

resolvers() { pgrep -P "$MASTER" -f '^begat: resolver' || :; }
has_resolvers() { [ "$(resolvers | wc -l)" = "$1" ]; }
has_other_resolver() { has_resolvers 1 && [ "$(resolvers)" != "$1" ]; }
has_lookups() { [ "$(pgrep -c -P "$(resolvers)")" -ge "$1" ]; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }

# sockets: the numbers of those that "ls -l /proc/self/fd" has told of.
sockets() { awk '/socket:/ { printf "%s,", $9 }' "$BATS_TEST_TMPDIR/out"; }

@test "a client is greeted by its name, whatever serves it" {
	own_names $'127.0.0.2 Two.example two\n::1 six.example'
	configure "$GREETING
		service program { listen = \"tcp:127.0.0.1:7001\" exec = { '/bin/echo', 'done' } banner = 'Hi %n, %h' }
		service relay { listen = \"tcp:127.0.0.1:7002\" exec = { '/bin/echo', 'done' } crlf = true banner = '%n' }
		service six { listen = \"tcp:[::1]:7003\" handler = 'daytime' banner = '%n' }
		service unix { listen = \"unix:$BATS_TEST_TMPDIR/socket\" handler = 'daytime' banner = '%n|%h' }"
	start
	[ "$(greet_from 127.0.0.2)" = "Hello Two.example" ]
	[ "$(greet_from 127.0.0.2 7001)" = "Hi Two.example, 127.0.0.2" ]
	[ "$(greet_from 127.0.0.2 7002)" = "Two.example" ]
	[ "$(run_for 10 nc -N ::1 7003 </dev/null | head -n 1 | tr -d '\r')" = six.example ]
	run_for 10 nc -N -U "$BATS_TEST_TMPDIR/socket" </dev/null | head -n 1 >"$BATS_TEST_TMPDIR/out"
	grep -Eq '^(unix:.*)\|\1$' "$BATS_TEST_TMPDIR/out"
	stop
	log_lacks 'resolver'
}

# What an address' owner says is believed only when the name leads back to the address.
@test "a name that does not lead back, is none, or has other bytes in it is not shown" {
	own_names ''
	name_server '127.0.0.3=liar.example' 'liar.example=127.0.0.9' \
		'127.0.0.4=honest.example' 'honest.example=127.0.0.4' \
		'127.0.0.5=gone.example' 'gone.example=-' \
		'127.0.0.6=evil\x1b[31m\x0d\x0a.example' '127.0.0.7=spa ce.example' \
		'127.0.0.8=127.0.0.8' '127.0.0.10=%n%s.example' '%n%s.example=127.0.0.10'
	configure "$GREETING"
	start
	[ "$(greet_from 127.0.0.4)" = "Hello honest.example" ]
	for last in 3 5 6 7 8 10; do
		[ "$(greet_from 127.0.0.$last)" = "Hello 127.0.0.$last" ]
	done
	grep -q '^liar.example 1$' "$ASKED" || fail "it was not checked forward"
	stop
}

# Its worker has one descriptor more, for as long as nobody knows who the client is.
@test "behind a proxy the client that the header names is looked up" {
	own_names '127.0.0.2 two.example'
	configure 'service hello { listen = "tcp:127.0.0.1:7000" handler = "discard" banner = "Hello %n"
			proxy-protocol = { "127.0.0.0/8" } }
		service program { listen = "tcp:127.0.0.1:7001" banner = "Hello %n" proxy-protocol = { "127.0.0.0/8" }
			exec = { "/bin/ls", "-l", "/proc/self/fd" } }'
	start
	header=$'PROXY TCP4 127.0.0.2 192.0.2.1 4711 80\r\n'
	[ "$(ask 7000 "$header" | tr -d '\r')" = "Hello two.example" ]
	ask 7001 "$header" >"$BATS_TEST_TMPDIR/out"
	grep -q '^Hello two.example' "$BATS_TEST_TMPDIR/out"
	[ "$(sockets)" = 0,1,2, ]
	stop
}

@test "who is refused is not looked up" {
	own_names '127.0.0.2 two.example'
	name_server
	configure "service hello { listen = \"tcp:127.0.0.1:7000\" handler = 'discard' banner = '%n'
		no-access = { '127.0.0.0/8' } banner-fail = 'Not you, %h' }"
	start
	[ "$(greet_from 127.0.0.2)" = "Not you, 127.0.0.2" ]
	[ "$(greet_from 127.0.0.3)" = "Not you, 127.0.0.3" ]
	[ ! -e "$ASKED" ]
	stop
}

@test "without %n in a banner there is no resolver" {
	configure 'service hello { listen = "tcp:127.0.0.1:7000" handler = "discard" banner = "Hello %h%%n" }'
	start
	[ "$(greet_from 127.0.0.2)" = "Hello 127.0.0.2%n" ]
	has_resolvers 0
	stop
}

@test "the resolver is nobody, with nothing but its socket" {
	own_names ''
	configure "$GREETING"
	start
	until_true 5 has_resolvers 1
	pid=$(resolvers)
	until_true 5 grep -q '^Uid:.65534' "/proc/$pid/status"
	until_true 5 grep -q '^NoNewPrivs:.1' "/proc/$pid/status"
	grep -Eq '^Uid:.65534.65534.65534.65534$' "/proc/$pid/status"
	grep -Eq '^Gid:.([0-9]+).\1.\1.\1$' "/proc/$pid/status"
	refute grep -Eq '^Gid:.0' "/proc/$pid/status"
	grep -Eq '^Groups:[[:space:]]*$' "/proc/$pid/status"
	grep -Eq '^CapEff:.0+$' "/proc/$pid/status"
	grep -Eq '^CapPrm:.0+$' "/proc/$pid/status"
	[ "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" = 4 ]
	[ "$(greet_from 127.0.0.2)" = "Hello 127.0.0.2" ]
	stop
	until_true 5 is_gone "$pid"
}

# P7 of the design: nothing of this is for programs.
@test "a program has exactly 0, 1 and 2, greeted by name or not" {
	own_names '127.0.0.2 two.example'
	configure 'service hello { listen = "tcp:127.0.0.1:7000" banner = "%n"
		exec = { "/bin/ls", "-l", "/proc/self/fd" } }'
	start
	run_for 10 nc -N -s 127.0.0.2 127.0.0.1 7000 </dev/null >"$BATS_TEST_TMPDIR/out"
	grep -q '^two.example' "$BATS_TEST_TMPDIR/out"
	[ "$(sockets)" = 0,1,2, ] || fail "$(cat "$BATS_TEST_TMPDIR/out")"
	stop
}

# One lookup for all who come from there, whose answer is remembered.
@test "a name server that hangs costs a client two seconds, and the next one nothing" {
	own_names ''
	name_server
	configure "$GREETING"
	start
	before=$(now_ms)
	pids=
	for i in 1 2 3 4; do
		greet_from 127.0.0.2 >"$BATS_TEST_TMPDIR/hung.$i" 3>&- &
		pids="$pids $!"
	done
	# shellcheck disable=SC2086 # a list of pids
	wait $pids
	took=$(($(now_ms) - before))
	((took >= 1500 && took < 4000)) || fail "it took $took ms"
	[ "$(cat "$BATS_TEST_TMPDIR"/hung.* | sort | uniq -c | tr -s ' ')" = " 4 Hello 127.0.0.2" ]
	before=$(now_ms)
	[ "$(greet_from 127.0.0.2)" = "Hello 127.0.0.2" ]
	took=$(($(now_ms) - before))
	((took < 1500)) || fail "it took $took ms"
	[ "$(grep -c '^2\.0\.0\.127' "$ASKED")" = 1 ]
	stop
}

@test "fifty clients whose names hang hold up nobody but themselves" {
	own_names '127.0.0.2 two.example'
	name_server
	configure "$GREETING
		service plain { listen = \"tcp:127.0.0.1:7001\" handler = 'daytime' }"
	start
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ]
	crowd 50 >"$BATS_TEST_TMPDIR/hung" 3>&- &
	crowd=$!
	until_true 5 has_lookups 20
	# Processes are limited.
	[ "$(pgrep -c -P "$(resolvers)")" -le 32 ]
	before=$(now_ms)
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ] # known
	[ -n "$(ask 7001)" ]
	took=$(($(now_ms) - before))
	((took < 1500)) || fail "others have waited $took ms"
	wait "$crowd"
	for i in $(seq 50); do
		grep -qx "Hello 127.1.0.$i" "$BATS_TEST_TMPDIR/hung" || fail "127.1.0.$i got no answer"
	done
	until_true 5 no_lookups
	master_is_well
	stop
}
no_lookups() { ! pgrep -P "$(resolvers)" >/dev/null; }

# Names of peers are for show; those of targets are not.
@test "targets are looked up even while the names of peers hang" {
	own_names '127.0.0.1 target.example'
	name_server
	configure "$GREETING
		service target { listen = \"tcp:127.0.0.1:7001\" handler = 'echo' }
		service way { listen = \"tcp:127.0.0.1:7002\" redirect = 'tcp:target.example:7001' }"
	start
	crowd 60 >/dev/null 3>&- &
	crowd=$!
	until_true 5 has_lookups 20
	before=$(now_ms)
	[ "$(ask 7002 hello)" = hello ] || fail "it is not redirected"
	took=$(($(now_ms) - before))
	((took < 1500)) || fail "it took $took ms"
	wait "$crowd"
	stop
}

@test "a resolver that is killed while it is asked costs nothing but time, and is back" {
	own_names '127.0.0.2 two.example'
	name_server
	configure "$GREETING"
	start
	until_true 5 has_resolvers 1
	first=$(resolvers)
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ]
	before=$(now_ms)
	greet_from 127.0.0.3 >"$BATS_TEST_TMPDIR/asking" 3>&- &
	asking=$!
	until_true 5 has_lookups 1
	kill -KILL "$first"
	greet_from 127.0.0.2 >"$BATS_TEST_TMPDIR/next" 3>&- & # which waits for the next resolver
	next=$!
	wait "$asking" "$next"
	took=$(($(now_ms) - before))
	((took < 5000)) || fail "it took $took ms"
	[ "$(cat "$BATS_TEST_TMPDIR/asking")" = "Hello 127.0.0.3" ]
	[ "$(cat "$BATS_TEST_TMPDIR/next")" = "Hello two.example" ]
	log_has 'resolver killed by SIGKILL; the next one starts in 1 s'
	until_true 5 has_other_resolver "$first"
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ]
	master_is_well
	stop
}

@test "one that dies each time is started less and less often, and nobody waits for it" {
	own_names '127.0.0.2 two.example'
	configure "$GREETING"
	start
	for pause in 1 2 4; do
		until_true 10 has_resolvers 1
		kill -KILL "$(resolvers)"
		log_has "resolver killed by SIGKILL; the next one starts in $pause s"
	done
	before=$(now_ms)
	[ "$(greet_from 127.0.0.2)" = "Hello 127.0.0.2" ]
	took=$(($(now_ms) - before))
	((took < 1500)) || fail "it took $took ms"
	[ "$(log_count 'resolver killed')" = 3 ]
	few_wakeups 20 2
	stop
}

@test "a resolver that stands still costs a client its limit and no more" {
	own_names '127.0.0.2 two.example'
	configure "$GREETING"
	start
	until_true 5 has_resolvers 1
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ]
	kill -STOP "$(resolvers)"
	before=$(now_ms)
	[ "$(greet_from 127.0.0.2)" = "Hello 127.0.0.2" ]
	took=$(($(now_ms) - before))
	((took >= 1500 && took < 5000)) || fail "it took $took ms"
	kill -CONT "$(resolvers)"
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ]
	stop
}

# P1: neither who asks at that moment, nor who has not asked yet.
@test "a reload loses no question, and leaves one resolver" {
	own_names ''
	name_server '127.0.0.2=two.example@1' 'two.example=127.0.0.2' \
		'127.0.0.3=three.example@0.3' 'three.example=127.0.0.3'
	configure "$GREETING"
	start
	until_true 5 has_resolvers 1
	first=$(resolvers)
	greet_from 127.0.0.2 >"$BATS_TEST_TMPDIR/two" 3>&- &
	two=$!
	until_true 5 has_lookups 1
	kill -STOP "$first" # so that the next question waits in the socket
	greet_from 127.0.0.3 >"$BATS_TEST_TMPDIR/three" 3>&- &
	three=$!
	log_has 'begat hello.*127.0.0.3'
	kill -HUP "$MASTER"
	log_has 'generation 2'
	kill -CONT "$first"
	wait "$two" "$three"
	[ "$(cat "$BATS_TEST_TMPDIR/two")" = "Hello two.example" ]
	[ "$(cat "$BATS_TEST_TMPDIR/three")" = "Hello three.example" ]
	until_true 5 has_other_resolver "$first"
	for generation in 3 4 5 6; do
		kill -HUP "$MASTER"
		log_has "generation $generation"
	done
	until_true 5 has_resolvers 1
	descriptors=$(count_descriptors)
	for generation in 7 8 9; do
		kill -HUP "$MASTER"
		log_has "generation $generation"
	done
	[ "$(count_descriptors)" = "$descriptors" ]
	log_lacks 'resolver killed|resolver has ended|cannot start'
	stop
}

@test "the resolver comes and goes with the banners that need it" {
	own_names '127.0.0.2 two.example'
	plain='service hello { listen = "tcp:127.0.0.1:7000" handler = "discard" banner = "Hello %h" }'
	configure "$plain"
	start
	kill -HUP "$MASTER"
	log_has 'generation 2'
	has_resolvers 0
	[ "$(greet_from 127.0.0.2)" = "Hello 127.0.0.2" ]
	descriptors=$(count_descriptors)
	configure "$GREETING"
	kill -HUP "$MASTER"
	log_has 'generation 3'
	until_true 5 has_resolvers 1
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ]
	# Who has been greeted does not ask any more.
	mkfifo "$BATS_TEST_TMPDIR/hold"
	run_for 20 nc -N -s 127.0.0.2 127.0.0.1 7000 <"$BATS_TEST_TMPDIR/hold" >"$BATS_TEST_TMPDIR/held" 3>&- &
	exec 8>"$BATS_TEST_TMPDIR/hold"
	until_true 5 grep -q two.example "$BATS_TEST_TMPDIR/held"
	configure "$plain"
	kill -HUP "$MASTER"
	log_has 'generation 4'
	until_true 5 has_resolvers 0
	exec 8>&-
	until_true 5 no_workers
	until_true 5 has_descriptors "$descriptors"
	log_lacks 'resolver'
	stop
}
has_descriptors() { [ "$(count_descriptors)" = "$1" ]; }

@test "it does not outlive the master" {
	own_names ''
	configure "$GREETING"
	start
	until_true 5 has_resolvers 1
	pid=$(resolvers)
	until_true 5 grep -q '^Uid:.65534' "/proc/$pid/status"
	kill -KILL "$MASTER"
	until_true 5 is_gone "$pid"
	rm -f "$BATS_TEST_TMPDIR/pid"
}

# The socket for questions is shared; the master has a copy of the workers' end.
@test "one worker cannot take the names away from all others" {
	own_names '127.0.0.2 two.example'
	configure "$GREETING"
	start
	until_true 5 has_resolvers 1
	first=$(resolvers)
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ]
	python3 - "$first" "$MASTER" <<-'END' || skip "pidfd_getfd is not allowed here"
		import ctypes, os, re, socket, sys

		def copies(pid):
		    for name in os.listdir(f"/proc/{pid}/fd"):
		        try:
		            link = os.readlink(f"/proc/{pid}/fd/{name}")
		        except OSError:
		            continue
		        if link.startswith("socket:"):
		            yield int(name), link

		held = {link for _, link in copies(sys.argv[1])}
		ours = [n for n, link in copies(sys.argv[2]) if link in held]
		# The workers' end is the one before the resolver's, which both have.
		libc = ctypes.CDLL(None, use_errno=True)
		pidfd = os.pidfd_open(int(sys.argv[2]))
		for number in ours:
		    fd = libc.syscall(438, pidfd, number - 1, 0)
		    if fd < 0:
		        sys.exit(1)
		    end = socket.socket(fileno=fd)
		    if end.type == socket.SOCK_SEQPACKET:
		        end.shutdown(socket.SHUT_RDWR)
	END
	log_has 'resolver has ended with status 0; the next one starts in 1 s'
	until_true 5 has_other_resolver "$first"
	[ "$(greet_from 127.0.0.2)" = "Hello two.example" ]
	stop
}

@test "a thousand names, and nothing is left behind" {
	own_names '127.0.0.2 two.example'
	configure "service hello { listen = \"tcp:127.0.0.1:7000\" handler = 'discard' banner = '%n' }"
	start
	until_true 5 has_resolvers 1
	pid=$(resolvers)
	[ "$(greet_from 127.0.0.2)" = two.example ]
	descriptors=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
	run_for 60 python3 - <<-'END'
		import socket
		for i in range(1000):
		    source = "127.0.0.2" if i % 2 else f"127.2.{i // 200}.{i % 200 + 1}"
		    client = socket.create_connection(("127.0.0.1", 7000), source_address=(source, 0), timeout=10)
		    line = client.makefile().readline().strip()
		    assert line == ("two.example" if i % 2 else source), line
		    client.close()
	END
	[ "$(resolvers)" = "$pid" ]
	until_true 5 no_lookups
	[ "$(find "/proc/$pid/fd" -mindepth 1 | wc -l)" = "$descriptors" ]
	refute pgrep -P "$pid"
	stop
}

@test "--resolver is not for people" {
	run "$BEGATD" --resolver=x
	[ "$status" = 2 ]
	run "$BEGATD" --resolver=3,0
	[ "$status" = 2 ]
	run "$BEGATD" --resolver=3,-1,0
	[ "$status" = 2 ]
	run "$BEGATD" --resolver=0 </dev/null
	[ "$status" = 2 ]
	[[ $output == *"not a socket of the daemon's"* ]]
	run "$BEGATD" --help
	[[ $output != *resolver* ]]
}
