#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P3, P4, P5, P8: too many clients, and too little of everything for them.  Shortage is answered at its source,
# counted, logged once, and over a second after it is over.  (inetd, tcpserver and tcpsvd spin; xinetd closes its
# listener, so that waiting clients are reset; openbsd-inetd turns the service off for ten minutes.)

# shellcheck disable=SC2016 # programs are in single quotes

load lib
load fault
load reload

BEGAT=${BEGAT:-$(dirname "$BEGATD")/begat}
services='
service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
service program { listen = "tcp:127.0.0.1:7014" exec = { "/bin/echo", "hello" } }
'

is_served() { [ -n "$(ask "$1")" ]; }

# shown EXPRESSION: of Python, over the status as s, a service by its name as of("NAME").
shown() {
	run_for 30 "$BEGAT" --control "$BATS_TEST_TMPDIR/pid.sock" status --json | python3 -c "import json, sys
s = json.load(sys.stdin)
def of(name): return next(x for x in s['services'] if x['name'] == name)
print(($1))"
}
refused() { shown "of('$1').get('refused', {}).get('$2', 0)"; }

# program SCRIPT: as the value of exec.
program() { printf "{ '/bin/sh', '-c', '%s' }" "$1"; }

# milliseconds COMMAND...: how long it took.
milliseconds() {
	local from=${EPOCHREALTIME/./}
	"$@" >&2
	echo $(((${EPOCHREALTIME/./} - from) / 1000))
}

# waiting PORT: a client that waits for its answer, in $WAITING with its answer in the file.
waiting() {
	ask "$1" >"$BATS_TEST_TMPDIR/answer" 3>&- &
	WAITING=$!
}

# answered_soon: within a second from now, with 0.2 s for a machine that has other things to do.
answered_soon() {
	local took
	took=$(milliseconds tail -s 0.01 --pid="$WAITING" -f /dev/null)
	((took <= 1200)) || fail "the client has waited for another $took ms"
	wait "$WAITING"
	[ -s "$BATS_TEST_TMPDIR/answer" ] || fail "the client has got no answer"
}

# cgroup CONTROLLER: a group of version 1 of our own, in $GROUP; removed by teardown.
cgroup() {
	need_root
	GROUP=/sys/fs/cgroup/$1/begat-test-$$-$BATS_TEST_NUMBER
	mkdir "$GROUP" 2>/dev/null || skip "no cgroups of $1 here"
}

teardown_cgroup() {
	[ -n "${GROUP-}" ] || return 0
	until_true 5 rmdir "$GROUP" 2>/dev/null || :
}
eval "lib_$(declare -f teardown)"
teardown() {
	lib_teardown
	teardown_cgroup
}

# -- descriptors --

@test "F01: the reserve descriptor answers with banner-fail; counted, one line of the log for many" {
	configure 'defaults { banner-fail = "%h is busy, come again" }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	is_served 7013
	until_true 5 no_workers
	descriptors=$(count_descriptors)
	for _ in 1 2 3; do
		inject accept4 error=EMFILE:when=1
		printf 'unread' | run_for 10 nc -N 127.0.0.1 7013 >"$BATS_TEST_TMPDIR/answer"
		[ "$(cat "$BATS_TEST_TMPDIR/answer")" = $'127.0.0.1 is busy, come again\r' ]
		is_served 7013
		heal
	done
	[ "$(refused daytime shortage)" = 3 ]
	[ "$(log_count 'accept on tcp:127.0.0.1:7013: Too many open files; trying again in')" = 1 ]
	[ "$(log_count 'refused daytime peer=127.0.0.1:[0-9]+ reason=shortage: no descriptor')" = 1 ]
	[ "$(count_descriptors)" = "$descriptors" ]
	stop
}

