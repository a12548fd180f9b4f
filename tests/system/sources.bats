#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P3, P5, F27: how many, and how often, of one source and of all; bans; the bounded table of sources.  Whoever
# overdoes it pays for it himself.  (inetd's limit on one service's rate switches it off for everybody.)

load lib
load fault
load reload

VISIT=$BATS_TEST_DIRNAME/helpers/visit.py
BEGAT=${BEGAT:-$(dirname "$BEGATD")/begat}

# again FROM COUNT PORT, many FROM COUNT PORT [STEP]: how many were served: helpers/visit.py.
again() { run_for 120 python3 "$VISIT" again "$@"; }
many() { run_for 120 python3 "$VISIT" many "$@"; }
hold() { background python3 "$VISIT" hold "$@"; }

# status EXPRESSION: of Python, over the status as s, a service by its name as of("NAME").
status() {
	run_for 30 "$BEGAT" --control "$BATS_TEST_TMPDIR/pid.sock" status --json | python3 -c "import json, sys
s = json.load(sys.stdin)
def of(name): return next(x for x in s['services'] if x['name'] == name)
print($1)"
}
# refused WORD: how often that was the reason, of service a.
refused() { status "of('a').get('refused', {}).get('$1', 0)"; }
# refused_are [WORD COUNT]...: all of them, and no others.
refused_are() {
	local all
	all=$(status "' '.join('%s %d' % each for each in of('a').get('refused', {}).items())")
	[ "$(xargs -n 2 <<<"$all" | sort)" = "$(xargs -n 2 <<<"$*" | sort)" ] || fail "refused: $all"
}
is_refused() { [ "$(refused "$1")" = "$2" ]; }

# ms COMMAND...: how long it took.
ms() {
	local from=${EPOCHREALTIME/./}
	"$@" >&2
	echo $(((${EPOCHREALTIME/./} - from) / 1000))
}

# power BITS [TIMES]: more than the shell can count.
power() { python3 -c "print(${2:-1} << $1)"; }

need_addresses() {
	need_root
	! ip -o link | grep -qv ': lo:' || skip "needs a network namespace"
}

a() { configure "${2-} service a { listen = 'tcp:7001' handler = '${HANDLER:-daytime}' $1 }"; }

# -- of one source --

@test "per-source: one more than that is refused, whatever its service waits for; others are not hurt" {
	HANDLER=echo a 'per-source = 3'
	start
	hold 127.0.0.1 3 7001
	log_times 3 'begat a'
	[ -z "$(ask 7001 hello)" ]
	log_has 'refused a peer=127\.0\.0\.1:[0-9]+ reason=source-full: has too many connections$'
	hold 127.0.0.2 3 7001
	log_times 6 'begat a'
	kill "$BACKGROUND"
	until_true 5 has_reaped 3
	# One's places are not another's.
	[ -z "$(ask 7001 hello)" ]
	is_refused source-full 2
	# shellcheck disable=SC2086 # a list
	kill ${HELPERS# *}
	until_true 5 no_workers
	[ "$(ask 7001 hello)" = hello ]
	stop
}
has_reaped() { log_counts "$1" 'reaped a'; }

@test "source-prefix: neighbours are one source, IPv4 and IPv6 each by its own length" {
	need_addresses
	ip -6 route replace local 2001:db8::/32 dev lo
	a 'rate-per-source = "3/1h" source-prefix = { 24, 48 }'
	start
	[ "$(many 127.0.1.250 3 7001)" = 3 ]
	[ "$(many 127.0.1.0 5 7001)" = 0 ]
	[ "$(many 127.0.2.0 5 7001)" = 3 ]
	[ "$(many 2001:db8:1::1 9 7001 "$(power 70)")" = 3 ]
	[ "$(many 2001:db8:2::1 9 7001 "$(power 80)")" = 9 ]
	stop
}

@test "source-prefix: an IPv6 client has all of its /64, and no more; IPv4 ones have one address" {
	need_addresses
	ip -6 route replace local 2001:db8::/32 dev lo
	a 'rate-per-source = "3/1h"'
	start
	[ "$(many 2001:db8:1::1 40 7001)" = 3 ]
	[ "$(many 2001:db8:1:0:ffff:: 40 7001 "$(power 40)")" = 0 ]
	is_refused source-rate 77
	[ "$(many 2001:db8:2::1 10 7001 "$(power 64)")" = 10 ]
	[ "$(many 127.0.1.1 10 7001)" = 10 ]
	stop
}

@test "Unix: a source is a user" {
	need_root
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	configure "service a { listen = 'unix:$BATS_TEST_TMPDIR/a' socket-mode = 0666 handler = 'daytime'
		rate-per-source = '2/1h' }"
	start
	for user in 0 12345; do
		for expected in said said nothing; do
			said=$(run_for 5 setpriv --reuid="$user" --regid=99 --clear-groups \
				nc -NU "$BATS_TEST_TMPDIR/a" </dev/null 2>/dev/null) || :
			[ "${said:+said}" = "$([ $expected = nothing ] || echo said)" ] || fail "$user: $said"
		done
	done
	is_refused source-rate 2
	log_has 'refused a peer=unix:uid=0 reason=source-rate: connects too often$'
	stop
}

