#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Services that are elsewhere, as in etc/begat.d/redirect.conf: git, rsync, busybox, HAProxy and
# dnsmasq stand there, and their clients reach them by way of begat.

load lib

setup() {
	set_stage
	ip address add 192.0.2.7/32 dev lo 2>/dev/null || :
	ip address add 192.0.2.53/32 dev lo 2>/dev/null || :
	cat >>"$STAGE/etc/hosts" <<-END
		192.0.2.7 git.example.com www.example.com rsync.example.com
	END
	echo 'hosts: files' >"$STAGE/etc/nsswitch.conf"
	# The ports are those of a host of its own, of which there is none here.
	CHANGE='s/^\( *listen *= "tcp:\)\([0-9]*"\)/\1127.0.0.1:\2/'
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
}

# elsewhere PORT COMMAND...: begins what serves there.
elsewhere() {
	local port=$1
	shift
	"$@" >>"$BATS_TEST_TMPDIR/elsewhere" 2>&1 3>&- &
	HELPERS="${HELPERS-} $!"
	until_true 10 listens "$port" || fail "$1 does not listen: $(cat "$BATS_TEST_TMPDIR/elsewhere")"
}
listens() { [ -n "$(ss -tlnH "sport = :$1" src 192.0.2.0/24)" ]; }

# start_git: a repository of 200 files.
start_git() {
	local file work=$BATS_TEST_TMPDIR/work
	need git
	[ -x /usr/lib/git-core/git-daemon ] || skip "git's parts are elsewhere here"
	git init -q -b main "$work"
	for file in $(seq 200); do
		head -c 20000 /dev/urandom >"$work/file$file"
	done
	git -C "$work" add .
	git -C "$work" -c user.name=a -c user.email=a@example.com commit -q -m m
	git clone -q --bare "$work" "$BATS_TEST_TMPDIR/srv/there.git"
	elsewhere 9418 /usr/lib/git-core/git-daemon --reuseaddr --listen=192.0.2.7 --export-all --enable=receive-pack \
		--base-path="$BATS_TEST_TMPDIR/srv" "$BATS_TEST_TMPDIR/srv"
}

is_whole() {
	diff -r --exclude=.git "$BATS_TEST_TMPDIR/work" "$1" >"$1.difference" ||
		fail "$(head -n 3 "$1.difference")"
}

@test "redirect: git clones, and pushes" {
	start_git
	start_examples redirect
	run_for 30 git clone -q git://127.0.0.1/there.git "$BATS_TEST_TMPDIR/clone"
	is_whole "$BATS_TEST_TMPDIR/clone"
	run_for 30 git -C "$BATS_TEST_TMPDIR/clone" push -q origin main:more
	git -C "$BATS_TEST_TMPDIR/srv/there.git" rev-parse -q --verify more
	log_has 'reaped git-elsewhere.* result=ok'
	stop_examples
}

@test "redirect: ten clones at the same time" {
	start_git
	start_examples redirect
	pids=
	for i in $(seq 10); do
		run_for 60 git clone -q git://127.0.0.1/there.git "$BATS_TEST_TMPDIR/clone$i" 3>&- &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid"; done
	for i in $(seq 10); do
		is_whole "$BATS_TEST_TMPDIR/clone$i"
	done
	stop_examples
}

@test "redirect: the first target does not answer, or has no name; the second one does" {
	start_git
	# What is sent there is gone, and nothing says that nobody is there.
	ip route add 192.0.2.9/32 dev lo 2>/dev/null || :
	sed -i 's/^192.*/192.0.2.9 git.example.com/' "$STAGE/etc/hosts"
	start_examples redirect
	run_for 30 git ls-remote git://127.0.0.1/there.git | grep -q 'refs/heads/main$'
	sed -i '/^192/d' "$STAGE/etc/hosts"
	run_for 30 git ls-remote git://127.0.0.1/there.git | grep -q 'refs/heads/main$'
	stop_examples
}

@test "redirect: nobody answers" {
	need git
	start_examples redirect
	refute run_for 30 git ls-remote git://127.0.0.1/there.git
	log_has 'git-elsewhere.*192\.0\.2\.7:9418.*Connection refused'
	stop_examples
}

