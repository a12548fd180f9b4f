#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P3, P5, P6: who may come in, and what the others get to hear.  Decided before there is a process for it, by
# numbers alone.  (xinetd closes a service for everybody when a client comes that its list denies, and took
# IPv4-mapped addresses for others; tcpd looks names up for each connection.)

load lib
load fault
load reload

VISIT=$BATS_TEST_DIRNAME/helpers/visit.py
BEGAT=${BEGAT:-$(dirname "$BEGATD")/begat}

# come FROM PORT [BYTES]: what it was told, and how it ended: helpers/visit.py.
come() { run_for 30 python3 "$VISIT" once "$@"; }
let_in() {
	local said
	said=$(come "$@")
	[[ $said == *:*:*\\r\\n\ end ]] || fail "$* was turned away: $said"
}
# turned_away FROM PORT WORD: for this reason, and told nothing.
turned_away() {
	local said count
	count=$(refused "$3")
	said=$(come "$1" "$2")
	[[ $said == ' end' ]] || fail "$1 $2 was not just turned away: $said"
	until_true 5 is_refused "$3" $((count + 1)) || fail "$1 $2: not refused by $3"
}

# refused WORD: how often that was the reason, of all services.  The log has one line in five seconds,
# therefore the counters.
refused() {
	run_for 10 "$BEGAT" --control "$BATS_TEST_TMPDIR/pid.sock" status --json | python3 -c "import json, sys
print(sum(s.get('refused', {}).get('$1', 0) for s in json.load(sys.stdin)['services']))"
}
is_refused() { [ "$(refused "$1")" = "$2" ]; }

# need_addresses: root in a network of its own, where addresses can be had.
need_addresses() {
	need_root
	! ip -o link | grep -qv ': lo:' || skip "needs a network namespace"
}

# -- addresses --

@test "only-from, no-access: the longest prefix decides, a tie denies, in whatever order they stand" {
	configure 'service a { listen = "tcp:127.0.0.1:7001" handler = "daytime"
			only-from = { "127.0.1.64/27", 127.0.0.0/8, "127.0.2.1" }
			no-access = { "127.0.2.1/32", 127.0.1.65, "127.0.1.0/24" } }
		service b { listen = "tcp:127.0.0.1:7002" handler = "daytime" no-access = 127.0.1.0/24 }
		service c { listen = "tcp:127.0.0.1:7003" handler = "daytime" only-from = 127.0.1.0/24 }
		service d { listen = "tcp:127.0.0.1:7004" handler = "daytime"
			only-from = 127.0.0.0/8 no-access = 127.0.0.0/8 }'
	start
	for address in 127.0.0.1 127.0.1.64 127.0.1.66 127.0.1.95 127.0.2.0 127.0.2.2 127.255.255.254; do
		let_in "$address" 7001
	done
	for address in 127.0.1.0 127.0.1.63 127.0.1.65 127.0.1.96 127.0.1.255 127.0.2.1; do
		turned_away "$address" 7001 access
	done
	let_in 127.0.0.255 7002
	turned_away 127.0.1.0 7002 access
	let_in 127.0.2.0 7002
	turned_away 127.0.0.255 7003 access
	let_in 127.0.1.255 7003
	turned_away 127.0.2.0 7003 access
	turned_away 127.0.0.1 7004 access
	stop
}

@test "both families in one list, each by itself" {
	need_addresses
	ip -6 route add local 2001:db8::/32 dev lo
	configure 'service a { listen = "tcp:7001" handler = "daytime"
			only-from = { "2001:db8::/32", "127.0.1.0/24" }
			no-access = { "2001:db8:bad::/48" } }
		service b { listen = "tcp:7002" handler = "daytime" only-from = "::/0" }
		service c { listen = "tcp:7003" handler = "daytime" only-from = "0.0.0.0/0" }'
	start
	let_in 2001:db8::1 7001
	let_in 127.0.1.1 7001
	turned_away 2001:db8:bad::1 7001 access
	let_in 2001:db8:bae::1 7001
	turned_away ::1 7001 access
	turned_away 127.0.2.1 7001 access
	let_in ::1 7002
	turned_away 127.0.0.1 7002 access
	turned_away ::1 7003 access
	let_in 127.0.0.1 7003
	stop
}

