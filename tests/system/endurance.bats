#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P3: memory and descriptors stay what they are over any number of connections.  (xinetd lost a
# descriptor per reload and memory per refused connection, CVE-2003-0211.)

load lib
load fault

# Pages of a binary that was linked a moment ago, and is not on the disk yet, would count as dirty.
setup() { sync "$BEGAT_MASTER"; }

# The kilobytes that the master has for itself.
private_dirty() {
	awk '/^Private_Dirty/ { print $2 }' "/proc/$MASTER/smaps_rollup"
}

# no_more_than KILOBYTES: now.  Another stack for a program (worker/spawn.c) may have been needed at the
# busiest moment; a few bytes lost with each connection are more than that.
no_more_than() {
	is_sanitized || (($(private_dirty) <= $1 + 32)) ||
		fail "$(private_dirty) KiB of its own instead of $1"
}

# connect COUNT: so many, by two clients at the same time.
connect() {
	client flood 7008 $(($1 / 2)) >"$BATS_TEST_TMPDIR/one" &
	local one=$!
	client flood 7008 $(($1 / 2)) >"$BATS_TEST_TMPDIR/two"
	wait "$one"
	(($(cat "$BATS_TEST_TMPDIR/one") + $(cat "$BATS_TEST_TMPDIR/two") == $1)) ||
		fail "not everyone has got an answer"
	until_true 10 no_workers || fail "still there: $(children)"
}

# endures HOW: nothing is more after 10,000 connections than it was after 1,000.  (Sanitizers are slow, and
# leaks of memory are not to be seen with them.)
endures() {
	local many=10000
	if is_sanitized; then many=2000; fi
	configure "service s { listen = 'tcp:127.0.0.1:7008' $1 }"
	start
	connect 1000
	descriptors=$(count_descriptors)
	dirty=$(private_dirty)
	connect $((many - 1000))
	[ "$(count_descriptors)" = "$descriptors" ] ||
		fail "$(count_descriptors) descriptors instead of $descriptors"
	no_more_than "$dirty"
	log_times "$many" 'reaped s.* result=ok'
	master_is_well
	stop
}

@test "P3: 10,000 connections to a handler leave no zombie, no descriptor and no kilobyte behind" {
	endures "handler = 'daytime'"
}

@test "P3: 10,000 connections to a program leave no zombie, no descriptor and no kilobyte behind" {
	endures "exec = { '/bin/echo', 'hello' }"
}

@test "P3: 2,000 programs that complain on standard error: the same" {
	configure "service s { listen = 'tcp:127.0.0.1:7008' exec = { '/bin/sh', '-c',
		'echo complaint >&2; echo answer; sleep 0' } }"
	start
	connect 400
	descriptors=$(count_descriptors)
	dirty=$(private_dirty)
	connect 1600
	[ "$(count_descriptors)" = "$descriptors" ]
	no_more_than "$dirty"
	stop
}
