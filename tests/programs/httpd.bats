#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# busybox httpd as in etc/begat.d/httpd.conf, with curl or wget as its client.

load lib

setup() {
	[ -x /usr/bin/busybox ] && /usr/bin/busybox --list | grep -qx httpd ||
		skip "busybox, or its httpd, is not installed"
	command -v curl >/dev/null || command -v wget >/dev/null || skip "curl or wget is not installed"
	set_stage
	mkdir -p "$STAGE/srv/www/cgi-bin"
	echo '<p>Hello</p>' >"$STAGE/srv/www/index.html"
	head -c 3000000 /dev/zero >"$STAGE/srv/www/large"
	echo secret >"$STAGE/srv/secret"
}

get() {
	if command -v curl >/dev/null; then
		run_for 20 curl -sf "http://127.0.0.1/$1"
	else
		run_for 20 wget -q -O - "http://127.0.0.1/$1"
	fi
}

@test "httpd: a page, its directory, something large, and nothing" {
	start_examples httpd
	[ "$(get index.html)" = '<p>Hello</p>' ]
	[ "$(get '')" = '<p>Hello</p>' ]
	[ "$(get large | wc -c)" = 3000000 ]
	refute get nothing
	stop_examples
}

@test "httpd: it is the cage that keeps a link from leading out" {
	ln -s /srv/secret "$STAGE/srv/www/link"
	ln -s index.html "$STAGE/srv/www/here"
	start_examples httpd
	[ "$(get here)" = '<p>Hello</p>' ]
	refute get link
	without read-only
	[ "$(get link)" = secret ]
	stop_examples
}

@test "httpd: a program is not run: it is killed where it would begin a process" {
	printf '#!/bin/sh\necho; echo ran\n' >"$STAGE/srv/www/cgi-bin/program"
	chmod 755 "$STAGE/srv/www/cgi-bin/program"
	start_examples httpd
	refute get cgi-bin/program
	log_has 'killed by seccomp'
	stop
}

@test "httpd: the worker is nobody, without capabilities and without a network" {
	start_examples httpd
	hold 80
	is_caged nobody
	is_offline
}
