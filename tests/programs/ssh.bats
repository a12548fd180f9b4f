#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# sshd -i as in etc/begat.d/ssh.conf, with ssh as its client.

load lib

setup() {
	[ -x /usr/sbin/sshd ] || skip "sshd is not installed"
	need ssh
	set_stage
	mkdir -p "$STAGE/run/sshd" "$STAGE/home/caller/.ssh" "$STAGE/etc/ssh"
	ssh-keygen -q -t ed25519 -N '' -f "$STAGE/etc/ssh/ssh_host_ed25519_key"
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/key"
	cp "$BATS_TEST_TMPDIR/key.pub" "$STAGE/home/caller/.ssh/authorized_keys"
	chown -R $CALLER:$CALLER "$STAGE/home/caller/.ssh"
	chmod 700 "$STAGE/home/caller/.ssh" && chmod 600 "$STAGE/home/caller/.ssh/authorized_keys"
	echo "127.0.0.1 $(cat "$STAGE/etc/ssh/ssh_host_ed25519_key.pub")" >"$BATS_TEST_TMPDIR/known"
}

# login USER [ARGUMENT...]
login() {
	run_for 30 ssh -F /dev/null -i "$BATS_TEST_TMPDIR/key" -o BatchMode=yes -o IdentitiesOnly=yes \
		-o UserKnownHostsFile="$BATS_TEST_TMPDIR/known" -o GlobalKnownHostsFile=/dev/null \
		-o LogLevel=ERROR "${@:2}" "$1@127.0.0.1" "$COMMAND" </dev/null 3>&-
}

@test "ssh: a login with a key runs a command, and one with a terminal has it" {
	start_examples ssh
	COMMAND='id -un; echo mine >file; cat file; echo of all >/tmp/file; cat /tmp/file'
	[ "$(login caller)" = $'caller\nmine\nof all' ]
	[ ! -e /tmp/file ]
	COMMAND='tty; stty size >/dev/null && ps -o tty= -p $$'
	login caller -tt | tr -d '\r' >"$BATS_TEST_TMPDIR/out"
	grep -qx '/dev/pts/[0-9]*' "$BATS_TEST_TMPDIR/out" || fail "$(cat "$BATS_TEST_TMPDIR/out")"
	[ "$(grep -c pts/ "$BATS_TEST_TMPDIR/out")" = 2 ]
	stop_examples
}

@test "ssh: files go both ways" {
	need scp
	start_examples ssh
	seq 100000 >"$BATS_TEST_TMPDIR/sent"
	copy="run_for 30 scp -q -F /dev/null -i $BATS_TEST_TMPDIR/key -o BatchMode=yes
		-o UserKnownHostsFile=$BATS_TEST_TMPDIR/known"
	$copy "$BATS_TEST_TMPDIR/sent" caller@127.0.0.1:there 3>&-
	$copy caller@127.0.0.1:there "$BATS_TEST_TMPDIR/back" 3>&-
	cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/back"
	stop_examples
}

@test "ssh: not root, not without the key" {
	mkdir -p "$STAGE/root/.ssh"
	cp "$BATS_TEST_TMPDIR/key.pub" "$STAGE/root/.ssh/authorized_keys"
	start_examples ssh
	COMMAND=true
	login caller
	refute login root
	ssh-keygen -q -t ed25519 -N '' -f "$BATS_TEST_TMPDIR/other"
	mv "$BATS_TEST_TMPDIR/other" "$BATS_TEST_TMPDIR/key"
	refute login caller
	stop_examples
}

@test "ssh: a login keeps the cage: its own files, the machine's programs, and nothing else" {
	mkdir -m 777 "$STAGE/srv/open"
	cp /usr/bin/id "$STAGE/home/caller/program"
	start_examples ssh
	# shellcheck disable=SC2016 # is for the other side
	COMMAND='try() { what=$1; shift; "$@" >/dev/null 2>&1 && echo "$what"; }
		try own-file touch file
		try programs /usr/bin/id
		try own-program ./program
		try another-file touch /srv/open/file
		try another-tree ls /srv/open
		try network bash -c "exec 3<>/dev/tcp/127.0.0.1/22"
		try namespace unshare -U true
		grep -c "^Cap[PEA].*0000000000000000$" /proc/self/status
		grep "^NoNewPrivs" /proc/self/status | tr -d "\t"'
	[ "$(login caller | tr '\n' ' ')" = "own-file programs 3 NoNewPrivs:1 " ]
	without execute read-only read-write private-network private-tmp
	[ "$(login caller | tr '\n' ' ')" = \
		"own-file programs own-program another-file another-tree network 3 NoNewPrivs:1 " ]
	stop_examples
}

@test "ssh: sshd is root with six capabilities and no others, without a network" {
	start_examples ssh
	hold 22
	# chown fowner setgid setuid sys-chroot audit-write
	is_caged root 00000000200400c9
	is_offline
}
