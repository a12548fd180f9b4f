#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The control socket and begat(1): who may ask and how often, what status says and when, and a socket that is
# where it should be from the start to the end, whatever reloads and clients do.

load lib
load fault
load reload

BEGAT=${BEGAT:-$(dirname "$BEGATD")/begat}
services='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
service echo { listen = { "tcp:127.0.0.1:7007", "tcp:127.0.0.1:7008" } handler = "echo" instances = 600 }'

setup() {
	SOCK=$BATS_TEST_TMPDIR/pid.sock
	configure "$services"
}

begat() { run_for 30 "$BEGAT" --control "$SOCK" "$@"; }
crafted() { run_for 40 "$BATS_TEST_DIRNAME/helpers/ask.py" "$SOCK" "$@"; }

# fails STATUS COMMAND...: with what it says in $output.
fails() {
	local expected=$1
	shift
	run "$@"
	echo "$output"
	[ "$status" = "$expected" ]
}

# json FILTER [SERVICE]: a Python expression over the status, as s.
json() {
	begat status --json ${2+"$2"} | python3 -c "import json, sys; s = json.load(sys.stdin); print(($1))"
}

is_well() { [[ $(begat status) == "begat "*" running, pid $MASTER, up "* ]]; }

# everybody: a place that other users get to, and a control socket in it.
everybody() {
	need_root
	PLACE=$(mktemp -d /tmp/begat-control.XXXXXX)
	chmod 755 "$PLACE"
	SOCK=$PLACE/sock
	configure "control = '$SOCK' $1 $services"
}
# other [GROUPS]: begat as somebody else, who is in these groups, the first of which is the own one.
other() {
	local groups=$1
	shift
	run_for 30 setpriv --reuid=12345 --regid="${groups%%,*}" --groups="$groups" \
		"$BEGAT" --control "$SOCK" "$@"
}

teardown_place() { [ -z "${PLACE-}" ] || rmdir "$PLACE"; }

@test "status: version, pid, age, and a line for each service with what its workers are at" {
	start
	session 7007
	ask 7013 >/dev/null
	run begat status
	echo "$output"
	[[ ${lines[0]} == "begat $("$BEGATD" -V | cut -d' ' -f2) running, pid $MASTER, up "*" s, generation 1" ]]
	[[ $output == *$'\nSERVICE  STATE '* ]]
	grep -Eq '^daytime +open +0(/100)? +1 +0$' <<<"$output"
	grep -Eq '^echo +open +1(/600)? +1 +0$' <<<"$output"
	[ "$(grep -c ' $' <<<"$output")" = 0 ]
	[[ $output != *reload* ]]
	end
}

@test "status --json: one document, with all that is known" {
	start
	session 7007
	begat status --json | python3 -m json.tool >/dev/null
	[ "$(json 's["program"], s["pid"], s["generation"]')" = "('begat', $MASTER, 1)" ]
	[ "$(json '[x["name"] for x in s["services"]]')" = "['daytime', 'echo']" ]
	[ "$(json '[x.get("service", x.get("control")) for x in s["listeners"]]')" = \
		"['daytime', 'echo', 'echo', True]" ]
	[ "$(json 'len(s["children"])')" = 1 ]
	end
}

@test "status SERVICE: that one alone, with its listeners, for people and as JSON" {
	start
	session 7007
	run begat status echo
	echo "$output"
	[ "${lines[0]}" = 'echo: open' ]
	[ "${lines[1]}" = 'listening on tcp:127.0.0.1:7007' ]
	[ "${lines[2]}" = 'listening on tcp:127.0.0.1:7008' ]
	[[ ${lines[3]} == '1 worker'*', 1 since the start' ]]
	[ "$(json '[x["name"] for x in s["services"]], len(s["listeners"]), [x[1] for x in s["children"]]' echo)" = \
		"(['echo'], 2, [0])" ]
	[ "$(json 'len(s["listeners"]), s["children"]' daytime)" = '(1, [])' ]
	fails 1 begat status nix
	[[ $output == *'there is no service "nix"'* ]]
	fails 1 begat status --json nix
	end
}

