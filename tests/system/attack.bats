#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# A process of the service's own user that stops, traces and reads each new worker at once (fault F111): it
# must never hold up the master, nor see anything of begat's memory.

load lib

setup() {
	need_root
	PLACE=$(mktemp -d /tmp/begat-attack.XXXXXX)
	chmod 755 "$PLACE"
	cp "$BATS_TEST_DIRNAME/helpers/attack.py" "$PLACE"
	configure 'service victim { listen = "tcp:127.0.0.1:7100" exec = { "/bin/sleep", "60" }
			max-time = "1s" kill-grace = "200ms" instances = 200 }
		service handler { listen = "tcp:127.0.0.1:7101" handler = "echo"
			max-time = "1s" kill-grace = "200ms" }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" user = "daemon" }'
}

attack() {
	setpriv --reuid=nobody --regid=nogroup --clear-groups "$PLACE/attack.py" "$MASTER" \
		>"$BATS_TEST_TMPDIR/report" 2>"$BATS_TEST_TMPDIR/errors" 3>&- &
	ATTACKER=$!
	HELPERS="${HELPERS-} $!"
	until_true 10 grep -q ready "$BATS_TEST_TMPDIR/report"
}

stop_attack() {
	kill "$ATTACKER"
	wait "$ATTACKER" 2>/dev/null || :
	cat "$BATS_TEST_TMPDIR/errors" "$BATS_TEST_TMPDIR/report" >&2
	rm -r "$PLACE"
	refute grep -E '^(read|traced) ' "$BATS_TEST_TMPDIR/report"
}

victims() {
	local i
	for ((i = 0; i < $1; i++)); do
		run_for 20 nc -d 127.0.0.1 "${2:-7100}" >/dev/null 2>&1 3>&- &
		HELPERS="${HELPERS-} $!"
	done
}

# serves_on: the master is not held up.
serves_on() {
	local i
	for ((i = 0; i < $1; i++)); do
		[ "$(run_for 3 nc -N 127.0.0.1 7013 </dev/null | wc -c)" = 26 ] || fail "the master is held up"
	done
}

all_have_ended() { [ "$(log_count "reaped ($1)")" = "$2" ]; }

@test "F111: the master serves on, nothing is read or traced, and max-time ends what is stopped" {
	start
	attack
	victims 80
	victims 20 7101
	serves_on 10
	log_has 'begat victim'
	until_true 20 all_have_ended 'victim|handler' 100
	[ "$(log_count 'reaped (victim|handler).*result=timed-out')" -ge 90 ]
	stop_attack
	grep -Eq '^(early|late)' "$BATS_TEST_TMPDIR/report"
	master_is_well
	[ "$(count_descriptors)" -lt 45 ]
	stop
}

@test "F111: the same with a worker held up where it is the user's but not yet the program" {
	need strace
	# In its last step before the exec.
	WRAPPER="strace -qq -f -o $BATS_TEST_TMPDIR/trace -e trace=rt_sigprocmask -e inject=rt_sigprocmask:delay_enter=100000"
	start
	attack
	victims 5
	serves_on 3
	until_true 20 all_have_ended victim 5
	stop_attack
	grep -q '^early' "$BATS_TEST_TMPDIR/report" || fail "no worker was met in time: the test proves nothing"
	stop
}
