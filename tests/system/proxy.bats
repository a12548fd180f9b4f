#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# F35: behind a proxy.  Who may be one is configured, who sends a header is never guessed, and whatever is
# decided or told after it is about the real client: with HAProxy in front, and with crafted headers.

# shellcheck disable=SC2016,SC2059 # programs are in single quotes; headers are formats of printf

load lib
load fault
load reload

# HAProxy is at 7107 and speaks to the service at 7007.  The proxy is 127.0.0.1, real clients are others.
BEGAT=${BEGAT:-$(dirname "$BEGATD")/begat}
# behind KEYS: the service, first in status.
behind() { printf 'service s { listen = "tcp:7007" proxy-protocol = "127.0.0.1" %s }\n' "$1"; }
daytime='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
environment='exec = { "/bin/sh", "-c", "read -r line; env | sort; echo line=$line" }'

# front BIND SERVER...: HAProxy, which must not make up for a client that we lose.
front() {
	PATH=$PATH:/usr/sbin:/usr/local/sbin
	need haproxy
	cat >"$BATS_TEST_TMPDIR/haproxy.cfg" <<-END
		defaults
		    mode tcp
		    retries 0
		    timeout connect 5s
		    timeout client 60s
		    timeout server 60s
		    timeout check 2s
		listen front
		    bind $1
		    server begat ${*:2}
	END
	haproxy -db -f "$BATS_TEST_TMPDIR/haproxy.cfg" >"$BATS_TEST_TMPDIR/haproxy.log" 2>&1 3>&- 5>&- &
	FRONT=$!
	HELPERS="${HELPERS-} $FRONT"
	until_true 10 is_listening || fail "$(cat "$BATS_TEST_TMPDIR/haproxy.log")"
}
is_listening() { ss -Hltn 'sport = :7107' | grep -q .; }
end_front() {
	kill "$FRONT"
	wait "$FRONT" 2>/dev/null || :
}

# from ADDRESS TEXT [TO]: a client of HAProxy, by its own address.
from() { printf '%s\n' "$2" | run_for 10 nc -N -s "$1" "${3:-127.0.0.1}" 7107; }

# talk STEP...: a proxy with whatever header it likes, see helpers/talk.py.
talk() { run_for 30 "$BATS_TEST_DIRNAME/helpers/talk.py" "${PLACE:-7007}" "$@"; }
# line ADDRESS: a header of version 1 for this client.
line() {
	case $1 in
	*:*) printf 'PROXY TCP6 %s 2001:db8::1 4711 80\\r\\n' "$1" ;;
	*) printf 'PROXY TCP4 %s 198.51.100.1 4711 80\\r\\n' "$1" ;;
	esac
}
# as ADDRESS [TEXT]: what the service says to this client.
as() { talk "send:$(line "$1")${2-}" half rest; }
SIGNATURE='\r\n\r\n\0\r\nQUIT\n'
INET='\xc0\0\2\7\xc6\x33\x64\1\x12\x67\0\x50' # 192.0.2.7:4711 to 198.51.100.1:80
V1="$(line 192.0.2.7)"
V2="$SIGNATURE"'\x21\x11\0\x0c'"$INET"
V2_CRC="$SIGNATURE"'\x21\x11\0\x13'"$INET"'\3\0\4\x24\x8d\x9b\x28'

# json FILTER: a Python expression over the status, in which s is the service.
json() {
	run_for 10 "$BEGAT" --control "$PIDFILE.sock" status --json |
		python3 -c "import json, sys; d = json.load(sys.stdin); s = d['services'][0]; print(($1))"
}
refused() { json "s.get('refused', {}).get('$1', 0)"; }
has_refused() { [ "$(refused "$1")" = "$2" ]; }
refused_times() { until_true 5 has_refused "$1" "$2" || fail "$(refused "$1") instead of $2 refused for $1"; }
is_idle() { [ "$(json 's["active"]')" = 0 ]; }
becomes_idle() { until_true 5 is_idle || fail "$(json d)"; }

# serve_one: a client that is let in; what the master has open then is $BEFORE, as it should be again.
serve_one() {
	as 192.0.2.7 >/dev/null
	becomes_idle
	sleep 0.1 # until status has hung up
	BEFORE=$(count_descriptors)
}
has_descriptors() { [ "$(count_descriptors)" = "$1" ]; }
nothing_left() {
	becomes_idle
	until_true 5 has_descriptors "$BEFORE" || fail "$(count_descriptors) descriptors instead of $BEFORE"
}

