#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# in.tftpd as in etc/begat.d/tftp.conf, with tftp as its client: a program that is given the socket.

load lib

setup() {
	[ -x /usr/sbin/in.tftpd ] || skip "in.tftpd is not installed"
	need tftp
	tftp -V 2>/dev/null | grep -q hpa || skip "tftp is another one, which cannot be told what to do"
	set_stage
	touch "$STAGE"/etc/hosts.{allow,deny}
	mkdir "$STAGE/srv/tftp"
	seq 20000 >"$STAGE/srv/tftp/numbers"
	TAKEN=$BATS_TEST_TMPDIR/taken
}

# fetch NAME [FILE]: into $TAKEN.  The client's exit status says nothing, but what it prints does.
fetch() {
	run_for 30 tftp -m binary 127.0.0.1 -c get "$1" "${2:-$TAKEN}" >"${2:-$TAKEN}.said" 2>&1 || return
	[ ! -s "${2:-$TAKEN}.said" ]
}
has_ended() { (($(log_count 'reaped tftp') >= $1)); }

@test "tftp: a file, many at the same time, and one worker for all of them" {
	start_examples tftp
	fetch numbers
	cmp "$TAKEN" "$STAGE/srv/tftp/numbers"
	pids=
	for i in $(seq 20); do
		fetch numbers "$TAKEN.$i" &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	for i in $(seq 20); do cmp "$TAKEN.$i" "$STAGE/srv/tftp/numbers"; done
	[ "$(log_count 'begat tftp')" = 1 ]
	stop_examples
}

@test "tftp: what is not there, not for everyone, elsewhere, or to be written" {
	install -m 600 /dev/null "$STAGE/srv/tftp/closed"
	chmod 777 "$STAGE/srv/tftp"
	echo secret >"$STAGE/srv/secret"
	ln -s /srv/secret "$STAGE/srv/tftp/link"
	ln -s ../secret "$STAGE/srv/tftp/way-out"
	start_examples tftp
	for name in nothing closed link way-out ../secret /srv/secret; do
		refute fetch "$name"
		grep -Eq 'File not found|Access violation|Permission denied' "$TAKEN.said" ||
			fail "$name: $(cat "$TAKEN.said")"
	done
	run_for 20 tftp -m binary 127.0.0.1 -c put "$CONF" new | grep -q 'File not found'
	[ ! -e "$STAGE/srv/tftp/new" ]
	fetch numbers
	stop_examples
}

@test "tftp: it ends when nobody comes, and is there for the next one" {
	CHANGE='s/"60"/"1"/' start_examples tftp
	fetch numbers
	until_true 20 has_ended 1 || fail "it stays: $(children)"
	fetch numbers
	cmp "$TAKEN" "$STAGE/srv/tftp/numbers"
	[ "$(log_count 'begat tftp')" = 2 ]
	until_true 20 has_ended 2 || fail "it stays: $(children)"
	[ "$(log_count 'reaped tftp.* result=ok')" = 2 ]
	stop_examples
}

# The socket stays with the one that has it: a second one would take datagrams that are not for it (F81).
@test "tftp: a transfer goes on over reloads, and there is one in.tftpd for the socket" {
	begin_large
	for i in 1 2 3; do
		kill -HUP "$MASTER"
		until_true 10 has_reloaded "$i" || fail "no reload"
	done
	is_under_way || fail "it was over before the reloads"
	fetch numbers
	cmp "$TAKEN" "$STAGE/srv/tftp/numbers"
	wait "$TRANSFER"
	cmp "$TAKEN.large" "$STAGE/srv/tftp/large"
	[ "$(log_count 'begat tftp')" = 1 ]
	stop_examples
}

@test "tftp: a transfer goes on when the daemon stops" {
	begin_large
	stop_examples
	wait "$TRANSFER"
	cmp "$TAKEN.large" "$STAGE/srv/tftp/large"
}

# begin_large: a transfer that takes its time.
begin_large() {
	head -c 12000000 /dev/urandom >"$STAGE/srv/tftp/large"
	start_examples tftp
	fetch large "$TAKEN.large" 3>&- &
	TRANSFER=$!
	HELPERS=$TRANSFER
	until_true 5 is_under_way || fail "nothing comes"
}
is_under_way() {
	local size
	size=$(stat -c %s "$TAKEN.large" 2>/dev/null) && ((size > 0 && size < 11000000))
}
has_reloaded() { [ "$(log_count 'reload: kept')" = "$1" ]; }

@test "tftp: it is the cage that keeps a link from leading out" {
	echo secret >"$STAGE/srv/secret"
	ln -s /srv/secret "$STAGE/srv/tftp/link"
	CHANGE='s/"--secure", //; s/"60"/"1"/' start_examples tftp
	fetch /srv/tftp/numbers
	refute fetch /srv/tftp/link
	until_true 20 has_ended 1
	without read-only
	fetch /srv/tftp/link
	grep -q secret "$TAKEN"
	stop_examples
}

@test "tftp: the worker is nobody, with two capabilities" {
	start_examples tftp
	fetch numbers
	has_program
	# setgid sys_chroot
	is_caged nobody 0000000000040040
	[ "$(awk '/Max core file size/ { print $5, $6 }' "/proc/$WORKER/limits")" = "0 0" ]
}
