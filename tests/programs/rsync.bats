#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# rsync --daemon as in etc/begat.d/rsync.conf, with rsync as its client.

load lib

setup() {
	need rsync
	set_stage
	file_of rsync >"$STAGE/etc/rsyncd.conf"
	mkdir -p "$STAGE/srv/rsync/deep/er"
	seq 100000 >"$STAGE/srv/rsync/numbers"
	seq 100 >"$STAGE/srv/rsync/deep/er/few"
	echo secret >"$STAGE/srv/secret"
	TAKEN=$BATS_TEST_TMPDIR/taken
}

fetch() { run_for 20 rsync "$@" >"$BATS_TEST_TMPDIR/out" 2>&1; }

@test "rsync: the modules, a tree, and what has changed since" {
	start_examples rsync
	fetch rsync://127.0.0.1/
	grep -q '^pub' "$BATS_TEST_TMPDIR/out"
	fetch -a rsync://127.0.0.1/pub/ "$TAKEN/"
	diff -r "$STAGE/srv/rsync" "$TAKEN"
	seq 2 100001 >"$STAGE/srv/rsync/numbers"
	fetch -az --checksum --delete rsync://127.0.0.1/pub/ "$TAKEN/"
	diff -r "$STAGE/srv/rsync" "$TAKEN"
	stop_examples
}

@test "rsync: nothing is taken, and no link leads out" {
	chmod 777 "$STAGE/srv/rsync"
	ln -s /srv/secret "$STAGE/srv/rsync/link"
	ln -s .. "$STAGE/srv/rsync/up"
	start_examples rsync
	refute fetch "$CONF" rsync://127.0.0.1/pub/
	[ ! -e "$STAGE/srv/rsync/begat.conf" ]
	refute fetch -L rsync://127.0.0.1/pub/link "$TAKEN"
	refute fetch -r rsync://127.0.0.1/pub/up/secret "$TAKEN"
	[ ! -e "$TAKEN" ] || refute grep -r secret "$TAKEN"
	stop_examples
}

@test "rsync: it is the cage that keeps what rsync itself would serve" {
	sed -i 's,^path = .*,path = /srv,' "$STAGE/etc/rsyncd.conf"
	start_examples rsync
	refute fetch rsync://127.0.0.1/pub/secret "$TAKEN"
	fetch rsync://127.0.0.1/pub/rsync/numbers "$TAKEN"
	cmp "$TAKEN" "$STAGE/srv/rsync/numbers"
	without read-only
	fetch rsync://127.0.0.1/pub/secret "$TAKEN"
	stop_examples
}

@test "rsync: the worker is nobody, without capabilities and without a network" {
	start_examples rsync
	hold 873
	is_caged nobody
	is_offline
}