# open FD [BYTES]: a connection of the proxy's, with so much of a header.  Its worker's pid is in $WORKER.
open() {
	local count
	count=$(log_count 'begat s\[')
	eval "exec $1<>/dev/tcp/127.0.0.1/7007"
	log_times $((count + 1)) 'begat s\['
	WORKER=$(sed -n 's/.*begat s\[\([0-9]*\)\].*/\1/p' "$LOG" | tail -n 1)
	[ -z "${2-}" ] || printf "$2" >&"$1"
}
# goes FD BYTES EXPECTED: the rest of it, and the first line of the answer.
goes() {
	local answer=
	printf "$2" >&"$1"
	read -r -t 10 answer <&"$1" || :
	[ "$answer" = "$3" ] || fail "\"$answer\" instead of \"$3\""
}

# names FILE REAL LOCAL LINE: the variables, and the log, say who it is.
names() {
	local port
	port=$(sed -n 's/^TCPREMOTEPORT=//p' "$1")
	for expected in "TCPREMOTEIP=$2" "REMOTE_ADDR=$2" "REMOTE_HOST=$2" "REMOTE_PORT=$port" "TCPLOCALIP=$3" \
		"SERVER_NAME=$3" TCPLOCALPORT=7107 SERVER_PORT=7107 PROTO=TCP "line=$4"; do
		grep -Fxq "$expected" "$1" || fail "$expected: $(cat "$1")"
	done
	[[ $2 != *:* ]] || set -- "$1" "[$2]"
	set -- "$1" "${2//./\\.}"
	set -- "${2//[/\\[}:$port"
	log_has "client of s\[[0-9]+\] peer=$1 proxy="
	log_has "reaped s\[[0-9]+\] peer=$1 result=ok"
}

@test "HAProxy with send-proxy, send-proxy-v2 and crc32c: program and log are told the real client" {
	configure "$(behind "$environment")"
	start
	while read -r option; do
		# shellcheck disable=SC2086 # words of a configuration
		front 127.0.0.9:7107 127.0.0.1:7007 $option
		from 127.0.0.2 "$option" 127.0.0.9 >"$BATS_TEST_TMPDIR/env"
		names "$BATS_TEST_TMPDIR/env" 127.0.0.2 127.0.0.9 "$option"
		grep -Fxq PROXY_ADDR=127.0.0.1 "$BATS_TEST_TMPDIR/env"
		port=$(sed -n 's/^PROXY_PORT=//p' "$BATS_TEST_TMPDIR/env")
		log_has "client of s.*127\.0\.0\.2:[0-9]+ proxy=127\.0\.0\.1:$port"
		end_front
	done <<-END
		send-proxy
		send-proxy-v2
		send-proxy-v2 proxy-v2-options crc32c,unique-id
	END
	log_times 3 'reaped s.*result=ok'
	log_lacks 'reaped s\[[0-9]+\] peer=127\.0\.0\.1:|refused'
	stop
}

@test "HAProxy: a client of IPv6, though the proxy itself comes by IPv4" {
	configure "$(behind "$environment")"
	start
	for option in send-proxy send-proxy-v2; do
		front '[::1]:7107' 127.0.0.1:7007 $option
		from ::1 v6 ::1 >"$BATS_TEST_TMPDIR/env"
		names "$BATS_TEST_TMPDIR/env" ::1 ::1 v6
		grep -Fxq PROXY_ADDR=127.0.0.1 "$BATS_TEST_TMPDIR/env"
		end_front
	done
	stop
}

