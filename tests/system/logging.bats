#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P8: the log's disk is full, its reader stalls, dies or was never there.  (glibc's syslog(3) blocks for
# ever when the reader of /dev/log stalls; xinetd does not start without one.)

# shellcheck disable=SC2030,SC2031 # a test is a subshell, and may change what it likes

load lib
load fault

service='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'

is_served() { [ -n "$(ask 7013)" ]; }
ask_times() { [ "$(client flood 7013 "$1")" = "$1" ]; }

# log_to SINK: instead of the file.
log_to() { sed -i "s|^log = .*|log = \"$1\"|" "$CONF"; }

# syslogd: what comes over $SYSLOG goes to $MESSAGES; $BACKGROUND is its pid.
MESSAGES=$BATS_TEST_TMPDIR/messages
syslogd() {
	rm -f "$SYSLOG"
	background socat -u "UNIX-RECV:$SYSLOG" "OPEN:$MESSAGES,creat,append"
	until_true 5 test -S "$SYSLOG"
}
messages_have() { until_true 5 grep -Eq -- "$1" "$MESSAGES" || fail "syslog lacks: $1"; }
is_stopped() { grep -q '^State:.T' "/proc/$1/status"; }
# served_until REGEX FILE: each client makes lines, until this one is there.
served_until() { until_true 5 eval "is_served && grep -Eq -- '$1' '$2'"; }
# What fits no more is cut; the next line must not run into it.
lines_are_apart() {
	! grep -E '.20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9:]{8} begatd' "$1" || fail "two lines in one"
}

@test "F07: the log's disk is full from the beginning: everything is served" {
	[ -c /dev/full ] || skip "no /dev/full"
	configure "$service"
	log_to /dev/full
	start
	ask_times 20
	few_wakeups 5 0.5
	master_is_well
	stop
}

@test "F07: the disk fills up and is emptied: lines go on, whole, and the lost ones are counted" {
	need_root
	cat >"$BATS_TEST_TMPDIR/small" <<-END
		#!/bin/sh
		set -e
		mkdir -p "$BATS_TEST_TMPDIR/disk"
		mount -t tmpfs -o size=8k none "$BATS_TEST_TMPDIR/disk"
		exec "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/small"
	unshare -m "$BATS_TEST_TMPDIR/small" true 2>/dev/null || skip "no mount namespaces here"
	configure "$service"
	log_to "$BATS_TEST_TMPDIR/disk/log"
	WRAPPER="unshare -m $BATS_TEST_TMPDIR/small" start
	there=/proc/$MASTER/root$BATS_TEST_TMPDIR/disk/log
	ask_times 100
	: >"$there"
	served_until 'log: [1-9][0-9]* lines dropped' "$there"
	is_served
	lines_are_apart "$there"
	stop
}

@test "F08: at the limit of file sizes SIGXFSZ kills nobody, and the log goes on after it" {
	configure "$service"
	start
	soft=$(awk '/file size/ { print $4 }' "/proc/$MASTER/limits")
	prlimit --pid "$MASTER" --fsize=1024:
	ask_times 20
	few_wakeups 5 0.5
	[ "$(stat -c %s "$LOG")" -le 1024 ]
	prlimit --pid "$MASTER" --fsize="$soft:"
	served_until 'log: [1-9][0-9]* lines dropped' "$LOG"
	lines_are_apart "$LOG"
	stop
}

@test "P4: a log that raises SIGXFSZ or SIGPIPE does not make the debug log write about it for ever" {
	configure "log-level = debug $service"
	start
	prlimit --pid "$MASTER" --fsize=10:
	is_served
	few_wakeups 5 0.5
	stop
}

@test "F09, F11: no /dev/log, then one, then another one: starts, serves, and comes back to it" {
	need_root
	configure "$service"
	log_to syslog
	own_dev
	start
	is_served
	# Nobody listens yet: in the foreground lines go to stderr.
	until_true 5 grep -q 'reaped daytime' "$BATS_TEST_TMPDIR/stderr"
	syslogd
	served_until '<30>.*begatd\[[0-9]+\]: begat daytime' "$MESSAGES"
	kill -KILL "$BACKGROUND" && wait "$BACKGROUND" 2>/dev/null || :
	is_served
	: >"$MESSAGES"
	syslogd
	served_until 'reaped daytime' "$MESSAGES"
	# Restarted between two clients: no line is lost.
	kill -KILL "$BACKGROUND" && wait "$BACKGROUND" 2>/dev/null || :
	: >"$MESSAGES"
	syslogd
	is_served
	messages_have 'begat daytime'
	few_wakeups 5 0.5
	stop
}

