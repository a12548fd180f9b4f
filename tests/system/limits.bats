#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P5: instances, time limits, the throttle.  Whoever comes too many waits in the queue and is served
# later; nothing is switched off.  (inetd's "looping" is off for ten minutes, systemd's trigger limit
# until somebody comes.)

# shellcheck disable=SC2016 # programs are in single quotes

load lib
load fault

is_served() { [ -n "$(ask "$1")" ]; }
is_pid() { kill -0 "$1" 2>/dev/null; }

# hold PORT COUNT: connections that stay; $BACKGROUND ends them.
hold() { background python3 "$CLIENT" hold "$1" "$2"; }

@test "instances of a service: the rest wait in the queue and are served later; others are not hurt" {
	configure 'service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" instances = 3 }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	hold 7007 3
	log_has 'echo: all 3 instances are busy; further clients wait'
	for i in 1 2 3 4 5; do
		ask 7007 "late $i" >"$BATS_TEST_TMPDIR/late$i" &
		late[i]=$!
	done
	few_wakeups 5 0.5
	is_served 7013
	log_times 3 'begat echo'
	kill "$BACKGROUND"
	for i in 1 2 3 4 5; do
		wait "${late[i]}"
		[ "$(cat "$BATS_TEST_TMPDIR/late$i")" = "late $i" ]
	done
	log_times 8 'reaped echo'
	# Once more: the places were given back.
	hold 7007 3
	log_times 11 'begat echo'
	kill "$BACKGROUND"
	stop
}

@test "instances of all services together: the same" {
	configure 'instances = 4
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	hold 7007 4
	log_times 4 'begat echo'
	ask 7013 >"$BATS_TEST_TMPDIR/late" &
	asking=$!
	ask 7007 too >"$BATS_TEST_TMPDIR/too" &
	too=$!
	few_wakeups 5 0.5
	log_times 4 begat.*peer=
	kill "$BACKGROUND"
	wait "$asking"
	wait "$too"
	[ -s "$BATS_TEST_TMPDIR/late" ]
	[ "$(cat "$BATS_TEST_TMPDIR/too")" = too ]
	stop
}

# program SCRIPT: as the value of exec.
program() { printf "{ '/bin/sh', '-c', '%s' }" "$1"; }

@test "max-time: a worker and what it has started are ended, and the log says so" {
	configure "service slow { listen = 'tcp:127.0.0.1:7008' max-time = 500ms
		exec = $(program 'sleep 1000 & echo $$ $!; wait') }"
	start
	read -r worker grandchild <<<"$(ask 7008)"
	log_has "reaped slow\[$worker\].* result=timed-out why=\"timed out: max-time\" duration=0\.[5-9]"
	until_true 2 is_gone_or_zombie "$grandchild"
	log_lacks 'killed|throttled'
	stop
}

@test "F57: programs that ignore SIGTERM or are stopped end by SIGKILL, with all of their group" {
	configure "defaults { max-time = 300ms kill-grace = 300ms }
		service ignores { listen = 'tcp:127.0.0.1:7008'
			exec = $(program 'trap "" TERM; sleep 1000 & echo $$ $!; while :; do wait; done') }
		service stops { listen = 'tcp:127.0.0.1:7009'
			exec = $(program 'trap "" TERM; sleep 1000 & echo $$ $!; exec 0<&- 1>&-; while :; do kill -STOP $$; done') }"
	start
	for service in 7008:ignores 7009:stops; do
		read -r worker grandchild <<<"$(ask "${service%:*}")"
		log_has "${service#*:}\[$worker\] peer=.* did not end after SIGTERM; killed"
		log_has "reaped ${service#*:}\[$worker\].* result=timed-out"
		until_true 2 is_gone_or_zombie "$grandchild"
	done
	master_is_well
	stop
}

# fail_times FROM TO: clients that find the service broken, one after the other.
fail_times() {
	local i
	for ((i = $1; i <= $2; i++)); do
		[ -z "$(ask 7008 bad)" ]
		log_times "$i" 'reaped broken.* result=(exited status=1|failed step=exec)'
	done
}

@test "P5, F101: a program that fails at once pauses for 1 s, then 2 s; a success resets it" {
	configure "service broken { listen = 'tcp:127.0.0.1:7008'
			exec = $(program 'read -r word; test "$word" = good && echo fine') }
		service daytime { listen = 'tcp:127.0.0.1:7013' handler = 'daytime' }"
	start
	fail_times 1 5
	log_has 'broken: throttled for 1 s: 5 workers in a row failed at once \(status 1\)'
	# The next one waits, and costs nothing; others are served.
	ask 7008 bad >/dev/null &
	waiting=$!
	few_wakeups 5 0.3
	is_served 7013
	log_times 5 'begat broken'
	wait "$waiting"
	log_has 'broken: throttled for 2 s: 6 workers in a row failed at once \(status 1\)'
	[ "$(ask 7008 good)" = fine ]
	log_times 1 'reaped broken.* result=ok'
	# From the beginning.
	fail_times 7 10
	log_times 2 throttled
	fail_times 11 11
	log_times 2 'broken: throttled for 1 s: 5 workers in a row failed at once'
	stop
}

@test "P5, F100: a program that cannot be run pauses for 1 s, then 2 s; once repaired it is served" {
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	cp /bin/cat "$BATS_TEST_TMPDIR/program"
	configure "service broken { listen = 'tcp:127.0.0.1:7008' exec = '$BATS_TEST_TMPDIR/program' }"
	start
	mv "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/away"
	fail_times 1 5
	log_has 'broken: throttled for 1 s: 5 workers in a row failed at once \(step exec: No such file or directory\)'
	fail_times 6 6
	log_has 'broken: throttled for 2 s: 6 workers in a row'
	mv "$BATS_TEST_TMPDIR/away" "$BATS_TEST_TMPDIR/program"
	[ "$(ask 7008 fine)" = fine ]
	log_times 1 'reaped broken.* result=ok'
	log_times 2 throttled
	stop
}