# elsewhere: a network namespace with the addresses 192.0.2.2 and 2001:db8::2; here it is 1.
elsewhere() {
	need_root
	need nsenter
	[ "$(ip -o link | wc -l)" = 1 ] || skip "this is not a network namespace of its own"
	unshare -n sleep 300 3>&- &
	ELSEWHERE=$!
	HELPERS="${HELPERS-} $ELSEWHERE"
	until_true 5 is_elsewhere
	ip link add here type veth peer name there netns "$ELSEWHERE" 2>/dev/null || skip "there is no veth here"
	address here 1
	nsenter -n -t "$ELSEWHERE" bash -c "$(declare -f address); address there 2"
}
is_elsewhere() { [ "$(readlink "/proc/$ELSEWHERE/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
address() {
	ip address add "192.0.2.$2/24" dev "$1"
	ip address add "2001:db8::$2/64" dev "$1" nodad
	ip link set "$1" up
}

@test "HAProxy: clients in another network, of IPv4 and of IPv6" {
	configure "$(behind "$environment only-from = { '192.0.2.0/24', '2001:db8::/32' }")"
	elsewhere
	start
	front :::7107 127.0.0.1:7007 send-proxy-v2
	for network in 192.0.2. 2001:db8::; do
		run_for 10 nsenter -n -t "$ELSEWHERE" nc -N "${network}1" 7107 <<<far >"$BATS_TEST_TMPDIR/env"
		names "$BATS_TEST_TMPDIR/env" "${network}2" "${network}1" far
	done
	[ -z "$(from 127.0.0.2 near)" ]
	log_has 'refused s peer=127\.0\.0\.2:[0-9]+ reason=access'
	ip link del here
	stop
}

@test "HAProxy over a Unix socket, which a uid may use: the variables, and who else comes" {
	place=$(mktemp -d /tmp/begat-proxy.XXXXXX)
	chmod 755 "$place"
	unix() {
		configure "service s { listen = 'unix:$place/s' socket-mode = 0666 proxy-protocol = '$1' $environment }"
	}
	unix "uid:$(id -u)"
	start
	front 127.0.0.9:7107 "unix@$place/s" send-proxy-v2
	from 127.0.0.2 unix 127.0.0.9 >"$BATS_TEST_TMPDIR/env"
	names "$BATS_TEST_TMPDIR/env" 127.0.0.2 127.0.0.9 unix
	grep -Fxq PROXY_ADDR=unix "$BATS_TEST_TMPDIR/env"
	refute grep PROXY_PORT "$BATS_TEST_TMPDIR/env"
	log_has "begat s.* peer=unix:uid=$(id -u)\$"
	log_has "client of s.* peer=127\.0\.0\.2:[0-9]+ proxy=unix:uid=$(id -u)\$"
	# The others, root too.
	unix uid:54321
	reload
	[ -z "$(from 127.0.0.2 unix 127.0.0.9)" ]
	log_has "refused s peer=unix:uid=$(id -u) reason=proxy"
	stop
	rmdir "$place"
}

@test "the process title, banner and banner-fail are about the real client" {
	configure "$(behind 'handler = "echo" banner = "hello %h %p" banner-fail = "no, %h %p"
		no-access = "192.0.2.66"')"
	start
	open 5 "$V1"
	read -r -t 10 answer <&5
	[ "$answer" = $'hello 192.0.2.7 4711\r' ]
	[ "$(ps -o args= -p "$WORKER")" = 'begat: s 192.0.2.7:4711' ]
	exec 5>&-
	[ "$(as 192.0.2.66)" = $'no, 192.0.2.66 4711\r' ]
	[ "$(as 2001:db8::7)" = $'hello 2001:db8::7 4711\r' ]
	front 127.0.0.1:7107 127.0.0.1:7007 send-proxy
	[[ $(from 127.0.0.3 "") == $'hello 127.0.0.3 '+([0-9])$'\r'* ]]
	stop
}

# checked COUNT: so many health checks of HAProxy have come.
checked() { (($(json 's["begat"]') >= $1)); }
check() {
	front 127.0.0.1:7107 127.0.0.1:7007 "$1" check inter 20ms
	until_true 20 checked "$2" || fail "$(cat "$BATS_TEST_TMPDIR/haproxy.log")"
}

@test "LOCAL, HAProxy's health checks: let in, for free, and whatever comes of them does not throttle" {
	# Whom a check reaches fails as soon as that resets.
	configure "$(behind 'exec = { "/bin/sh", "-c", "read -r line && echo yes $line || exit 1" }
		only-from = "127.0.0.2" per-source = 1 rate-per-source = "1/1h" ban = "1h" ban-after = "1/1h"')"
	start
	check send-proxy-v2 30
	[ "$(from 127.0.0.2 'it is')" = 'yes it is' ]
	end_front
	becomes_idle
	log_has 'reaped s\[[0-9]+\] peer=127\.0\.0\.1:[0-9]+ result=exited status=1'
	log_lacks 'throttled|refused|banned'
	log_times 1 'client of'
	[ "$(json 's.get("refused"), s.get("throttle"), d["sources"]["used"]')" = '(None, None, 1)' ]
	stop
}

@test "LOCAL: checks do not hide that a program fails for every client" {
	configure "$(behind 'exec = "/bin/false"')"
	start
	for i in 1 2 3 4 5; do
		log_lacks throttled
		talk "send:$SIGNATURE"'\x20\0\0\0' half rest
		as 192.0.2.7
		log_times "$i" 'reaped s.* peer=192\.0\.2\.7:4711 result=exited'
	done
	log_has 's: throttled for 1 s: 5 workers in a row'
	stop
}

@test "LOCAL: program and log are told the proxy" {
	configure "$(behind "$environment only-from = '192.0.2.7'")"
	start
	talk "send:$SIGNATURE"'\x20\x11\0\x0c'"${INET}hello" half rest >"$BATS_TEST_TMPDIR/env"
	grep -Fxq TCPREMOTEIP=127.0.0.1 "$BATS_TEST_TMPDIR/env"
	grep -Fxq TCPLOCALPORT=7007 "$BATS_TEST_TMPDIR/env"
	grep -Fxq line=hello "$BATS_TEST_TMPDIR/env"
	refute grep -E 'PROXY_|192\.0\.2|4711' "$BATS_TEST_TMPDIR/env"
	log_has 'reaped s\[[0-9]+\] peer=127\.0\.0\.1:[0-9]+ result=ok'
	stop
}

@test "UNKNOWN counts as the proxy, in both versions" {
	unknown() { configure "$(behind "$environment only-from = '$1'")"; }
	headers=('PROXY UNKNOWN\r\n' 'PROXY UNKNOWN 192.0.2.7 whatever\r\n' "$SIGNATURE"'\x21\0\0\0')
	unknown 127.0.0.1
	start
	for header in "${headers[@]}"; do
		talk "send:${header}hello" half rest >"$BATS_TEST_TMPDIR/env"
		grep -Fxq TCPREMOTEIP=127.0.0.1 "$BATS_TEST_TMPDIR/env"
		refute grep -E 'PROXY_|192\.0\.2' "$BATS_TEST_TMPDIR/env"
	done
	unknown 192.0.2.7
	reload
	for header in "${headers[@]}"; do
		[ -z "$(talk "send:${header}hello" half rest)" ]
	done
	refused_times access 3
	log_has 'refused s peer=127\.0\.0\.1:[0-9]+ reason=access'
	stop
}

@test "UNKNOWN over a Unix socket counts as the proxy's user" {
	configure "service s { listen = 'unix:$BATS_TEST_TMPDIR/s' proxy-protocol = 'uid:$(id -u)'
		only-from = 'uid:$(id -u)' $environment }"
	start
	PLACE=$BATS_TEST_TMPDIR/s talk 'send:PROXY UNKNOWN\r\nhello' half rest >"$BATS_TEST_TMPDIR/env"
	grep -Fxq line=hello "$BATS_TEST_TMPDIR/env"
	grep -Fxq "IPCREMOTEEUID=$(id -u)" "$BATS_TEST_TMPDIR/env"
	stop
}

@test "a port of 0 is a port" {
	configure "$(behind "$environment")"
	start
	for header in 'PROXY TCP4 192.0.2.7 198.51.100.1 0 0\r\n' \
		"$SIGNATURE"'\x21\x11\0\x0c\xc0\0\2\7\xc6\x33\x64\1\0\0\0\0'; do
		talk "send:$header" half rest >"$BATS_TEST_TMPDIR/env"
		grep -Fxq TCPREMOTEIP=192.0.2.7 "$BATS_TEST_TMPDIR/env"
		grep -Fxq TCPREMOTEPORT=0 "$BATS_TEST_TMPDIR/env"
		grep -Fxq TCPLOCALPORT=0 "$BATS_TEST_TMPDIR/env"
	done
	log_times 2 'reaped s.* peer=192\.0\.2\.7:0 '
	stop
}

@test "access lists are for the real client, and not for the proxy" {
	configure "$(behind 'handler = "daytime" only-from = { "127.0.0.0/8", "2001:db8::/32" }
		no-access = { "127.0.0.1", "127.0.0.3", "2001:db8:bad::/48" }')"
	start
	front 127.0.0.1:7107 127.0.0.1:7007 send-proxy-v2
	[ -n "$(from 127.0.0.2)" ]
	[ -z "$(from 127.0.0.3)" ]
	[ -z "$(from 127.0.0.1)" ]
	[ -n "$(as 2001:db8::7)" ]
	[ -z "$(as 2001:db8:bad::7)" ]
	[ -z "$(as 192.0.2.7)" ]
	[ -n "$(as ::ffff:127.0.0.2)" ]
	[ -z "$(as ::ffff:127.0.0.3)" ]
	refused_times access 5
	log_has 'refused s peer=127\.0\.0\.3:[0-9]+ reason=access: not allowed'
	log_times 5 'reaped s.* result=refused'
	log_times 3 'reaped s.* result=ok'
	stop
}

@test "per-source: two clients behind one proxy have each their own" {
	configure "$(behind 'handler = "echo" per-source = 2')"
	start
	front 127.0.0.1:7107 127.0.0.1:7007 send-proxy-v2
	for fd in 5 6; do
		open $fd "$V1"
		goes $fd 'hello\n' hello
	done
	[ -z "$(as 192.0.2.7 again)" ]
	refused_times source-full 1
	log_has 'refused s peer=192\.0\.2\.7:4711 reason=source-full'
	[ "$(from 127.0.0.2 other)" = other ]
	[ "$(as 192.0.2.8 other)" = other ]
	[ "$(as ::ffff:192.0.2.8 other)" = other ]
	exec 5>&- 6>&-
	becomes_idle
	[ "$(as 192.0.2.7 again)" = again ]
	stop
}

@test "rate-per-source: two clients behind one proxy have each their own; IPv6 by network" {
	configure "$(behind 'handler = "daytime" rate-per-source = "2/1h"')"
	start
	front 127.0.0.1:7107 127.0.0.1:7007 send-proxy-v2
	for client in 127.0.0.2 127.0.0.3; do
		[ -n "$(from $client)" ] && [ -n "$(from $client)" ]
		[ -z "$(from $client)" ]
	done
	[ -n "$(as 2001:db8::1)" ] && [ -n "$(as 2001:db8::2)" ]
	[ -z "$(as 2001:db8::3)" ]
	[ -n "$(as 2001:db8:0:1::1)" ]
	refused_times source-rate 3
	log_has 'refused s peer=127\.0\.0\.2:[0-9]+ reason=source-rate'
	[ "$(json 'd["sources"]["used"]')" = 4 ] # the proxy is none of them
	stop
}

@test "a ban is on the real client alone; it shows, and can be lifted" {
	configure "$(behind 'handler = "daytime" rate-per-source = "1/1h" ban = "1h" ban-after = "2/1h"
		banner-fail = "no %h"')"
	start
	front 127.0.0.1:7107 127.0.0.1:7007 send-proxy
	[ -n "$(from 127.0.0.2)" ]
	for _ in 1 2 3; do
		[ "$(from 127.0.0.2)" = $'no 127.0.0.2\r' ]
	done
	log_has 'banned 127\.0\.0\.2 from s for 1h: 2 refusals in 1h'
	refused_times banned 1
	[ "$(json '[x["source"] for x in d["bans"]]')" = "['127.0.0.2']" ]
	[[ $(from 127.0.0.3) != no* ]]
	run_for 10 "$BEGAT" --control "$PIDFILE.sock" unban 127.0.0.2
	[ -n "$(from 127.0.0.2)" ]
	refused_times banned 1
	stop
}

@test "whoever is refused gives back instance and rate, and every counter says what was" {
	configure "$(behind 'handler = "daytime" instances = 1 rate = "3/1h" when-full = "refuse"
		only-from = "192.0.2.0/24"')"
	start
	for _ in 1 2 3 4 5 6; do
		[ -z "$(as 198.51.100.7)" ]
		becomes_idle
		[ -z "$(talk 'send:garbage garbage' half rest)" ]
		becomes_idle
	done
	for _ in 1 2 3; do
		[ -n "$(as 192.0.2.7)" ]
		becomes_idle
	done
	[ -z "$(as 192.0.2.7)" ]
	json 's["begat"], s["ended"], s["refused"]' | tee /dev/stderr |
		grep -Fx "(15, {'ok': 3, 'refused': 12}, {'header': 6, 'access': 6, 'rate': 1})"
	stop
}

@test "... and lets in who waits for them" {
	configure "$(behind 'handler = "echo" instances = 1 rate = "1/1h" only-from = "192.0.2.0/24"')"
	start
	open 5
	as 192.0.2.7 waits >"$BATS_TEST_TMPDIR/got" 3>&- 5>&- &
	waiting=$!
	few_wakeups 5 0.3
	printf "$(line 198.51.100.7)" >&5
	wait "$waiting"
	[ "$(cat "$BATS_TEST_TMPDIR/got")" = waits ]
	stop
}

@test "however the header is cut, it is taken whole, and what is behind it not at all" {
	configure "defaults { proxy-protocol = '127.0.0.1' } $(behind 'exec = "/bin/cat"')
		service r { listen = 'tcp:7008' exec = '/bin/cat' crlf = true }
		service h { listen = 'tcp:7009' handler = 'echo' }"
	start
	for PLACE in 7007 7008 7009; do
		for header in "$V1" "$V2" "$V2_CRC" "$SIGNATURE"'\x20\0\0\0'; do
			[ "$(talk "send:${header}hello" half rest)" = hello ]
			[ "$(talk "bytes:${header}hello" half rest)" = hello ]
		done
	done
	# A second header is not ours.
	for header in "$V1" "$V2"; do
		talk "send:${header}$header" half rest >"$BATS_TEST_TMPDIR/got"
		printf "$header" | cmp - "$BATS_TEST_TMPDIR/got"
	done
	log_lacks 'refused'
	stop
}

@test "a megabyte behind the header arrives to the byte" {
	configure "$(behind 'exec = "/bin/cat"')"
	start
	head -c 1M /dev/urandom >"$BATS_TEST_TMPDIR/sent"
	for header in "$V1" "$V2" "$V2_CRC"; do
		{ printf "$header" && cat "$BATS_TEST_TMPDIR/sent"; } |
			run_for 20 nc -N 127.0.0.1 7007 | cmp - "$BATS_TEST_TMPDIR/sent"
	done
	front 127.0.0.1:7107 127.0.0.1:7007 send-proxy-v2
	run_for 20 nc -N 127.0.0.1 7107 <"$BATS_TEST_TMPDIR/sent" | cmp - "$BATS_TEST_TMPDIR/sent"
	stop
}

@test "none, a part, garbage, bad versions, lengths, fields and sums: refused, and no service begins" {
	configure "$(behind 'handler = "daytime" banner = "hello"')"
	start
	count=0
	while read -r header; do
		got=$(talk "send:$header" half rest)
		[ -z "$got" ] || fail "$header: $got"
		count=$((count + 1))
	done <<-END

		P
		PROXY TCP4 192.0.2.7
		${V1%??}
		${V2%????}
		$SIGNATURE
		GET / HTTP/1.0\\r\\n\\r\\n
		\\x16\\3\\1\\2\\0\\1\\0\\1\\xfc\\3\\3\\0\\0\\0\\0\\0
		${V1/TCP4/TCP6}
		${V1/TCP4/TCP5}
		${V1/TCP4/tcp4}
		${V1/4711/65536}
		${V1/4711/-1}
		${V1/192.0.2.7/192.0.2.256}
		${V1%????}\\n
		PROXY UNKNOWN $(printf 'x%.0s' {1..92})\\r\\n
		PROXY UNKNOWN $(printf 'x%.0s' {1..200})\\r\\n
		$SIGNATURE\\x11\\x11\\0\\x0c$INET
		$SIGNATURE\\x22\\x11\\0\\x0c$INET
		$SIGNATURE\\x21\\x12\\0\\x0c$INET
		$SIGNATURE\\x21\\x11\\0\\x0b$INET
		$SIGNATURE\\x21\\x11\\0\\x0d$INET
		$SIGNATURE\\x21\\x11\\xff\\xff$INET
		$SIGNATURE\\x21\\x11\\0\\x0f$INET\\4\\0\\1
		$SIGNATURE\\x21\\x11\\0\\x12$INET\\4\\0\\0\\4\\0\\1
		${V2_CRC%8}9
	END
	refused_times header $count
	stop
}

@test "a line may have 107 bytes, and not 108" {
	configure "$(behind 'exec = "/bin/cat"')"
	start
	longest="PROXY UNKNOWN $(printf 'x%.0s' {1..91})\\r\\n"
	[ "$(printf "$longest" | wc -c)" = 107 ]
	[ "$(talk "send:${longest}hello" half rest)" = hello ]
	[ "$(talk "bytes:${longest}" send:hello half rest)" = hello ]
	[ -z "$(talk "send:${longest/x/xx}hello" half rest)" ]
	[ -z "$(talk "send:${longest%????}xx" rest)" ] # ... as soon as they are there
	refused_times header 2
	stop
}

# Of the worker's five seconds the master, on a busy machine, may have missed the first moment.
FIVE='(4\.[89]|[56]\.)'

# drip BYTES: then a byte now and then, for as long as somebody takes it.
drip() {
	{
		printf "$1"
		while printf x; do sleep 0.3; done
	} >/dev/tcp/127.0.0.1/7007 2>/dev/null 3>&- 5>&- &
	HELPERS="${HELPERS-} $!"
}

@test "F23: five seconds for all of a header, however slowly it comes" {
	configure "$(behind 'exec = "/bin/cat"')"
	start
	open 6 "$V1"
	open 5
	drip 'PROXY UNKNOWN '
	drip "$SIGNATURE"'\x20\0\xff\xff'
	drip "$SIGNATURE"'\x21\x11\xff\xff'"$INET"
	log_times 5 'begat s'
	few_wakeups 5 1
	until_true 10 log_counts 4 "reaped s.* result=refused duration=$FIVE"
	refused_times header 4
	# Behind the header there is no hurry.
	goes 6 'hello\n' hello
	exec 5>&- 6>&-
	stop
}

@test "who is no proxy is refused at the door, with a header and without" {
	configure "$(behind 'handler = "daytime" banner-fail = "no, %h"')"
	start
	for text in '' hello "$(printf "$V1")" "$(line 127.0.0.1)"; do
		[ "$(run_for 10 nc -N -s 127.0.0.2 127.0.0.1 7007 <<<"$text")" = $'no, 127.0.0.2\r' ]
	done
	[ "$(run_for 10 nc -N ::1 7007 <<<"$(printf "$V1")")" = $'no, ::1\r' ]
	refused_times proxy 5
	log_has 'refused s peer=127\.0\.0\.2:[0-9]+ reason=proxy: not one of the proxies'
	[ "$(json 's["begat"]')" = 0 ]
	# By either family's name.
	[[ $(as 192.0.2.7) != no* ]]
	stop
}

@test "proxies that connect and close or reset at once: nothing stays, nothing is throttled" {
	configure "$(behind 'exec = "/bin/cat" instances = 5 rate = "5/1h"')"
	start
	serve_one
	for _ in {1..20}; do
		nc -z 127.0.0.1 7007
	done
	client reset 7007 20
	nothing_left
	refused_times header 40
	[ "$(as 192.0.2.7 hello)" = hello ]
	log_lacks 'throttled'
	[ "$(log_count 'refused s')" -le 3 ]
	stop
}

@test "200 connections without a header: instances for five seconds, and nothing after that" {
	configure "$(behind 'handler = "echo" instances = 200') $daytime"
	start
	is_daytime 7013
	serve_one
	background python3 "$CLIENT" hold 7007 200
	log_has 's: all 200 instances are busy' 20
	as 192.0.2.7 waits >"$BATS_TEST_TMPDIR/got" 3>&- &
	waiting=$!
	is_daytime 7013
	few_wakeups 5 0.5
	is_daytime 7013
	wait "$waiting"
	[ "$(cat "$BATS_TEST_TMPDIR/got")" = waits ]
	refused_times header 200
	log_times 200 "reaped s.* result=refused duration=$FIVE"
	nothing_left
	master_is_well
	stop
}

@test "P: a worker that is stopped before it introduces its client holds nobody up, and max-time ends it" {
	configure "$(behind 'exec = "/bin/cat" instances = 1 max-time = 1s') $daytime"
	start
	is_daytime 7013
	serve_one
	open 5
	kill -STOP "$WORKER"
	printf "$V1" >&5
	is_daytime 7013
	few_wakeups 5 0.3
	log_has "reaped s\[$WORKER\] peer=127\.0\.0\.1:[0-9]+ result=timed-out why=\"timed out: max-time\" duration=1\."
	[ "$(as 192.0.2.7 hello)" = hello ]
	exec 5>&-
	nothing_left
	stop
}

@test "a worker that is killed before it introduces its client: it is over, and the next one is served" {
	configure "$(behind 'exec = "/bin/cat" instances = 1 per-source = 1')"
	start
	serve_one
	for header in '' 'PROXY TCP4 192.0.2.7' "$SIGNATURE"; do
		open 5 "$header"
		kill -KILL "$WORKER"
		log_has "reaped s\[$WORKER\] peer=127\.0\.0\.1:[0-9]+ result=signalled signal=KILL"
		[ "$(as 192.0.2.7 hello)" = hello ]
		becomes_idle
	done
	exec 5>&-
	nothing_left
	master_is_well
	stop
}

@test "a reload while headers are missing: all survive it, and the new configuration decides" {
	only() {
		configure "$(behind "handler = 'echo' instances = $2 only-from = '$1' per-source = 1 banner-fail = 'no, %h'")"
	}
	only 192.0.2.0/24 10
	start
	open 5
	open 6 'PROXY TCP4 203.0.113.9 198.51'
	open 7 "${V1%????}"
	open 8 "$SIGNATURE"
	open 9 "$(line 192.0.2.99)"
	goes 9 'old\n' old
	before=$(count_descriptors)
	only 203.0.113.0/24 11
	reload 'changed 1'
	only 203.0.113.0/24 12
	reload 'changed 1'
	until_true 5 has_descriptors "$before" || fail "$(count_descriptors) descriptors instead of $before"
	[ "$(json 's["active"]')" = 5 ]
	log_lacks 'reaped|refused'
	goes 5 "$(line 203.0.113.8)new\n" new
	goes 6 '.100.1 4711 80\r\nnew\n' new
	goes 7 '\r\n' $'no, 192.0.2.7\r'
	goes 8 '\x20\0\0\0new\n' new
	goes 9 'old\n' old
	refused_times access 1
	log_has 'client of s.* peer=203\.0\.113\.9:4711'
	# They are counted where they belong.
	[ "$(as 203.0.113.8)" = $'no, 203.0.113.8\r' ]
	refused_times source-full 1
	exec 5>&- 6>&- 7>&- 8>&- 9>&-
	becomes_idle
	[ "$(as 203.0.113.8 again)" = again ]
	stop
}

@test "a reload while the service loses its proxy, or gets one" {
	plain() { configure "service s { listen = 'tcp:7007' handler = 'echo' only-from = '192.0.2.0/24' $1 }"; }
	plain 'proxy-protocol = "127.0.0.1"'
	start
	open 5
	open 6
	plain ''
	reload 'changed 1'
	goes 5 "${V1}hello\n" hello
	plain 'proxy-protocol = "127.0.0.1"'
	reload 'changed 1'
	goes 6 "$(line 198.51.100.7)hello\n" ''
	[ "$(as 192.0.2.7 hello)" = hello ]
	refused_times access 1
	exec 5>&- 6>&-
	stop
}

@test "a reload removes a service whose header is missing: nobody comes in any more" {
	configure "$daytime $(behind 'exec = "/bin/cat" banner-fail = "no, %h"')"
	start
	is_daytime 7013
	before=$(count_descriptors)
	open 5
	configure "$daytime"
	reload 'removed 1'
	goes 5 "${V1}hello\n" $'no, 192.0.2.7\r'
	log_has 'refused s peer=192\.0\.2\.7:4711 reason=access'
	log_has 'reaped s.* peer=192\.0\.2\.7:4711 result=refused'
	exec 5>&-
	is_daytime 7013
	# Its listener is gone, and so is all of the worker's.
	until_true 5 has_descriptors $((before - 1)) || fail "$(count_descriptors) descriptors instead of $before - 1"
	stop
}

@test "ten reloads under load through HAProxy: no client is lost" {
	configure "$(behind 'handler = "daytime" per-source = 50 only-from = "127.0.0.0/8"')"
	start
	front 127.0.0.1:7107 127.0.0.1:7007 send-proxy-v2
	for i in 1 2; do
		{
			until [ -e "$BATS_TEST_TMPDIR/enough" ]; do client flood 7107 50; done
			echo over
		} >"$BATS_TEST_TMPDIR/flood$i" 2>&1 3>&- &
		floods[i]=$!
	done
	for i in {2..11}; do
		reload "generation $i"
	done
	touch "$BATS_TEST_TMPDIR/enough"
	wait "${floods[@]}"
	for i in 1 2; do
		[ "$(sort -u "$BATS_TEST_TMPDIR/flood$i")" = $'50\nover' ] || fail "$(cat "$BATS_TEST_TMPDIR/flood$i")"
	done
	end_front
	becomes_idle
	json 's.get("refused"), s["ended"], s["ended"]["ok"] == s["begat"]' | tee /dev/stderr |
		grep -Ex "\\(None, \\{'ok': [0-9]+\\}, True\\)"
	stop
}

# spy: what the master reads, and from what, goes to $FAULTS.
spy() {
	need strace
	strace -qq -yy -s 4096 -o "$FAULTS" -p "$MASTER" 3>&- 2>"$FAULTS.error" \
		-e trace=read,readv,pread64,preadv,preadv2,recvfrom,recvmsg,recvmmsg,splice,tee,sendfile &
	STRACE=$!
	HELPERS="${HELPERS-} $STRACE"
	until_true 10 is_traced || skip "strace may not attach here: $(cat "$FAULTS.error")"
}

@test "the master reads no byte of a header, nor of what follows" {
	configure "$(behind 'handler = "echo" no-access = "192.0.2.66"') $daytime"
	start
	spy
	for header in "$V1" "$V2" "$SIGNATURE"'\x20\0\0\0'; do
		[ "$(talk "send:${header}payload" half rest)" = payload ]
	done
	[ -z "$(talk 'send:garbage of some length' half rest)" ]
	[ -z "$(as 192.0.2.66 payload)" ]
	log_times 5 'reaped s'
	heal
	[ "$(grep -c '^recvfrom([0-9]*<UNIX:' "$FAULTS")" -ge 5 ]
	refute grep -E '^[a-z0-9]+\([0-9]+<(TCP|socket)|PROXY|QUIT|payload|garbage' "$FAULTS"
	stop
}

@test "a program and a handler have the descriptors 0, 1 and 2, and no other" {
	configure "defaults { proxy-protocol = '127.0.0.1' } $(behind 'handler = "echo"')
		service p { listen = 'tcp:7008' exec = { '/bin/ls', '-l', '/proc/self/fd' } }
		service r { listen = 'tcp:7009' exec = { '/bin/ls', '-l', '/proc/self/fd' } crlf = true }"
	start
	for PLACE in 7008 7009; do
		talk "send:$V1" half rest | tr -d '\r' >"$BATS_TEST_TMPDIR/fds"
		# 3 is the folder that ls(1) reads.
		[ "$(awk '/->/ { print $(NF - 2) }' "$BATS_TEST_TMPDIR/fds" | xargs)" = '0 1 2 3' ] ||
			fail "$(cat "$BATS_TEST_TMPDIR/fds")"
		grep -Eq ' 3 -> /proc/' "$BATS_TEST_TMPDIR/fds"
	done
	open 5 "$V1"
	goes 5 'hello\n' hello
	[ "$(find "/proc/$WORKER/fd" -mindepth 1 -printf '%f\n' | sort -n | xargs)" = '0 1 2' ]
	# While the header is missing there is one more, to the master.
	open 6
	until_true 5 is_waiting
	exec 5>&- 6>&-
	stop
}
is_waiting() {
	[ "$(find "/proc/$WORKER/fd" -mindepth 1 -printf '%f\n' | sort -n | xargs)" = '0 1 2 3' ]
}
