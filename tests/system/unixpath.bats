#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The rules for Unix paths (faults F40 to F45): a stale socket is replaced, a live one is an error, and
# what is not a socket, or not ours, is never touched.

load lib

setup() {
	SOCK=$BATS_TEST_TMPDIR/sock
}

unix_service() {
	configure "$(printf 'service s { listen = "unix:%s" handler = "daytime" %s }\n' "$SOCK" "${1-}")"
}

ask_unix() { run_for 5 socat -t 5 - "UNIX-CONNECT:${1:-$SOCK}" </dev/null; }
is_daytime() { grep -Eq ' 20[0-9]{2}$'; }
bind_stale() { "$BATS_TEST_DIRNAME/helpers/bind-unix.py" "$1"; }

# refused: begatd does not start; what it says is in $output.
refused() {
	run run_for 5 "$BEGATD" -n -f "$CONF" "$@" 3>&-
	echo "$output"
	[ "$status" = 1 ]
}

@test "F40: a stale socket is replaced, and the lock file does not stay" {
	unix_service
	bind_stale "$SOCK"
	before=$(stat -c %i "$SOCK")
	start
	ask_unix | is_daytime
	[ "$before" != "$(stat -c %i "$SOCK")" ] || [ "$(stat -c %a "$SOCK")" = 600 ]
	[ ! -e "$SOCK.lock" ]
	stop
	[ ! -e "$SOCK" ]
}

@test "F40: a lock file that a killed daemon has left does not matter" {
	unix_service
	bind_stale "$SOCK"
	touch "$SOCK.lock"
	start
	ask_unix | is_daytime
	[ ! -e "$SOCK.lock" ]
	stop
}

@test "F41: a live socket is an error that names its holder, and goes on to be served" {
	unix_service
	start
	rm "$BATS_TEST_TMPDIR/ready"
	refused -p "$BATS_TEST_TMPDIR/pid2"
	[[ $output == *"$SOCK"*"already in use"*"pid $MASTER"* ]]
	ask_unix | is_daytime
	[ ! -e "$SOCK.lock" ]
	stop
}

@test "F41: a live socket whose queue is full is live" {
	unix_service
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(0)
c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1])
print("ready", flush=True); time.sleep(60)' "$SOCK" >"$BATS_TEST_TMPDIR/holder" 3>&- &
	holder=$!
	until_true 5 grep -q ready "$BATS_TEST_TMPDIR/holder"
	refused
	kill $holder
	[[ $output == *"already in use"* ]]
	[ -S "$SOCK" ]
}

@test "F41: another kind of live socket is live as well" {
	need socat
	unix_service
	socat -u "UNIX-RECV:$SOCK" - >/dev/null 3>&- &
	holder=$!
	until_true 5 test -S "$SOCK"
	refused
	kill $holder
	[[ $output == *"already in use"* ]]
}

@test "F42: a file, a directory, a FIFO and symbolic links in the way are left alone" {
	unix_service
	echo precious >"$SOCK"
	refused
	[[ $output == *"not a socket"* ]]
	[ "$(cat "$SOCK")" = precious ]
	rm "$SOCK"

	mkdir "$SOCK"
	refused
	[ -d "$SOCK" ]
	rmdir "$SOCK"

	mkfifo "$SOCK"
	refused
	[ -p "$SOCK" ]
	rm "$SOCK"

	ln -s nowhere "$SOCK"
	refused
	[ "$(readlink "$SOCK")" = nowhere ]
	rm "$SOCK"

	bind_stale "$SOCK.target"
	ln -s "$SOCK.target" "$SOCK"
	refused
	[ -L "$SOCK" ]
	[ -S "$SOCK.target" ]
}

@test "F42: a lock file that is a symbolic link is not followed" {
	unix_service
	echo precious >"$SOCK.target"
	ln -s "$SOCK.target" "$SOCK.lock"
	refused
	[ "$(cat "$SOCK.target")" = precious ]
	[ ! -e "$SOCK" ]
}