@test "status: a throttled service, with the time that is left; a disabled one; one that is full" {
	configure "service bad { listen = 'tcp:127.0.0.1:7001' exec = '/bin/false' }
		service off { listen = 'tcp:127.0.0.1:7002' handler = 'echo' disable = true }
		service one { listen = 'tcp:127.0.0.1:7007' handler = 'echo' instances = 1 }"
	start
	session 7007
	begat status | grep -Eq '^off +closed '
	# shellcheck disable=SC2034 # how often
	for i in 1 2 3 4 5 6 7 8; do
		nc -z 127.0.0.1 7001
	done
	until_true 10 is_throttled
	end
}
is_throttled() { begat status | grep -Eq '^bad +throttled +0(/100)? .* s left'; }

@test "status: what has come of reloads" {
	start
	reload
	run begat status
	echo "$output"
	[[ ${lines[0]} == *'generation 2' ]]
	[[ ${lines[1]} == 'last reload 20'*'; 1 succeeded, 0 failed' ]]
	configure "$services service x { listen = 'udp:1' handler = 'nix\\xe9' }"
	fails_to_reload 'no handler'
	run begat status
	echo "$output"
	[[ ${lines[1]} == 'last reload 20'*'; 1 succeeded, 1 failed' ]]
	[[ ${lines[2]} == "last failure: $CONF:"*': '* ]]
	# Whatever is in there: a terminal gets printable ASCII.
	[ "$(tr -d ' -~\n' <<<"$output")" = "" ]
	stop
}

@test "not running is exit status 7: no socket, a stale one, no directory" {
	fails 7 begat status
	[[ $output == "begat: $SOCK: begatd is not running"* ]]
	start
	stop
	fails 7 begat status
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).bind(sys.argv[1])' "$SOCK"
	fails 7 begat status
	SOCK=$BATS_TEST_TMPDIR/nowhere/sock
	fails 7 begat unban 192.0.2.7
}

@test "usage errors are exit status 2, and what is asked for by --help is not one" {
	fails 2 "$BEGAT"
	fails 2 begat
	fails 2 begat nix
	[[ $output == *'there is no command "nix"'* ]]
	fails 2 begat status --nix
	fails 2 begat status a b
	fails 2 begat unban
	fails 2 begat unban 192.0.2.7 a b
	fails 2 begat unban 192.0.2.7 'a b'
	fails 2 begat --nix status
	SOCK=/$(printf '%0108d' 0)
	fails 2 begat status
	[[ $("$BEGAT" --help) == *status*unban*--control* ]]
	[ "$("$BEGAT" --version)" = "begat $("$BEGATD" -V | cut -d' ' -f2)" ]
	fails 1 sh -c '"$0" --version >/dev/full' "$BEGAT"
}

@test "BEGAT_CONTROL says where, --control overrides it, and an ordinary user's own daemon comes first" {
	start
	BEGAT_CONTROL=$SOCK run_for 5 "$BEGAT" status | grep -q "pid $MASTER"
	BEGAT_CONTROL=/nowhere begat status | grep -q "pid $MASTER"
	BEGAT_CONTROL='' fails 7 run_for 5 "$BEGAT" status
	refute grep -q "$BATS_TEST_TMPDIR" <<<"$output"
	stop
	is_root || own_daemon
}
own_daemon() {
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	sed -i '/^pidfile/d' "$CONF"
	start
	[ -S "$BATS_TEST_TMPDIR/begat/begat.sock" ]
	run_for 5 "$BEGAT" status | grep -q "pid $MASTER"
	stop
}

@test "the socket is 0600 from the first moment, goes with -p, and is gone at the end" {
	umask 0
	start
	[ "$(stat -c '%F %a' "$SOCK")" = 'socket 600' ]
	stop
	[ ! -e "$SOCK" ]
	start -p "$BATS_TEST_TMPDIR/other.pid"
	[ ! -e "$SOCK" ]
	SOCK=$BATS_TEST_TMPDIR/other.sock
	is_well
	stop
	[ ! -e "$SOCK" ]
}

@test "control = none: there is no socket, and nothing is said about it" {
	configure "control = 'none' $services"
	start
	[ ! -e "$SOCK" ]
	log_lacks control
	fails 7 begat status
	stop
}

