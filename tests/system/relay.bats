#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# crlf = true: what passes through the worker arrives once, whole and in order.

load lib

# relay PROGRAM: a service on port 7050 that runs a shell program behind the relay.
relay() {
	configure "service relay { listen = \"tcp:127.0.0.1:7050\" crlf = true
		exec = { \"/bin/sh\", \"-c\", '$1' } }"
	start
}

@test "a line end that the program writes in two pieces gets no second CR" {
	relay 'head -c 4095 /dev/zero | tr "\000" x; sleep 0.1; printf "\r"; sleep 0.1; printf "\nend\n"'
	ask 7050 >"$BATS_TEST_TMPDIR/got"
	[ "$(wc -c <"$BATS_TEST_TMPDIR/got")" = 4102 ]
	[ "$(tail -c 7 "$BATS_TEST_TMPDIR/got" | od -An -c | tr -d ' ')" = '\r\nend\r\n' ]
	stop
}

@test "a banner with CR LF gets no second CR" {
	configure 'service relay { listen = "tcp:127.0.0.1:7050" banner = "one\r\ntwo\nthree"
		handler = "daytime" }'
	start
	[ "$(ask 7050 | head -n 3 | od -An -c | tr -d ' \n')" = 'one\r\ntwo\r\nthree\r\n' ]
	stop
}

@test "the client's input is the program's alone, even after it has closed its output" {
	relay 'exec >&-; sleep 0.2; read -r line; echo "got <$line>" >&2'
	{
		printf 'hello\n'
		sleep 1
	} | run_for 5 nc -N 127.0.0.1 7050
	log_has 'stderr: got <hello>'
	stop
}

@test "the worker's title says which service and client it is, not that it is the master" {
	relay 'read -r line'
	{ sleep 2; } | run_for 5 nc -N 127.0.0.1 7050 &
	log_has 'begat relay'
	until_true 2 titled '^begat: relay 127\.0\.0\.1:'
	wait $!
	stop
}
titled() { ps -o args= --ppid "$MASTER" | grep -Eq "$1"; }

@test "the worker ends as the program ended" {
	relay 'read -r line; exit "$line"'
	ask 7050 $'7\n'
	log_has 'reaped relay.* result=exited status=7'
	stop
	relay 'kill -ABRT $$'
	ask 7050
	log_has 'reaped relay.* signal=ABRT'
	stop
}
