# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Faults on purpose, for the tests that load this file after lib.bash: system calls of the running
# master that fail, clients that misbehave, and a /dev of the daemon's own.

FAULTS=$BATS_TEST_TMPDIR/faults
STRACE=

is_traced() { grep -Eqs '^TracerPid:.[1-9]' "/proc/$MASTER/status"; }
is_untraced() { ! is_traced; }
is_traced_or_gone() { is_traced || is_gone_or_zombie "$MASTER"; }

# inject CALLS WHAT: what strace's -e inject says, of the master itself from now on; $FAULTS tells
# every such call and every wait.
inject() {
	need strace
	strace -qq -o "$FAULTS" -p "$MASTER" -e trace="$1,/^epoll_p?wait" -e inject="$1:$2" \
		3>&- 2>"$FAULTS.error" &
	STRACE=$!
	if ! until_true 10 is_traced_or_gone; then
		is_gone_or_zombie "$STRACE" && grep -q 'not permitted' "$FAULTS.error" &&
			skip "strace may not attach here"
		fail "strace does not attach: $(cat "$FAULTS.error")"
	fi
}

# heal: the end of the fault.
heal() {
	[ -n "$STRACE" ] || return 0
	kill -TERM "$STRACE"
	wait "$STRACE" 2>/dev/null || :
	STRACE=
	until_true 5 is_untraced
}

count_calls() { grep -Ec -- "^($1)\(" "$FAULTS" || :; }

# few_calls NAME COUNT SECONDS: at most so many in this time.
few_calls() {
	local before after
	before=$(count_calls "$1")
	sleep "$3"
	after=$(count_calls "$1")
	((after - before <= $2)) || fail "$((after - before)) $1 calls in $3 s: $(tail -n 5 "$FAULTS")"
}

# few_wakeups COUNT SECONDS: for a master that is not traced; it has nothing to do before that either.
few_wakeups() {
	local before after ticks
	until_true 5 is_sleeping
	before=$(count_wakeups)
	ticks=$(count_ticks)
	sleep "$2"
	after=$(count_wakeups)
	((after - before <= $1)) || fail "$((after - before)) wake-ups in $2 s"
	# Who spins alone on a processor is never switched.
	(($(count_ticks) - ticks < 10)) || fail "it spins"
}
is_sleeping() { grep -q '^State:.S' "/proc/$MASTER/status"; }
count_ticks() { sed 's/.*) //' "/proc/$MASTER/stat" | awk '{ print $12 + $13 }'; }

# log_times COUNT REGEX: waits for so many lines, and no more.
log_times() {
	until_true 10 log_counts "$1" "$2" || fail "$(log_count "$2") lines instead of $1 match: $2"
}
log_counts() { [ "$(log_count "$2")" = "$1" ]; }

# client COMMAND...: helpers/client.py, see there.
CLIENT="$BATS_TEST_DIRNAME/helpers/client.py"
client() { run_for 60 python3 "$CLIENT" "$@"; }

# background PROGRAM...: ended with the test at the latest; its pid in $BACKGROUND.
background() {
	"$@" 3>&- >/dev/null 2>&1 &
	BACKGROUND=$!
	HELPERS="${HELPERS-} $BACKGROUND"
}

# own_dev COMMAND...: runs it with a /dev of its own, in which /dev/log is $SYSLOG; for $WRAPPER.
SYSLOG=$BATS_TEST_TMPDIR/devlog
own_dev() {
	cat >"$BATS_TEST_TMPDIR/own-dev" <<-END
		#!/bin/sh
		set -e
		mkdir -p "$BATS_TEST_TMPDIR/dev"
		mount -t tmpfs -o mode=755 none "$BATS_TEST_TMPDIR/dev"
		for node in null zero full random urandom; do
			: >"$BATS_TEST_TMPDIR/dev/\$node"
			mount --bind /dev/\$node "$BATS_TEST_TMPDIR/dev/\$node"
		done
		ln -s /proc/self/fd "$BATS_TEST_TMPDIR/dev/fd"
		ln -s "$SYSLOG" "$BATS_TEST_TMPDIR/dev/log"
		mount --rbind "$BATS_TEST_TMPDIR/dev" /dev
		exec "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/own-dev"
	unshare -m "$BATS_TEST_TMPDIR/own-dev" true 2>/dev/null || skip "no mount namespaces here"
	WRAPPER="unshare -m $BATS_TEST_TMPDIR/own-dev"
}
