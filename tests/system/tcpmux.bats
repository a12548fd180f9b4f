#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# tcpmux (RFC 1078) over the wire: a client gets the service that it names, as that service is, or a "-".

# shellcheck disable=SC2016 # programs are in single quotes

load lib
load fault
load reload

# mux [KEYS]: the service at 7001.  marked NAME KEYS: one that is only to be had by it.
mux() { printf 'service mux { listen = "tcp:7001" handler = "tcpmux" %s }\n' "${1-}"; }
marked() { printf 'service %s { tcpmux = true %s }\n' "$1" "$2"; }
cat='exec = "/bin/cat"'
secret='service secret { listen = "tcp:127.0.0.1:7099" handler = "daytime" }'

# say BYTES: to 7001, as in printf; half-closes after it.
# shellcheck disable=SC2059 # that is what it is for
say() { printf -- "$1" | run_for 10 nc -N 127.0.0.1 7001; }
# says BYTES EXPECTED: both as in printf.
says() {
	local answer
	answer=$(say "$1" | od -An -c)
	# shellcheck disable=SC2059 # likewise
	[ "$answer" = "$(printf -- "$2" | od -An -c)" ] || fail "$1: $answer"
}
talk() { run_for 30 "$BATS_TEST_DIRNAME/helpers/talk.py" "${PLACE:-7001}" "$@"; }
UNAVAILABLE='-Service not available\r\n'
LATER='-Try again later\r\n'

# json SERVICE FILTER: a Python expression over the status, in which s is the service.
json() {
	run_for 10 "${BEGAT:-$(dirname "$BEGATD")/begat}" --control "$BATS_TEST_TMPDIR/pid.sock" status --json |
		python3 -c "import json, sys; s = [s for s in json.load(sys.stdin)['services'] if s['name'] == '$1'][0]; print(($2))"
}
refused() { json "$1" "s.get('refused', {}).get('$2', 0)"; }

# open FD [BYTES]: a client that has said so much, and whose worker is there.
open() {
	local count
	count=$(log_count 'begat mux\[')
	eval "exec $1<>/dev/tcp/127.0.0.1/7001"
	log_times $((count + 1)) 'begat mux\['
	# shellcheck disable=SC2059 # likewise
	[ -z "${2-}" ] || printf -- "$2" >&"$1"
}
# goes FD BYTES EXPECTED: the rest of it, and the first line of the answer without its end.
goes() {
	local answer=
	# shellcheck disable=SC2059 # likewise
	printf -- "$2" >&"$1"
	read -r -t 10 answer <&"$1" || :
	[ "${answer%$'\r'}" = "$3" ] || fail "\"$answer\" instead of \"$3\""
}
close_all() { exec 5>&- 6>&- 7>&-; }

# What is to be had.

@test "HELP lists the marked services, one a line, and closes; so does help" {
	configure "$(mux) $(marked one "$cat") $(marked Two-2 "$cat") $secret"
	start
	says 'HELP\r\n' 'one\r\nTwo-2\r\n'
	says 'help\n' 'one\r\nTwo-2\r\n'
	talk 'send:HELP\r\n' rest | cmp - <(printf 'one\r\nTwo-2\r\n')
	log_times 3 'reaped mux.*result=ok'
	log_lacks 'begat (one|Two-2)'
	stop
}

@test "a marked service, in upper and lower case, with CRLF or LF" {
	configure "$(mux) $(marked echo-It "$cat")"
	start
	for line in 'echo-It\r\n' 'ECHO-IT\r\n' 'echo-it\n'; do
		says "${line}hello" '+Go\r\nhello'
	done
	log_times 3 'begat echo-It\[[0-9]+\] peer=127\.0\.0\.1:[0-9]+$'
	log_times 3 'reaped echo-It.*result=ok'
	log_times 3 'reaped mux.*result=ok'
	stop
}

