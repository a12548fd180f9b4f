#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# in.fingerd as in etc/begat.d/finger.conf, with finger as its client.

load lib

setup() {
	[ -x /usr/sbin/in.fingerd ] && [ -x /usr/bin/finger ] ||
		skip "in.fingerd and finger are not installed"
	set_stage
	chmod 755 "$STAGE/home/caller"
	echo "a plan" >"$STAGE/home/caller/.plan"
}

@test "finger: a user, an unknown one, and who is logged in" {
	start_examples finger
	run_for 20 finger caller@127.0.0.1 | grep -q 'Login: caller.*Name: Caller'
	run_for 20 finger nosuchuser@127.0.0.1 | grep -q 'no such user'
	run_for 20 finger @127.0.0.1 | grep -q 'No one logged on'
	stop_examples
}

@test "finger: it is the cage that keeps the files of a home" {
	start_examples finger
	run_for 20 finger -l caller@127.0.0.1 >"$BATS_TEST_TMPDIR/out"
	grep -q caller "$BATS_TEST_TMPDIR/out"
	refute grep 'a plan' "$BATS_TEST_TMPDIR/out"
	without read-only execute
	run_for 20 finger -l caller@127.0.0.1 | grep -q 'a plan'
	stop_examples
}

@test "finger: the worker is nobody, without capabilities and without a network" {
	start_examples finger
	hold 79
	is_caged nobody
	is_offline
}