@test "F43: a path of 107 bytes works, one more is refused by the check" {
	cd "$BATS_TEST_TMPDIR"
	long=$(mktemp -d /tmp/begat-long.XXXXXX)
	SOCK=$long/$(printf '%*s' $((106 - ${#long})) '' | tr ' ' x)
	[ ${#SOCK} = 107 ]
	unix_service
	start
	ask_unix | is_daytime
	stop
	[ ! -e "$SOCK" ]
	rmdir "$long"
	SOCK=${SOCK}x
	unix_service
	run "$BEGATD" -t -f "$CONF"
	[ "$status" = 6 ]
	[[ $output == "$CONF:3: "* ]]
}

@test "F44: between bind and its mode the socket is nobody's; owner first, then mode" {
	need_root
	need strace
	unix_service 'socket-user = "daemon" socket-group = "sys" socket-mode = "0666"'
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=chmod,fchmodat,listen \
		-e inject=chmod,fchmodat:delay_enter=300000 \
		"$BEGATD" -n -f "$CONF" 3>&- 2>"$BATS_TEST_TMPDIR/stderr" &
	tracer=$!
	until_true 10 test -S "$SOCK"
	[ "$(stat -c %a "$SOCK")" = 0 ]
	until_true 10 test -s "$BATS_TEST_TMPDIR/pid"
	until_true 10 grep -q listen "$BATS_TEST_TMPDIR/trace"
	[ "$(stat -c '%a %U %G' "$SOCK")" = "666 daemon sys" ]
	# The mode is there before anybody can connect.
	[ "$(grep -Ec . "$BATS_TEST_TMPDIR/trace")" -ge 2 ]
	head -1 "$BATS_TEST_TMPDIR/trace" | grep -q chmod
	kill "$(cat "$BATS_TEST_TMPDIR/pid")"
	wait $tracer
}

@test "socket-mode is exact whatever the umask is, and 0600 without it" {
	unix_service 'socket-mode = "0640"'
	umask 0
	start
	[ "$(stat -c %a "$SOCK")" = 640 ]
	stop
	unix_service
	umask 0
	start
	[ "$(stat -c %a "$SOCK")" = 600 ]
	stop
}

@test "F45: exit leaves a socket that has taken the place of ours" {
	unix_service
	start
	rm "$SOCK"
	bind_stale "$SOCK"
	theirs=$(stat -c %i "$SOCK")
	stop
	[ "$(stat -c %i "$SOCK")" = "$theirs" ]
}

@test "F45: exit leaves a file that has taken the place of ours, and ours elsewhere" {
	unix_service
	start
	mv "$SOCK" "$SOCK.moved"
	echo precious >"$SOCK"
	stop
	[ "$(cat "$SOCK")" = precious ]
	[ -S "$SOCK.moved" ]
}

@test "of several daemons that start at once on one stale path exactly one serves" {
	for round in 1 2 3; do
		bind_stale "$SOCK"
		pids=
		for i in 1 2 3 4; do
			printf 'log = "%s.%s"\npidfile = "%s.%s"\nservice s { listen = "unix:%s" handler = "daytime" }\n' \
				"$LOG" "$i" "$BATS_TEST_TMPDIR/pid" "$i" "$SOCK" >"$CONF.$i"
			"$BEGATD" -n -f "$CONF.$i" 2>>"$BATS_TEST_TMPDIR/stderr" 3>&- &
			pids="$pids $!"
		done
		until_true 10 three_of_four_are_gone "$pids"
		for pid in $pids; do
			is_gone_or_zombie "$pid" || MASTER=$pid
		done
		ask_unix | is_daytime
		[ ! -e "$SOCK.lock" ]
		stop
		[ ! -e "$SOCK" ] || fail "round $round: the socket is still there"
	done
}
three_of_four_are_gone() {
	local count=0 pid
	for pid in $1; do
		is_gone_or_zombie "$pid" && count=$((count + 1))
	done
	[ "$count" = 3 ]
}

@test "a daemon that has bound but does not listen yet is not taken for a stale one" {
	need strace
	unix_service
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=listen \
		-e inject=listen:delay_enter=400000 "$BEGATD" -n -f "$CONF" 3>&- 2>/dev/null &
	tracer=$!
	until_true 10 test -S "$SOCK"
	refused -p "$BATS_TEST_TMPDIR/pid2"
	until_true 10 log_says_ready
	ask_unix | is_daytime
	kill "$(cat "$BATS_TEST_TMPDIR/pid")"
	wait $tracer
}
log_says_ready() { grep -q ready "$LOG" 2>/dev/null; }

@test "an abstract name leaves no file, and is free when the daemon has ended" {
	need socat
	configure 'service s { listen = "unix:@begat test" handler = "daytime" }'
	start
	run_for 5 socat -t 5 - "ABSTRACT-CONNECT:begat test" </dev/null | is_daytime
	refused -p "$BATS_TEST_TMPDIR/pid2"
	[[ $output == *"unix:@begat test"*"already in use"* ]]
	stop
	start
	stop
}
