#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# git daemon as in etc/begat.d/git.conf, with git as its client.

load lib

setup() {
	need git
	[ -d /usr/lib/git-core ] || skip "git's parts are elsewhere here"
	set_stage
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com
	export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
	repository "$STAGE/srv/git/open.git" 200
	touch "$STAGE/srv/git/open.git/git-daemon-export-ok"
}

# repository PATH COMMITS: with as many commits, each of a file, packed.
repository() {
	local work=$BATS_TEST_TMPDIR/work commit
	git init -q -b main "$work"
	for commit in $(seq "$2"); do
		printf 'commit refs/heads/main\ncommitter a <a@example.com> %d +0000\ndata 2\nm\n' "$commit"
		printf 'M 644 inline file%d\ndata 5\n%05d\n' "$commit" "$commit"
	done | git -C "$work" fast-import --quiet
	git clone -q --bare "$work" "$1"
	rm -rf "$work"
}

@test "git: ls-remote, clone, a shallow clone and a fetch" {
	start_examples git
	run_for 20 git ls-remote git://127.0.0.1/open.git | grep -q 'refs/heads/main$'
	run_for 20 git clone -q git://127.0.0.1/open.git "$BATS_TEST_TMPDIR/clone"
	[ "$(find "$BATS_TEST_TMPDIR/clone" -name 'file*' | wc -l)" = 200 ]
	run_for 20 git clone -q --depth 3 git://127.0.0.1/open.git "$BATS_TEST_TMPDIR/shallow"
	[ "$(git -C "$BATS_TEST_TMPDIR/shallow" rev-list --count HEAD)" = 3 ]
	run_for 20 git -C "$BATS_TEST_TMPDIR/shallow" fetch -q --unshallow
	[ "$(git -C "$BATS_TEST_TMPDIR/shallow" rev-list --count HEAD)" = 200 ]
	stop_examples
}

@test "git: what is not for everyone, a push, and the way out of the tree are refused" {
	repository "$STAGE/srv/git/closed.git" 1
	repository "$STAGE/home/open.git" 1
	touch "$STAGE/home/open.git/git-daemon-export-ok"
	ln -s /home/open.git "$STAGE/srv/git/link.git"
	start_examples git
	for name in closed.git link.git ../../home/open.git; do
		refute run_for 20 git ls-remote "git://127.0.0.1/$name"
	done
	git clone -q "$STAGE/srv/git/open.git" "$BATS_TEST_TMPDIR/clone"
	refute run_for 20 git -C "$BATS_TEST_TMPDIR/clone" push -q git://127.0.0.1/open.git main:more
	stop_examples
}

@test "git: it is the cage that keeps a link from leading out" {
	cp -R "$STAGE/srv/git/open.git" "$STAGE/srv/git/link.git"
	mv "$STAGE/srv/git/link.git/objects" "$STAGE/srv/elsewhere"
	ln -s /srv/elsewhere "$STAGE/srv/git/link.git/objects"
	start_examples git
	refute run_for 20 git clone -q git://127.0.0.1/link.git "$BATS_TEST_TMPDIR/clone"
	without read-only execute
	run_for 20 git clone -q git://127.0.0.1/link.git "$BATS_TEST_TMPDIR/clone"
	stop_examples
}

@test "git: the worker is nobody, without capabilities and without a network" {
	start_examples git
	hold 9418
	is_caged nobody
	is_offline
	[ "$(awk '/Max core file size/ { print $5, $6 }' "/proc/$WORKER/limits")" = "0 0" ]
}
