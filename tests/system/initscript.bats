#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# etc/init.d/begatd: the actions and exit codes of the LSB.

load lib

setup() {
	need_root
	SCRIPT=$BATS_TEST_TMPDIR/begatd
	sed -e "s|^daemon=.*|daemon=$BEGATD|" -e "s|^master=.*|master=$BEGAT_MASTER|" \
		-e "s|^conf=.*|conf=$CONF|" -e "s|^pidfile=.*|pidfile=$BATS_TEST_TMPDIR/pid|" \
		"$BUILDDIR/etc/init.d/begatd" >"$SCRIPT"
	configure 'service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
}

# script STATUS ACTION: runs the action and expects that exit status.
script() {
	local status=0
	sh "$SCRIPT" "$2" 3>&- || status=$?
	[ "$status" = "$1" ] || fail "$2: exit status $status, not $1"
	MASTER=$(cat "$BATS_TEST_TMPDIR/pid" 2>/dev/null) || :
}

@test "start, status, reload, restart and stop, each twice where that is possible" {
	script 3 status
	script 7 reload
	script 0 start
	first=$MASTER
	[ "$(ask 7007 hello)" = hello ]
	script 0 start
	[ "$MASTER" = "$first" ]
	script 0 status
	script 0 reload
	log_has 'reload: kept 1, .* generation 2'
	[ "$MASTER" = "$first" ]
	script 0 restart
	[ "$MASTER" != "$first" ]
	is_gone_or_zombie "$first"
	[ "$(ask 7007 hello)" = hello ]
	last=$MASTER
	script 0 force-reload
	log_has 'reload: kept 1, .* generation 2'
	[ "$MASTER" = "$last" ]
	script 0 try-restart
	last=$MASTER
	script 0 stop
	is_gone_or_zombie "$last"
	script 0 stop
	script 3 status
	script 0 try-restart
	script 3 status
}

@test "wrong usage is 2, a missing program 5, a missing configuration 6" {
	script 2 nonsense
	script 2 ''
	mv "$CONF" "$CONF.away"
	script 6 start
	mv "$CONF.away" "$CONF"
	sed -i 's|^daemon=.*|daemon=/nonexistent/begatd|' "$SCRIPT"
	script 5 start
}

@test "a bad configuration is 6, and a restart with one leaves the daemon alone" {
	script 0 start
	first=$MASTER
	echo 'nonsense = 1' >>"$CONF"
	script 6 restart
	[ "$MASTER" = "$first" ]
	[ "$(ask 7007 hello)" = hello ]
	script 0 stop
	script 6 start
	script 3 status
}

@test "an ordinary user gets 4 and changes nothing, but may ask for the status" {
	chmod 755 "$BATS_TEST_TMPDIR"
	script 0 start
	for action in start stop restart reload; do
		run setpriv --reuid=65534 --regid=65534 --clear-groups sh -s "$action" <"$SCRIPT"
		[ "$status" = 4 ]
	done
	script 0 status
	script 0 stop
}

@test "the pid file of a dead daemon is status 1, and a stranger with its number is not killed" {
	sleep 300 3>&- &
	stranger=$!
	echo "$stranger" >"$BATS_TEST_TMPDIR/pid"
	script 1 status
	script 0 stop
	kill -0 "$stranger"
	script 7 reload
	kill -0 "$stranger"
	kill "$stranger"
	wait "$stranger" || :
	for content in '' garbage -1 999999999; do
		echo "$content" >"$BATS_TEST_TMPDIR/pid"
		script 1 status
	done
	script 0 start # the lock decides, not the content
	script 0 status
	script 0 stop
}