# xinetd's PR 9: what came with the name was lost.
@test "what is sent behind the name reaches the service untouched, however it is cut" {
	configure "$(mux) $(marked cat "$cat") $(marked echo 'handler = "echo"')"
	start
	for name in cat echo; do
		says "$name"'\r\n\r\n\0HELP\r\n\377\r' '+Go\r\n\r\n\0HELP\r\n\377\r'
		talk "bytes:$name"'\r\n\r\nx\x00' half rest | cmp - <(printf '+Go\r\n\r\nx\0')
		talk "send:$name"'\r' 'send:\nab' 'expect:ab' 'send:cd' half rest | cmp - <(printf '+Go\r\nabcd')
	done
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/much"
	{ printf 'cat\r\n' && cat "$BATS_TEST_TMPDIR/much"; } | run_for 20 nc -N 127.0.0.1 7001 |
		cmp - <(printf '+Go\r\n' && cat "$BATS_TEST_TMPDIR/much")
	stop
}

@test "every kind of service: with a banner, with crlf, handlers, programs in a cage, redirects" {
	configure "$(mux)
		$(marked banner "$cat"' banner = "hello"')
		$(marked lines 'exec = { "/bin/echo", "line" } crlf = true')
		$(marked day 'handler = "daytime"')
		$(marked shell 'handler = "shell" options = "prompt=? "')
		$(marked limited "$cat"' limits = "nofile=16"')
		$(marked away 'redirect = "tcp:127.0.0.1:7098"')
		service there { listen = \"tcp:127.0.0.1:7098\" handler = \"echo\" }"
	start
	says 'banner\r\nx' '+Go\r\nhello\r\nx'
	says 'lines\r\n' '+Go\r\nline\r\n'
	[ "$(say 'day\r\n' | wc -lc | tr -s ' ')" = ' 2 31' ]
	say 'shell\r\ntime\r\nquit\r\n' | grep -Eq '^[?] [0-9]{4}-'
	says 'limited\r\nx' '+Go\r\nx'
	says 'away\r\nx' '+Go\r\nx'
	stop
}

@test "a service that has a door of its own, too" {
	configure "$(mux) service both { listen = \"tcp:127.0.0.1:7002\" tcpmux = true handler = \"echo\" }"
	start
	says 'both\r\nx' '+Go\r\nx'
	[ "$(ask 7002 x)" = x ]
	log_times 2 'reaped both.*result=ok'
	log_times 1 'begat mux'
	stop
}

@test "over IPv6, over a Unix socket: who the client is, for the program and for the log" {
	configure "service mux { listen = { \"tcp:7001\", \"unix:$BATS_TEST_TMPDIR/s\" } handler = \"tcpmux\" }
		$(marked who 'exec = { "/bin/sh", "-c", "env | sort" }')"
	start
	talk 'send:who\r\n' rest >"$BATS_TEST_TMPDIR/env"
	grep -Fxq PROTO=TCP "$BATS_TEST_TMPDIR/env"
	grep -Fxq TCPREMOTEIP=127.0.0.1 "$BATS_TEST_TMPDIR/env"
	grep -Fxq TCPLOCALPORT=7001 "$BATS_TEST_TMPDIR/env"
	log_has "reaped who\[[0-9]+\] peer=127\.0\.0\.1:$(sed -n 's/^TCPREMOTEPORT=//p' "$BATS_TEST_TMPDIR/env") result=ok"
	PLACE=$BATS_TEST_TMPDIR/s talk 'send:who\r\n' rest >"$BATS_TEST_TMPDIR/env"
	head -n 1 "$BATS_TEST_TMPDIR/env" | cmp - <(printf '+Go\r\n')
	grep -Fxq "IPCLOCALPATH=$BATS_TEST_TMPDIR/s" "$BATS_TEST_TMPDIR/env"
	grep -Fxq "IPCREMOTEEUID=$(id -u)" "$BATS_TEST_TMPDIR/env"
	log_has "reaped who\[[0-9]+\] peer=unix:uid=$(id -u) result=ok"
	[ -e /proc/net/if_inet6 ] || skip 'there is no IPv6 here'
	printf 'who\n' | run_for 10 nc -N ::1 7001 | grep -Fxq TCPREMOTEIP=::1
	log_has 'reaped who\[[0-9]+\] peer=\[::1\]:[0-9]+ result=ok'
	stop
}

# What is not.

# CVE-2012-0862: xinetd's tcpmux led to every service that there was.
@test "a service that is not marked is not there" {
	configure "$(mux) $(marked one "$cat") $secret"
	start
	says 'secret\r\n' "$UNAVAILABLE"
	says 'mux\r\n' "$UNAVAILABLE"
	says 'tcpmux\r\n' "$UNAVAILABLE"
	says 'nobody\r\n' "$UNAVAILABLE"
	says 'on\r\n' "$UNAVAILABLE"
	says 'ones\r\n' "$UNAVAILABLE"
	log_times 6 'reaped mux.*result=ok'
	log_lacks 'begat (secret|one)'
	[ "$(refused secret access)" = 0 ]
	stop
}

@test "an empty name, NUL, control and eight-bit bytes, telnet: a - and the end" {
	configure "$(mux) $(marked one "$cat")"
	start
	for line in '\r\n' 'one\0\r\n' '\0\r\n' 'one\0two\r\n' 'one \r\n' 'o\rne\r\n' '\033[2Jone\r\n' 'on\351\r\n' \
		'\377\364\377\375\006one\r\n'; do
		says "$line" '-Not a service name\r\n'
	done
	log_lacks 'begat one'
	# Of what it was not a byte is in the log.
	[ "$(tr -d '\n -~' <"$LOG" | wc -c)" = 0 ]
	log_lacks '2J'
	stop
}

@test "a name without an end is none: it may be a part of another" {
	configure "$(mux) $(marked one "$cat")"
	start
	says 'one' '-Service name without an end\r\n'
	says 'one\r' '-Service name without an end\r\n'
	says '' '-Service name without an end\r\n'
	talk send:one reset
	log_times 4 'reaped mux.*result=ok'
	log_lacks 'begat one'
	stop
}

@test "F120: a mebibyte without a line end: told, closed, and no more memory for it" {
	configure "$(mux) $(marked one "$cat")"
	start
	[ "$(talk 'repeat:1048576:x' rest | head -c 25)" = $'-Service name too long\r' ]
	log_has 'reaped mux.* result=ok'
	if ! is_sanitized; then
		kib=$(sed -n 's/.*reaped mux.*maxrss=\([0-9]*\)k.*/\1/p' "$LOG")
		[ "$kib" -lt 4096 ] || fail "the worker has used $kib KiB"
	fi
	stop
}

@test "a name that drips has one time limit, whatever idle-timeout says; silence has first-byte-timeout" {
	configure "$(mux 'options = "name-timeout=1s" first-byte-timeout = "1s" idle-timeout = "1h"') $(marked one "$cat")"
	start
	seconds=$(client drip 7001 0.1)
	[ "${seconds%.*}" -lt 5 ] || fail "it took $seconds s"
	log_times 1 'reaped mux'
	[ "$(talk expect:slow rest)" = $'-Too slow\r' ]
	log_has 'reaped mux.*result=timed-out why="timed out: first-byte-timeout"'
	[ "$(talk send:on expect:slow rest)" = $'-Too slow\r' ]
	log_lacks 'begat one'
	stop
}

# With what is theirs.

# CVE-2013-4342: xinetd ran them as root, whatever they said.
@test "a service has its own user, groups and cage, and not those of tcpmux" {
	need_root
	configure "$(mux 'user = "daemon"')
		$(marked games 'user = "games" exec = { "/bin/sh", "-c", "id -u; id -g; id -G; ulimit -n" } limits = "nofile=77"')
		$(marked root 'user = "root" exec = { "/usr/bin/id", "-u" }')
		$(marked plain 'exec = { "/usr/bin/id", "-u" }')"
	start
	games=$(id -u games; id -g games; id -G games; echo 77)
	[ "$(say 'games\n' | tail -n +2)" = "$games" ]
	[ "$(say 'root\n' | tail -n +2)" = 0 ]
	[ "$(say 'plain\n' | tail -n +2)" = "$(id -u nobody)" ]
	open 5
	[ "$(ps -o user= -p "$(pgrep -P "$MASTER")")" = daemon ]
	close_all
	stop
}

@test "P7: a program has 0, 1 and 2, and no way to the master" {
	configure "$(mux) $(marked files 'exec = { "/bin/ls", "-l", "/proc/self/fd" }')"
	start
	open 5 # whose connection the master has a copy of
	say 'files\n' >"$BATS_TEST_TMPDIR/files"
	# 2 is the log's, 3 the directory that ls lists.
	[ "$(sed -n 's/.* \([0-9]*\) -> .*/\1/p' "$BATS_TEST_TMPDIR/files" | xargs)" = '0 1 2 3' ] || fail "$(cat "$BATS_TEST_TMPDIR/files")"
	close_all
	stop
}

# CVE-2013-4342 again: nor did their access lists hold.
@test "only-from of the service: the same answer as for one that is not there" {
	configure "$(mux) $(marked one "$cat"' only-from = "192.0.2.0/24"') $(marked two "$cat"' only-from = "127.0.0.1"')"
	start
	says 'one\r\n' "$UNAVAILABLE"
	log_has 'refused one peer=127\.0\.0\.1:[0-9]+ reason=access: not allowed'
	[ "$(refused one access)" = 1 ]
	[ "$(refused mux access)" = 0 ]
	says 'two\r\nx' '+Go\r\nx'
	log_lacks 'begat one'
	stop
}

@test "only-from of tcpmux holds as well, and access-times of the service" {
	day=$(date -d '3 days' +%a | tr '[:upper:]' '[:lower:]')
	configure "$(mux 'no-access = "127.0.0.2"') $(marked one "$cat"" access-times = \"$day 00:00-00:01\"") $(marked two "$cat")"
	start
	says 'one\r\n' "$UNAVAILABLE"
	[ "$(refused one time)" = 1 ]
	[ -z "$(printf 'two\r\n' | run_for 10 nc -N -s 127.0.0.2 127.0.0.1 7001)" ]
	log_has 'refused mux peer=127\.0\.0\.2'
	stop
}

