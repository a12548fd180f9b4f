#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P4: what a worker does in a loop is paid for by that worker.

load lib

@test "a worker that floods stderr waits, and the master does not" {
	configure 'service flood { listen = "tcp:127.0.0.1:7051"
			exec = { "/bin/sh", "-c", "exec cat /dev/zero >&2" } }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	ask 7051 >/dev/null &
	log_has 'more than [0-9]+ lines a second'
	ticks=$(cpu_ticks)
	sleep 2
	# A hundred ticks a second; reading and dropping took seventy of them.
	[ $(($(cpu_ticks) - ticks)) -le 40 ] || fail "the master was busy"
	[ "$(ask 7013 | wc -c)" = 26 ]
	kill -KILL "$(pgrep -P "$MASTER" cat)"
	wait $!
	stop
}
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$MASTER/stat"; }

@test "no line on stderr is lost, however many come at once" {
	configure 'service many { listen = "tcp:127.0.0.1:7051"
		exec = { "/bin/sh", "-c", "i=0; while [ $i -lt 500 ]; do echo line $i >&2; i=$((i+1)); done" } }'
	start
	ask 7051
	log_has 'many\[[0-9]+\] stderr: line 499$' 10
	[ "$(log_count 'many\[[0-9]+\] stderr: line ')" = 500 ]
	stop
}

@test "a child that is stopped and continued does not wake the master" {
	need_root
	configure 'service held { listen = "tcp:127.0.0.1:7051" exec = { "/bin/sleep", "30" } }'
	start
	ask 7051 >/dev/null &
	log_has 'begat held'
	until_true 2 pgrep -P "$MASTER" sleep >/dev/null
	worker=$(pgrep -P "$MASTER" sleep)
	sleep 0.2 # for the sweep and the settling after the start
	before=$(count_wakeups)
	for _ in {1..50}; do
		kill -STOP "$worker"
		kill -CONT "$worker"
	done
	[ $(($(count_wakeups) - before)) -le 5 ]
	kill -KILL "$worker"
	wait $!
	stop
}

@test "a client that makes a program die of SIGPIPE does not throttle it for others" {
	configure 'service talk { listen = "tcp:127.0.0.1:7051"
		exec = { "/bin/sh", "-c", "while echo tick; do sleep 0.02; done" } }'
	start
	for _ in {1..8}; do
		python3 -c 'import socket, struct
s = socket.create_connection(("127.0.0.1", 7051))
s.recv(4)
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))'
	done
	until_true 5 no_workers
	log_lacks throttled
	stop
}
