#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The pid file (fault F89): its lock decides and not what it says, and nothing but a plain file of our own
# is ever written to, since whoever can write a root daemon's pid file chooses whom root kills.

load lib

daytime='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'

setup() {
	PIDFILE=$BATS_TEST_TMPDIR/pid
	configure "$daytime"
}

# refused STATUS [ARGUMENT...]: does not start, within a second.
refused() {
	local expected=$1
	shift
	run run_for 5 "$BEGATD" -n -f "$CONF" "$@" 3>&-
	echo "$output"
	[ "$status" = "$expected" ]
}

is_locked() { ! flock -n "$PIDFILE" true; }

@test "it holds the pid and a newline, is 0644, locked, and gone at the end" {
	umask 0
	start
	[ "$(cat "$PIDFILE")" = "$MASTER" ]
	[ "$(od -An -c "$PIDFILE" | tr -d ' ' | tail -c 3)" = '\n' ]
	[ "$(stat -c %a "$PIDFILE")" = 644 ]
	is_locked
	stop
	[ ! -e "$PIDFILE" ]
}

@test "detached, it holds the daemon's pid and not that of a process on the way there" {
	"$BEGATD" -f "$CONF" 3>&-
	MASTER=$(cat "$PIDFILE")
	[ "$(cat "/proc/$MASTER/comm")" = begat-master ]
	stop
}

@test "F89: stale: the pid of a living stranger does not keep us from starting" {
	echo $$ >"$PIDFILE"
	start
	[ "$(cat "$PIDFILE")" = "$MASTER" ]
	stop
}

@test "F89: garbage and an empty file are overwritten, whole" {
	for content in "" "rubbish that is longer than any pid could ever be" $'\0\0\0' 999999999999; do
		printf '%s' "$content" >"$PIDFILE"
		start
		[ "$(cat "$PIDFILE")" = "$MASTER" ]
		stop
	done
}

@test "F89: garbage in a locked file is not taken for a pid" {
	echo rubbish >"$PIDFILE"
	flock "$PIDFILE" sleep 30 3>&- &
	HELPERS=$!
	until_true 5 is_locked
	refused 1
	[[ $output == *"already running" ]]
	HELPERS="$HELPERS $(pgrep -P $!)"
}

@test "F89: a symbolic link is not followed" {
	echo precious >"$BATS_TEST_TMPDIR/target"
	ln -s target "$PIDFILE"
	refused 1
	[ "$(cat "$BATS_TEST_TMPDIR/target")" = precious ]
	[ -L "$PIDFILE" ]
}

@test "F89: another name of a file is refused" {
	echo precious >"$BATS_TEST_TMPDIR/target"
	ln "$BATS_TEST_TMPDIR/target" "$PIDFILE"
	refused 1
	[[ $output == *"$PIDFILE"* ]]
	[ "$(cat "$BATS_TEST_TMPDIR/target")" = precious ]
}

@test "F89: a directory, a FIFO and a device are refused at once and left alone" {
	mkdir "$PIDFILE"
	refused 1
	rmdir "$PIDFILE"
	mkfifo "$PIDFILE"
	refused 1
	[ -p "$PIDFILE" ]
	is_root || return 0
	refused 1 -p /dev/null
	[ -c /dev/null ]
}

@test "F89: a directory that is not there is said" {
	refused 1 -p "$BATS_TEST_TMPDIR/none/pid"
	[[ $output == *"$BATS_TEST_TMPDIR/none"*"No such file"* ]]
}

@test "F89: a file that cannot be written: status 4 for an ordinary user" {
	! is_root || skip "root can write everything"
	touch "$PIDFILE"
	chmod 444 "$PIDFILE"
	refused 4
	[[ $output == *"$PIDFILE: Permission denied"* ]]
}