@test "a ban by the service is the service's alone" {
	configure "$(mux) $(marked one "$cat"' only-from = "192.0.2.0/24" ban = "1m" ban-after = "2/1m"') $(marked two "$cat")"
	start
	for _ in 1 2 3 4; do
		says 'one\r\n' "$UNAVAILABLE"
	done
	log_has 'banned 127\.0\.0\.1 from one'
	says 'two\r\nx' '+Go\r\nx'
	stop
}

@test "instances, per-source and rates of the service: later" {
	configure "$(mux) $(marked full "$cat"' instances = 1') $(marked each "$cat"' per-source = 1')
		$(marked fast "$cat"' rate = "1/1h"') $(marked often "$cat"' rate-per-source = "1/1h"')"
	start
	open 5 'full\r\n'
	goes 5 'x\n' +Go
	says 'full\r\n' "$LATER"
	[ "$(refused full full)" = 1 ]
	open 6 'each\r\n'
	goes 6 'x\n' +Go
	says 'each\r\n' "$LATER"
	[ "$(refused each source-full)" = 1 ]
	for name in fast often; do
		says "$name"'\r\nx' '+Go\r\nx'
		says "$name"'\r\n' "$LATER"
	done
	[ "$(refused fast rate)" = 1 ]
	[ "$(refused often source-rate)" = 1 ]
	# Places are given back.
	close_all
	log_has 'reaped full'
	log_has 'reaped each'
	says 'full\r\nx' '+Go\r\nx'
	says 'each\r\nx' '+Go\r\nx'
	stop
}