@test "F01: while one listener pauses, another one is served" {
	configure "$services"
	start
	inject accept4 error=ENOBUFS:when=1
	python3 -c 'import socket
one = socket.create_connection(("127.0.0.1", 7013))
while "ENOBUFS" not in open("'"$FAULTS"'").read(): pass
other = socket.create_connection(("127.0.0.1", 7014))
assert other.recv(99) == b"hello\n"
assert one.recv(99)'
	heal
	# Others did not wait for the end of the pause.
	log_times 2 'begat (daytime|program)'
	grep -E 'begat (daytime|program)' "$LOG" | head -n 1 | grep 'begat program'
	stop
}

@test "F01, P4: descriptors are short for long, by setrlimit: few wake-ups, served within 1 s after it" {
	configure "$services"
	start
	soft=$(awk '/open files/ { print $4 }' "/proc/$MASTER/limits")
	prlimit --pid "$MASTER" --nofile="3:"
	waiting 7013
	log_has 'Too many open files; trying again'
	sleep 0.8 # so that a pause which went on doubling would now be one that is too long
	few_wakeups 20 1
	prlimit --pid "$MASTER" --nofile="$soft:"
	answered_soon
	[ "$(log_count 'Too many open files; trying again')" = 1 ]
	stop
}

# -- processes --

@test "F04, F14, P4: no process left (pids.max): few wake-ups, counted, served within 1 s after it" {
	cgroup pids
	configure "$services"
	start
	is_served 7013
	is_served 7014
	until_true 5 no_workers
	descriptors=$(count_descriptors)
	echo "$MASTER" >"$GROUP/cgroup.procs"
	echo 1 >"$GROUP/pids.max"
	background python3 "$CLIENT" flood 7013 1000
	log_has 'cannot start a worker: Resource temporarily unavailable; trying again in'
	sleep 0.8
	few_wakeups 20 1
	kill "$BACKGROUND"
	wait "$BACKGROUND" 2>/dev/null || :
	echo max >"$GROUP/pids.max"
	waiting 7014
	answered_soon
	(($(log_count 'cannot start a worker') <= 2))
	(($(refused daytime shortage) > 0))
	until_true 5 no_workers
	[ "$(count_descriptors)" = "$descriptors" ]
	# Every place was given back.
	[ "$(shown "of('daytime')['active'], of('program')['active']")" = '(0, 0)' ]
	master_is_well
	stop
}

@test "F13: a worker that is killed for its memory: told, counted, and nobody else's affair" {
	cgroup memory
	echo 16M >"$GROUP/memory.limit_in_bytes"
	configure "service eats { listen = 'tcp:127.0.0.1:7009' user = 'root'
			exec = { '/usr/bin/python3', '-c',
				'open(\"$GROUP/cgroup.procs\", \"w\").write(\"0\"); bytearray(64 << 20)' } }
		service daytime { listen = 'tcp:127.0.0.1:7013' handler = 'daytime' }"
	start
	[ -z "$(ask 7009)" ]
	log_has 'reaped eats.* result=signalled signal=KILL'
	[ "$(shown "of('eats')['ended']")" = "{'signalled': 1}" ]
	is_served 7013
	master_is_well
	stop
}

# -- memory --

@test "F06: without memory the master drops what it can do without, and nothing else" {
	configure "$services
		service told { listen = 'tcp:127.0.0.1:7015' exec = $(program 'echo out; echo err >&2') }
		service closed { listen = 'tcp:127.0.0.1:7016' handler = 'echo' no-access = '127.0.0.0/8'
			banner-fail = 'no' per-source = 3 }"
	start
	inject '?brk,?mmap' error=ENOMEM
	for _ in {1..20}; do
		is_served 7013
		is_served 7014
		[ "$(ask 7015)" = out ]
		[ "$(ask 7016)" = $'no\r' ]
	done
	grep -Eq '^(brk|mmap)\(.*ENOMEM' "$FAULTS" || fail "the test proves nothing"
	heal
	log_lacks 'stderr: err'
	[ "$(ask 7015)" = out ]
	log_has 'told\[[0-9]+\] stderr: err'
	master_is_well
	stop
}

