#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P5, P8: clients that reset, stall, send nothing, read nothing or come too late.

load lib
load fault

is_served() { [ -n "$(ask "$1")" ]; }
is_stopped() { grep -q '^State:.T' "/proc/$1/status"; }

# While the master is stopped clients connect (the kernel accepts them) and reset.
reset_before_accept() {
	kill -STOP "$MASTER"
	until_true 5 is_stopped "$MASTER"
	client reset "$1" "$2"
	kill -CONT "$MASTER"
}

@test "F20: clients that reset before they are accepted are logged with their address" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	reset_before_accept 7013 5
	log_times 5 'reaped daytime.* peer=127\.0\.0\.1:[1-9][0-9]* result=ok'
	is_served 7013
	stop
}

@test "F20, P5: clients that reset before they are accepted do not throttle a program's service" {
	configure 'service program { listen = "tcp:127.0.0.1:7014" exec = { "/bin/echo", "hello" } }'
	start
	reset_before_accept 7014 30
	is_served 7014
	until_true 5 no_workers
	log_lacks throttled
	master_is_well
	stop
}

@test "F21: pending network errors in accept are that client's: the next ones are served" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	for error in ECONNABORTED ENETDOWN EPROTO ENOPROTOOPT EHOSTDOWN ENONET EHOSTUNREACH \
		EOPNOTSUPP ENETUNREACH ETIMEDOUT EINTR; do
		inject accept4 "error=$error:when=1..3"
		is_served 7013
		heal
	done
	log_lacks 'accept on'
	master_is_well
	stop
}

@test "F22: readable but nothing there: no blocking, other services are served" {
	configure 'service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
	start
	inject accept4 error=EAGAIN:when=1..3
	is_served 7013
	[ "$(ask 7007 hello)" = hello ]
	heal
	# And none could be waited for in accept.
	fd=$(sed -n 's/^accept4(\([0-9]*\),.*/\1/p' "$FAULTS" | head -n 1)
	flags=$(sed -n 's/^flags:.//p' "/proc/$MASTER/fdinfo/$fd")
	((8#$flags & 8#4000))
	stop
}

@test "F23: a client that sends nothing has first-byte-timeout, then idle-timeout" {
	configure 'defaults { first-byte-timeout = 400ms idle-timeout = 900ms }
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
		service shell { listen = "tcp:127.0.0.1:7023" handler = "shell" }'
	start
	for port in 7007 7023; do
		exec 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
		echo date >&6
		run_for 5 cat <&5 >/dev/null # until the server ends it
		exec 5>&-
		run_for 5 cat <&6 >/dev/null
		exec 6>&-
	done
	log_times 2 'reaped (echo|shell).* result=timed-out why="timed out: first-byte-timeout" duration=0\.[4-8]'
	log_times 2 'reaped (echo|shell).* result=timed-out why="timed out: idle-timeout" duration=(0\.9|1\.)'
	log_lacks throttled
	stop
}

@test "F23: a byte now and then keeps no worker longer than max-time; others are served meanwhile" {
	configure 'defaults { idle-timeout = 500ms max-time = 1500ms }
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
		service shell { listen = "tcp:127.0.0.1:7023" handler = "shell" }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	background python3 "$CLIENT" drip 7007 0.1
	background python3 "$CLIENT" drip 7023 0.1
	log_has 'begat echo'
	log_has 'begat shell'
	is_served 7013
	log_has 'reaped echo.* result=timed-out why="timed out: max-time" duration=1\.[5-9]'
	log_has 'reaped shell.* result=timed-out why="timed out: max-time" duration=1\.[5-9]'
	is_served 7013
	log_lacks throttled
	stop
}

@test "F25: a client that never reads ends by idle-timeout; it is no failure" {
	configure 'defaults { idle-timeout = 700ms }
		service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	background python3 "$CLIENT" deaf 7007
	log_has 'begat echo'
	is_served 7013
	log_has 'reaped echo.* result=timed-out why="timed out: idle-timeout" duration=(0\.[789]|[12]\.)' 10
	log_lacks throttled
	stop
}

@test "F125: clients that are gone in the middle of an answer: quiet ends, nothing throttled" {
	configure 'service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
	start
	client reset 7007 20
	client reset 7013 20
	log_times 40 'reaped .* result=ok'
	log_lacks throttled
	stop
}

@test "P6: the master reads no byte of a client's, whatever it serves" {
	configure 'service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
		service cat { listen = "tcp:127.0.0.1:7008" exec = "/bin/cat" }'
	start
	inject read,recvfrom,recvmsg,recvmmsg,readv delay_enter=1
	[ "$(ask 7007 secret)" = secret ]
	[ "$(ask 7008 secret)" = secret ]
	log_has 'reaped echo'
	log_has 'reaped cat'
	heal
	refute grep secret "$FAULTS"
	stop
}
