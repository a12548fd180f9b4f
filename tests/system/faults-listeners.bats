#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P8 for standing workers, FIFOs, redirects, tcpmux and the resolver: a sample of those scenes of
# tests/faults.py, another one each time.  $FAULTS_SEED and $FAULTS_SECONDS as in sweep.bats.

load lib

SCENES=standing,program,fifo,redirect,tcpmux,resolver,renew,retire,streams,datagrams,keeper,lookups

@test "F51: a signal or an error at a system call: whatever listens works again, and nobody spins" {
	need strace
	need python3
	local status=0 seed=${FAULTS_SEED:-$(date +%s)}
	if is_sanitized; then
		export FAULTS_SLOW=4
		set -- --errors '' # sanitizers have system calls of their own
	fi
	echo "# FAULTS_SEED=$seed" >&3
	FAULTS_INSIDE=1 python3 "$BATS_TEST_DIRNAME/../faults.py" --scenes $SCENES --sample 5000 \
		--seed "$seed" --seconds "${FAULTS_SECONDS:-10}" "$@" 3>&- \
		>"$BATS_TEST_TMPDIR/out" 2>&1 || status=$?
	cat "$BATS_TEST_TMPDIR/out"
	[ "$status" != 77 ] || skip "$(tail -n 1 "$BATS_TEST_TMPDIR/out")"
	[ "$status" = 0 ]
	grep -q '^[1-9][0-9]* survived' "$BATS_TEST_TMPDIR/out"
}