@test "F89: a full disk: no daemon without its pid file" {
	need_root
	mkdir "$BATS_TEST_TMPDIR/small"
	run unshare -m sh -c 'mount -t tmpfs -o size=4k none "$1/small" && cat /dev/zero >"$1/small/fill" 2>/dev/null
		timeout 5 "$2" -n -f "$3" -p "$1/small/pid"' sh "$BATS_TEST_TMPDIR" "$BEGATD" "$CONF" 3>&-
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"No space left"* ]]
}

@test "F89: somebody else's file is refused, even to root" {
	need_root
	echo 1 >"$PIDFILE"
	chown nobody "$PIDFILE"
	refused 1
	[[ $output == *"belongs to user"* ]]
	[ "$(cat "$PIDFILE")" = 1 ]
}

@test "F89: root's pid file is not made where another user owns the directory" {
	need_root
	mkdir "$BATS_TEST_TMPDIR/theirs"
	chown nobody "$BATS_TEST_TMPDIR/theirs"
	refused 1 -p "$BATS_TEST_TMPDIR/theirs/pid"
	[[ $output == *"$BATS_TEST_TMPDIR/theirs"*"belongs to user"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/theirs/pid" ]
}

@test "F89: a directory that everybody can write is refused, unless it is sticky" {
	mkdir "$BATS_TEST_TMPDIR/open"
	chmod 777 "$BATS_TEST_TMPDIR/open"
	refused 1 -p "$BATS_TEST_TMPDIR/open/pid"
	[ ! -e "$BATS_TEST_TMPDIR/open/pid" ]
	chmod 1777 "$BATS_TEST_TMPDIR/open"
	sed -i "s,^pidfile = .*,pidfile = \"$BATS_TEST_TMPDIR/open/pid\"," "$CONF"
	start
	[ "$(cat "$BATS_TEST_TMPDIR/open/pid")" = "$MASTER" ]
	stop
}

@test "exit leaves a file that has taken the place of ours" {
	start
	mv "$PIDFILE" "$PIDFILE.moved"
	echo precious >"$PIDFILE"
	kill "$MASTER"
	until_true 10 is_gone_or_zombie "$MASTER"
	[ "$(cat "$PIDFILE")" = precious ]
}

@test "a daemon that starts while another one ends does not lock the removed file" {
	need strace
	start
	# It has opened the file and is held up before the lock, until the other one is gone.
	ASAN_OPTIONS=detect_leaks=0 strace -qq -f -e trace=flock -e inject=flock:delay_enter=600000:when=1 \
		-o "$BATS_TEST_TMPDIR/trace" "$BEGATD" -n -f "$CONF" 2>"$BATS_TEST_TMPDIR/stderr" 3>&- &
	HELPERS=$!
	until_true 10 second_has_opened
	stop
	until_true 10 test -s "$PIDFILE"
	MASTER=$(cat "$PIDFILE")
	log_has "ready.* pid $MASTER"
	is_locked
	stop
}
second_has_opened() { test -n "$(find /proc/[0-9]*/fd -lname "$PIDFILE" 2>/dev/null | grep -v "/$MASTER/")"; }

@test "a killed daemon does not keep the next one from starting, whatever its workers do" {
	configure "$daytime
	service sleeper { listen = \"tcp:127.0.0.1:7014\" exec = { \"/bin/sleep\", \"5\" } stderr = \"null\" }"
	start
	run_for 10 nc -d 127.0.0.1 7014 3>&- &
	HELPERS=$!
	log_has 'begat sleeper'
	sleeper=$(pgrep -P "$MASTER")
	HELPERS="$HELPERS $sleeper"
	kill -KILL "$MASTER"
	wait "$MASTER" || :
	start
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "an ordinary user's is in XDG_RUNTIME_DIR/begat, which is made for them alone" {
	! is_root || skip "is about an ordinary user"
	sed -i /^pidfile/d "$CONF"
	mkdir "$BATS_TEST_TMPDIR/run"
	XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run start
	[ "$(cat "$BATS_TEST_TMPDIR/run/begat/begat.pid")" = "$MASTER" ]
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/run/begat")" = 700 ]
	stop
	unset XDG_RUNTIME_DIR
	start
	stop
}
