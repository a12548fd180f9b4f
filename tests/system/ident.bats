#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# RFC 1413 over the wire: connections of real users, asked about in the cage that the handler has; and whatever
# else may come to port 113.

load lib

# serve [OPTION...] [-- KEY...]: listens on both families, in one socket.
serve() {
	local options=
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options="$options${options:+, }\"$1\""
		shift
	done
	[ $# = 0 ] || shift
	configure "service ident { listen = \"tcp:7113\" handler = \"ident\" ${options:+options = { $options \}} $* }"
	start
}

# hold UID LISTEN CONNECT: one process holds a connection between two addresses of this machine, whose client
# has been made as that user.  HERE and THERE are its ports.
hold() {
	local ports=$BATS_TEST_TMPDIR/ports
	rm -f "$ports"
	mkfifo "$ports"
	python3 - "$@" >"$ports" 3>&- <<-'EOF' &
		import os, signal, socket, sys
		uid, listen, connect = sys.argv[1:]
		family = lambda address: socket.AF_INET6 if ":" in address else socket.AF_INET
		listener = socket.socket(family(listen))
		if family(listen) == socket.AF_INET6:
		    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
		listener.bind((listen, 0))
		listener.listen()
		if int(uid) != os.geteuid():
		    os.seteuid(int(uid))
		client = socket.socket(family(connect))
		client.connect((connect, listener.getsockname()[1]))
		server, _ = listener.accept()
		print(client.getsockname()[1], listener.getsockname()[1], flush=True)
		signal.pause()
	EOF
	HELPERS="${HELPERS-} $!"
	read -r -t 10 HERE THERE <"$ports"
}

# answers QUERY ANSWER: exactly this, and its line end.
answers() {
	local got
	got=$(ask 7113 "$1"$'\r\n' | od -An -c | tr -s ' \n' ' ')
	[ "$got" = "$(printf '%s\r\n' "$2" | od -An -c | tr -s ' \n' ' ')" ] || fail "$1: $got"
}

# The filter has let all through, and nothing of a client's is in the log.
stop_well() {
	log_lacks 'signal|step=|stderr|USERID|ERROR'
	stop
}

@test "by default an asker learns that there is somebody, and no more" {
	serve
	hold "$(id -u)" 127.0.0.1 127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : ERROR : HIDDEN-USER"
	answers " $THERE ,	$HERE " "$THERE , $HERE : ERROR : HIDDEN-USER"
	answers "$HERE,$HERE" "$HERE , $HERE : ERROR : NO-USER"
	answers "$THERE,7113" "$THERE , 7113 : ERROR : NO-USER"
	log_has 'reaped ident.* result=ok'
	stop_well
}

@test "answer=uid: the number of another user, for a worker that is nobody" {
	need_root
	serve answer=uid
	hold 12345 127.0.0.1 127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : USERID : OTHER : 12345"
	hold 0 127.0.0.1 127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : USERID : OTHER : 0"
	stop_well
}

@test "answer=user: the name that /etc/passwd has, else the number" {
	need_root
	serve answer=user
	hold "$(id -u daemon)" 127.0.0.1 127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : USERID : UNIX : daemon"
	hold 4212345 127.0.0.1 127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : USERID : OTHER : 4212345"
	stop_well
}

@test "passwd: names of the administrator's own, of which bad ones are not told" {
	need_root
	dir=$(mktemp -d /tmp/begat-ident.XXXXXX)
	chmod 755 "$dir"
	printf '+::::::\nroot:x:0:0:::\nsome body:x:12345:1:::\n' >"$dir/passwd"
	chmod 644 "$dir/passwd"
	serve answer=user "passwd=$dir/passwd"
	hold 12345 127.0.0.1 127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : ERROR : UNKNOWN-ERROR"
	log_lacks stderr
	rm -r "$dir"
	answers "$HERE,$THERE" "$HERE , $THERE : ERROR : UNKNOWN-ERROR"
	log_has "ident.*: $dir/passwd: No such file or directory"
	log_has 'reaped ident.* result=exited status=1'
	stop
}

@test "IPv6, and IPv4 on sockets of either family" {
	[ -e /proc/net/if_inet6 ] || skip "no IPv6"
	serve answer=uid
	hold "$(id -u)" 127.0.0.1 ::ffff:127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : USERID : OTHER : $(id -u)"
	hold "$(id -u)" :: 127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : USERID : OTHER : $(id -u)"
	answers "$THERE,$HERE" "$THERE , $HERE : USERID : OTHER : $(id -u)"
	hold "$(id -u)" :: ::1
	answers "$HERE,$THERE" "$HERE , $THERE : ERROR : NO-USER"
	[ "$(printf '%s\n' "$HERE,$THERE" | run_for 10 nc -N ::1 7113 | tr -d '\r')" = \
		"$HERE , $THERE : USERID : OTHER : $(id -u)" ]
	stop_well
}

@test "connections to another address than the asker's are nobody's business" {
	serve answer=uid
	hold "$(id -u)" 127.0.0.1 127.0.0.1
	[ "$(printf '%s\n' "$HERE,$THERE" | run_for 10 nc -N -s 127.0.0.2 127.0.0.1 7113 | tr -d '\r')" = \
		"$HERE , $THERE : ERROR : NO-USER" ]
	[ "$(printf '%s\n' "$HERE,$THERE" | run_for 10 nc -N 127.0.0.2 7113 | tr -d '\r')" = \
		"$HERE , $THERE : ERROR : NO-USER" ]
	stop_well
}

@test "a connection that is over is nobody's, not root's" {
	serve answer=uid
	hold "$(id -u)" 127.0.0.1 127.0.0.1
	answers "$HERE,$THERE" "$HERE , $THERE : USERID : OTHER : $(id -u)"
	kill -KILL "${HELPERS##* }"
	wait "${HELPERS##* }" || :
	answers "$HERE,$THERE" "$HERE , $THERE : ERROR : NO-USER"
	answers "$THERE,$HERE" "$THERE , $HERE : ERROR : NO-USER"
	stop_well
}

@test "garbage has one answer, in which nothing of it comes back, and then the end" {
	serve
	while IFS='|' read -r query ports; do
		answers "$(printf '%b' "$query")"$'\r\n1,2' "$ports : ERROR : INVALID-PORT"
	done <<-'EOF'
		|0 , 0
		,|0 , 0
		root|0 , 0
		25|25 , 0
		-1,25|0 , 25
		+1,25|0 , 25
		0x1,25|0 , 25
		1.5,25|0 , 25
		25 , root|25 , 0
		4294967319,25|0 , 25
		25,000025|25 , 0
		25,25,25|25 , 0
		%s%n,25|0 , 25
		25;id|0 , 0
		\033[2J|0 , 0
		\0377\0376,25|0 , 25
		25 , 25 : USERID : UNIX : root|25 , 0
		GET / HTTP/1.1|0 , 0
	EOF
	answers '0,25' '0 , 25 : ERROR : INVALID-PORT'
	answers '25,65536' '25 , 65536 : ERROR : INVALID-PORT'
	run_for 10 "$BATS_TEST_DIRNAME/helpers/talk.py" 7113 'send:1,2\x00\r\n3,4\r\n' rest >"$BATS_TEST_TMPDIR/talk"
	[ "$(tr -d '\r' <"$BATS_TEST_TMPDIR/talk")" = "1 , 0 : ERROR : INVALID-PORT" ]
	stop_well
	[ "$(tr -d '\n -~' <"$LOG" | wc -c)" = 0 ]
}

@test "queries that are sent in advance are all answered, however they are cut, the last without its end" {
	serve
	talk=$BATS_TEST_DIRNAME/helpers/talk.py
	run_for 20 "$talk" 7113 'repeat:500:1,2\r\n' 'send:3,4' half rest >"$BATS_TEST_TMPDIR/talk"
	[ "$(grep -c '^1 , 2 : ERROR : NO-USER.$' "$BATS_TEST_TMPDIR/talk")" = 500 ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/talk" | tr -d '\r')" = '3 , 4 : ERROR : NO-USER' ]
	run_for 20 "$talk" 7113 'bytes: 1 , 2 \r\n3,4\r\x005,6\n' 'expect:5 , 6 : ERROR : NO-USER\r\n' half rest \
		>"$BATS_TEST_TMPDIR/talk"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/talk")" = 3 ]
	[ "$(ask 7113)" = "" ]
	stop_well
}

@test "a mebibyte without a line end: told, ended, and no more memory for it" {
	serve
	run_for 20 "$BATS_TEST_DIRNAME/helpers/talk.py" 7113 'repeat:1048576:1' rest >"$BATS_TEST_TMPDIR/talk"
	[ "$(tr -d '\r' <"$BATS_TEST_TMPDIR/talk")" = '0 , 0 : ERROR : UNKNOWN-ERROR' ]
	log_has 'reaped ident.* result=ok'
	if ! is_sanitized; then
		kib=$(sed -n 's/.*reaped ident.*maxrss=\([0-9]*\)k.*/\1/p' "$LOG")
		[ "$kib" -lt 4096 ] || fail "the worker has used $kib KiB"
	fi
	until_true 5 no_workers
	stop_well
}

@test "who says nothing, or no end of a line, is ended by the service's time limits" {
	serve -- 'first-byte-timeout = "100ms" idle-timeout = "200ms"'
	[ "$(run_for 10 "$BATS_TEST_DIRNAME/helpers/talk.py" 7113 rest)" = "" ]
	[ "$(run_for 10 "$BATS_TEST_DIRNAME/helpers/talk.py" 7113 'send:1,2' rest)" = "" ]
	until_true 5 no_workers
	master_is_well
	stop
}

@test "who is gone before the answer ends the worker, quietly" {
	serve
	run_for 10 "$BATS_TEST_DIRNAME/helpers/talk.py" 7113 'repeat:200:1,2\r\n' reset
	log_has 'reaped ident'
	until_true 5 no_workers
	stop_well
}

@test "over a Unix socket there are no ports to ask for" {
	configure "service ident { listen = \"unix:$BATS_TEST_TMPDIR/sock\" handler = \"ident\" }"
	start
	[ "$(printf '1,2\n3,4\n' | run_for 10 nc -N -U "$BATS_TEST_TMPDIR/sock")" = \
		$'1 , 2 : ERROR : UNKNOWN-ERROR\n3 , 4 : ERROR : UNKNOWN-ERROR' ]
	stop
}

@test "another answer than these three is no configuration" {
	configure 'service ident { listen = "tcp:7113" handler = "ident" options = "answer=users" }'
	run "$BEGATD" -t -f "$CONF"
	[ "$status" = 6 ]
	[[ "$output" == *"is not hidden, uid or user"* ]]
}
