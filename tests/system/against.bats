#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# begatd -t --against PIDFILE: what a reload would change, said before anything is.  Its predecessors can
# only be reloaded to find out.

load lib
load reload

daytime='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
cat='service cat { listen = { "tcp:127.0.0.1:7014", "tcp:127.0.0.1:7016" } exec = "/bin/cat" }'

# against STATUS [PIDFILE]: $OUT and $ERR are what it said.
against() {
	local status=0
	run_for 5 "$BEGATD" -t -f "$CONF" --against "${2-$BATS_TEST_TMPDIR/pid}" \
		>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
	OUT=$(cat "$BATS_TEST_TMPDIR/out") ERR=$(cat "$BATS_TEST_TMPDIR/err")
	[ "$status" = "$1" ] || fail "status $status, not $1: $OUT $ERR"
}

# says SERVICES LISTENERS: $OUT is the line of -t and what comes on standard input, nothing else.
says() {
	diff <(echo "$CONF: ok: $1 services, $2 listeners" && cat) <(echo "$OUT") || fail "$OUT"
	[ -z "$ERR" ] || fail "$ERR"
}

# hold COMMAND...: it has the lock of $FILE, and its pid is $HOLDER.
hold() {
	FILE=$BATS_TEST_TMPDIR/other
	: >"$FILE"
	(flock -x 9 && exec "$@") 3>&- 9<"$FILE" &
	HOLDER=$!
	HELPERS="${HELPERS-} $HOLDER"
	until_true 5 is_held
}
is_held() { ! flock -n "$FILE" true; }

@test "nothing to do: it says so, however the same thing is written, and the daemon does not notice" {
	configure "$daytime $cat"
	start
	# Another order, defaults that are written down, other words for the same value.
	configure "log-level = info stop-timeout = '0m30s' instances = 10000
		defaults { stderr = 'null' max-time = '3600s' }
		${cat%\}} stderr = log max-time = 0 }
		${daytime%\}} stderr = log backlog = 4096 first-byte-timeout = '60s' }"
	before=$(count_descriptors; stat -c '%i %Y %Z' "$BATS_TEST_TMPDIR/pid"; cat "$LOG")
	against 0
	says 2 3 <<-'END'
		= 2 services unchanged
		a reload would: keep 2, add 0, change 0, remove 0
	END
	[ "$(count_descriptors; stat -c '%i %Y %Z' "$BATS_TEST_TMPDIR/pid"; cat "$LOG")" = "$before" ]
	refute flock -n "$BATS_TEST_TMPDIR/pid" true
	is_daytime 7013
	stop
}

change() {
	configure "log-level = debug
		${cat%\}} instances = 40 }
		service finger { listen = 'tcp:127.0.0.1:7079' handler = fortune }
		service same { listen = 'tcp:127.0.0.1:7001' handler = discard }"
	start
	configure "log-level = debug stop-timeout = '1m'
		service rsync { listen = { 'tcp:127.0.0.1:7873', 'unix:$BATS_TEST_TMPDIR/s' } exec = '/bin/cat' }
		service same { listen = 'tcp:127.0.0.1:7001' handler = discard }
		service cat { listen = 'tcp:127.0.0.1:7014' handler = echo instances = 20 umask = 077 }"
}
changes() {
	cat <<-END
		~ stop-timeout = "1m", was at its default
		~ service "cat": listen = { "tcp:127.0.0.1:7014" }, was { "tcp:127.0.0.1:7014", "tcp:127.0.0.1:7016" }
		~ service "cat": handler = "echo", was exec = { "/bin/cat" }
		~ service "cat": instances = 20, was 40
		~ service "cat": umask = 0077, was at its default
		- service "finger" on tcp:127.0.0.1:7079
		+ service "rsync" on tcp:127.0.0.1:7873, unix:$BATS_TEST_TMPDIR/s
		= 1 service unchanged
	END
}

@test "services and keys that change, and how; nothing is done yet" {
	change
	before=$(sockets)
	against 0
	{ changes && echo 'a reload would: keep 1, add 1, change 1, remove 1'; } | says 3 4
	[ "$(sockets)" = "$before" ]
	[ ! -e "$BATS_TEST_TMPDIR/s" ]
	log_lacks 'reload'
	stop
}

@test "a reload does what was said, and its debug log has the same lines" {
	change
	against 0
	reload 'kept 1, added 1, changed 1, removed 1'
	while read -r line; do
		grep -qF -- "$line" "$LOG" || fail "not in the log: $line"
	done < <(changes)
	# What is in effect now is the new one.
	against 0
	says 3 4 <<-'END'
		= 3 services unchanged
		a reload would: keep 3, add 0, change 0, remove 0
	END
	stop
}