@test "F34: IPv4 clients of a dual-stack listener are IPv4 clients, in lists and in the log" {
	configure 'service a { listen = "tcp:7001" handler = "daytime"
			only-from = { "127.0.0.0/24", "::ffff:127.0.1.0/120", "::1" } no-access = "127.0.0.2" }
		service b { listen = "tcp:7002" handler = "daytime" no-access = "::/0" }'
	start
	[ "$(ss -Hltn 'sport = :7001' | wc -l)" = 1 ] # or the test proves nothing
	let_in ::1 7001
	let_in 127.0.0.1 7001
	let_in 127.0.1.1 7001
	turned_away 127.0.0.2 7001 access
	turned_away 127.0.2.1 7001 access
	turned_away ::1 7002 access
	let_in 127.0.0.1 7002
	log_has 'refused a peer=127\.0\.0\.2:[0-9]+ reason=access'
	log_lacks ffff
	stop
}

@test "@interface: the networks that it is in at load time, of both families; a reload sees new ones" {
	need_addresses
	ip link add veth0 type veth peer name veth1 2>/dev/null || skip "no veth here"
	ip link set veth0 up
	ip addr add 10.9.8.7/24 dev veth0
	ip -6 addr add 2001:db8:9::7/64 dev veth0 nodad
	ip addr add 10.9.8.66/32 dev lo # in the same network
	ip -6 route add local 2001:db8:8::/48 dev lo
	configure 'service a { listen = "tcp:7001" handler = "daytime" only-from = "@veth0" }
		service b { listen = "tcp:7002" handler = "daytime" only-from = "@lo" }'
	start
	let_in 10.9.8.7 7001
	let_in 10.9.8.66 7001
	let_in 2001:db8:9::7 7001
	turned_away 127.0.0.1 7001 access
	turned_away ::1 7001 access
	turned_away 2001:db8:8::7 7001 access
	let_in 127.255.0.1 7002
	let_in ::1 7002
	let_in 10.9.8.66 7002
	turned_away 10.9.8.7 7002 access
	ip addr add 10.7.0.1/16 dev veth0
	turned_away 10.7.0.1 7001 access
	reload
	let_in 10.7.0.1 7001
	stop
	ip link del veth0
}

# -- Unix --

# uses PORT USER GROUPS: the first group is the own one; a client of that Unix socket with these ids.
unix_client() {
	run_for 20 setpriv --reuid="$2" --regid="${3%%,*}" --groups="$3" \
		nc -NU "$BATS_TEST_TMPDIR/$1" </dev/null 2>/dev/null
}
unix_let_in() { [ -n "$(unix_client "$@")" ] || fail "$*: turned away"; }
unix_turned_away() { [ -z "$(unix_client "$@")" ] || fail "$*: let in"; }

# unix_service NAME LISTS
unix_service() {
	printf 'service %s { listen = "unix:%s" socket-mode = 0666 handler = "daytime" %s }\n' \
		"$1" "$BATS_TEST_TMPDIR/$1" "$2"
}

@test "Unix peers by user, uid, group and gid: the user decides before groups, of those a denied one" {
	need_root
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	nobody=$(id -u nobody)
	configure "$(
		unix_service users 'only-from = { "user:nobody", "uid:12345" } no-access = "gid:4000"'
		unix_service groups 'only-from = { "group:nogroup", "gid:4001" } no-access = { "gid:4000", "uid:7" }'
		unix_service denied 'no-access = { "user:nobody", "gid:4000" }'
		unix_service tie 'only-from = { "uid:12345", "user:nobody" } no-access = "uid:12345"'
		unix_service inet 'only-from = { "0.0.0.0/0", "::/0" }'
	)"
	start
	unix_let_in users nobody 99
	unix_let_in users 12345 4000 # its user decides
	unix_turned_away users 12346 99
	unix_turned_away users 0 0
	unix_let_in groups 12345 4001
	unix_let_in groups 12345 99,4001
	unix_let_in groups 12345 nogroup
	unix_turned_away groups 12345 99
	unix_turned_away groups 12345 4001,4000
	unix_turned_away groups 12345 4000,4001
	unix_turned_away groups 7 4001
	unix_let_in denied 12345 99
	unix_turned_away denied nobody 99
	unix_turned_away denied 12345 99,4000
	unix_let_in tie nobody 99
	unix_turned_away tie 12345 99
	unix_turned_away inet 0 0
	log_has "refused denied peer=unix:uid=$nobody reason=access: not allowed"
	stop
}

