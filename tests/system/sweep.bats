#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P8: a sample of the sweep of tests/faults.py, another one each time; "make check-faults" is all of it.
# $FAULTS_SEED does one again, $FAULTS_SECONDS gives it more time.

load lib

sample() {
	need strace
	need python3
	local status=0 seed=${FAULTS_SEED:-$(date +%s)}
	if is_sanitized; then export FAULTS_SLOW=4; fi
	echo "# FAULTS_SEED=$seed" >&3
	FAULTS_INSIDE=1 python3 "$BATS_TEST_DIRNAME/../faults.py" --scenes start,serve,reload,drain \
		--sample 5000 --seed "$seed" --seconds "${FAULTS_SECONDS:-15}" "$@" 3>&- >"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
	cat "$BATS_TEST_TMPDIR/out"
	[ "$status" != 77 ] || skip "$(tail -n 1 "$BATS_TEST_TMPDIR/out")"
	[ "$status" = 0 ]
	grep -q '^[1-9][0-9]* survived' "$BATS_TEST_TMPDIR/out"
}

@test "F51: a signal at a system call: it serves on, or SIGTERM ends it well" {
	sample --errors ''
}

@test "F84, the way back: a reload in which a system call fails is none, or a whole one" {
	if is_sanitized; then skip "sanitizers have system calls of their own"; fi
	sample --signals ''
}