@test "rate-per-source: a burst, then one with every step; others are not hurt" {
	a 'rate-per-source = "4/2s"'
	start
	[ "$(again 127.0.0.1 9 7001)" = 4 ]
	log_has 'refused a peer=127\.0\.0\.1:[0-9]+ reason=source-rate: connects too often$'
	[ "$(again 127.0.0.2 9 7001)" = 4 ]
	is_refused source-rate 10
	# It is let in again by itself, and being refused meanwhile has not put that off.
	until_true 3 is_served_from 127.0.0.1 || fail "not let in again"
	stop
}
is_served_from() { [ "$(again "$1" 1 7001)" = 1 ]; }

# -- of a service --

@test "rate, when-full = wait: all are served, one with every step, and nothing is said about it" {
	a 'rate = "4/2s"'
	start
	took=$(ms again 127.0.0.1 9 7001)
	# Four at once, five half a second apart.
	((took >= 2300)) || fail "9 in $took ms"
	log_times 9 'begat a'
	log_lacks 'refused|wait'
	stop
}

@test "rate, when-full = refuse: refused, told so, and let in again when there is a token" {
	a 'rate = "4/2s" when-full = "refuse" banner-fail = "%s: too many"'
	start
	is_served_by_time
	for _ in 1 2 3; do ask 7001 | grep -q :; done
	[ "$(ask 7001)" = $'a: too many\r' ]
	log_has 'refused a peer=127\.0\.0\.1:[0-9]+ reason=rate: the service.s rate is used up$'
	until_true 3 is_served_by_time || fail "not let in again"
	stop
}
is_served_by_time() { ask 7001 | grep -q :; }

@test "denied clients use up nobody's budget: not by the list, not by their own limits, not by a ban" {
	configure 'service a { listen = "tcp:7001" handler = "daytime" no-access = "127.0.1.0/24"
		rate = "5/1h" rate-per-source = "2/1h" ban = "1h" ban-after = "30/1m" when-full = "refuse" }'
	start
	[ "$(many 127.0.1.1 200 7001)" = 0 ]
	[ "$(again 127.0.1.9 100 7001)" = 0 ]
	[ "$(again 127.0.0.9 100 7001)" = 2 ]
	refused_are access 300 source-rate 30 banned 68
	[ "$(many 127.0.0.10 20 7001)" = 3 ]
	is_refused rate 17
	stop
}