# -- times --

# zone HH:MM: a TZ in which it is about that time of $DAY, now.  The day is held fast, since midnight may
# come in the middle of a test.
DAY=$(date -u +%F)
zone() {
	local offset=$((($(date -u -d "$DAY $1" +%s) - $(date +%s)) / 60)) sign=-
	((offset >= 0)) || { sign='' offset=$((-offset)); }
	printf 'TST%s%d:%02d' "$sign" $((offset / 60)) $((offset % 60))
}
# day [DAYS]: "mon", so many days from then.
day() { date -u -d "$DAY ${1:-0} days" +%a | tr '[:upper:]' '[:lower:]'; }

# at HH:MM RANGE yes|no: whether one may come at that time.
at() {
	local verdict=turned
	configure "service a { listen = 'tcp:127.0.0.1:7001' handler = 'daytime' access-times = { $2 } }"
	TZ=$(zone "$1") start
	[ -z "$(ask 7001)" ] || verdict=let
	case $verdict-$3 in
	let-yes) log_lacks refused ;;
	turned-no) log_has 'refused a peer=127.0.0.1:[0-9]+ reason=time: not at this time' ;;
	*) fail "at $1 ($TZ) with $2: $verdict, not $3" ;;
	esac
	stop
	rm "$LOG"
}

@test "access-times: ranges of the day, over midnight too, in local time" {
	at 12:30 '"08:00-18:00"' yes
	at 19:30 '"08:00-18:00"' no
	at 03:30 '"08:00-18:00", "03:00-04:00"' yes
	at 23:30 '"22:00-02:00"' yes
	at 00:30 '"22:00-02:00"' yes
	at 03:30 '"22:00-02:00"' no
	at 12:30 '"22:00-02:00"' no
	at 23:30 '"20:00-24:00"' yes
	at 00:30 '"20:00-24:00"' no
}

@test "access-times: days, lists and ranges of them; a range over midnight is of the day it begins on" {
	today=$(day)
	yesterday=$(day -1)
	tomorrow=$(day 1)
	at 12:30 "'$today 08:00-18:00'" yes
	at 12:30 "'$yesterday,$tomorrow 08:00-18:00'" no
	at 12:30 "'$yesterday-$tomorrow 08:00-18:00'" yes
	at 12:30 "'$tomorrow-$yesterday 08:00-18:00'" no # all the week but today
	at 00:30 "'$yesterday 22:00-02:00'" yes
	at 00:30 "'$today 22:00-02:00'" no
	at 23:30 "'$today 22:00-02:00'" yes
	at 23:30 "'$yesterday 22:00-02:00'" no
}

# -- before anything else is done --

# watch CALLS: $FAULTS has such calls of the master, without its workers, until heal.
watch() {
	need strace
	strace -qq -s 200 -o "$FAULTS" -p "$MASTER" -e trace="$1" 3>&- 2>"$FAULTS.error" &
	STRACE=$!
	until_true 10 is_traced || skip "strace may not attach here"
}

