#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P4, P8: descriptors, memory or processes run out, and come back.  (inetd, tcpserver and tcpsvd spin
# in accept under EMFILE; xinetd closes its listener, so that waiting clients are reset.)

load lib
load fault

services='
service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
service program { listen = "tcp:127.0.0.1:7014" exec = { "/bin/echo", "hello" } }
'

is_served() { [ -n "$(ask "$1")" ]; }

@test "P4: an idle master has no wake-ups at all, with and without a session" {
	configure "$services service echo { listen = \"tcp:127.0.0.1:7007\" handler = \"echo\" }"
	start
	few_wakeups 0 1
	is_served 7013
	is_served 7014
	exec 5<>/dev/tcp/127.0.0.1/7007
	log_has 'begat echo'
	log_times 2 reaped
	sleep 0.3 # the sweep after SIGCHLD is over by then
	few_wakeups 0 1
	exec 5>&-
	stop
}

# While accept cannot work: seldom tried, and told once.  After it: the client that waited is served.
accept_fails() {
	inject accept4 "error=$1"
	ask 7013 >"$BATS_TEST_TMPDIR/answer" &
	asking=$!
	until_true 5 grep -q "$1" "$FAULTS"
	few_calls '[a-z0-9_]+' 20 0.7
	heal
	wait "$asking"
	[ -s "$BATS_TEST_TMPDIR/answer" ] || fail "$1: the client has got no answer"
	is_served 7013
}

@test "F01, P4: accept fails with EMFILE for long: few calls, one log line, served afterwards" {
	configure "$services"
	start
	accept_fails EMFILE
	[ "$(log_count 'accept on tcp:127.0.0.1:7013: Too many open files; trying again')" = 1 ]
	stop
}

@test "F01: one client without a descriptor left is told so by an end, not left hanging" {
	configure "$services"
	start
	for _ in 1 2 3; do
		inject accept4 error=EMFILE:when=1
		[ -z "$(ask 7013)" ]
		is_served 7013
		heal
	done
	stop
}

@test "F01: the limit of descriptors is lowered and raised again: nothing lost, nothing leaked" {
	configure "$services"
	start
	is_served 7013
	is_served 7014
	descriptors=$(count_descriptors)
	soft=$(awk '/open files/ { print $4 }' "/proc/$MASTER/limits")
	for limit in 3 64; do
		prlimit --pid "$MASTER" --nofile="$limit:"
		ask 7013 >"$BATS_TEST_TMPDIR/answer" &
		asking=$!
		((limit == 64)) || log_has 'Too many open files'
		few_wakeups 20 1
		prlimit --pid "$MASTER" --nofile="$soft:"
		wait "$asking"
		[ -s "$BATS_TEST_TMPDIR/answer" ]
	done
	is_served 7014
	# The reserve is back too, else the next shortage would leave a client hanging.
	inject accept4 error=EMFILE:when=1
	[ -z "$(ask 7013)" ]
	heal
	[ "$(count_descriptors)" = "$descriptors" ]
	stop
}

@test "F02, F03, P4: accept fails with ENFILE, ENOBUFS, ENOMEM: as with EMFILE" {
	configure "$services"
	start
	for error in ENFILE ENOBUFS ENOMEM; do
		accept_fails "$error"
	done
	[ "$(log_count 'trying again')" -le 3 ]
	stop
}

@test "F03, F22, P4: accept fails for ever with EPERM, ECONNABORTED, EAGAIN, EINVAL: no spinning" {
	configure "$services"
	start
	for error in EPERM ECONNABORTED EAGAIN EINVAL; do
		accept_fails "$error"
	done
	stop
}

# Both ways to a worker: fork for a handler, clone for a program.
@test "F04, F05: no process can be started: the client gets an end, the next ones are served" {
	configure "$services"
	start
	is_served 7013
	is_served 7014
	descriptors=$(count_descriptors)
	for error in EAGAIN ENOMEM; do
		for port in 7013 7014; do
			inject '?fork,?vfork,clone,clone3' "error=$error:when=1..2"
			run_for 10 nc -N 127.0.0.1 "$port" </dev/null >"$BATS_TEST_TMPDIR/answer" || :
			[ ! -s "$BATS_TEST_TMPDIR/answer" ]
			until_true 5 is_served "$port"
			heal
		done
	done
	log_has 'daytime: cannot start a worker: (Resource temporarily unavailable|Cannot allocate memory)'
	until_true 5 no_workers
	[ "$(count_descriptors)" = "$descriptors" ]
	master_is_well
	stop
}

@test "F04, P4: no process for long: few wake-ups, and served within a second after it" {
	configure "$services"
	start
	inject '?fork,?vfork,clone,clone3' error=EAGAIN
	background python3 "$CLIENT" flood 7013 1000
	log_has 'cannot start a worker'
	few_calls 'epoll_wait|epoll_pwait' 20 1
	few_calls clone 20 1
	heal
	until_true 3 is_served 7014
	[ "$(log_count 'cannot start a worker')" -le 2 ]
	stop
}
