#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P8: any signal, at any moment, in any number.

# shellcheck disable=SC2030,SC2031 # a test is a subshell, and may change what it likes

load lib
load fault

service='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
	service program { listen = "tcp:127.0.0.1:7014" exec = { "/bin/echo", "hello" } }'

is_served() { [ -n "$(ask 7013)" ] && [ "$(ask 7014)" = hello ]; }

@test "signals that mean nothing to it change nothing" {
	configure "log-level = debug $service"
	start
	for signal in USR2 ALRM PIPE WINCH CONT TSTP TTIN TTOU QUIT URG IO PWR XCPU RTMIN+3; do
		kill -"$signal" "$MASTER"
	done
	is_served
	log_has 'SIGUSR2 from pid [0-9]+ ignored'
	few_wakeups 5 0.3
	master_is_well
	stop
}

@test "F50: fifty workers that end at the same moment leave no zombie, and a line each" {
	configure 'service cat { listen = "tcp:127.0.0.1:7008" exec = "/bin/cat" }'
	start
	background python3 "$CLIENT" hold 7008 50
	log_times 50 'begat cat'
	kill -STOP "$MASTER"
	kill -KILL "$BACKGROUND" && wait "$BACKGROUND" 2>/dev/null || :
	all_are_zombies() { [ "$(children | grep -c ' Z')" = 50 ]; }
	until_true 5 all_are_zombies
	kill -CONT "$MASTER"
	log_times 50 'reaped cat.* result=ok'
	until_true 5 no_workers
	stop
}

# As the init of a container it inherits what programs leave behind.
@test "F50, F65: orphans that end at the same moment leave no zombie either" {
	need_root
	unshare -pf true 2>/dev/null || skip "no pid namespaces here"
	configure "service orphans { listen = 'tcp:127.0.0.1:7008' exec = { '/bin/sh', '-c',
		'for i in 1 2 3 4 5 6 7 8 9 10; do setsid sleep 0.3 </dev/null >/dev/null 2>&1 & done' } }"
	WRAPPER="unshare -pf --kill-child" start
	init=$!
	MASTER=$(pgrep -P "$init")
	ask 7008
	log_has 'reaped orphans.* result=ok'
	until_true 5 no_workers || fail "still there: $(children)"
	stop
}

@test "F51: a signal before any of its system calls: survives HUP, CHLD, USR1, PIPE, WINCH" {
	configure "$service"
	start
	for round in {1..15}; do
		signals=(HUP CHLD USR1 PIPE WINCH)
		# The count is one for each kind of call, so there are several signals in a round.
		inject all "signal=SIG${signals[round % 5]}:when=$((RANDOM % 6 + 1))"
		is_served
		is_served
		heal
	done
	# They did come.
	log_has 'SIGHUP: '
	log_has 'SIGUSR1: '
	until_true 5 no_workers
	master_is_well
	stop
}

@test "F51: TERM before any of its system calls: a clean end" {
	for when in 1 2 3 $((RANDOM % 20 + 4)); do
		configure "$service"
		start
		pid=$MASTER
		inject all "signal=SIGTERM:when=$when"
		until_true 10 eval "ask 7013 >/dev/null || :; is_gone_or_zombie $pid" ||
			fail "TERM at the calls number $when did not end it"
		wait "$STRACE" 2>/dev/null || :
		MASTER=
		wait "$pid"
		log_has 'stopped$'
		[ ! -e "$BATS_TEST_TMPDIR/pid" ]
		rm "$LOG"
	done
}

@test "F52: EINTR from every second system call has no effect" {
	configure "$service"
	start
	inject 'read,write,writev,/^epoll_p?wait,accept4,wait4,waitid,recvmsg' error=EINTR:when=1+2
	for _ in {1..5}; do
		is_served
	done
	log_times 10 'begat '
	heal
	until_true 5 no_workers || fail "zombies: $(children)"
	is_served
	master_is_well
	stop
}