@test "a service that is throttled: later, and again when that is over" {
	configure "$(mux) $(marked bad "user = \"$(id -un)\"
		exec = { \"/bin/sh\", \"-c\", \"[ -e $BATS_TEST_TMPDIR/good ] && echo good\" }")"
	start
	fails_until_throttled() {
		say 'bad\r\n' >/dev/null
		grep -q 'bad: throttled' "$LOG"
	}
	until_true 10 fails_until_throttled
	begat=$(log_count 'begat bad')
	says 'bad\r\n' "$LATER"
	[ "$(log_count 'begat bad')" = "$begat" ]
	log_has 'refused bad peer=127\.0\.0\.1:[0-9]+ reason=paused'
	log_lacks 'mux: throttled'
	touch "$BATS_TEST_TMPDIR/good"
	is_good() { [ "$(say 'bad\r\n' | tail -n 1)" = good ]; }
	until_true 10 is_good
	master_is_well
	stop
}

@test "what a service does is no fault of tcpmux" {
	configure "$(mux) $(marked gone 'exec = "/bin/false"') $(marked one "$cat")"
	start
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
		say 'gone\r\n' >/dev/null
	done
	log_has 'gone: throttled'
	log_lacks 'mux: throttled'
	says 'one\r\nx' '+Go\r\nx'
	stop
}

