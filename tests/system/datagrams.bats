#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# UDP: answers to who has asked, from where it was asked, and nothing for who could be somebody else.

load lib

datagram() { "$SRCDIR/tests/system/helpers/datagram.py" "$@"; }
status() { "$BEGAT" --control "$BATS_TEST_TMPDIR/control" status --json; }

# serve LISTEN HANDLER [KEYS]
serve() {
	configure "control = \"$BATS_TEST_TMPDIR/control\"
		service small { listen = $1 handler = \"$2\" ${3-} }"
	start
}
# refused REASON COUNT: the counter, once the worker has told it.
refused() { until_true 5 has_refused "$@" || fail "$1: $(status | grep -o '"refused":{[^}]*}')"; }
has_refused() { status | grep -q "\"refused\":{[^}]*\"$1\": *$2[,}]"; }

@test "time, as rdate asks for it: four bytes for an empty datagram" {
	serve '"udp:127.0.0.1:7037"' time
	before=$(date +%s)
	read -r from port answer < <(datagram ask 127.0.0.1 7037 '')
	[ "$from $port" = "127.0.0.1 7037" ]
	[ ${#answer} = 8 ]
	seconds=$((16#$answer - 2208988800))
	[ "$seconds" -ge "$before" ]
	[ "$seconds" -le "$(date +%s)" ]
	stop
}

@test "daytime by nc -u, and one worker serves all" {
	serve '"udp:127.0.0.1:7013"' daytime
	[ "$(echo | run_for 5 nc -u -w1 127.0.0.1 7013 | wc -c)" = 26 ]
	[ "$(datagram many 127.0.0.1 7013 50)" = 50 ]
	[ "$(log_count 'begat small')" = 1 ]
	stop
	log_has 'reaped small\[[0-9]+\] peer=- result=ok served=51 refused=0'
}

@test "a multi-homed host answers from the address that was asked" {
	need_root
	ip address add 192.0.2.1/24 dev lo
	ip address add 192.0.2.2/24 dev lo
	serve '{ "udp:7013" }' daytime
	[ "$(datagram ask 192.0.2.1 7013 61 | cut -d' ' -f1)" = 192.0.2.1 ]
	[ "$(datagram ask 192.0.2.2 7013 61 | cut -d' ' -f1)" = 192.0.2.2 ]
	[ "$(datagram ask 127.0.0.1 7013 61 | cut -d' ' -f1)" = 127.0.0.1 ]
	[ "$(datagram ask ::1 7013 61 | cut -d' ' -f1)" = ::1 ]
	stop
}

@test "F28: one packet from any small port, or one of ours, gets no answer" {
	need_root
	configure "control = \"$BATS_TEST_TMPDIR/control\"
		service small { listen = { \"udp:127.0.0.1:7013\", \"udp:127.0.0.1:7019\" } handler = \"chargen\" }"
	start
	for port in 0 1 7 9 13 17 19 37 53 69 123 161 1023 7013 7019; do
		datagram spoof 127.0.0.1 "$port" 127.0.0.1 7013
	done
	refused port 15
	log_has 'refused small peer=127\.0\.0\.1:[0-9]+ reason=port: from a port that may answer answers'
	# And who comes from elsewhere is served.
	[ "$(datagram ask 127.0.0.1 7013 61)" != none ]
	stop
	log_has 'served=1 refused=15'
}

@test "F28: two of our own services cannot be made to talk to each other" {
	need_root
	configure 'service a { listen = "udp:127.0.0.1:7007" handler = "echo" }
		service b { listen = "udp:127.0.0.1:7008" handler = "echo" }'
	start
	datagram spoof 127.0.0.1 7007 127.0.0.1 7008
	datagram spoof 127.0.0.1 7008 127.0.0.1 7007
	datagram spoof 127.0.0.1 7007 127.0.0.1 7007
	log_has 'refused a .*reason=port'
	log_has 'refused b .*reason=port'
	stop
	log_has 'reaped a.*served=0 refused=2'
	log_has 'reaped b.*served=0 refused=1'
}

@test "F28: nobody's, everybody's and other links' loopback addresses get no answer" {
	need_root
	ip link add left type veth peer name right
	ip address add 192.0.2.1/24 dev left
	ip link set left up
	ip link set right up
	serve '"udp:7013"' daytime
	sysctl -q net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.lo.rp_filter=0 2>/dev/null || :
	for source in 0.0.0.0 0.1.2.3 224.0.0.1 239.1.2.3 240.0.0.1 255.255.255.255; do
		datagram spoof "$source" 4711 127.0.0.1 7013 || :
	done
	[ "$(datagram ask 127.0.0.1 7013 61)" != none ]
	[ "$(datagram ask 192.0.2.1 7013 61 127.0.0.1)" = none ]
	refused address 6 # of those above the kernel itself drops the first
	stop
	log_has 'served=1 '
}

@test "a broadcast is not answered" {
	need_root
	ip link add many type veth peer more
	ip address add 198.51.100.1/24 broadcast 198.51.100.255 dev many
	ip link set many up
	ip link set more up
	serve '"udp:7013"' daytime
	datagram spoof 198.51.100.1 4711 198.51.100.255 7013
	refused address 1
	stop
}

@test "F30: empty, as long as can be, and cut: each gets what it should" {
	serve '"udp:127.0.0.1:7007"' echo
	[ "$(datagram ask 127.0.0.1 7007 '')" = "127.0.0.1 7007 " ]
	[ "$(datagram size 127.0.0.1 7007 512)" = 512 ]
	[ "$(datagram size 127.0.0.1 7007 513)" = none ]
	[ "$(datagram size 127.0.0.1 7007 65507)" = none ]
	[ "$(datagram ask 127.0.0.1 7007 68656c6c6f)" = "127.0.0.1 7007 68656c6c6f" ]
	refused size 2
	log_has 'refused small .* reason=size: the answer would be too long'
	stop
}

@test "reply-max lets longer answers through, up to the longest datagram" {
	serve '"udp:127.0.0.1:7007"' echo 'reply-max = 65507'
	[ "$(datagram size 127.0.0.1 7007 65507)" = 65507 ]
	stop
}

@test "F29: an answer is no more than so many times the question" {
	serve '"udp:127.0.0.1:7019"' chargen 'reply-factor = 2'
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		length=$(datagram size 127.0.0.1 7019 1)
		[ "$length" -le 30 ] || fail "$length bytes" # 2 * (28 + 1) - 28
	done
	stop
}

@test "F29: a source has a rate, and others are served meanwhile" {
	serve '"udp:7013"' daytime
	datagram flood 127.0.0.1 7013 1 >/dev/null
	until_true 5 grep -q 'reason=source-rate' "$LOG" || fail "nobody was refused"
	if is_root; then
		ip address add 127.0.0.2/8 dev lo || :
		[ "$(datagram ask 127.0.0.1 7013 61 127.0.0.2)" != none ]
	fi
	until_true 3 eval '[ "$(datagram ask 127.0.0.1 7013 61)" != none ]'
	stop
}

@test "nobody is banned for what somebody else may have sent" {
	serve '{ "tcp:127.0.0.1:7013", "udp:127.0.0.1:7013" }' daytime 'rate-per-source = "1/1s" ban = "1h" ban-after = "2/10s"'
	datagram flood 127.0.0.1 7013 0.3 >/dev/null
	log_has 'reason=source-rate'
	until_true 5 eval '[ "$(datagram ask 127.0.0.1 7013 61)" != none ]'
	log_lacks 'banned'
	stop
}

@test "only-from and no-access hold for datagrams" {
	need_root
	ip address add 127.0.0.2/8 dev lo || :
	serve '"udp:127.0.0.1:7013"' daytime 'no-access = "127.0.0.2"'
	[ "$(datagram ask 127.0.0.1 7013 61)" != none ]
	[ "$(datagram ask 127.0.0.1 7013 61 127.0.0.2)" = none ]
	refused access 1
	log_has 'refused small peer=127\.0\.0\.2:[0-9]+ reason=access'
	stop
}

@test "F22: a datagram with a wrong checksum wakes nobody for long" {
	need_root
	serve '"udp:127.0.0.1:7013"' daytime
	# On lo nobody looks at checksums unless they come from a raw socket.
	datagram corrupt 127.0.0.1 4711 127.0.0.1 7013
	[ "$(datagram ask 127.0.0.1 7013 61)" != none ]
	before=$(count_wakeups)
	sleep 1
	[ $(($(count_wakeups) - before)) -le 20 ]
	stop
}

@test "F30: an answer that nobody takes any more ends nothing" {
	serve '"udp:127.0.0.1:7013"' daytime
	for _ in 1 2 3 4 5; do
		python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"x", ("127.0.0.1", 7013))
s.close()'
	done
	[ "$(datagram ask 127.0.0.1 7013 61)" != none ]
	[ "$(log_count 'begat small')" = 1 ]
	stop
}

@test "discard answers nothing, and empties the queue" {
	serve '"udp:127.0.0.1:7009"' discard 'rate-per-source = "1000/1s"'
	for _ in 1 2 3; do [ "$(datagram ask 127.0.0.1 7009 61)" = none ]; done
	stop
	log_has 'served=3 refused=0'
}

@test "a reload in the middle of questions loses none of them" {
	serve '"udp:127.0.0.1:7013"' daytime 'rate-per-source = "100000/1s"'
	datagram many 127.0.0.1 7013 20000 >"$BATS_TEST_TMPDIR/answers" &
	for n in 1 2 3 4 5; do
		kill -HUP "$MASTER"
		until_true 10 reloaded "$n" || fail "no reload $n"
	done
	wait $!
	[ "$(cat "$BATS_TEST_TMPDIR/answers")" = 20000 ]
	stop
}
reloaded() { [ "$(log_count 'generation')" -ge "$1" ]; }