@test "F40, F41, F42: a stale socket is replaced, a live one is an error, other files are left alone" {
	"$BATS_TEST_DIRNAME/helpers/bind-unix.py" "$SOCK"
	start
	is_well
	sed "s,^pidfile.*,control = '$SOCK'," "$CONF" | sed 's/:70/:71/g' >"$CONF.2"
	fails 1 run_for 5 "$BEGATD" -n -f "$CONF.2" -p "$BATS_TEST_TMPDIR/pid2" 3>&-
	[[ $output == *"control: $SOCK: Address already in use (held by begat-master, pid $MASTER)"* ]]
	is_well
	stop
	echo precious >"$SOCK"
	fails 1 run_for 5 "$BEGATD" -n -f "$CONF" 3>&-
	[[ $output == *"control: $SOCK: there is a file that is not a socket"* ]]
	[ "$(cat "$SOCK")" = precious ]
	[ ! -e "$BATS_TEST_TMPDIR/pid" ]
}

@test "F45: at the end a socket that has taken the place of ours is left alone" {
	start
	rm "$SOCK"
	"$BATS_TEST_DIRNAME/helpers/bind-unix.py" "$SOCK"
	theirs=$(stat -c %i "$SOCK")
	stop
	[ "$(stat -c %i "$SOCK")" = "$theirs" ]
}

@test "a start that fails after the socket was made leaves none behind" {
	put_fake_master
	fails 1 run_for 5 env BEGAT_MASTER="$BATS_TEST_TMPDIR/fake" "$BEGATD" -n -f "$CONF" 3>&-
	[ ! -e "$SOCK" ]
	[ ! -e "$BATS_TEST_TMPDIR/pid" ]
}
put_fake_master() {
	echo 'not a program' >"$BATS_TEST_TMPDIR/fake"
	chmod +x "$BATS_TEST_TMPDIR/fake"
}

@test "who may not connect is told so, exit status 4" {
	everybody ""
	start
	fails 4 other 12345 status
	[[ $output == "begat: $SOCK: Permission denied"* ]]
	# Root may, the daemon's user is asked for in another test; nobody else, whatever the file's mode.
	chmod 666 "$SOCK"
	fails 4 other 12345 status
	[[ $output == *"only root, the daemon's user and control-group may ask"* ]]
	fails 4 other 12345 unban 192.0.2.7
	log_has 'control: denied to uid=12345'
	is_well
	stop
	teardown_place
}

@test "control-group: its members may ask, by their first group or another one" {
	everybody "control-group = '4242'"
	start
	[ "$(stat -c '%a %u %g' "$SOCK")" = '660 0 4242' ]
	other 4242 status >/dev/null
	other 12345,4241,4242,4243 status >/dev/null
	fails 4 other 12345,4241 status
	chmod 666 "$SOCK"
	fails 4 other 12345,4241 status
	other 12345,"$(seq -s , 10000 10200),4242" status >/dev/null
	is_well
	stop
	teardown_place
}

@test "the user who runs the daemon may ask, and so may root" {
	everybody ""
	chown 12345 "$PLACE"
	cp "$CONF" "$PLACE/conf"
	sed -i "s,^log.*,log = 'stderr'," "$PLACE/conf"
	CONF=$PLACE/conf
	run_for 60 setpriv --reuid=12345 --regid=12345 --clear-groups \
		"$BEGATD" -n -f "$CONF" -p "$PLACE/pid" 3>&- 2>/dev/null &
	HELPERS=$!
	until_true 10 test -S "$SOCK"
	until_true 10 other 12345 status >/dev/null
	begat status >/dev/null
	fails 4 run_for 5 setpriv --reuid=12346 --regid=12346 --clear-groups "$BEGAT" --control "$SOCK" status
	kill "$(cat "$PLACE/pid")"
	until_true 10 test ! -e "$SOCK"
	rm "$CONF"
	teardown_place
}

@test "what is no request is an error, and the daemon goes on" {
	start
	is_well
	until_true 5 no_workers
	before=$(count_descriptors)
	for request in ' ' 'status ' ' status' 'unban  x' '\x00' 'status\x00' 'st\xe9tus' 'status\n' 'a b c d e' \
		$'\\x1b[31m'; do
		[ "$(crafted "send:$request" answer answer)" = $'error that is not a request\nend' ] || fail "$request"
	done
	[ "$(crafted repeat:513:x answer)" = 'error that is not a request' ]
	[ "$(crafted repeat:100000:x answer)" = 'error that is not a request' ]
	[[ $(crafted repeat:512:x answer) == 'error begatd '*' does not know "xxxxxxx'* ]]
	[[ $(crafted send:reload answer) == 'error begatd '*' does not know "reload"' ]]
	[ "$(crafted 'send:status x' answer)" = 'error status: too many words' ]
	[ "$(crafted send:unban answer)" = 'error unban: too few words' ]
	[ "$(crafted 'send:unban a b c' answer)" = 'error unban: too many words' ]
	[ "$(crafted send: answer)" = end ]
	[ "$(crafted send:status answer answer)" = $'ok +1\nend' ]
	[ "$(crafted fds:200:status answer)" = 'ok +1' ]
	[ "$(crafted send:status send:status answer answer)" = $'ok +1\nend' ]
	until_true 5 no_workers
	[ "$(count_descriptors)" = "$before" ]
	is_well
	stop
}