@test "F06: one in a hundred allocations fails: the master lives, and the next clients are served" {
	need fiu-run
	ldd "$BEGAT_MASTER" 2>/dev/null | grep -q libc || skip "begat-master is static: nothing can be put in front of malloc"
	is_sanitized && skip "the sanitizers have a malloc of their own"
	cat >"$BATS_TEST_TMPDIR/master.c" <<-'END'
		#include <stdlib.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			(void)argc;
			setenv("LD_PRELOAD", "/usr/lib/fiu/fiu_run_preload.so /usr/lib/fiu/fiu_posix_preload.so", 1);
			setenv("FIU_ENABLE", "enable_random name=libc/mm/*,probability=0.01", 1);
			execv(MASTER, argv);
			return 127;
		}
	END
	${CC:-cc} -DMASTER="\"$BEGAT_MASTER\"" -o "$BATS_TEST_TMPDIR/master" "$BATS_TEST_TMPDIR/master.c"
	configure "$services
		service told { listen = 'tcp:127.0.0.1:7015' exec = $(program 'echo out; echo err >&2') }"
	# The start may not do without; nothing after it may end the master.
	for _ in {1..50}; do
		rm -f "$BATS_TEST_TMPDIR/pid"
		! BEGAT_MASTER=$BATS_TEST_TMPDIR/master start 2>/dev/null || break
	done
	grep -q fiu_run_preload "/proc/$MASTER/maps" || fail "the test proves nothing"
	for _ in {1..100}; do
		is_served 7013
		run_for 10 nc -N 127.0.0.1 7014 </dev/null >/dev/null
		run_for 10 nc -N 127.0.0.1 7015 </dev/null >/dev/null
	done
	master_is_well
	stop
}

# -- many --

@test "F15: thousands of connections at a time are all served, and all places come back" {
	# Each is a process of its own; a sanitizer makes it a large one.
	many=10000
	is_sanitized && many=500
	(($(cat /proc/sys/kernel/pid_max) >= many + 2000)) || skip "kernel.pid_max is too small"
	(($(awk '/MemAvailable/ { print $2 }' /proc/meminfo) > 150 * many)) || skip "too little memory"
	configure "instances = $((many + 1))
		service echo { listen = 'tcp:127.0.0.1:7007' handler = 'echo' instances = $((many + 1)) }
		service daytime { listen = 'tcp:127.0.0.1:7013' handler = 'daytime' }"
	start
	[ "$(ask 7007 hello)" = hello ]
	is_served 7013
	until_true 5 no_workers
	descriptors=$(count_descriptors)
	client crowd 7007 "$many" &
	crowd=$!
	# Others are served in between, and after it.
	until_true 20 log_counts "$((many + 1))" 'begat echo'
	is_served 7013
	wait "$crowd"
	[ "$(count_descriptors)" = "$descriptors" ]
	until_true 30 no_workers
	[ "$(shown "of('echo')['active'], of('echo')['begat'], of('echo')['ended']['ok']")" = "(0, $((many + 1)), $((many + 1)))" ]
	log_lacks 'cannot start|trying again'
	master_is_well
	stop
}

# warns REGEX COMMAND...: in the check and at the start, and both go on.
warns() {
	local expected=$1
	shift
	run "$@" "$BEGATD" -t -f "$CONF"
	[ "$status" = 0 ]
	[[ $output =~ $expected ]] || fail "no warning: $output"
	WRAPPER=$* start
	[[ $(cat "$BATS_TEST_TMPDIR/stderr") =~ $expected ]] || fail "no warning at the start"
	stop
}

