#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The way that a new user takes: services on TCP and Unix sockets, asked by nc, telnet and socat.

load lib

small_services='
service daytime { listen = "tcp:7013" handler = "daytime" }
service time { listen = "tcp:127.0.0.1:7037" handler = "time" }
service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
service discard { listen = "tcp:127.0.0.1:7009" handler = "discard" }
service shell { listen = "tcp:127.0.0.1:7023" handler = "shell" }
'

@test "daytime answers in ctime form over IPv4 and IPv6" {
	configure "$small_services"
	start
	pattern='^(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} 20[0-9]{2}.$'
	run_for 5 nc -4 127.0.0.1 7013 </dev/null | grep -E "$pattern"
	run_for 5 nc -6 ::1 7013 </dev/null | grep -E "$pattern"
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "time is four bytes, within two seconds of the clock" {
	configure "$small_services"
	start
	ask 7037 >"$BATS_TEST_TMPDIR/time"
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/time")" = 4 ]
	told=$((16#$(od -An -tx1 "$BATS_TEST_TMPDIR/time" | tr -d ' ') - 2208988800))
	now=$(date +%s)
	((told - now <= 2 && now - told <= 2))
	stop
}

@test "echo gives back every byte of a megabyte, and ends after the client's half-close" {
	configure "$small_services"
	start
	head -c 1048576 /dev/urandom >"$BATS_TEST_TMPDIR/sent"
	run_for 20 nc -N 127.0.0.1 7007 <"$BATS_TEST_TMPDIR/sent" >"$BATS_TEST_TMPDIR/got"
	cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/got"
	stop
}

@test "telnet gets a prompt and a talk" {
	need telnet
	configure "$small_services"
	start
	{ sleep 0.3; printf 'time\r\nquit\r\n'; sleep 0.3; } |
		run_for 5 telnet 127.0.0.1 7023 >"$BATS_TEST_TMPDIR/talk" 2>&1 || :
	grep -q 'Escape character' "$BATS_TEST_TMPDIR/talk"
	grep -Eq '20[0-9]{2}-[0-9]{2}-[0-9]{2}T' "$BATS_TEST_TMPDIR/talk"
	stop
}

@test "the classic greeting: a banner by address and time, then a program's lines with CR LF" {
	configure "service greeting {
		listen = { \"tcp:127.0.0.1:7045\", \"unix:$BATS_TEST_TMPDIR/sock\" }
		socket-mode = 0666
		banner = \"Hello there, %h, it's now %t; %s on %p\"
		exec = { \"/bin/echo\", \"first\\nsecond\", \"%h\" }
		crlf = true
	}"
	start
	ask 7045 >"$BATS_TEST_TMPDIR/answer"
	grep -Eq "^Hello there, 127.0.0.1, it's now [A-Z][a-z]{2} .* 20..; greeting on [0-9]+"$'\r$' \
		"$BATS_TEST_TMPDIR/answer"
	# The arguments are the administrator's, and only line ends are changed.
	grep -q $'^second %h\r$' "$BATS_TEST_TMPDIR/answer"
	[ "$(grep -c $'\r$' "$BATS_TEST_TMPDIR/answer")" = 3 ]
	# A Unix socket has no Internet line ends.
	run_for 5 socat -t 2 - "UNIX-CONNECT:$BATS_TEST_TMPDIR/sock" </dev/null >"$BATS_TEST_TMPDIR/unix"
	grep -q '^Hello there, unix:uid=' "$BATS_TEST_TMPDIR/unix"
	if grep -q $'\r' "$BATS_TEST_TMPDIR/unix"; then fail "a CR on a Unix socket"; fi
	stop
}

@test "every worker is told twice in the log: begat and reaped" {
	configure "$small_services"
	start
	ask 7013
	log_has 'begat daytime\[[0-9]+\] peer=127\.0\.0\.1:[0-9]+$'
	log_has 'reaped daytime\[[0-9]+\] peer=127\.0\.0\.1:[0-9]+ result=ok duration=0\.[0-9]+s cpu=[0-9.]+s maxrss=[0-9]+k$'
	stop
	log_has 'stopped$'
}
