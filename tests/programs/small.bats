#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The small services as in etc/begat.d/small.conf, with nc and telnet as their clients.

load lib

setup() {
	need telnet
	set_stage
	cp "$BATS_TEST_DIRNAME/../../etc/fortunes" "$STAGE/srv/fortunes"
	echo "All is well." >"$STAGE/etc/motd"
	# Where begat is not installed its quotations are elsewhere.
	CHANGE='s,handler *= "\(qotd\|fortune\)",& options = { "database=/srv/fortunes" },'
	OUT=$BATS_TEST_TMPDIR/out
}

# send PORT [TEXT]: a datagram, and what comes back within a second.
send() { printf '%s' "${2-?}" | run_for 10 nc -u -w 1 127.0.0.1 "$1"; }
# dial PORT STEP...: helpers/dial.py with telnet.
dial() { run_for 40 "$BATS_TEST_DIRNAME/helpers/dial.py" telnet 127.0.0.1 "$@"; }

date_line='[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} 20[0-9]{2}'

@test "small: echo sends back, a datagram as a datagram" {
	start_examples small
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/in"
	run_for 20 nc -N 127.0.0.1 7 <"$BATS_TEST_TMPDIR/in" >"$OUT"
	cmp "$OUT" "$BATS_TEST_TMPDIR/in"
	[ "$(send 7 'one datagram')" = 'one datagram' ]
	dial 7 line:hello expect:hello$'\r\n' expect:hello
	stop_examples
}

@test "small: discard says nothing" {
	start_examples small
	[ -z "$(ask 9 'a few words')" ]
	[ -z "$(send 9 'a few words')" ]
	stop_examples
	log_has 'reaped discard.* served=1 refused=0'
}

@test "small: chargen, of which a client has as much as it wants" {
	start_examples small
	run_for 20 nc -d 127.0.0.1 19 2>/dev/null | head -n 1000 | tr -d '\r' >"$OUT"
	[ "$(sort -u "$OUT" | wc -l)" = 95 ]
	[ "$(awk '{ print length }' "$OUT" | sort -u)" = 72 ]
	# A length by chance, 0 too.
	for _ in 1 2 3 4 5; do send 19; done >"$OUT"
	[ -s "$OUT" ]
	(($(wc -c <"$OUT") <= 2560))
	stop_examples
}

@test "small: daytime to nc, nc -u and telnet, by one worker each" {
	start_examples small
	ask 13 | grep -Exq "$date_line"$'\r'
	send 13 | grep -Exq "$date_line"$'\r'
	dial 13 expect:"$date_line" expect:'closed by foreign host'
	[ "$(log_count 'begat clock')" = 2 ]
	stop_examples
}

@test "small: daytime in another format and zone, as the example has it in a comment" {
	CHANGE='s/^\( *\)#options/\1options/' start_examples small
	ask 13 | grep -Exq '20[0-9-]{8}T[0-9:]{8}\+00:00'$'\r'
	stop_examples
}

@test "small: a quotation of less than 512 characters of ASCII" {
	start_examples small
	for _ in $(seq 20); do
		ask 17 >"$OUT"
		refute grep -v $'\r$' "$OUT"
		refute grep '[^ -~]' <(tr -d '\r' <"$OUT")
		(($(wc -c <"$OUT") > 2 && $(wc -c <"$OUT") < 512))
	done
	send 17 >"$OUT"
	(($(wc -c <"$OUT") > 2 && $(wc -c <"$OUT") < 512))
	dial 17 expect:'[a-z]+' expect:'closed by foreign host'
	stop_examples
}

@test "small: who is logged in" {
	need utmpdump
	printf '[7] [%05d] [ts/0] [%s] [pts/0       ] [host                ] [127.0.0.1      ] [%s]\n' \
		"$$" 'caller  ' '2026-11-22T12:00:00,000000+00:00' |
		utmpdump -r >"$STAGE/run/utmp" 2>/dev/null
	start_examples small
	[ "$(ask 11)" = caller$'\r' ]
	[ "$(send 11)" = caller$'\r' ]
	: >"$STAGE/run/utmp"
	[ -z "$(ask 11)" ]
	stop_examples
}

@test "small: whose a connection is stays hidden" {
	start_examples small
	exec 5<>/dev/tcp/127.0.0.1/7
	has_connection
	[ "$(ask 113 "$PORT,7"$'\r\n')" = "$PORT , 7 : ERROR : HIDDEN-USER"$'\r' ]
	exec 5>&-
	[ "$(ask 113 "1,2"$'\r\n')" = "1 , 2 : ERROR : NO-USER"$'\r' ]
	dial 113 line:'13,13' expect:'13 , 13 : ERROR : NO-USER'
	stop_examples
}

@test "small: whose a connection is, where one tells" {
	CHANGE="$CHANGE"'; s/handler *= "ident"/& options = { "answer=user" }/' start_examples small
	setpriv --reuid=$CALLER --regid=$CALLER --clear-groups nc -d 127.0.0.1 7 >/dev/null 3>&- &
	HELPERS=$!
	until_true 5 has_connection || fail "no connection"
	[ "$(ask 113 "$PORT,7"$'\r\n')" = "$PORT , 7 : USERID : UNIX : caller"$'\r' ]
	kill "$HELPERS"
	stop_examples
}
has_connection() {
	PORT=$(ss -tnH dst 127.0.0.1:7 | awk '{ print $4; exit }')
	PORT=${PORT##*:}
	[ -n "$PORT" ]
}

@test "small: services by their names, at one port" {
	start_examples small
	[ "$(ask 1 help$'\r\n' | sort)" = cookie$'\r\n'motd$'\r' ]
	[ "$(ask 1 motd$'\r\n' | tail -n +2)" = 'All is well.'$'\r' ]
	ask 1 COOKIE$'\r\n' >"$OUT"
	head -n 1 "$OUT" | grep -q '^+'
	(($(wc -l <"$OUT") > 1))
	ask 1 echo$'\r\n' | grep -q '^-'
	dial 1 line:motd expect:'\+' expect:'All is well' expect:'closed by foreign host'
	stop_examples
}