@test "F16: instances that cannot fit are told, with numbers, when the configuration is read" {
	need prlimit
	configure 'instances = 300 service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" instances = 200 }'
	warns "$CONF: warning: instances: up to 200 workers at a time, but a user may have 50 processes \(RLIMIT_NPROC\)" \
		prlimit --nproc=50
	configure 'instances = 150 defaults { instances = 100 }
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
		service off { listen = "tcp:127.0.0.1:7008" handler = "echo" disable = true }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	warns "up to 150 workers at a time, but a user may have 149 processes" prlimit --nproc=149
	run prlimit --nproc=150 "$BEGATD" -t -f "$CONF"
	[[ $output != *warning* ]]
	most=$(cat /proc/sys/kernel/pid_max)
	configure "instances = $most
		service echo { listen = 'tcp:127.0.0.1:7007' handler = 'echo' instances = $most }"
	if ((most <= 1000000)); then
		warns "up to $most workers at a time, but the machine has room for $most processes \(kernel.pid_max\)" \
			env
	fi
	configure 'instances = 2000
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" instances = 900
			proxy-protocol = "127.0.0.1" }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" instances = 900 }'
	warns 'proxy-protocol: up to 900 connections whose header is missing need 1[0-9]+ descriptors, but the hard limit is 800' \
		prlimit --nofile=700:800
}

@test "F16: what fits is not warned of, and a proxy's clients get the descriptors that they need" {
	configure 'service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" instances = 900
			proxy-protocol = "127.0.0.1" }'
	run prlimit --nofile=700:4000 "$BEGATD" -t -f "$CONF"
	[ "$status" = 0 ]
	[[ $output != *warning* ]] || fail "$output"
	WRAPPER='prlimit --nofile=700:4000' start
	(($(awk '/open files/ { print $4 }' "/proc/$MASTER/limits") >= 900 + 64))
	stop
}

@test "F26: more clients than the backlog while nobody accepts: none that was taken is lost" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" backlog = 8 }
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
	start
	# The default is the most that the kernel allows.
	[ "$(ss -Hltn 'sport = :7007' | awk '{ print $3 }')" = "$(cat /proc/sys/net/core/somaxconn)" ]
	[ "$(ss -Hltn 'sport = :7013' | awk '{ print $3 }')" = 8 ]
	before=$(overflows)
	kill -STOP "$MASTER"
	client backlog 7013 24 "$MASTER" >"$BATS_TEST_TMPDIR/answers"
	(($(overflows) > before)) || fail "the backlog has not overflown"
	# The queue takes one more than it is said to; the others go on asking, of their own.
	[ "$(uniq -c "$BATS_TEST_TMPDIR/answers" | tr -s ' ')" = ' 9 26' ] || fail "$(cat "$BATS_TEST_TMPDIR/answers")"
	is_served 7013
	stop
}
overflows() { awk '/^TcpExt:/ { for (i = 1; i <= NF; i++) if (names) { if ($i ~ /^[0-9]/ && name[i] == "ListenOverflows") print $i } else name[i] = $i; names = 1 }' /proc/net/netstat; }

@test "P4: a full service and a rate that is used up: who waits costs no wake-ups" {
	configure 'service full { listen = "tcp:127.0.0.1:7007" handler = "echo" instances = 1 }
		service slow { listen = "tcp:127.0.0.1:7013" handler = "daytime" rate = "1/3s" }'
	start
	background nc -d 127.0.0.1 7007
	holder=$BACKGROUND
	log_has 'begat full'
	is_served 7013
	for _ in 1 2 3; do
		background nc -d 127.0.0.1 7007
		background nc -d 127.0.0.1 7013
	done
	until_true 5 have_queues 3
	few_wakeups 2 1
	# The next one of the three comes in by itself.
	log_times 2 'begat slow'
	log_times 1 'begat full'
	kill "$holder"
	log_times 2 'begat full'
	log_lacks refused
	# shellcheck disable=SC2086 # a list of pids
	kill $HELPERS
	stop
}
have_queues() { [ "$(ss -Hltn 'sport = :7007' | awk '{ print $2 }')" -ge "$1" ] && [ "$(ss -Hltn 'sport = :7013' | awk '{ print $2 }')" -ge "$1" ]; }

# -- clients that are gone --