@test "refused before the fork, without names, files or sockets of its own" {
	configure 'service a { listen = "tcp:127.0.0.1:7001" handler = "daytime" only-from = { "127.0.0.0/24" }
		access-times = "00:00-24:00" per-source = 5 rate = "1000/s" rate-per-source = "500/s"
		ban = "1h" ban-after = "5/1m" banner-fail = "no" }'
	start
	let_in 127.0.0.1 7001
	until_true 5 no_workers
	watch '%file,socket,connect,clone,?clone3,?fork,?vfork'
	for _ in 1 2 3 4 5 6; do
		[ "$(come 127.0.1.1 7001)" = 'no\r\n end' ]
	done
	heal
	log_has 'banned 127.0.1.1 from a'
	refute grep '^[a-z]' "$FAULTS"
	# The same for one that is let in, but for its process.
	watch '%file,socket,connect'
	let_in 127.0.0.1 7001
	heal
	refute grep '^[a-z]' "$FAULTS"
	log_times 2 'begat a'
	stop
}

@test "a list of one service is no other one's, and a denied client closes nothing for anybody" {
	configure 'service a { listen = "tcp:127.0.0.1:7001" handler = "daytime" no-access = 127.0.1.0/24 }
		service b { listen = "tcp:127.0.0.1:7002" handler = "daytime" }'
	start
	[ "$(run_for 60 python3 "$VISIT" again 127.0.1.1 500 7001)" = 0 ]
	let_in 127.0.0.1 7001
	let_in 127.0.1.1 7002
	is_refused access 500
	few_wakeups 2 0.5
	stop
}

# -- when there are too many --

# hold FROM COUNT PORT: connections that stay; $BACKGROUND ends them.
hold() { background python3 "$VISIT" hold "$@"; }

@test "instances of a service, when-full = refuse: told so and closed; the places come back" {
	configure 'service a { listen = "tcp:127.0.0.1:7001" handler = "echo" instances = 2 when-full = "refuse"
			banner-fail = "come later" }
		service b { listen = "tcp:127.0.0.1:7002" handler = "daytime" }'
	start
	hold 127.0.0.1 2 7001
	log_times 2 'begat a'
	for _ in 1 2 3; do
		[ "$(come 127.0.0.1 7001)" = 'come later\r\n end' ]
	done
	is_refused full 3
	log_has 'refused a peer=127\.0\.0\.1:[0-9]+ reason=full: all instances are busy'
	log_lacks 'further clients wait'
	let_in 127.0.0.1 7002
	kill "$BACKGROUND"
	until_true 5 no_workers
	[ "$(ask 7001 hello)" = hello ]
	is_refused full 3
	stop
}

@test "instances of all services: one service refuses while another one waits" {
	configure 'instances = 2
		service a { listen = "tcp:127.0.0.1:7001" handler = "echo" }
		service b { listen = "tcp:127.0.0.1:7002" handler = "daytime" when-full = "refuse" }
		service c { listen = "tcp:127.0.0.1:7003" handler = "daytime" }'
	start
	hold 127.0.0.1 2 7001
	log_times 2 'begat a'
	turned_away 127.0.0.1 7002 all-full
	log_has 'refused b peer=127\.0\.0\.1:[0-9]+ reason=all-full: all services together are full'
	ask 7003 >"$BATS_TEST_TMPDIR/late" 3>&- &
	asking=$!
	few_wakeups 5 0.3
	[ ! -s "$BATS_TEST_TMPDIR/late" ]
	kill "$BACKGROUND"
	wait "$asking"
	[ -s "$BATS_TEST_TMPDIR/late" ]
	until_true 5 no_workers
	let_in 127.0.0.1 7002
	stop
}

# -- what they hear --

@test "banner-fail: its fields, and the line end of the socket; without it nothing is said" {
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	configure "defaults { only-from = '192.0.2.1' }
		service told { listen = { 'tcp:127.0.0.1:7001', 'unix:$BATS_TEST_TMPDIR/told' } handler = 'daytime'
			banner-fail = '%s: not you, %h, 100%%' }
		service untold { listen = { 'tcp:127.0.0.1:7002', 'unix:$BATS_TEST_TMPDIR/untold' } handler = 'daytime' }"
	start
	[ "$(come 127.0.0.9 7001)" = 'told: not you, 127.0.0.9, 100%\r\n end' ]
	turned_away 127.0.0.1 7002 access
	[ "$(run_for 5 nc -NU "$BATS_TEST_TMPDIR/told" </dev/null | od -c | head -n 1)" = \
		"$(printf 'told: not you, unix:uid=%s, 100%%\n' "$(id -u)" | od -c | head -n 1)" ]
	[ -z "$(run_for 5 nc -NU "$BATS_TEST_TMPDIR/untold" </dev/null)" ]
	stop
}

