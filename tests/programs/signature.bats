#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A signature as in etc/begat.d/signature.conf, with fortune behind it and cat in front of it.

load lib

setup() {
	[ -x /usr/games/fortune ] && [ -d /usr/share/games/fortunes ] ||
		skip "fortune is not installed"
	set_stage
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR/.." "$BATS_TEST_TMPDIR" "$STAGE" "$STAGE/home"
	SIGNATURE=$STAGE/home/caller/.signature
	CHANGE='s/^\( *socket-user *=\) 1000/\1 caller/'
	OUT=$BATS_TEST_TMPDIR/out
}

as_caller() { run_for 10 setpriv --reuid=$CALLER --regid=$CALLER --clear-groups "$@"; }

# signs FILE: a name and one fortune, no more.
signs() {
	[ "$(head -n 1 "$1")" = 'A. Caller <caller@example.com>' ] && (($(wc -l <"$1") > 1)) &&
		[ "$(grep -c '^A. Caller' "$1")" = 1 ] && (($(wc -c <"$1") < 300)) ||
		fail "$1: $(cat "$1")"
}

@test "signature: another one each time" {
	start_examples signature
	for i in $(seq 20); do
		as_caller cat "$SIGNATURE" >"$OUT.$i"
		signs "$OUT.$i"
	done
	(($(cat "$OUT".* | sort -u | wc -l) > 5))
	until_true 5 has_served 20 || fail "not 20"
	stop_examples
	[ ! -e "$SIGNATURE" ]
}

has_served() { [ "$(log_count 'reaped signature.* result=ok')" = "$1" ]; }

@test "signature: two who read at once have one each" {
	start_examples signature
	for i in $(seq 30); do
		as_caller cat "$SIGNATURE" >"$OUT.1" 3>&- &
		pid=$!
		as_caller cat "$SIGNATURE" >"$OUT.2"
		wait "$pid"
		signs "$OUT.1"
		signs "$OUT.2"
	done
	stop_examples
}

@test "signature: whoever removes it gets a new one, and another file is left alone" {
	start_examples signature
	as_caller rm "$SIGNATURE"
	until_true 5 test -p "$SIGNATURE" || fail "there is none"
	as_caller cat "$SIGNATURE" >"$OUT"
	signs "$OUT"
	as_caller sh -c 'echo mine >"$1.mine" && mv -f "$1.mine" "$1"' sh "$SIGNATURE"
	log_has 'there is something that is not a FIFO of ours; remove it'
	[ "$(as_caller cat "$SIGNATURE")" = mine ]
	as_caller rm "$SIGNATURE"
	until_true 10 test -p "$SIGNATURE" || fail "there is none"
	as_caller cat "$SIGNATURE" >"$OUT"
	signs "$OUT"
	stop_examples
}

@test "signature: it is the one's whose it is, and nobody else's" {
	start_examples signature
	[ "$(stat -c '%F %U %a' "$SIGNATURE" | tr A-Z a-z)" = "fifo unknown 400" ]
	[ "$(stat -c %u "$SIGNATURE")" = $CALLER ]
	chmod 711 "$STAGE/home/caller"
	refute setpriv --reuid=nobody --clear-groups cat "$SIGNATURE"
	refute as_caller sh -c 'echo x >"$1"' sh "$SIGNATURE"
	as_caller cat "$SIGNATURE" >"$OUT"
	signs "$OUT"
	stop_examples
}

@test "signature: reloads neither lose it nor cut it short" {
	start_examples signature
	for i in 1 2 3; do
		kill -HUP "$MASTER"
		for _ in 1 2 3 4 5; do
			as_caller cat "$SIGNATURE" >"$OUT"
			signs "$OUT"
		done
	done
	log_has 'reload: kept' 10
	stop_examples
}