@test "redirect: rsync, in both directions" {
	need rsync
	mkdir "$BATS_TEST_TMPDIR/pub"
	seq 300000 >"$BATS_TEST_TMPDIR/pub/numbers"
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/pub/noise"
	printf 'use chroot = no\n[pub]\npath = %s\nread only = no\nuid = root\ngid = root\n' \
		"$BATS_TEST_TMPDIR/pub" >"$BATS_TEST_TMPDIR/rsyncd.conf"
	elsewhere 873 rsync --daemon --no-detach --address=192.0.2.7 \
		--config="$BATS_TEST_TMPDIR/rsyncd.conf"
	CHANGE="$CHANGE"'; s/:9418"/:873"/g' start_examples redirect
	run_for 30 rsync -a rsync://127.0.0.1/pub/ "$BATS_TEST_TMPDIR/taken/"
	diff -r "$BATS_TEST_TMPDIR/pub" "$BATS_TEST_TMPDIR/taken"
	seq 5 300005 >"$BATS_TEST_TMPDIR/taken/numbers"
	run_for 30 rsync -a "$BATS_TEST_TMPDIR/taken/" rsync://127.0.0.1/pub/
	diff -r "$BATS_TEST_TMPDIR/pub" "$BATS_TEST_TMPDIR/taken"
	stop_examples
}

@test "redirect: web pages, from one that believes the PROXY header" {
	need haproxy
	need curl
	cat >"$BATS_TEST_TMPDIR/haproxy.cfg" <<-END
		defaults
		    mode http
		    timeout client 20s
		    timeout server 20s
		    timeout connect 20s
		frontend www
		    bind 192.0.2.7:8080 accept-proxy
		    http-request return status 200 content-type text/plain lf-string "%ci to %fi:%fp\n"
	END
	elsewhere 8080 haproxy -db -f "$BATS_TEST_TMPDIR/haproxy.cfg"
	ip address add 127.0.0.8/32 dev lo 2>/dev/null || :
	start_examples redirect
	[ "$(curl -sS -m 10 --interface 127.0.0.8 http://127.0.0.1/)" = "127.0.0.8 to 127.0.0.1:80" ]
	CHANGE="$CHANGE; s/\"v2\"/\"v1\"/"
	configure "$(enable redirect)"
	kill -HUP "$MASTER"
	log_has 'reload: kept' 10
	[ "$(curl -sS -m 10 --interface 127.0.0.8 http://127.0.0.1/)" = "127.0.0.8 to 127.0.0.1:80" ]
	stop_examples
}

@test "redirect: web pages, a large one, and many small ones by one connection" {
	need busybox
	need curl
	mkdir "$BATS_TEST_TMPDIR/www"
	head -c 20000000 /dev/urandom >"$BATS_TEST_TMPDIR/www/large"
	echo small >"$BATS_TEST_TMPDIR/www/small"
	elsewhere 8080 busybox httpd -f -p 192.0.2.7:8080 -h "$BATS_TEST_TMPDIR/www"
	CHANGE="$CHANGE; /send-proxy/d" start_examples redirect
	curl -sS -m 30 -o "$BATS_TEST_TMPDIR/taken" http://127.0.0.1/large
	cmp "$BATS_TEST_TMPDIR/taken" "$BATS_TEST_TMPDIR/www/large"
	[ "$(curl -sS -m 30 'http://127.0.0.1/small?[1-50]' | grep -c '^small$')" = 50 ]
	log_has 'reaped www-elsewhere.* result=ok in=[0-9]+ out=2000[0-9]{4} '
	stop_examples
}

@test "redirect: a Unix socket, by nc -U and by a port" {
	[ -x /usr/games/fortune ] || skip "fortune is not installed"
	start_examples greeting redirect
	run_for 10 nc -N -U "$STAGE/run/begat-greeting.sock" </dev/null | grep -q '^Hello there, unix:uid=0'
	ask 2347 | grep -q '^Hello there, unix:uid='
	stop_examples
}

@test "redirect: names, by datagrams and by streams" {
	[ -x /usr/sbin/dnsmasq ] || skip "dnsmasq is not installed"
	elsewhere 53 /usr/sbin/dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
		--user=root --pid-file= --bind-interfaces \
		--listen-address=192.0.2.53 --address=/there.example/198.51.100.1 --log-facility=-
	start_examples redirect
	echo 'hosts: dns' >"$STAGE/etc/nsswitch.conf"
	echo 'nameserver 127.0.0.1' >"$STAGE/etc/resolv.conf"
	for _ in $(seq 20); do
		[ "$(on_stage getent ahostsv4 host.there.example | awk '{ print $1; exit }')" = 198.51.100.1 ]
	done
	refute on_stage getent ahostsv4 host.elsewhere.example
	echo 'options use-vc' >>"$STAGE/etc/resolv.conf"
	[ "$(on_stage getent ahostsv4 host.there.example | awk '{ print $1; exit }')" = 198.51.100.1 ]
	log_has 'reaped dns-streams.* result=ok'
	[ "$(log_count 'begat dns\[')" = 1 ]
	stop_examples
}
