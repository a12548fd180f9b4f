#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P10: stop drains: no new connections, workers get stop-timeout to finish, then TERM and CONT to their
# process group, then KILL.

load lib
load fault

is_stopped() { grep -q '^State:.T' "/proc/$1/status"; }
is_refused() { ! nc -z 127.0.0.1 "$1"; }

# program SCRIPT: as the value of exec.
program() { printf "{ '/bin/sh', '-c', '%s' }" "$1"; }

# ended: the daemon has ended as it should; before that, nothing but time is in the way.
ended() {
	local status=0 pid=$MASTER
	until_true "${1:-5}" is_gone_or_zombie "$pid" || fail "the daemon did not stop"
	MASTER=
	wait "$pid" || status=$?
	[ "$status" = 0 ] || fail "the daemon's exit status is $status"
	log_has 'stopped$'
}

@test "P10: TERM and INT let sessions finish, accept no more, and end with the last session" {
	for signal in TERM INT; do
		configure 'service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
			service cat { listen = "tcp:127.0.0.1:7008" exec = "/bin/cat" }'
		start
		exec 5<>/dev/tcp/127.0.0.1/7007 6<>/dev/tcp/127.0.0.1/7008
		log_has 'begat echo'
		log_has 'begat cat'
		kill -"$signal" "$MASTER"
		log_has "SIG$signal: stopping; 2 workers have 30 s to finish"
		until_true 5 is_refused 7007
		is_refused 7008
		few_wakeups 0 0.3
		for fd in 5 6; do
			echo "still here" >&"$fd"
			read -r -t 5 answer <&"$fd"
			[ "$answer" = "still here" ]
		done
		exec 5>&-
		log_has 'reaped echo.* result=ok'
		kill -0 "$MASTER"
		exec 6>&-
		ended
		log_has 'reaped cat.* result=ok'
		log_lacks 'asked to end|killing'
		rm "$LOG"
	done
}

@test "P10: without sessions it stops at once" {
	configure 'service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
	start
	kill -TERM "$MASTER"
	ended 2
}

@test "P10: after stop-timeout: TERM and CONT to the group, stopped workers and grandchildren too" {
	configure "stop-timeout = 300ms
		service echo { listen = 'tcp:127.0.0.1:7007' handler = 'echo' }
		service group { listen = 'tcp:127.0.0.1:7008'
			exec = $(program 'sleep 1000 & echo $$ $!; wait') }"
	start
	exec 5<>/dev/tcp/127.0.0.1/7007 6<>/dev/tcp/127.0.0.1/7008
	read -r -t 5 worker grandchild <&6
	echo hello >&5
	read -r -t 5 _ <&5
	stopped=$(sed -n 's/.*begat echo\[\([0-9]*\)\].*/\1/p' "$LOG")
	kill -STOP "$stopped"
	until_true 5 is_stopped "$stopped"
	kill -TERM "$MASTER"
	log_has 'stop-timeout has passed: 2 workers are asked to end'
	ended 3
	log_has 'reaped echo.* result=signalled signal=TERM'
	log_has 'reaped group.* result=signalled signal=TERM'
	until_true 2 is_gone_or_zombie "$grandchild"
	log_lacks 'killed'
	exec 5>&- 6>&-
}

@test "P10, F57: workers that ignore TERM get KILL after kill-grace, with their group" {
	configure "stop-timeout = 0 defaults { kill-grace = 300ms }
		service stubborn { listen = 'tcp:127.0.0.1:7008'
			exec = $(program 'trap "" TERM; sleep 1000 & echo $$ $!; while :; do wait; done') }"
	start
	exec 5<>/dev/tcp/127.0.0.1/7008
	read -r -t 5 worker grandchild <&5
	kill -TERM "$MASTER"
	ended 3
	log_has "stubborn\[$worker\] .* did not end after SIGTERM; killed"
	log_has 'reaped stubborn.* result=signalled signal=KILL'
	until_true 2 is_gone_or_zombie "$grandchild"
	exec 5>&-
}

@test "P10: a grandchild that ignores TERM ends with its worker, which did not" {
	configure "stop-timeout = 0
		service group { listen = 'tcp:127.0.0.1:7008'
			exec = $(program '( trap "" TERM; echo ready; sleep 1000 ) & echo $!; wait') }"
	start
	exec 5<>/dev/tcp/127.0.0.1/7008
	read -r -t 5 one <&5
	read -r -t 5 two <&5
	grandchild=${one#ready}${two#ready}
	kill -TERM "$MASTER"
	ended 3
	log_has 'reaped group.* signal=TERM'
	until_true 2 is_gone_or_zombie "$grandchild"
	exec 5>&-
}

@test "P10: a second TERM is immediate" {
	configure "service stubborn { listen = 'tcp:127.0.0.1:7008'
			exec = $(program 'trap "" TERM; sleep 1000 & echo $$ $!; while :; do wait; done') }"
	start
	exec 5<>/dev/tcp/127.0.0.1/7008
	read -r -t 5 worker grandchild <&5
	kill -TERM "$MASTER"
	log_has 'stopping; 1 workers'
	kill -TERM "$MASTER"
	ended 2
	log_has 'SIGTERM again: killing 1 workers'
	until_true 2 is_gone_or_zombie "$grandchild"
	exec 5>&-
}

@test "a stop while a service is full, throttled or short of descriptors" {
	configure "service full { listen = 'tcp:127.0.0.1:7007' handler = 'echo' instances = 1 }
		service broken { listen = 'tcp:127.0.0.1:7008' exec = '/bin/false' }
		service daytime { listen = 'tcp:127.0.0.1:7013' handler = 'daytime' }"
	start
	exec 5<>/dev/tcp/127.0.0.1/7007
	log_has 'full: all 1 instances'
	for i in 1 2 3 4 5; do
		ask 7008
		log_times "$i" 'reaped broken'
	done
	log_has 'broken: throttled'
	inject accept4 error=EMFILE
	background nc 127.0.0.1 7013
	log_has 'Too many open files'
	heal
	kill -TERM "$MASTER"
	log_has 'stopping; 1 workers'
	exec 5>&-
	ended
}