@test "after a reload that failed it is still the old configuration that counts" {
	configure "$daytime $cat"
	start
	configure "$daytime nonsense"
	fails_to_reload
	configure "$daytime"
	against 0
	says 1 1 <<-'END'
		- service "cat" on tcp:127.0.0.1:7014, tcp:127.0.0.1:7016
		= 1 service unchanged
		a reload would: keep 1, add 0, change 0, remove 1
	END
	stop
}

@test "a disabled service counts as not there" {
	configure "$daytime ${cat%\}} disable = true }
		service off { listen = 'tcp:127.0.0.1:7001' handler = echo disable = true }"
	start
	against 0
	says 3 1 <<-'END'
		= 1 service unchanged
		a reload would: keep 1, add 0, change 0, remove 0
	END
	configure "${daytime%\}} disable = true } $cat
		service off { listen = 'tcp:127.0.0.1:7002' handler = echo disable = true }"
	against 0
	says 3 2 <<-'END'
		+ service "cat" on tcp:127.0.0.1:7014, tcp:127.0.0.1:7016
		- service "daytime" on tcp:127.0.0.1:7013
		= 0 services unchanged
		a reload would: keep 0, add 1, change 0, remove 1
	END
	stop
}

@test "not running is status 7: no pid file, one that is left over, one that names somebody else" {
	configure "$daytime"
	for text in none "$$" 999999 '' garbage -1; do
		rm -f "$BATS_TEST_TMPDIR/pid"
		[ "$text" = none ] || echo "$text" >"$BATS_TEST_TMPDIR/pid"
		against 7
		[ "$ERR" = "begatd: $BATS_TEST_TMPDIR/pid: begatd is not running" ] || fail "$ERR"
		# It was asked for nothing but the lock.
		[ "$text" = none ] || [ "$(cat "$BATS_TEST_TMPDIR/pid")" = "$text" ]
	done
	rm -f "$BATS_TEST_TMPDIR/pid"
}

@test "a configuration with a mistake is status 6, as without it" {
	configure "$daytime"
	start
	configure 'service s { listen = "tcp:99999" handler = "daytime" }'
	against 6
	[[ $ERR == "$CONF:3: listen: "* ]]
	[ -z "$OUT" ]
	stop
}

@test "it belongs to -t" {
	configure "$daytime"
	run run_for 5 "$BEGATD" -n -f "$CONF" --against "$BATS_TEST_TMPDIR/pid" 3>&-
	[ "$status" = 2 ]
	[[ $output == *--against* ]]
}

@test "another user's daemon is status 4, and what to do" {
	need_root
	dir=$(mktemp -d /tmp/begat-user.XXXXXX)
	configure "$daytime"
	install -m 755 "$BEGATD" "$dir/begatd"
	install -m 644 "$CONF" "$dir/conf"
	chmod 755 "$dir"
	start -p "$dir/pid"
	run run_for 5 setpriv --reuid=12345 --regid=12345 --clear-groups \
		"$dir/begatd" -t -f "$dir/conf" --against "$dir/pid" 3>&-
	echo "$output"
	[ "$status" = 4 ]
	[[ $output == *"$dir/pid: process $MASTER is another user's; try again as root, or as that user"* ]]
	chmod 0 "$dir/pid"
	run run_for 5 setpriv --reuid=12345 --regid=12345 --clear-groups \
		"$dir/begatd" -t -f "$dir/conf" --against "$dir/pid" 3>&-
	[ "$status" = 4 ]
	[[ $output == *"$dir/pid: Permission denied"* ]]
	stop
	rm -rf "$dir"
}

@test "a daemon that does not show what it runs with, or is still starting, is status 1" {
	configure "$daytime"
	hold sleep 60
	against 1 "$FILE"
	[[ $ERR == "begatd: $FILE: begatd has not written its pid yet; try again" ]] || fail "$ERR"
	echo "$HOLDER" >"$FILE"
	against 1 "$FILE"
	[[ $ERR == "begatd: $FILE: process $HOLDER does not show what it runs with; "* ]] || fail "$ERR"
	echo 999999999 >"$FILE"
	against 1 "$FILE"
	[[ $ERR == "begatd: $FILE: process 999999999 cannot be seen; "* ]] || fail "$ERR"
	against 1 "$BATS_TEST_TMPDIR"
	[[ $ERR == "begatd: $BATS_TEST_TMPDIR: not a regular file"* ]] || fail "$ERR"
}
