# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# What the system tests share: a real daemon, started and stopped, and ways to wait for what should
# happen.  Nothing here sleeps to hope: readiness comes over --ready-fd, everything else is polled for
# until it is there or a generous limit has passed.
#
# A test that loads this file has
#   $CONF $LOG   the configuration that start() uses and the log file that it names
#   $MASTER      the pid of the daemon after start()
#   ports 7000 and up: private, since tests/bats.sh gives each file a network namespace

BEGATD=${BEGATD:?run the tests by \"make check\", or set BEGATD and BEGAT_MASTER}
export BEGATD BEGAT_MASTER
export LC_ALL=C
# Fault injection and LeakSanitizer both want to trace; the unit tests look for leaks.
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

CONF=$BATS_TEST_TMPDIR/begat.conf
LOG=$BATS_TEST_TMPDIR/log
MASTER=

# Fails the test with a message and the end of the daemon's log.
fail() {
	echo "$*" >&2
	[ -e "$LOG" ] && tail -n 60 "$LOG" | sed 's/^/log: /' >&2
	return 1
}

# refute COMMAND...: a test does not fail by "! command", but by this.
refute() { ! "$@"; }

is_root() { [ "$(id -u)" = 0 ]; }
need_root() { is_root || skip "needs root"; }
need() { command -v "$1" >/dev/null || skip "$1 is not installed"; }

# Whether the daemon under test has sanitizers built in (no static master, more memory, slower).
is_sanitized() { nm "$BEGAT_MASTER" 2>/dev/null | grep -q __asan_init; }

# configure TEXT: writes the configuration; log and pid file are added in front.
configure() {
	umask 022
	printf 'log = "%s"\npidfile = "%s"\n%s\n' "$LOG" "$BATS_TEST_TMPDIR/pid" "$1" >"$CONF"
}

# start [ARGUMENT...]: starts begatd -n and waits until it is ready.  $WRAPPER, a command with
# arguments, is put in front.
start() {
	local ready=$BATS_TEST_TMPDIR/ready line
	rm -f "$ready" && mkfifo "$ready"
	# 3 is bats' own; a daemon that kept it would keep bats waiting.
	${WRAPPER-} "$BEGATD" -n -f "$CONF" --ready-fd 9 "$@" 9>"$ready" 3>&- \
		2>"$BATS_TEST_TMPDIR/stderr" >"$BATS_TEST_TMPDIR/stdout" &
	MASTER=$!
	if ! read -r -t 20 line <"$ready" 2>/dev/null; then
		[ ! -f "$BATS_TEST_TMPDIR/stderr" ] || cat "$BATS_TEST_TMPDIR/stderr" >&2
		fail "begatd is not ready"
	fi
	# Under a wrapper the daemon is another process; its pid file knows.
	if [ -n "${WRAPPER-}" ] && [ -s "$BATS_TEST_TMPDIR/pid" ]; then
		MASTER=$(cat "$BATS_TEST_TMPDIR/pid")
	fi
}

# run_for SECONDS COMMAND...: a limit on everything that could hang.
run_for() { timeout -k 1 "$@"; }

# until_true SECONDS COMMAND...: polls.
until_true() {
	local tries=$(($1 * 50))
	shift
	while ! "$@"; do
		((tries-- > 0)) || return 1
		sleep 0.02
	done
}

# log_has REGEX [SECONDS]: waits for a line.
log_has() { until_true "${2:-5}" grep -Eq -- "$1" "$LOG" || fail "no line in the log matches: $1"; }
log_lacks() { ! grep -E -- "$1" "$LOG" || fail "a line in the log should not be there: $1"; }
log_count() { grep -Ec -- "$1" "$LOG" || :; }

is_gone() { ! kill -0 "$1" 2>/dev/null; }

# ask PORT [TEXT]: what the service says to TEXT; half-closes after it.
ask() { printf '%s' "${2-}" | run_for 10 nc -N 127.0.0.1 "$1"; }

# stop [SIGNAL]: stops the daemon and checks that it ends well and leaves nothing behind.
stop() {
	local status=0 pid=$MASTER
	[ -n "$pid" ] || return 0
	MASTER=
	kill -"${1:-TERM}" "$pid"
	until_true 20 is_gone_or_zombie "$pid" || fail "the daemon did not stop"
	wait "$pid" 2>/dev/null || status=$?
	[ "$status" = 127 ] || [ "$status" = 0 ] || fail "the daemon's exit status is $status"
	[ ! -e "$BATS_TEST_TMPDIR/pid" ] || fail "the pid file is still there"
}
is_gone_or_zombie() { is_gone "$1" || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

# master_is_well: alive, no zombies, and not spinning: its voluntary wake-ups over half a second.
master_is_well() {
	[ "$(cat "/proc/$MASTER/comm")" = begat-master ] || fail "the master is gone"
	until_true 5 no_zombies || fail "zombies: $(children)"
}
children() { ps -o pid=,stat=,args= --ppid "$MASTER" || :; }
no_zombies() { ! children | grep -q ' Z'; }
no_workers() { [ -z "$(children)" ]; }
count_descriptors() { find "/proc/$MASTER/fd" -mindepth 1 | wc -l; }
count_wakeups() {
	awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$MASTER/status"
}

# Every test ends the daemon that it has started, by its pid, and the helpers in $HELPERS.
teardown() {
	# shellcheck disable=SC2086 # a list of pids
	if [ -n "${HELPERS-}" ]; then
		kill -KILL $HELPERS 2>/dev/null || :
		wait $HELPERS 2>/dev/null || :
	fi
	if [ -n "$MASTER" ] && kill -0 "$MASTER" 2>/dev/null; then
		kill -TERM "$MASTER" && sleep 0.05
		kill -TERM "$MASTER" 2>/dev/null && until_true 3 is_gone_or_zombie "$MASTER"
		kill -KILL "$MASTER" 2>/dev/null
	fi
	return 0
}