@test "unban: only what is wholly understood, and by name" {
	start
	for source in 192.0.2.7 192.0.2.0/24 0.0.0.0/0 2001:db8::/32 ::1 uid=7; do
		[ "$(crafted "send:unban $source" answer)" = 'ok 0' ] || fail "$source"
	done
	for source in 192.0.2.7/24 192.0.2.0/33 192.0.2.0/ 192.0.2/24 192.0.2.0/-1 2001:db8::1/32 ::/129 nix uid= \
		uid=-1 uid=4294967295 10.0.0.0/8/8 01.2.3.4 '::1%lo'; do
		[[ $(crafted "send:unban $source" answer) == "error \"$source\" is not an address or a prefix" ]] ||
			fail "$source"
	done
	[ "$(crafted 'send:unban 192.0.2.7 echo' answer)" = 'ok 0' ]
	[ "$(crafted 'send:unban 192.0.2.7 nix' answer)" = 'error there is no service "nix"' ]
	log_has "unbanned 192.0.2.7 from echo by uid=$(id -u): 0 bans lifted"
	[ "$(begat unban ::ffff:192.0.2.0/120)" = '0 bans lifted' ]
	log_has 'unbanned 192.0.2.0/24 by uid'
	[ "$(begat unban 2001:DB8:0::1)" = '0 bans lifted' ]
	log_has 'unbanned 2001:db8::1 by uid'
	[ "$(begat unban uid:7)" = '0 bans lifted' ]
	fails 2 begat unban 10.0.0.1/8
	[[ $output == *'write 10.0.0.0/8'* ]]
	fails 1 begat unban 192.0.2.7 nix
	[[ $output == 'begat: there is no service "nix"' ]]
	stop
}

banned="service s { listen = 'tcp:127.0.0.1:7001' handler = 'daytime' rate-per-source = '2/1h'
		ban = '10m' ban-after = '3/1m' }"
# clients COUNT: so many in a row, for whatever they get.
clients() {
	local i
	for ((i = 0; i < $1; i++)); do
		ask 7001 >/dev/null || :
	done
}

@test "refusals and bans are shown, and unban lifts one" {
	configure "$services $banned"
	start
	clients 7
	log_has 'banned 127.0.0.1 from s'
	run begat status
	echo "$output"
	grep -Eq '^s +open +0(/100)? +2 +5$' <<<"$output"
	grep -Eq '^refused by s: 2 banned, 3 source-rate$' <<<"$output"
	[[ $output == *$'\n\nban 127.0.0.1 from s, '*' min left' ]]
	run begat status s
	echo "$output"
	[[ $output == *$'\nrefused: 2 banned, 3 source-rate\nban 127.0.0.1 from s, '* ]]
	[[ $(begat status echo) != *ban* ]]
	[ "$(json '[(b["service"], b["source"]) for b in s["bans"]]')" = "[('s', '127.0.0.1')]" ]
	[ "$(json 'len(s["bans"])' echo)" = 0 ]
	[ "$(begat unban 127.0.0.1 echo)" = '0 bans lifted' ]
	[ "$(begat unban 128.0.0.0/8)" = '0 bans lifted' ]
	[ "$(begat unban 127.0.0.0/8 s)" = '1 ban lifted' ]
	[[ $(begat status) != *$'\nban '* ]]
	[ "$(begat unban 127.0.0.1)" = '0 bans lifted' ]
	# What has led to it is forgotten too: it takes as many to be banned again.
	clients 2
	[[ $(begat status) != *$'\nban '* ]]
	clients 3
	[ "$(json 'len(s["bans"])')" = 1 ]
	reload 'kept 3'
	[ "$(json 'len(s["bans"])')" = 1 ]
	[ "$(begat unban 0.0.0.0/0)" = '1 ban lifted' ]
	stop
}

