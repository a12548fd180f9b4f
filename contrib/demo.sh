#!/bin/sh
# SPDX-License-Identifier: ISC
#
# From a fresh clone to a daemon that answers: installs what the build needs, builds, and starts
# begatd in the foreground with etc/demo.conf, on unprivileged ports of the loopback interface.
#
# usage: contrib/demo.sh [--check]
#
# With --check it talks to every service once, stops the daemon, and says whether all answered.
# Everything is built in build/demo; as root the programs go to /var/cache/begat-demo, because the
# workers run as nobody, who may not be able to look into the source tree.

set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build/demo
# shellcheck source=contrib/packages.sh
. "$top/contrib/packages.sh"

case ${1-} in
'' | --check) ;;
-h | --help) sed -n '4,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
*) die "unknown argument $1; see --help" ;;
esac

umask 022
make_directory "$build"
log=$build/packages.log
need build

prefix=$build/root
[ "$(id -u)" -ne 0 ] || prefix=/var/cache/begat-demo
configured_build "$build" --prefix="$prefix" --with-systemdsystemunitdir=no
log=$build/make.log
step "building" make -j2
log=$build/install.log
step "installing into $prefix" make install

begatd=$prefix/sbin/begatd
# The copies there belong to whoever runs this, whom begatd trusts, unlike the owner of a source tree.
conf=$prefix/share/doc/begat/examples/demo.conf
pidfile=$prefix/begat.pid

print_services() {
	cat <<-'EOF'

	  service    answers with                            to see it, type in another terminal
	  greeting   a line for you, and a fortune           nc localhost 2345
	  shell      a prompt; try help                      telnet localhost 2323
	  daytime    the time, readable (RFC 867)            nc localhost 2313
	  time       the time, four bytes (RFC 868)          nc localhost 2337 | od -An -tu4 --endian=big
	  echo       what you say (RFC 862)                  nc localhost 2307
	  discard    nothing, ever (RFC 863)                 nc localhost 2309
	  program    the environment of an exec'd program    nc localhost 2346
	  greeting   the same over a Unix socket             socat - ABSTRACT-CONNECT:begat-demo

	EOF
}

# talk PORT TEXT: what the service on that port says to it.
talk() {
	if command -v socat >/dev/null; then
		printf '%b' "$2" | socat -T10 -t10 - "TCP:127.0.0.1:$1"
	else
		printf '%b' "$2" | nc -N -w 10 127.0.0.1 "$1"
	fi
}

# expect SERVICE PORT TEXT PATTERN: whether the answer to TEXT has a line like PATTERN.
expect() {
	answer=$(talk "$2" "$3" | tr -d '\000')
	if printf '%s\n' "$answer" | grep -q -e "$4"; then
		say "$1 answers: $(printf '%s' "$answer" | head -n 1 | tr -d '\r')"
	else
		say "$1 on port $2 did not answer as it should, but: $answer"
		failed=$((failed + 1))
	fi
}

check_services() {
	failed=0
	rm -f "$build/ready"
	mkfifo "$build/ready"
	"$begatd" -n -f "$conf" -p "$pidfile" --ready-fd 3 3>"$build/ready" 2>"$build/begatd.log" &
	daemon=$!
	# The line comes when all listeners are open; end of file without it when the daemon gave up.
	if [ -z "$(timeout 20 head -n 1 "$build/ready" | tr '\n' x)" ]; then
		cat "$build/begatd.log" >&2
		kill "$daemon" 2>/dev/null || :
		die "begatd did not start (everything it said: $build/begatd.log)"
	fi
	expect greeting 2345 '' 'Hello there, 127\.0\.0\.1'
	expect shell 2323 'help\nquit\n' 'quit'
	expect daytime 2313 '' ':[0-5][0-9]:[0-5][0-9] 2'
	if [ "$(talk 2337 '' | wc -c)" -eq 4 ]; then
		say "time answers with four bytes"
	else
		say "time on port 2337 did not answer with four bytes"
		failed=$((failed + 1))
	fi
	expect echo 2307 'hello\n' 'hello'
	expect discard 2309 'hello\n' '^$'
	expect program 2346 '' '^TCPREMOTEIP=127\.0\.0\.1'
	kill -TERM "$daemon"
	wait "$daemon" || { say "begatd ended with status $?"; failed=$((failed + 1)); }
	[ "$failed" -eq 0 ] || die "$failed of 7 services failed (the daemon's log: $build/begatd.log)"
	say "all services answer"
}

if [ "${1-}" = --check ]; then
	check_services
	exit 0
fi
print_services
say "starting $begatd -n -f $conf (stop it with Control-C)"
exec "$begatd" -n -f "$conf" -p "$pidfile"
