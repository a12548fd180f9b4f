#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Readiness as supervisors want to be told (fault F90): the datagrams of sd_notify(3) and --ready-fd.

load lib

daytime='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
service env { listen = "tcp:127.0.0.1:7015" exec = { "/usr/bin/env" } }'

# receive ADDRESS: a service manager's socket; what comes is in $RECEIVED.
receive() {
	RECEIVED=$BATS_TEST_TMPDIR/received
	socat -u "$1" "CREATE:$RECEIVED" 3>&- &
	HELPERS="${HELPERS-} $!"
}
received() { [ "$(cat "$RECEIVED")" = "$1" ]; }
# ready SERVICES: what is said when it is.
ready() { printf 'READY=1\nSTATUS=%s services, generation 1' "$1"; }

setup() { configure "$daytime"; }

@test "F90: READY when it is, STOPPING when it begins to stop" {
	need socat
	receive "UNIX-RECV:$BATS_TEST_TMPDIR/notify"
	until_true 5 test -S "$BATS_TEST_TMPDIR/notify"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify start
	until_true 5 received "$(ready 2)"
	ask 7013 >/dev/null
	stop
	until_true 5 received "$(ready 2)STOPPING=1"
}

@test "F90: an abstract socket" {
	need socat
	receive "ABSTRACT-RECV:begat-notify"
	until_true 5 grep -q '@begat-notify' /proc/net/unix
	NOTIFY_SOCKET=@begat-notify start
	until_true 5 received "$(ready 2)"
	stop
	until_true 5 received "$(ready 2)STOPPING=1"
}

@test "F90: STOPPING comes at once, not when the last worker has ended" {
	need socat
	configure 'stop-timeout = "20s"
	service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
	receive "UNIX-RECV:$BATS_TEST_TMPDIR/notify"
	until_true 5 test -S "$BATS_TEST_TMPDIR/notify"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify start
	"$BATS_TEST_DIRNAME/helpers/talk.py" 7007 send:x expect:x rest >/dev/null 3>&- &
	HELPERS="$HELPERS $!"
	log_has 'begat echo'
	kill "$MASTER"
	until_true 5 received "$(ready 1)STOPPING=1"
	[ -n "$(children)" ]
	stop
}

@test "F90: one who never reads, nobody there, and nonsense hold nothing up" {
	need socat
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); c.setblocking(False)
try:
    while True: c.sendto(b"x", sys.argv[1])
except BlockingIOError:
    print("full", flush=True)
time.sleep(60)' "$BATS_TEST_TMPDIR/stalled" >"$BATS_TEST_TMPDIR/out" 3>&- &
	HELPERS=$!
	until_true 5 grep -q full "$BATS_TEST_TMPDIR/out"
	for where in "$BATS_TEST_TMPDIR/stalled" /nowhere /dev/null / @ @nobody relative "" "vsock:2:9" \
		"$(printf '/%0200d' 1)"; do
		NOTIFY_SOCKET=$where start
		[ "$(ask 7013 | wc -c)" = 26 ] || fail "$where"
		stop
	done
}

@test "F90: programs do not see NOTIFY_SOCKET and cannot speak for the daemon" {
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify WATCHDOG_USEC=1000000 start
	ask 7015 | refute grep -E 'NOTIFY|WATCHDOG'
	stop
}

@test "--ready-fd gets one newline and its end, when a client is answered already" {
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	"$BEGATD" -n -f "$CONF" --ready-fd 5 5>"$BATS_TEST_TMPDIR/fifo" 3>&- &
	MASTER=$!
	# cat ends when the last writer has closed: the daemon and nobody else has it.
	run_for 10 cat "$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/said"
	[ "$(od -An -c "$BATS_TEST_TMPDIR/said" | tr -d ' ')" = '\n' ]
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
}

@test "--ready-fd 1 and 2 work, and no connection takes their place" {
	for fd in 1 2; do
		mkfifo "$BATS_TEST_TMPDIR/fifo$fd"
		eval "\"\$BEGATD\" -n -f \"\$CONF\" --ready-fd $fd $fd>\"\$BATS_TEST_TMPDIR/fifo$fd\" 3>&- &"
		MASTER=$!
		[ "$(run_for 10 cat "$BATS_TEST_TMPDIR/fifo$fd" | wc -c)" = 1 ]
		[ "$(ask 7013 | wc -c)" = 26 ]
		ask 7015 | grep -q ^PATH=
		stop
	done
}

@test "--ready-fd: a reader that is gone is no reason to fail; a bad number is" {
	"$BEGATD" -n -f "$CONF" --ready-fd 5 5> >(true) 3>&- &
	MASTER=$!
	log_has ready
	[ "$(ask 7013 | wc -c)" = 26 ]
	stop
	for bad in x -1 0 "" 4294967296; do
		run "$BEGATD" -n -f "$CONF" --ready-fd "$bad" 3>&-
		[ "$status" = 2 ]
	done
	run run_for 5 "$BEGATD" -n -f "$CONF" --ready-fd 77 3>&-
	[ "$status" = 2 ]
	[[ $output == *77* ]]
}

@test "--ready-fd: a start that fails closes it without a word" {
	configure "service s { listen = \"unix:$BATS_TEST_TMPDIR/none/sock\" handler = \"daytime\" }"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	"$BEGATD" -n -f "$CONF" --ready-fd 5 5>"$BATS_TEST_TMPDIR/fifo" 2>/dev/null 3>&- &
	[ "$(run_for 10 cat "$BATS_TEST_TMPDIR/fifo" | wc -c)" = 0 ]
	refute wait $!
}