@test "P6: banner-fail is not lost to a reset when the client has spoken first; no byte of it is read" {
	configure 'service a { listen = "tcp:127.0.0.1:7001" handler = "daytime" no-access = "127.0.0.0/8"
		banner-fail = "not you" }'
	start
	watch 'read,readv,recvfrom,recvmsg,recvmmsg'
	for bytes in 1 1000 65536 102400; do
		[ "$(come 127.0.0.1 7001 "$bytes")" = 'not you\r\n end' ] || fail "after $bytes bytes"
	done
	# More than is dropped of it stays in the kernel's buffer: its sender gets no EPIPE.
	[ "$(run_for 30 python3 "$VISIT" slowly 127.0.0.1 7001 120000)" = 'not you\r\n end' ] || fail "in pieces"
	heal
	# Only the signal descriptor is read, and a socket only into nothing.
	grep -q '^recvfrom([0-9]*, NULL, .*MSG_TRUNC' "$FAULTS" || fail "the test proves nothing"
	refute grep -E '^(recv|read).*xxx' "$FAULTS"
	refute grep -Ev '^(read\([0-9]+, "[^x"]*"\.*, 128\)|recvfrom\([0-9]+, NULL, [0-9]+, [A-Z_|]*MSG_TRUNC[A-Z_|]*, NULL, NULL\)) |^---|^strace' \
		"$FAULTS"
	stop
}

@test "P3, P4: refused clients that never close hold few descriptors, for two seconds, and cost nothing" {
	configure 'service a { listen = "tcp:127.0.0.1:7001" handler = "daytime" no-access = "127.0.1.0/24"
		banner-fail = "not you" }'
	start
	let_in 127.0.0.1 7001
	until_true 5 no_workers
	before=$(count_descriptors)
	hold 127.0.1.1 300 7001
	until_true 10 is_refused access 300
	during=$(count_descriptors)
	((during - before <= 32)) || fail "$((during - before)) descriptors"
	((during - before >= 16)) || fail "the test proves nothing: $((during - before))"
	let_in 127.0.0.1 7001
	until_true 5 has_descriptors "$before" || fail "$(count_descriptors) descriptors, $before before"
	few_wakeups 2 0.5
	kill "$BACKGROUND"
	[ "$(come 127.0.1.1 7001)" = 'not you\r\n end' ]
	until_true 5 has_descriptors "$before"
	stop
}
has_descriptors() { [ "$(count_descriptors)" = "$1" ]; }

@test "P4: a refused client that sends without end is ended, and the master does not work for it" {
	configure 'service a { listen = "tcp:127.0.0.1:7001" handler = "daytime" no-access = "127.0.1.0/24"
		banner-fail = "not you" }'
	start
	ticks=$(count_ticks)
	read -r mib end <<<"$(run_for 20 python3 "$VISIT" stream 127.0.1.1 7001 5)"
	[ "$end" = reset ] || fail "it was let go on"
	((mib <= 16)) || fail "$mib MiB were dropped"
	(($(count_ticks) - ticks < 20)) || fail "it has cost $(($(count_ticks) - ticks)) ticks"
	let_in 127.0.0.1 7001
	stop
}

@test "what a refused client does is its own affair: it is gone, resets, half-closes" {
	configure 'service a { listen = "tcp:127.0.0.1:7001" handler = "daytime" no-access = "127.0.0.0/24"
		banner-fail = "not you" }'
	start
	before=$(count_descriptors)
	client reset 7001 50
	kill -STOP "$MASTER"
	client reset 7001 50
	kill -CONT "$MASTER"
	[ "$(printf hello | run_for 5 nc -N 127.0.0.1 7001)" = $'not you\r' ]
	until_true 5 has_descriptors "$before"
	let_in 127.0.1.1 7001
	master_is_well
	stop
}
