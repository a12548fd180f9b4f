#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# F82, F84: what a reload runs: upgraded, replaced and deleted programs, and the same arguments as at the
# start wherever they led to.  (HAProxy's re-exec mangled "-L -xfoo", "--" and an argv[0] from PATH.)

load lib
load fault
load reload

setup() {
	own_programs
	configure "$services"
}

# reloads_twice: since the second one depends on what the first has passed on.
reloads_twice() {
	for generation in 2 3; do
		reload "kept 2, added 0, changed 0, removed 0, generation $generation"
		same_as_before
		goes_on
		is_daytime 7013
	done
}

@test "F82: upgraded programs are taken up by the same HUP, and nothing else changes" {
	begin
	upgrade begatd begat-master
	reload 'kept 2'
	is_upgraded
	log_has "begat $OTHER"
	same_as_before
	goes_on
	is_daytime 7013
	# And once more from the new to the new one, and back again.
	reload
	is_upgraded
	own_back
	reload
	refute is_upgraded
	same_as_before
	goes_on
	end
}

@test "F82: written in place instead of renamed, begatd is taken up, too" {
	begin
	upgrade begat-master
	"$BATS_TEST_DIRNAME/helpers/build.py" "$BEGATD" "$BATS_TEST_TMPDIR/build" \
		"$("$REAL_BEGATD" -V | cut -d' ' -f2)" "$OTHER"
	cat "$BATS_TEST_TMPDIR/build" >"$BEGATD"
	reload
	is_upgraded
	goes_on
	end
}

@test "one of two programs upgraded: refused, and with the other one it works" {
	begin
	upgrade begatd
	fails_to_reload 'reload: .*another build'
	same_as_before
	goes_on
	upgrade begat-master
	reload
	is_upgraded
	goes_on
	end
}

@test "F82: both programs are deleted: it reloads all the same, with the same ones" {
	begin
	rm -r "$BIN"
	reloads_twice
	configure "$services service new { listen = 'tcp:127.0.0.1:7001' handler = 'daytime' }"
	reload 'added 1'
	is_daytime 7001
	# Installed again, they are taken up.
	mkdir "$BIN"
	own_back
	upgrade begatd begat-master
	reload
	is_upgraded
	goes_on
	end
}

@test "F82: only begatd is deleted: the old one runs with the begat-master that is there" {
	begin
	rm "$BIN/begatd"
	reloads_twice
	end
}

@test "a folder renamed after the start, and a link that leads to a new version" {
	mkdir "$BIN/1"
	mv "$BIN/begatd" "$BIN/begat-master" "$BIN/1"
	ln -s 1 "$BIN/current"
	BEGATD=$BIN/current/begatd BEGAT_MASTER=$BIN/current/begat-master
	begin
	mv "$BIN/1" "$BIN/2"
	reload
	goes_on
	own_back
	upgrade begatd begat-master
	mkdir "$BIN/3"
	mv "$BIN/begatd" "$BIN/begat-master" "$BIN/3"
	ln -sfn 3 "$BIN/current"
	reload
	is_upgraded
	goes_on
	end
}

# How it was started.

@test "--, and options given twice" {
	begin -d -p "$BATS_TEST_TMPDIR/pid" --
	reloads_twice
	[ "$(cat "$BATS_TEST_TMPDIR/pid")" = "$MASTER" ]
	log_has 'begatd|reload' # at level debug still:
	lines=$(log_count .)
	kill -ALRM "$MASTER"
	log_has 'SIGALRM from pid'
	((lines < $(log_count .)))
	end
}

@test "values that begin with -, and are relative to where it was started" {
	mkdir "$BATS_TEST_TMPDIR/here"
	cd "$BATS_TEST_TMPDIR/here"
	mv "$CONF" ./-n.conf
	CONF=-n.conf
	sed -i /^pidfile/d ./-n.conf
	PIDFILE=$PWD/-t.pid
	begin -p -t.pid
	cd /
	reloads_twice
	[ "$(cat "$PIDFILE")" = "$MASTER" ]
	end
	[ ! -e "$PIDFILE" ]
}

@test "a relative path of begatd; and the folder that it is relative to is removed" {
	mkdir "$BATS_TEST_TMPDIR/gone"
	cd "$BATS_TEST_TMPDIR/gone"
	BEGATD=../bin/begatd begin
	cd /
	reloads_twice
	upgrade begatd begat-master
	reload
	is_upgraded
	# Then the path leads nowhere.
	rmdir "$BATS_TEST_TMPDIR/gone"
	reload
	same_as_before
	goes_on
	end
}

@test "found through PATH, also by a relative or empty folder in it" {
	cd "$BIN"
	for path in "$BIN:$PATH" ".:$PATH" ":$PATH" "/nowhere:../bin:$PATH"; do
		BEGATD=begatd WRAPPER="env PATH=$path" begin
		reloads_twice
		upgrade begatd begat-master
		reload
		is_upgraded
		goes_on
		end
		own_back
		rm "$LOG"
	done
}

@test "the includes of a relative configuration are found again" {
	mkdir "$BATS_TEST_TMPDIR/conf.d"
	cd "$BATS_TEST_TMPDIR"
	echo 'service new { listen = "tcp:127.0.0.1:7001" handler = "daytime" }' >conf.d/new.conf
	configure "$services include('conf.d/*.conf')"
	CONF=begat.conf begin
	cd /
	reload 'kept 3'
	rm "$BATS_TEST_TMPDIR/conf.d/new.conf"
	reload 'kept 2, added 0, changed 0, removed 1'
	goes_on
	end
}

@test "argv[0] is anything" {
	cat >"$BATS_TEST_TMPDIR/as" <<-'END'
		#!/bin/bash
		name=$1
		shift
		exec -a "$name" "$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/as"
	for name in -begatd begatd / /no/such/program ./x ""; do
		printf '%s\n' "exec '$BATS_TEST_TMPDIR/as' '$name' \"\$@\"" >"$BATS_TEST_TMPDIR/wrapper"
		WRAPPER="sh $BATS_TEST_TMPDIR/wrapper" begin
		reloads_twice
		end
		rm "$LOG"
	done
}

@test "the environment at the start is that of a reload, and nothing is added to it" {
	# BEGAT_MASTER is all that begatd itself looks at; pass-env is what a program sees of it.
	configure "$services service env { listen = 'tcp:127.0.0.1:7001' exec = '/usr/bin/env'
		pass-env = { 'BEGAT_MASTER', 'BEGAT_RELOAD', 'LISTEN_FDS', 'STRANGE' } }"
	STRANGE='a = b ' begin
	seen() { ask 7001 | grep -E '^(BEGAT_[MR]|LISTEN|STRANGE)'; }
	before=$(seen)
	[[ $before == *'STRANGE=a = b '* ]]
	reload
	reload
	[ "$(seen)" = "$before" ]
	environment() { tr '\0' '\n' <"/proc/$MASTER/environ"; }
	environment | refute grep BEGAT_RELOAD
	end
}

@test "--reload by hand is no reload, and no start either" {
	for value in 0 3 9 x ''; do
		run run_for 5 "$BEGATD" --reload="$value" -n -f "$CONF" 3>&-
		echo "$output"
		[ "$status" != 0 ] && [ "$status" -lt 124 ]
		[ ! -e "$BATS_TEST_TMPDIR/pid" ]
	done
	# Nor is it an option where the daemon does not put it.
	run run_for 5 "$BEGATD" -n --reload=9 -f "$CONF" 3>&-
	[ "$status" = 2 ]
}
