#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What a careless parent leaves behind (faults F66 to F69, F58) changes neither the daemon nor its workers:
# closed or surplus descriptors, ignored and blocked signals, a hostile environment, no directory.

load lib

services='
service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
service status { listen = "tcp:127.0.0.1:7014" exec = { "/bin/cat", "/proc/self/status" } }
service shell { listen = "tcp:127.0.0.1:7023" handler = "shell" options = "command.status=/bin/cat /proc/self/status" }
service env { listen = "tcp:127.0.0.1:7015" exec = { "/usr/bin/env" } }
service files { listen = "tcp:127.0.0.1:7016" exec = { "/bin/sh", "-c", "umask; pwd; ls -l /proc/self/fd" } }
'

# through COMMAND...: what start() puts in front of begatd.
through() { WRAPPER="$*"; }
helper() { echo "$BATS_TEST_DIRNAME/helpers/$1"; }

# signals_are_clean: of a program and of a command of the shell.
signals_are_clean() {
	local line
	for line in "$(ask 7014)" "$(ask 7023 status)"; do
		grep -Eq '^SigBlk:.0000000000000000.?$' <<<"$line"
		grep -Eq '^SigIgn:.0000000000000000.?$' <<<"$line"
		grep -Eq '^SigCgt:.0000000000000000.?$' <<<"$line"
	done
}

@test "F58: a program has no signal ignored and none blocked" {
	configure "$services"
	start
	signals_are_clean
	stop
}

@test "F66: started with SIGCHLD, SIGHUP, SIGPIPE and SIGTERM ignored" {
	configure "$services"
	through env --ignore-signal=CHLD,HUP,PIPE,TERM,INT
	start
	signals_are_clean
	log_has 'reaped status.* result=ok'
	kill -HUP "$MASTER"
	log_has SIGHUP
	[ "$(ask 7013 | wc -c)" = 26 ]
	master_is_well
	stop
}

@test "F66: started with every signal blocked" {
	configure "$services"
	through env --block-signal
	start
	signals_are_clean
	log_has 'reaped status.* result=ok'
	stop
}

@test "F66: nohup in the background of a shell" {
	configure "$services"
	(trap '' HUP INT QUIT; exec "$BEGATD" -f "$CONF" 3>&-)
	MASTER=$(cat "$BATS_TEST_TMPDIR/pid")
	signals_are_clean
	stop
}

@test "F67: started with any of 0, 1 and 2 closed, no socket takes their place" {
	configure "$services"
	for which in 0 1 2 01 02 12 012; do
		through "$(helper closed.sh)" "$which"
		start
		[ "$(readlink "/proc/$MASTER/fd/0")" = /dev/null ]
		for fd in 1 2; do
			[[ $(readlink "/proc/$MASTER/fd/$fd") != *socket* ]]
		done
		[ "$(ask 7013 | wc -c)" = 26 ] || fail "$which: daytime"
		[ "$(ask 7007 hello)" = hello ] || fail "$which: echo"
		ask 7016 | grep -Eq ' 0 -> socket:' || fail "$which: a program"
		stop
	done
}

@test "F67: the same detached, and with the log on a closed standard error" {
	configure "$services"
	for which in 0 1 2 012; do
		"$(helper closed.sh)" $which "$BEGATD" -f "$CONF" 3>&-
		MASTER=$(cat "$BATS_TEST_TMPDIR/pid")
		[ "$(ask 7013 | wc -c)" = 26 ]
		ask 7016 | grep -Eq ' 0 -> socket:'
		stop
	done
	sed -i 's,^log = .*,log = stderr,' "$CONF"
	through "$(helper closed.sh)" 2
	start
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "F68: descriptors that the parent has left open reach neither the daemon nor a program" {
	configure "$services"
	through "$(helper junk.sh)"
	start
	find "/proc/$MASTER/fd" -printf '%l\n' | refute grep -Ex '/etc/passwd|/'
	ask 7013 >/dev/null # then nothing of the start is left open
	until_true 5 no_workers
	before=$(count_descriptors)
	stop
	through
	start
	ask 7013 >/dev/null
	until_true 5 as_many_as "$before"
	[ "$(ask 7016 | grep -c -- '->')" -le 4 ] # with that of ls
	stop
}

as_many_as() { [ "$(count_descriptors)" = "$1" ]; }

@test "F69: a hostile environment gets no further than begatd" {
	configure "$services"
	preload=LD_PRELOAD=/nowhere.so
	! is_sanitized || preload=LD_DEBUG=
	through env -i "$preload" LD_LIBRARY_PATH=/tmp PATH=. IFS=x BASH_ENV=/etc/passwd ENV=/etc/passwd \
		LISTEN_FDS=3 LISTEN_PID=1 LISTEN_FDNAMES=x NOTIFY_SOCKET=/nowhere JOURNAL_STREAM=1:1 \
		MALLOC_PERTURB_=1 TZ=:/dev/full LOCPATH=/tmp HTTP_PROXY=x USER=root HOME=/root \
		BEGAT_MASTER="$BEGAT_MASTER" ASAN_OPTIONS="$ASAN_OPTIONS" UNSET= =odd
	start
	[ "$(ask 7013 | wc -c)" = 26 ]
	ask 7015 >"$BATS_TEST_TMPDIR/env"
	refute grep -E '^(LD_|IFS|BASH_ENV|ENV|LISTEN|NOTIFY|JOURNAL|MALLOC|LOC|HTTP|BEGAT_MASTER|ASAN|UNSET|=)' \
		"$BATS_TEST_TMPDIR/env"
	grep -q '^PATH=/usr/local/sbin:' "$BATS_TEST_TMPDIR/env"
	! is_root || grep -q '^USER=nobody$' "$BATS_TEST_TMPDIR/env"
	stop
}

@test "F69: umask 0 and a deleted directory" {
	configure "$services"
	mkdir "$BATS_TEST_TMPDIR/gone"
	cd "$BATS_TEST_TMPDIR/gone"
	rmdir "$BATS_TEST_TMPDIR/gone"
	umask 0
	start
	[ "$(ask 7013 | wc -c)" = 26 ]
	[ "$(ask 7016 | head -2 | tr '\n' ' ')" = "0022 / " ]
	[ "$(stat -c %A "$LOG" | cut -c8-10)" = --- ] || fail "the log can be read by everybody"
	[ "$(stat -c %A "$BATS_TEST_TMPDIR/pid" | cut -c8-10)" = r-- ]
	stop
	"$BEGATD" -f "$CONF" 3>&-
	MASTER=$(cat "$BATS_TEST_TMPDIR/pid")
	stop
	# What would be relative to that directory is refused with a reason.
	run "$BEGATD" -n -f "$CONF" -p relative 3>&-
	[ "$status" = 1 ]
	[[ $output == *relative* ]]
}

@test "a tight limit of descriptors is raised for the daemon, and programs get theirs back" {
	configure 'service s { listen = "tcp:127.0.0.1:7100-7399" exec = { "/bin/sh", "-c", "ulimit -Sn" } }'
	ulimit -Sn 200
	start
	[ "$(ask 7100)" = 200 ]
	[ "$(ask 7399)" = 200 ]
	stop
}