@test "F27: a flood from one source, and the others are served meanwhile" {
	configure 'service a { listen = "tcp:7001" handler = "daytime" per-source = 5 rate-per-source = "20/1s"
			instances = 20 ban = "2s" ban-after = "100/1s" }
		service b { listen = "tcp:7002" handler = "echo" }'
	start
	# Each has its pipe for stderr from its first worker on.
	[ "$(many 127.0.3.1 20 7001)" = 20 ]
	[ "$(printf hello | run_for 5 nc -N 127.0.0.1 7002)" = hello ]
	until_true 5 no_workers
	memory=$(rss)
	descriptors=$(count_descriptors)
	for _ in 1 2 3; do background python3 "$VISIT" again 127.0.0.1 1000000 7001; done
	log_has 'banned 127.0.0.1 from a'
	[ "$(many 127.0.0.2 100 7001)" = 100 ]
	[ "$(printf hello | run_for 5 nc -N 127.0.0.1 7002)" = hello ]
	(($(refused banned) > 100))
	# shellcheck disable=SC2086 # a list
	kill $HELPERS
	until_true 5 no_workers
	until_true 5 has_descriptors "$descriptors" || fail "$(ls -l /proc/$MASTER/fd)"
	(($(rss) - memory < 256)) || fail "the master has grown from $memory to $(rss) KiB"
	master_is_well
	stop
}
has_descriptors() { [ "$(count_descriptors)" = "$1" ]; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$MASTER/status"; }

# -- bans --

@test "ban: after so many refusals, for so long and no longer, however often it tries meanwhile" {
	a 'rate-per-source = "1/1h" ban = "3s" ban-after = "5/1m"'
	start
	[ "$(again 127.0.1.1 5 7001)" = 1 ]
	refused_are source-rate 4
	log_lacks banned
	from=${EPOCHREALTIME/./}
	[ "$(again 127.0.1.1 1 7001)" = 0 ]
	log_has 'banned 127\.0\.1\.1 from a for 3s: 5 refusals in 1m$'
	[ "$(again 127.0.1.1 10 7001)" = 0 ]
	refused_are source-rate 5 banned 10
	log_has 'refused a peer=127\.0\.1\.1:[0-9]+ reason=banned: banned$'
	# It hammers on; all of that is "banned", and does not make it longer.
	until_true 10 is_refused_more source-rate 5 || fail "the ban does not end"
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
	((took >= 2900 && took < 6000)) || fail "it has ended after $took ms"
	[ "$(status "len(s['bans'])")" = 0 ]
	# It takes as many once more.
	is_refused source-rate 6
	[ "$(again 127.0.1.1 3 7001)" = 0 ]
	[ "$(status "len(s['bans'])")" = 0 ]
	[ "$(again 127.0.1.1 1 7001)" = 0 ]
	[ "$(status "[(b['source'], b['service']) for b in s['bans']]")" = "[('127.0.1.1', 'a')]" ]
	is_refused source-rate 10
	stop
}
is_refused_more() {
	again 127.0.1.1 1 7001 >/dev/null
	! is_refused "$1" "$2"
}

@test "ban: by its own limits too, of the service alone, and of its whole prefix; ban-after is 20/1m" {
	configure 'defaults { source-prefix = { 24, 64 } ban = "10m" }
		service a { listen = "tcp:7001" handler = "daytime" rate-per-source = "1/1s" }
		service b { listen = "tcp:7002" handler = "daytime" no-access = "127.9.0.0/16" }'
	start
	[ "$(again 127.0.1.1 20 7001)" -ge 1 ]
	until_true 20 is_banned_in_the_end
	log_has 'banned 127\.0\.1\.0/24 from a for 10m: 20 refusals in 1m$'
	is_refused source-rate 20
	[ "$(many 127.0.1.100 3 7001)" = 0 ]
	[ "$(many 127.0.2.1 1 7001)" = 1 ]
	[ "$(many 127.0.1.100 3 7002)" = 3 ]
	stop
}
is_banned_in_the_end() {
	again 127.0.1.1 1 7001 >/dev/null
	grep -q 'banned 127' "$LOG"
}

@test "ban: what a full service refuses is nobody's fault" {
	a 'rate = "1/1h" when-full = "refuse" ban = "10m" ban-after = "3/1m"'
	start
	[ "$(again 127.0.0.1 50 7001)" = 1 ]
	is_refused rate 49
	log_lacks banned
	stop
}

# -- many sources --

has_children() { [ "$(children | wc -l)" = "$1" ]; }

@test "sources: the one that has been idle for longest is forgotten first; one with workers never" {
	HANDLER=echo a 'per-source = 1 rate-per-source = "1/1h"' 'sources = 1024 instances = 100'
	start
	hold 127.9.9.9 1 7001
	log_times 1 'begat a'
	stop_at=$((1024 - 1))
	# Idle is who has no worker any more: three are before all others.
	many 127.1.0.0 3 7001 >/dev/null
	until_true 5 has_children 1
	many 127.1.0.3 $((stop_at - 3)) 7001 >/dev/null
	log_times $((stop_at + 1)) 'begat a'
	# The table is full; all of them are known.
	many 127.1.0.0 3 7001 >/dev/null
	is_refused source-rate 3
	# Three more, and the first three are strangers again; the fourth is not.
	many 127.2.0.0 3 7001 >/dev/null
	until_true 5 log_counts $((stop_at + 4)) 'begat a'
	many 127.1.0.3 1 7001 >/dev/null
	is_refused source-rate 4
	many 127.1.0.0 1 7001 >/dev/null
	until_true 5 log_counts $((stop_at + 5)) 'begat a'
	# Thousands, and the one with the worker is still known.
	many 127.3.0.0 3000 7001 >/dev/null
	again 127.9.9.9 1 7001 >/dev/null
	is_refused source-rate 5
	kill "$BACKGROUND"
	until_true 5 no_workers
	stop
}

@test "P3: thousands of sources that must be remembered, and the table does not grow" {
	need_addresses
	ip -6 route replace local 2001:db8::/32 dev lo
	a 'no-access = "2001:db8::/32" ban = "1h" ban-after = "2/1h" rate-per-source = "1/1h"' \
		'sources = 1024 instances = 100'
	start
	many 2001:db8:: 3000 7001 "$(power 64)" >/dev/null
	many 127.1.0.0 500 7001 >/dev/null
	until_true 5 no_workers
	memory=$(table)
	resident=$(rss)
	descriptors=$(count_descriptors)
	# From all over the /32, as far as it goes.
	[ "$(many 2001:db8:: 20000 7001 "$(power 64 209)")" = 0 ]
	[ "$(many 127.4.0.0 1500 7001)" = 1500 ]
	until_true 5 no_workers
	[ "$(table)" = "$memory" ] || fail "the table has grown from $memory to $(table)"
	(($(rss) - resident < 128)) || fail "the master has grown from $resident to $(rss) KiB"
	[ "$(count_descriptors)" = "$descriptors" ]
	is_refused access 23000
	master_is_well
	stop
}
# table: the size of the memfd, and what of it is in memory.
table() {
	find "/proc/$MASTER/fd" -lname '/memfd:begat-sources*' -exec stat -L -c '%s %b' {} +
}

# -- what goes on over a reload --

@test "bans, buckets, places and counters survive a reload, and one with a changed configuration" {
	HANDLER=echo a 'per-source = 2 rate-per-source = "3/1h" ban = "1h" ban-after = "5/1h"'
	start
	[ "$(one_by_one 127.0.1.1 9 0)" = 3 ]
	hold 127.0.0.1 2 7001
	log_times 5 'begat a'
	[ "$(one_by_one 127.0.0.2 5 2)" = 3 ]
	refused_are source-rate 7 banned 1
	reload 'kept 1'
	same_limits 1
	HANDLER=echo a 'per-source = 2 rate-per-source = "3/1h" ban = "2h" ban-after = "6/1h" instances = 50' \
		'sources = 2000 service new { listen = "tcp:7002" handler = "daytime" }'
	reload 'changed 1'
	same_limits 2
	# The limits that count are the new ones: an empty bucket fills as they say.  A ban is as long as it was
	# said to be.
	HANDLER=echo a 'per-source = 3 rate-per-source = "4/1s" ban = "1s" ban-after = "300/1h"'
	reload
	until_true 3 is_served_from 127.0.0.2 || fail "the old rate still counts"
	until_true 3 is_served_from 127.0.0.1 || fail "the old limits still count"
	[ -z "$(ask_from 127.0.1.1)" ]
	is_refused banned 4
	# Without bans there are none.
	HANDLER=echo a ''
	reload
	[ "$(ask_from 127.0.1.1)" = hello ]
	kill "$BACKGROUND"
	until_true 5 no_workers
	[ "$(status "of('a')['active']")" = 0 ]
	stop
}
ask_from() { printf hello | run_for 10 nc -N -s "$1" 127.0.0.1 7001; }
# one_by_one SOURCE COUNT WORKERS: how many are served, each when only so many workers are left.
one_by_one() {
	local served=0
	for _ in $(seq "$2"); do
		[ "$(ask_from "$1")" != hello ] || served=$((served + 1))
		until_true 5 has_active "$3" || fail "workers are left"
	done
	echo $served
}
has_active() { [ "$(status "of('a')['active']")" = "$1" ]; }
# same_limits TIME: everything is refused that was refused before, and counted on from there.
same_limits() {
	[ -z "$(ask_from 127.0.1.1)" ]
	[ -z "$(ask_from 127.0.0.1)" ]
	[ -z "$(ask_from 127.0.0.2)" ]
	refused_are source-rate $((7 + $1)) source-full "$1" banned $((1 + $1))
	[ "$(status "of('a')['active']")" = 2 ]
}

@test "a rate that is used up is used up after a reload too, and its clients wait on" {
	HANDLER=echo a 'rate = "3/9s"'
	start
	from=${EPOCHREALTIME/./}
	for _ in 1 2 3; do [ "$(ask 7001 hello)" = hello ]; done
	ask 7001 late >"$BATS_TEST_TMPDIR/late" 3>&- &
	asking=$!
	reload
	wait "$asking"
	took=$(((${EPOCHREALTIME/./} - from) / 1000))
	[ "$(cat "$BATS_TEST_TMPDIR/late")" = late ]
	((took >= 2900)) || fail "served after $took ms"
	stop
}

@test "fewer sources after a reload: the newest are kept, and those with workers" {
	HANDLER=echo a 'per-source = 1 rate-per-source = "1/1h"' 'sources = 3000 instances = 100'
	start
	hold 127.9.9.9 1 7001
	log_times 1 'begat a'
	many 127.1.0.0 2000 7001 >/dev/null
	log_times 2001 'begat a'
	HANDLER=echo a 'per-source = 1 rate-per-source = "1/1h"' 'sources = 1024 instances = 100'
	reload
	again 127.9.9.9 1 7001 >/dev/null
	is_refused source-rate 1
	many 127.1.7.0 200 7001 >/dev/null
	is_refused source-rate 201
	many 127.1.0.0 10 7001 >/dev/null
	is_refused source-rate 201
	kill "$BACKGROUND"
	until_true 5 no_workers
	stop
}

# -- the log and the counters --

@test "refusals in the log: one line of a service and reason in five seconds, and how many there were" {
	configure 'service a { listen = "tcp:7001" handler = "daytime" no-access = "127.0.1.0/24"
			rate-per-source = "1/1h" }
		service b { listen = "tcp:7002" handler = "daytime" no-access = "127.0.1.0/24" }'
	start
	again 127.0.1.1 100 7001 >/dev/null
	again 127.0.1.1 100 7002 >/dev/null
	again 127.0.0.1 101 7001 >/dev/null
	log_has 'refused a peer=127\.0\.1\.1:[0-9]+ reason=access: not allowed$'
	log_has 'refused b peer=127\.0\.1\.1:[0-9]+ reason=access: not allowed$'
	log_has 'refused a peer=127\.0\.0\.1:[0-9]+ reason=source-rate: connects too often$'
	log_times 3 refused
	until_true 10 is_told_again || fail "no line after five seconds"
	log_has 'refused b peer=127\.0\.1\.2:[0-9]+ reason=access: not allowed \([0-9]+ more suppressed\)$'
	told=$(grep -o '([0-9]* more' "$LOG" | tr -dc '0-9')
	[ "$told" = "$(status "of('b')['refused']['access'] - 2")" ]
	log_times 4 refused
	stop
}
is_told_again() {
	again 127.0.1.2 1 7002 >/dev/null
	grep -q 'more suppressed' "$LOG"
}

