#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The time (RFC 868) as in etc/begat.d/small.conf, with rdate as its client.

load lib

setup() {
	need rdate
	set_stage
}

# is_now DATE...: within what a slow machine takes to ask.
is_now() {
	local asked now
	asked=$(date -d "$*" +%s) || fail "no date: $*"
	now=$(date +%s)
	((asked >= now - 5 && asked <= now + 1)) || fail "$* is not now, $(date)"
}

@test "rdate: the time, over TCP and over UDP" {
	start_examples small
	# shellcheck disable=SC2046 # words
	is_now $(run_for 10 rdate -p 127.0.0.1)
	# shellcheck disable=SC2046
	is_now $(run_for 10 rdate -pu 127.0.0.1)
	stop_examples
}

@test "rdate: another one's, which takes four bytes and the end" {
	busybox --list 2>/dev/null | grep -qx rdate || skip "busybox has no rdate here"
	start_examples small
	# shellcheck disable=SC2046
	is_now $(run_for 10 busybox rdate -p 127.0.0.1)
	stop_examples
}

@test "rdate: one worker answers a hundred" {
	start_examples small
	for _ in $(seq 50); do
		run_for 10 rdate -p 127.0.0.1 >/dev/null
		run_for 10 rdate -pu 127.0.0.1 >/dev/null
	done
	[ "$(log_count 'begat time')" = 2 ]
	stop_examples
	[ "$(log_count 'reaped time.* result=ok served=50 refused=0')" = 2 ]
}