@test "F09: in the background a missing /dev/log stops nothing" {
	need_root
	configure "$service"
	log_to syslog
	own_dev
	# shellcheck disable=SC2086 # words
	run_for 20 $WRAPPER "$BEGATD" -f "$CONF" 3>&-
	MASTER=$(cat "$BATS_TEST_TMPDIR/pid")
	is_served
	master_is_well
	stop
}

@test "F10: the reader of /dev/log stalls: clients are served all the same, lost lines are counted" {
	need_root
	configure "$service"
	log_to syslog
	own_dev
	syslogd
	start
	messages_have ready
	kill -STOP "$BACKGROUND"
	until_true 5 is_stopped "$BACKGROUND"
	ask_times 200
	few_wakeups 5 0.5
	kill -CONT "$BACKGROUND"
	served_until 'log: [1-9][0-9]* lines dropped' "$MESSAGES"
	stop
}

# start_with_stderr COMMAND...: stderr is a pipe, held open by a descriptor of ours that nobody reads.
stderr_pipe() {
	STDERR=$BATS_TEST_TMPDIR/stderr
	mkfifo "$STDERR"
	exec 7<>"$STDERR"
	configure "$service"
	log_to "${1:-stderr}"
}

@test "F12: stderr is a pipe that nobody reads: no hang" {
	stderr_pipe
	start 7>&-
	ask_times 500
	few_wakeups 5 0.5
	# What is read at last is whole lines, and the number of those that are missing.
	run_for 5 dd bs=65536 count=1 status=none <&7 >"$BATS_TEST_TMPDIR/first"
	is_served
	run_for 1 cat <&7 >>"$BATS_TEST_TMPDIR/first" || :
	grep -q 'log: [1-9][0-9]* lines dropped' "$BATS_TEST_TMPDIR/first"
	lines_are_apart "$BATS_TEST_TMPDIR/first"
	stop
	exec 7>&-
}

@test "F12: stderr is a pipe of somebody else's, which cannot be opened anew: no hang either" {
	need_root
	stderr_pipe
	chmod 0600 "$STDERR"
	chmod 0755 "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" 2>/dev/null || :
	sed -i '/^pidfile/d' "$CONF"
	chown nobody "$CONF"
	XDG_RUNTIME_DIR='' WRAPPER="setpriv --reuid=nobody --regid=nogroup --clear-groups" start 7>&-
	ask_times 500
	few_wakeups 5 0.5
	stop
	exec 7>&-
}

@test "F09, F12: no /dev/log, and stderr is a pipe that nobody reads: no hang" {
	need_root
	stderr_pipe syslog
	own_dev
	start 7>&-
	ask_times 1000
	few_wakeups 5 0.5
	stop
	exec 7>&-
}

@test "F12: the reader of stderr goes away (begatd -n 2>&1 | head): no death by SIGPIPE" {
	for level in info debug; do
		rm -f "$BATS_TEST_TMPDIR/stderr"
		stderr_pipe
		echo "log-level = $level" >>"$CONF"
		start 7>&-
		exec 7>&-
		ask_times 20
		few_wakeups 5 0.5
		master_is_well
		stop
	done
}

@test "SIGUSR1 reopens the log file, so that it can be rotated" {
	configure "$service"
	start
	mv "$LOG" "$LOG.1"
	is_served
	kill -USR1 "$MASTER"
	log_has 'SIGUSR1: log reopened'
	is_served
	log_has 'reaped daytime'
	[ "$(grep -c 'begat daytime' "$LOG.1")" = 1 ]
	descriptors=$(count_descriptors)
	for i in 1 2 3 4 5; do
		kill -USR1 "$MASTER"
		until_true 5 eval "[ \$(log_count reopened) -gt $i ]"
	done
	[ "$(count_descriptors)" = "$descriptors" ]
	stop
}

@test "SIGUSR1 when the log cannot be opened: the old one is kept" {
	mkdir "$BATS_TEST_TMPDIR/logs"
	configure "$service"
	LOG=$BATS_TEST_TMPDIR/logs/log
	log_to "$LOG"
	start
	mv "$BATS_TEST_TMPDIR/logs" "$BATS_TEST_TMPDIR/moved"
	LOG=$BATS_TEST_TMPDIR/moved/log
	kill -USR1 "$MASTER"
	log_has 'cannot reopen the log: No such file or directory; going on with the old one'
	is_served
	log_has 'reaped daytime'
	stop
}
