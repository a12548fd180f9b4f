#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# fortune as in etc/begat.d/greeting.conf, with nc and socat as its clients.

load lib

setup() {
	[ -x /usr/games/fortune ] && [ -d /usr/share/games/fortunes ] ||
		skip "fortune is not installed"
	set_stage
}

greets() {
	tr -d '\r' >"$BATS_TEST_TMPDIR/out"
	grep -q "^Hello there, $1, it's now ... ... .. ..:..:.. ....$" "$BATS_TEST_TMPDIR/out" &&
		[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -gt 1 ] || fail "$(cat "$BATS_TEST_TMPDIR/out")"
}

@test "fortune: a greeting and a fortune, over TCP and over a Unix socket" {
	start_examples greeting
	for _ in $(seq 20); do
		ask 2345 | greets 127.0.0.1
	done
	refute grep -v $'\r$' <(ask 2345)
	run_for 20 socat - UNIX-CONNECT:"$STAGE/run/begat-greeting.sock" </dev/null | greets unix:uid=0
	log_has 'reaped greeting.* result=ok'
	log_lacks 'result=(exited|signalled)'
	stop_examples
}

@test "fortune: it is the cage that keeps what is no fortune" {
	local some
	some=$(find /usr/share/games/fortunes -name '*.dat' | head -n 1)
	cp "${some%.dat}" "$some" "$STAGE/srv/"
	CHANGE='s,"-s","/srv/'$(basename "${some%.dat}")'",' start_examples greeting
	[ "$(ask 2345 | wc -l)" = 1 ]
	without read-only
	[ "$(ask 2345 | wc -l)" -gt 1 ]
	stop_examples
}
