#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Where datagrams and the readers of FIFOs come from: what is bound or made at the start, what is refused,
# and what a reload keeps.  (inetd and xinetd close their datagram sockets at a reload, and what was queued
# is lost; inetd lets two services have one port.)

load lib
load fault
load reload

setup() {
	FIFO=$BATS_TEST_TMPDIR/fifo
}

datagrams() { run_for 30 "$BATS_TEST_DIRNAME/helpers/datagrams.py" "$@"; }
udp() { printf 'service %s { listen = "udp:%s" %s }\n' "$1" "$2" "${3-handler = \"echo\"}"; }
fifo() { printf 'service f { listen = "fifo:%s" handler = "daytime" %s }\n' "$FIFO" "${1-}"; }
often='handler = "echo" rate-per-source = "10000/1s"'

# hold_port HOST PORT [reuse]: another program has it, for datagrams.
hold_port() {
	rm -f "$BATS_TEST_TMPDIR/squatter"
	"$BATS_TEST_DIRNAME/helpers/datagrams.py" hold "$@" >"$BATS_TEST_TMPDIR/squatter" 3>&- &
	SQUATTER=$!
	HELPERS="${HELPERS-} $SQUATTER"
	until_true 5 grep -sq ready "$BATS_TEST_TMPDIR/squatter"
}

# refused [ARGUMENT...]: begatd does not start; what it says is in $output.
refused() {
	run run_for 5 "$BEGATD" -n -f "$CONF" "$@" 3>&-
	echo "$output"
	[ "$status" = 1 ]
}

# The socket of a port: its inode; what the kernel has dropped there.
inode_of() { ss -Huane "sport = :$1" | grep -o 'ino:[0-9]*'; }
dropped_of() { ss -Huanm "sport = :$1" | grep -o ',d[0-9]*'; }
queue_of() { ss -Huan "sport = :$1" | awk '{ print $2 }'; }

@test "udp:PORT is one socket for both families, and tcp may have the same port" {
	configure 'service echo { listen = { "udp:7007", "tcp:7007" } handler = "echo" }'
	start
	[ "$(inode_of 7007 | wc -l)" = 1 ]
	[ "$(datagrams ask 127.0.0.1 7007 four)" = four ]
	[ "$(datagrams ask ::1 7007 six)" = six ]
	[ "$(datagrams ask 127.0.0.77 7007 elsewhere)" = elsewhere ]
	[ "$(ask 7007 stream)" = stream ]
	stop
}