# Over time.

@test "P1: a reload while a client is in the middle of its name, and after a service has moved in the list" {
	configure "$(mux) $(marked one "$cat")"
	start
	open 5 'on'
	open 6
	open 7 'one\r\n'
	goes 7 'x\n' +Go
	configure "$(marked aaa "$cat") $(marked before "$cat") $(mux) $(marked one "$cat")"
	reload
	reload
	goes 5 'e\r\nhello\n' +Go
	goes 5 '' hello
	goes 6 'one\r\nworld\n' +Go
	goes 6 '' world
	goes 7 'y\n' x
	goes 7 '' y
	close_all
	log_times 3 'reaped one.*result=ok'
	log_times 3 'reaped mux.*result=ok'
	master_is_well
	stop
}

@test "a reload takes the mark away, or the service, or lets nobody in: the client is told so" {
	configure "$(mux) $(marked one "$cat") $(marked two "$cat") $(marked three "$cat")"
	start
	open 5 'one'
	open 6 'two'
	open 7 'three'
	configure "$(mux) service one { listen = \"tcp:127.0.0.1:7002\" $cat } $(marked three "$cat"' no-access = "127.0.0.0/8"')"
	reload
	for fd in 5 6 7; do
		goes $fd '\r\n' '-Service not available'
	done
	close_all
	log_lacks 'begat (one|two|three)'
	log_has 'refused three'
	stop
}

@test "P1: a reload removes tcpmux itself: who was in the middle of a name is served" {
	configure "$(mux) service one { listen = \"tcp:127.0.0.1:7002\" tcpmux = true $cat }"
	start
	open 5 'on'
	configure "service one { listen = \"tcp:127.0.0.1:7002\" tcpmux = true $cat }"
	reload
	goes 5 'e\r\nx\n' +Go
	goes 5 '' x
	close_all
	log_has 'reaped one.*result=ok'
	stop
}

@test "P10: who has not named a service when the daemon stops does not get one" {
	configure "$(mux) $(marked one "$cat")"
	start
	open 5 'on'
	kill -TERM "$MASTER"
	log_has 'SIGTERM: stopping'
	goes 5 'e\r\n' '-Try again later'
	close_all
	until_true 10 is_gone_or_zombie "$MASTER"
	log_lacks 'begat one'
}

@test "P3: no descriptor stays, whatever clients do" {
	configure "$(mux) $(marked one "$cat") $(marked no "$cat"' no-access = "127.0.0.1"')"
	start
	says 'one\r\nx' '+Go\r\nx'
	until_true 5 no_workers
	before=$(count_descriptors)
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		says 'one\r\nx' '+Go\r\nx'
		says 'no\r\n' "$UNAVAILABLE"
		says 'none\r\n' "$UNAVAILABLE"
		talk send:on reset
		talk 'send:one\r\n' reset
		talk 'send:one\r\n' expect:Go reset
		talk 'send:HELP\r\n' reset
	done
	until_true 10 no_workers
	until_true 5 has_descriptors "$before" || fail "$(count_descriptors) descriptors instead of $before"
	master_is_well
	stop
}
has_descriptors() { [ "$(count_descriptors)" = "$1" ]; }

@test "a worker of tcpmux that is killed: its client sees the end, and the next one is served" {
	configure "$(mux) $(marked one "$cat")"
	start
	open 5 'on'
	kill -KILL "$(pgrep -P "$MASTER")"
	refute read -r -t 5 <&5
	log_has 'reaped mux.*signal=KILL'
	says 'one\r\nx' '+Go\r\nx'
	close_all
	stop
}

@test "P4: more clients without a name than there are descriptors for wait, and nothing spins" {
	configure "$(mux 'instances = 500') $(marked one "$cat")"
	ulimit -Sn 400
	ulimit -Hn 400
	start
	background python3 "$CLIENT" hold 7001 300
	until_true 10 few_are_there
	few_wakeups 10 0.5
	kill "$BACKGROUND"
	wait "$BACKGROUND" 2>/dev/null || :
	until_true 20 no_workers
	says 'one\r\nx' '+Go\r\nx'
	master_is_well
	stop
}
few_are_there() { (($(log_count 'begat mux') >= 8)); }
