#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Becoming a daemon: what the shell is told and when, who is in the way, and what a daemon leaves behind
# of the process that started it.  Its predecessors return 0 and then die, or live on and serve nothing.

load lib

daytime='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'

# detach [ARGUMENT...]: starts it as a shell does, within a second (F88 and P9); the status is in $status.
detach() {
	run run_for "$(seconds)" "$BEGATD" -f "$CONF" "$@" 3>&-
	echo "$output"
	MASTER=$(cat "$BATS_TEST_TMPDIR/pid" 2>/dev/null) || :
}
seconds() { if is_sanitized; then echo 5; else echo 1; fi; }

squat() {
	rm -f "$BATS_TEST_TMPDIR/squatter"
	"$BATS_TEST_DIRNAME/helpers/listen.py" "$@" >"$BATS_TEST_TMPDIR/squatter" 3>&- &
	SQUATTER=$!
	HELPERS="${HELPERS-} $SQUATTER"
	until_true 5 grep -sq ready "$BATS_TEST_TMPDIR/squatter"
}
leave() { kill "$SQUATTER" && wait "$SQUATTER" 2>/dev/null || :; }

# refused: does not start, with status 1 and within a second.
refused() {
	run run_for "$(seconds)" "$BEGATD" -n -f "$CONF" "$@" 3>&-
	echo "$output"
	[ "$status" = 1 ]
}

# field N: of the daemon's /proc/PID/stat, counted as in proc(5).
field() { sed 's/.*) //' "/proc/$MASTER/stat" | cut -d' ' -f$(($1 - 2)); }

@test "the shell gets 0 when the daemon answers, without a wait in between" {
	configure "$daytime"
	detach
	[ "$status" = 0 ]
	[ "$output" = "" ] || is_only_ready
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}
is_only_ready() { ! grep -v ready <<<"$output"; }

@test "detached: a session of its own without a terminal, cwd /, 0 to 2 are /dev/null" {
	configure "$daytime"
	need script
	# From a terminal, so that there is one to lose.
	cat >"$BATS_TEST_TMPDIR/shell" <<-END
		cd "$BATS_TEST_TMPDIR" && "$BEGATD" -f "$CONF"
		ps -o tty= -p "\$(cat pid)" >tty
		ps -o tty= -p \$\$ >ours
	END
	script -qec "sh '$BATS_TEST_TMPDIR/shell'" /dev/null </dev/null >/dev/null 3>&-
	MASTER=$(cat "$BATS_TEST_TMPDIR/pid")
	grep -q pts "$BATS_TEST_TMPDIR/ours" || fail "there was no terminal to lose"
	[ "$(tr -d ' ' <"$BATS_TEST_TMPDIR/tty")" = '?' ] || fail "it has a terminal"
	[ "$(field 6)" != "$MASTER" ] || fail "it leads its session, and could get a terminal"
	[ "$(field 6)" != "$(ps -o sid= -p $$ | tr -d ' ')" ]
	[ "$(field 4)" != $$ ]
	[ "$(readlink "/proc/$MASTER/cwd")" = / ]
	for fd in 0 1 2; do
		[ "$(readlink "/proc/$MASTER/fd/$fd")" = /dev/null ]
	done
	# Closing the terminal was a SIGHUP to what was left of its session.
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "detached: nothing keeps the pipe open that the shell reads" {
	configure "$daytime"
	# Would hang if the daemon had kept standard output.
	run run_for 5 sh -c '"$1" -f "$2" 2>&1 | cat' sh "$BEGATD" "$CONF" 3>&-
	[ "$status" = 0 ]
	MASTER=$(cat "$BATS_TEST_TMPDIR/pid")
	stop
}

@test "a busy port: the shell gets 1 within a second, with the address and who holds it" {
	squat 127.0.0.1 7013
	configure "$daytime"
	detach
	MASTER=
	[ "$status" = 1 ]
	[[ $output == *"tcp:127.0.0.1:7013"*"in use"*"squatter, pid $SQUATTER"* ]]
	refused
	[[ $output == *"tcp:127.0.0.1:7013"*"in use"*"squatter, pid $SQUATTER"* ]]
	leave
	start
	stop
}

@test "a busy port is told for wildcards and for IPv6, too" {
	squat ::1 7014
	configure 'service s { listen = "tcp:7014" handler = "daytime" }'
	refused
	[[ $output == *"tcp:7014"*"in use"*"pid $SQUATTER"* ]]
	leave
	squat 0.0.0.0 7014
	refused
	[[ $output == *"in use"*"pid $SQUATTER"* ]]
	leave
}

@test "who holds a port is not guessed: another address with the same port is somebody else" {
	squat 127.0.0.2 7015
	other=$SQUATTER
	squat 127.0.0.1 7015
	configure 'service s { listen = "tcp:127.0.0.1:7015" handler = "daytime" }'
	refused
	kill "$other"
	[[ $output == *"pid $SQUATTER"* ]]
	leave
	squat 127.0.0.1 7015
	other=$SQUATTER
	squat 127.0.0.2 7015
	refused
	kill "$other"
	leave
	[[ $output == *"pid $other"* ]]
}

@test "one busy port of many: nothing is left open and no file stays" {
	squat 127.0.0.1 7016
	configure "service s {
		listen = { \"tcp:127.0.0.1:7010\", \"unix:$BATS_TEST_TMPDIR/sock\", \"tcp:127.0.0.1:7016\" }
		handler = \"daytime\"
	}"
	refused
	leave
	[ ! -e "$BATS_TEST_TMPDIR/sock" ]
	[ ! -e "$BATS_TEST_TMPDIR/pid" ]
}

@test "F88: a second daemon exits with 1 within a second and names the first" {
	configure "$daytime"
	start
	refused
	[[ $output == *"already running, pid $MASTER"* ]]
	run run_for "$(seconds)" "$BEGATD" -f "$CONF" 3>&-
	[ "$status" = 1 ]
	[[ $output == *"already running, pid $MASTER"* ]]
	[ "$(cat "$BATS_TEST_TMPDIR/pid")" = "$MASTER" ]
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "F88: a second daemon without the pid file is told by the port" {
	configure "$daytime"
	start
	refused -p "$BATS_TEST_TMPDIR/pid2"
	[[ $output == *"7013"*"begat-master, pid $MASTER"* ]]
	stop
}

@test "a port is free again at once, even with connections that linger" {
	configure "$daytime"
	for _ in 1 2 3; do
		start
		# The server closes first, so its side lingers.
		[ "$(run_for 5 nc -d 127.0.0.1 7013 | wc -c)" = 26 ]
		stop
	done
}

@test "the way to the log is checked before the shell gets its 0" {
	configure "$daytime"
	sed -i "s,^log = .*,log = \"$BATS_TEST_TMPDIR/none/log\"," "$CONF"
	detach
	MASTER=
	[ "$status" != 0 ]
	[[ $output == *"$BATS_TEST_TMPDIR/none/log: No such file"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/pid" ] || fail "the pid file has stayed"
}