@test "F24: a client that is cut off is noticed: keepalive, also for a program that never looks" {
	need ss
	configure "service held { listen = { 'tcp:127.0.0.1:7008', 'tcp:[::1]:7008' } exec = '/bin/cat' }
		service options { listen = 'tcp:127.0.0.1:7009' exec = { '/usr/bin/python3', '-c', 'import socket as s; c = s.socket(fileno = 0); print(c.getsockopt(s.SOL_SOCKET, s.SO_KEEPALIVE), *(c.getsockopt(s.IPPROTO_TCP, n) for n in (s.TCP_KEEPIDLE, s.TCP_KEEPINTVL, s.TCP_KEEPCNT)))' } }
		service unix { listen = 'unix:$BATS_TEST_TMPDIR/sock' exec = { '/bin/echo', 'hello' } }"
	start
	[ "$(ask 7009)" = '1 60 15 4' ]
	[ "$(run_for 5 nc -NU "$BATS_TEST_TMPDIR/sock" </dev/null)" = hello ]
	for address in 127.0.0.1 ::1; do
		exec 5<>"/dev/tcp/$address/7008"
		log_has 'begat held.*'
		until_true 5 has_timer
		exec 5>&-
		log_has 'reaped held'
		until_true 5 no_workers
	done
	# The other ones in a reload, too: it is the same socket.
	reload
	exec 5<>/dev/tcp/127.0.0.1/7008
	until_true 5 has_timer
	exec 5>&-
	stop
}
has_timer() { ss -Htno state established 'sport = :7008' | grep -Eq 'timer:\(keepalive,(5[0-9]|60|1min)[^)]*\)'; }

@test "F24: a connection that the kernel has given up ends its worker, and throttles nobody" {
	need_root
	configure 'service held { listen = "tcp:127.0.0.1:7008" exec = "/bin/cat" }
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
	start
	for port in 7008:held 7007:echo; do
		exec 5<>"/dev/tcp/127.0.0.1/${port%:*}"
		log_has "begat ${port#*:}"
		ss -HKtn "sport = :${port%:*}" >/dev/null 2>&1
		[ -z "$(ss -Htn state established "sport = :${port%:*}")" ] || skip "the kernel cannot destroy sockets"
		log_has "reaped ${port#*:}"
		exec 5>&-
	done
	log_lacks throttled
	master_is_well
	stop
}

# -- time --

@test "F57, F110: TERM and CONT reach the whole group of a stopped worker before anybody is killed" {
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	cat >"$BATS_TEST_TMPDIR/program" <<-'END'
		#!/bin/bash
		(
			trap 'echo grandchild was asked >&2; exit' TERM
			echo ready
			while :; do sleep 0.02; done
		) &
		trap 'wait $!; echo worker was asked >&2; exit' TERM
		while :; do sleep 0.02; done
	END
	chmod 755 "$BATS_TEST_TMPDIR/program"
	configure "service stopped { listen = 'tcp:127.0.0.1:7008' max-time = 700ms kill-grace = 1h
		exec = '$BATS_TEST_TMPDIR/program' }"
	start
	exec 5<>/dev/tcp/127.0.0.1/7008
	read -r -t 5 _ <&5
	log_has 'begat stopped'
	worker=$(sed -n 's/.*begat stopped\[\([0-9]*\)\].*/\1/p' "$LOG")
	kill -STOP -- "-$worker"
	log_has 'stderr: grandchild was asked'
	log_has 'stderr: worker was asked'
	# By then both were continued, and nobody had to be killed.
	log_has "reaped stopped\[$worker\].* result=timed-out why=\"timed out: max-time\" duration=0\.[7-9]"
	log_lacks killed
	exec 5>&-
	until_true 5 no_group "$worker"
	stop
}
no_group() { ! pgrep -g "$1" >/dev/null; }