@test "a ban of each of many sources does not fill the log" {
	a 'no-access = "127.0.0.0/8" ban = "1h" ban-after = "1/1h"'
	start
	many 127.1.0.0 300 7001 >/dev/null
	refused_are access 300
	(($(log_count 'banned 127') <= 10)) || fail "$(log_count 'banned 127') lines"
	# What is not told there is told elsewhere.
	[ "$(status "len(s['bans'])")" = 300 ]
	stop
}

@test "counters: by service and reason, each refusal once, and none for who is let in" {
	[ -x "$BEGAT" ] || skip "begat is not built"
	configure 'service a { listen = "tcp:7001" handler = "daytime" no-access = "127.0.1.0/24"
			rate-per-source = "4/1h" rate = "9/1h" when-full = "refuse" ban = "1h" ban-after = "7/1h" }
		service b { listen = "tcp:7002" handler = "daytime" }'
	start
	again 127.0.1.1 10 7001 >/dev/null
	again 127.0.0.1 7 7001 >/dev/null
	many 127.0.0.2 8 7001 >/dev/null
	again 127.0.1.1 3 7002 >/dev/null
	until_true 5 no_workers
	refused_are access 10 rate 3 source-rate 3
	[ "$(status "of('a')['begat'], of('a')['active'], of('b')['begat'], of('b').get('refused', {})")" = \
		'9 0 3 {}' ]
	stop
}