@test "clients that say nothing are put off, and keep others waiting for no longer than that" {
	start
	crafted crowd:8 >"$BATS_TEST_TMPDIR/crowd" 3>&- &
	crowd=$!
	until_true 5 grep -q held "$BATS_TEST_TMPDIR/crowd"
	# All places are taken: one more waits, and the daemon does not spin meanwhile.
	begat status >"$BATS_TEST_TMPDIR/ninth" 3>&- &
	ninth=$!
	few_wakeups 5 1
	[ ! -s "$BATS_TEST_TMPDIR/ninth" ]
	[ "$(ask 7007 hello)" = hello ]
	wait $ninth
	grep -q "pid $MASTER" "$BATS_TEST_TMPDIR/ninth"
	wait $crowd
	grep -q closed "$BATS_TEST_TMPDIR/crowd"
	few_wakeups 3 1
	is_well
	stop
}

@test "clients that are gone again, or do not take their answer, cost nothing" {
	start
	is_well
	until_true 5 no_workers
	before=$(count_descriptors)
	python3 - "$SOCK" <<-'END'
		import socket, sys
		for i in range(500):
		    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		    client.connect(sys.argv[1])
		    if i % 3:
		        client.send(b"status" if i % 3 == 1 else b"nix")
		    client.close()
	END
	crafted send:status stay >"$BATS_TEST_TMPDIR/stays" 3>&- &
	HELPERS=$!
	until_true 5 grep -q held "$BATS_TEST_TMPDIR/stays"
	is_well
	until_true 5 no_workers
	until_true 10 has_descriptors "$before"
	few_wakeups 3 1
	stop
}
has_descriptors() { [ "$(count_descriptors)" = "$1" ]; }

@test "P3: a thousand answers leave neither descriptors nor memory behind" {
	start
	begat status >/dev/null
	until_true 5 no_workers
	before=$(count_descriptors)
	memory=$(awk '/^VmRSS/ { print $2 }' "/proc/$MASTER/status")
	# shellcheck disable=SC2016 # for the other shell
	run_for 60 sh -c 'for i in $(seq 1000); do "$0" --control "$1" status >/dev/null || exit; done' "$BEGAT" "$SOCK"
	until_true 5 no_workers
	[ "$(count_descriptors)" = "$before" ]
	is_sanitized || (($(awk '/^VmRSS/ { print $2 }' "/proc/$MASTER/status") - memory < 64))
	stop
}

@test "many at once are all answered, one after the other" {
	start
	pids=
	# shellcheck disable=SC2034 # how often
	for i in $(seq 30); do
		begat status >/dev/null 3>&- &
		pids="$pids $!"
	done
	for pid in $pids; do
		wait "$pid" || fail "somebody got no answer"
	done
	stop
}

@test "status with 500 workers" {
	start
	background python3 "$CLIENT" hold 7007 500
	until_true 20 has_workers 500
	[ "$(json 'len(s["children"]), s["services"][1]["active"]')" = '(500, 500)' ]
	begat status | grep -Eq '^echo +open +500(/600)? +500 +0$'
	kill "$BACKGROUND"
	until_true 20 has_workers 0
	stop
}
has_workers() { [ "$(children | wc -l)" = "$1" ]; }

@test "status in a storm of reloads" {
	start
	inode=$(stat -c %i "$SOCK")
	touch "$BATS_TEST_TMPDIR/storm"
	while [ -e "$BATS_TEST_TMPDIR/storm" ]; do
		kill -HUP "$MASTER"
		sleep 0.01
	done 3>&- &
	HELPERS=$!
	for i in $(seq 200); do
		begat status >"$BATS_TEST_TMPDIR/said" || fail "$i: no answer"
		grep -q "pid $MASTER, " "$BATS_TEST_TMPDIR/said"
	done
	rm "$BATS_TEST_TMPDIR/storm"
	wait "$HELPERS"
	(($(json 's["generation"]') > 5)) || fail "there was no storm"
	[ "$(stat -c %i "$SOCK")" = "$inode" ]
	until_true 10 no_workers
	stop
}

@test "status while a preflight is under way" {
	own_programs
	start
	hold_preflight
	is_well
	begat status | grep -q 'generation 1'
	go_preflight
	until_true 20 has_outcomes 1
	begat status | grep -q 'generation 2'
	stop
}