@test "udp4: and udp6: are one family each, and may be two services" {
	configure "$(udp four 4 | sed s/udp:4/udp4:7007/)
		service six { listen = \"udp6:7007\" handler = \"echo\" }"
	start
	[ "$(inode_of 7007 | wc -l)" = 2 ]
	[ "$(datagrams ask 127.0.0.1 7007 four)" = four ]
	[ "$(datagrams ask ::1 7007 six)" = six ]
	stop
}

@test "a range of ports, and port 0, whose number can be read in the log" {
	configure "$(udp range 7001-7003) $(udp some 127.0.0.1:0)"
	start
	for port in 7001 7002 7003; do
		[ "$(datagrams ask 127.0.0.1 $port x)" = x ]
	done
	log_has 'listening some on udp:127\.0\.0\.1:[1-9]'
	port=$(grep -o 'listening some on .*' "$LOG" | tr -dc '0-9:' | sed 's/.*://')
	[ "$(datagrams ask 127.0.0.1 "$port" zero)" = zero ]
	reload 'kept 2'
	[ "$(datagrams ask 127.0.0.1 "$port" again)" = again ]
	stop
}

@test "P9: a port that somebody has is an error that names who, and another protocol's is not" {
	hold_port 127.0.0.1 7007
	configure "$(udp s 127.0.0.1:7007)"
	refused
	[[ $output == *"service s: udp:127.0.0.1:7007: Address already in use (held by squatter, pid $SQUATTER)"* ]]
	configure "$(udp s 7007)"
	refused
	[[ $output == *"service s: udp:7007: Address already in use (held by squatter, pid $SQUATTER)"* ]]
	configure 'service s { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
	start
	stop
}

@test "another program of the same user that says it may share a port cannot have ours" {
	configure "$(udp s 127.0.0.1:7007)"
	start
	run run_for 5 "$BATS_TEST_DIRNAME/helpers/datagrams.py" hold 127.0.0.1 7007 reuse
	[ "$status" = 1 ]
	[[ $output == *"Address already in use"* ]]
	stop
}

@test "a second daemon is told which one is in the way" {
	configure "$(udp s 7007)"
	start
	rm "$BATS_TEST_TMPDIR/ready"
	refused -p "$BATS_TEST_TMPDIR/pid2"
	[[ $output == *"udp:7007: Address already in use (held by "*"pid "* ]]
	[ "$(datagrams ask 127.0.0.1 7007 x)" = x ]
	stop
}

@test "P1: what is queued when a reload begins is answered after it, by the same socket" {
	configure "$(udp s 127.0.0.1:7007 "$often")"
	start
	before=$(inode_of 7007)
	kill -STOP "$MASTER"
	datagrams count 127.0.0.1 7007 200 100000 >"$BATS_TEST_TMPDIR/count" 3>&- &
	counter=$!
	until_true 5 has_queue 7007
	kill -HUP "$MASTER"
	kill -CONT "$MASTER"
	wait $counter
	[ "$(cat "$BATS_TEST_TMPDIR/count")" = 200 ]
	until_true 10 has_outcomes 1
	[ "$(inode_of 7007)" = "$before" ]
	stop
}
has_queue() { (($(queue_of "$1") > 100)); }

@test "P1: over reload after reload no datagram is lost" {
	configure "$(udp s 127.0.0.1:7007 "$often")"
	start
	datagrams count 127.0.0.1 7007 1500 500 >"$BATS_TEST_TMPDIR/count" 3>&- &
	counter=$!
	for round in 1 2 3 4 5; do
		configure "$(udp s 127.0.0.1:7007 "$often nice = $round")"
		reload
	done
	wait $counter
	[ "$(cat "$BATS_TEST_TMPDIR/count")" = 1500 ]
	[ "$(dropped_of 7007)" = ,d0 ]
	master_is_well
	stop
}

@test "a burst of a thousand datagrams finds room while nobody reads" {
	need_root # net.core.rmem_max is for the others
	configure "$(udp s 127.0.0.1:7007 "$often")"
	start
	kill -STOP "$MASTER"
	datagrams send 127.0.0.1 7007 1000
	[ "$(dropped_of 7007)" = ,d0 ]
	kill -CONT "$MASTER"
	stop
}

@test "P3: a service that becomes a program and a handler again keeps its socket, and leaves nothing open" {
	local program='exec = { "/bin/sleep", "0" }'
	configure "$(udp s 127.0.0.1:7007)"
	start
	before=$(inode_of 7007)
	[ "$(datagrams ask 127.0.0.1 7007 x)" = x ] # opens what is there from the first worker on
	count=$(count_descriptors)
	for _ in 1 2 3; do
		configure "$(udp s 127.0.0.1:7007 "$program")"
		reload 'changed 1'
		configure "$(udp s 127.0.0.1:7007)"
		reload 'changed 1'
	done
	[ "$(inode_of 7007)" = "$before" ]
	[ "$(datagrams ask 127.0.0.1 7007 x)" = x ]
	until_true 15 has_descriptors_at_most "$count" || fail "$(ls -l "/proc/$MASTER/fd")"
	stop
}
has_descriptors_at_most() { (($(count_descriptors) <= $1)); }

@test "listeners for datagrams that are added and removed leave nothing open" {
	configure "$(udp one 7001)"
	start
	[ "$(datagrams ask 127.0.0.1 7001 x)" = x ]
	count=$(count_descriptors)
	for _ in 1 2 3; do
		configure "$(udp one 7001) $(udp two 7002)"
		reload 'added 1'
		[ "$(datagrams ask 127.0.0.1 7002 x)" = x ]
		configure "$(udp one 7001)"
		reload 'removed 1'
		[ -z "$(inode_of 7002)" ]
	done
	until_true 15 has_descriptors_at_most "$count" || fail "$(ls -l "/proc/$MASTER/fd")"
	stop
}

@test "P2: a reload that cannot bind a port changes nothing, and says who has it" {
	configure "$(udp one 7001)"
	start
	remember
	hold_port 0.0.0.0 7002
	configure "$(udp one 7001) $(udp two 7002)"
	fails_to_reload "service two: udp:7002: Address already in use \(held by squatter, pid $SQUATTER\)"
	same_as_before
	[ "$(datagrams ask 127.0.0.1 7001 x)" = x ]
	stop
}

@test "-T prints what loads again to the same, and --against sees the difference" {
	configure "$(udp a 7001-7003)
		service b { listen = { \"udp:7004\", \"tcp:7005\", \"udp4:7006\", \"udp:[::1]:7006\" } handler = \"echo\" }
		$(fifo)"
	"$BEGATD" -T -f "$CONF" >"$BATS_TEST_TMPDIR/first"
	grep -F '"udp:7001-7003"' "$BATS_TEST_TMPDIR/first"
	grep -F '{ "udp:7004", "tcp:7005", "udp4:7006", "udp:[::1]:7006" }' "$BATS_TEST_TMPDIR/first"
	grep -F "\"fifo:$FIFO\"" "$BATS_TEST_TMPDIR/first"
	"$BEGATD" -T -f "$BATS_TEST_TMPDIR/first" | diff "$BATS_TEST_TMPDIR/first" -
	start
	run "$BEGATD" -t -f "$CONF" --against "$BATS_TEST_TMPDIR/pid"
	[[ $output == *"keep 3, add 0, change 0, remove 0"* ]]
	sed -i s/udp:7004/udp:7014/ "$CONF"
	run "$BEGATD" -t -f "$CONF" --against "$BATS_TEST_TMPDIR/pid"
	[[ $output == *"keep 2, add 0, change 1, remove 0"* ]]
	stop
}

@test "a FIFO is there from the start, with its owner and mode, and is gone after the end" {
	configure "$(fifo 'socket-mode = "0640"')"
	start
	[ -p "$FIFO" ]
	[ "$(stat -c %a "$FIFO")" = 640 ]
	stop
	[ ! -e "$FIFO" ]
}

@test "a FIFO that is there already becomes ours" {
	configure "$(fifo)"
	mkfifo -m 666 "$FIFO"
	start
	[ "$(stat -c %a "$FIFO")" = 600 ]
	stop
}

@test "F42: whatever else is where the FIFO should be is an error, and is left alone" {
	configure "$(fifo)"
	echo precious >"$FIFO"
	refused
	[[ $output == *"service f: fifo:$FIFO: there is a file that is not a FIFO; remove it or choose another path"* ]]
	[ "$(cat "$FIFO")" = precious ]
	mv "$FIFO" "$FIFO.target"
	ln -s "$FIFO.target" "$FIFO"
	refused
	[ -L "$FIFO" ]
	[ "$(cat "$FIFO")" = precious ]
	rm "$FIFO"
	mkdir "$FIFO"
	refused
	[ -d "$FIFO" ]
	FIFO=$BATS_TEST_TMPDIR/missing/fifo
	configure "$(fifo)"
	refused
	[[ $output == *"the FIFO cannot be made: No such file or directory"* ]]
}

@test "a start that fails removes the FIFO that it has made, and only that" {
	hold_port 127.0.0.1 7007
	configure "$(fifo) $(udp s 127.0.0.1:7007)"
	refused
	[ ! -e "$FIFO" ]
	mkfifo "$FIFO"
	refused
	[ -p "$FIFO" ]
}

@test "P2: a reload that cannot make a FIFO changes nothing, and one that can keeps it" {
	configure "$(udp s 127.0.0.1:7007)"
	start
	remember
	echo precious >"$FIFO"
	configure "$(udp s 127.0.0.1:7007) $(fifo)"
	fails_to_reload 'there is a file that is not a FIFO'
	same_as_before
	rm "$FIFO"
	reload 'kept 1, added 1'
	[ -p "$FIFO" ]
	reload 'kept 2'
	[ -p "$FIFO" ]
	configure "$(udp s 127.0.0.1:7007)"
	reload 'removed 1'
	until_true 5 test ! -e "$FIFO"
	stop
}