@test "F110: max-time of a handler that starts a program, and of one that is busy" {
	configure 'defaults { max-time = 500ms kill-grace = 300ms }
		service shell { listen = "tcp:127.0.0.1:7023" handler = "shell"
			options = "command.nap=/bin/sleep 7777" }
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
	start
	printf 'nap\r\n' | run_for 10 nc 127.0.0.1 7023 >/dev/null
	log_has 'reaped shell.* result=timed-out why="timed out: max-time" duration=0\.[5-9]'
	run_for 10 nc 127.0.0.1 7007 </dev/zero >/dev/null || :
	log_has 'reaped echo.* result=timed-out why="timed out: max-time" duration=0\.[5-9]'
	until_true 5 no_workers
	log_lacks throttled
	[ "$(shown "of('echo')['ended'], of('shell')['ended']")" = "({'timed-out': 1}, {'timed-out': 1})" ]
	stop
}

@test "F60: the number of a worker that has ended is another's: it gets none of its signals" {
	need_root
	unshare -pf --mount-proc true 2>/dev/null || skip "no pid namespaces here"
	configure "service quick { listen = 'tcp:127.0.0.1:7014' max-time = 700ms kill-grace = 100ms
			exec = $(program 'echo $$') }
		service daytime { listen = 'tcp:127.0.0.1:7013' handler = 'daytime' }"
	cat >"$BATS_TEST_TMPDIR/inside" <<-'END'
		set -e
		mkfifo "$2"
		"$BEGATD" -n -f "$1" --ready-fd 9 9>"$2" &
		read -r _ <"$2"
		worker=$(nc -N 127.0.0.1 7014 </dev/null)
		while [ -e "/proc/$worker" ]; do :; done
		for try in $(seq 50); do
			echo $((worker - 1)) >/proc/sys/kernel/ns_last_pid
			sleep 1.5 &
			[ $! = "$worker" ] && break
			[ $try != 50 ]
		done
		stranger=$!
		wait "$stranger" # until its end of its own, long after max-time and kill-grace
		echo "the stranger ended with $?"
		[ -n "$(nc -N 127.0.0.1 7013 </dev/null)" ]
	END
	run run_for 20 unshare -pf --mount-proc bash "$BATS_TEST_TMPDIR/inside" "$CONF" "$BATS_TEST_TMPDIR/fifo"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *'the stranger ended with 0'* ]]
	log_has 'reaped quick.* result=ok'
}

# -- the throttle --

throttle_of() { shown "of('broken').get('throttle', {}).get('$1')"; }

@test "P5, F101: a crash loop pauses 1, 2, 4 s; reason and time left are shown, and go on over a reload" {
	configure "service broken { listen = 'tcp:127.0.0.1:7008' exec = $(program 'read -r word; [ "$word" = good ] && echo fine || kill -SEGV $$') }
		service daytime { listen = 'tcp:127.0.0.1:7013' handler = 'daytime' }"
	start
	for i in 1 2 3 4; do
		[ -z "$(ask 7008 bad)" ]
		log_times "$i" 'reaped broken.* signal=SEGV'
	done
	log_lacks throttled
	[ "$(throttle_of pause-s)" = None ]
	for pause in 1 2 4; do
		[ -z "$(ask 7008 bad)" ]
		log_has "broken: throttled for $pause s: [0-9]+ workers in a row failed at once \(signal SEGV\)"
	done
	[ "$(throttle_of reason)" = 'signal SEGV' ]
	[ "$(throttle_of pause-s)" = 4 ]
	until=$(throttle_of until-ns)
	[ "$(shown "2 < ($until - s['now-ns']) / 1e9 <= 4")" = True ]
	reload
	[ "$(throttle_of until-ns)" = "$until" ]
	[ "$(throttle_of reason)" = 'signal SEGV' ]
	begun=$(log_count 'begat broken')
	waiting_for_good &
	asking=$!
	few_wakeups 5 0.5
	[ "$(log_count 'begat broken')" = "$begun" ]
	is_served 7013
	wait "$asking"
	[ "$(cat "$BATS_TEST_TMPDIR/good")" = fine ]
	# One success, and all is forgotten.
	log_has 'reaped broken.* result=ok'
	[ "$(throttle_of bad)" = None ]
	[ "$(log_count throttled)" = 3 ]
	stop
}
waiting_for_good() { ask 7008 good >"$BATS_TEST_TMPDIR/good" 3>&-; }