@test "while the master stands still in a reload clients wait, and are answered by the next one" {
	start
	hold_exec
	begat status >"$BATS_TEST_TMPDIR/said" 3>&- &
	client=$!
	go_exec
	wait $client
	grep -q 'generation 2' "$BATS_TEST_TMPDIR/said"
	stop
}

@test "a reload keeps the socket, in every sense" {
	start
	session 7007
	remember
	file=$(stat -c '%i %a %u %g' "$SOCK")
	reload 'kept 2'
	same_as_before
	[ "$(stat -c '%i %a %u %g' "$SOCK")" = "$file" ]
	is_well
	begat status | grep -Eq '^echo +open +1(/600)? +1 '
	# One that fails does so as well.
	configure "control = '$BATS_TEST_TMPDIR' $services"
	fails_to_reload "control: $BATS_TEST_TMPDIR: there is a file that is not a socket"
	same_as_before
	is_well
	end
	[ ! -e "$SOCK" ]
}

@test "a reload changes its path, drops it, and makes it again" {
	old=$SOCK
	start
	configure "control = '$BATS_TEST_TMPDIR/new' $services"
	reload 'kept 2'
	SOCK=$BATS_TEST_TMPDIR/new
	is_well
	[ ! -e "$old" ]
	log_has "listening control on unixseq:$SOCK"
	log_has "no longer listening on unixseq:$old"
	configure "control = 'none' $services"
	reload 'kept 2'
	[ ! -e "$SOCK" ]
	configure "$services"
	reload 'kept 2'
	SOCK=$old
	is_well
	[ "$(stat -c %a "$SOCK")" = 600 ]
	# Somebody has removed it.
	rm "$SOCK"
	reload 'kept 2'
	is_well
	stop
	[ ! -e "$SOCK" ]
}

@test "a reload changes its group and mode, and the file stays the same" {
	need_root
	start
	inode=$(stat -c %i "$SOCK")
	configure "control-group = '4242' $services"
	reload 'kept 2'
	[ "$(stat -c '%i %a %g' "$SOCK")" = "$inode 660 4242" ]
	configure "$services"
	reload 'kept 2'
	[ "$(stat -c '%i %a %g' "$SOCK")" = "$inode 600 0" ]
	stop
}

@test "begatd -t says what a reload would do with it" {
	start
	configure "control = 'none' $services"
	run_for 5 "$BEGATD" -t -f "$CONF" --against "$BATS_TEST_TMPDIR/pid" |
		grep -Eq "^~ control (= \"none\"|is at its default), was \"$SOCK\"$" # who has no place for it
	stop
}

@test "P10: a daemon that is stopping can be asked until it ends, and then its socket is gone" {
	start
	session 7007
	kill "$MASTER"
	log_has 'SIGTERM: stopping'
	is_refused 7013
	begat status | grep -q "pid $MASTER, "
	[ "$(json 'len(s["children"])')" = 1 ]
	exec 5>&-
	until_true 10 is_gone_or_zombie "$MASTER"
	[ ! -e "$SOCK" ]
	fails 7 begat status
	MASTER=
}

@test "without memory or processes there is an error, and the next one is answered" {
	start
	inject memfd_create 'error=EMFILE:when=1'
	fails 1 begat status
	[[ $output == *'cannot tell the status: Too many open files'* ]]
	is_well
	heal
	inject clone,clone3,fork 'error=EAGAIN:when=1'
	fails 1 begat status
	[[ $output == *'cannot tell the status: Resource temporarily unavailable'* ]]
	is_well
	heal
	stop
}

@test "P4: without descriptors clients wait, and nothing spins" {
	start
	inject accept4 'error=EMFILE:when=1..4'
	begat status >"$BATS_TEST_TMPDIR/said" 3>&- &
	client=$!
	few_calls accept4 4 1
	wait $client
	heal
	grep -q "pid $MASTER" "$BATS_TEST_TMPDIR/said"
	[ "$(log_count 'control: accept: Too many open files')" = 1 ]
	stop
}

@test "what a message quotes is escaped" {
	start
	run begat status $'echo\e[31m'
	[ "$status" = 1 ]
	[ "$(tr -d ' -~\n' <<<"$output")" = "" ]
	stop
}
