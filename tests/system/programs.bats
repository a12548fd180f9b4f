#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What a program gets (promise P7): the descriptors 0, 1 and 2, blocking, a white-listed environment, and the
# administrator's arguments; and what happens when it cannot be run (faults F100, F103 to F107, F109, F110).

load lib

# service NAME PORT KEYS...: a service's text.
service() { printf 'service %s { listen = "tcp:127.0.0.1:%s" %s }\n' "$1" "$2" "${*:3}"; }

# Its own descriptors, and nothing of a shell's or of ls.
list="exec = { '/bin/sh', '-c', 'ls /proc/\$\$/fd; true' }"

# every_way PORT KEYS...: the same program in the four ways to an exec.
every_way() {
	service "plain$1" "$1" "${*:2}"
	service "banner$1" "$(($1 + 1))" 'banner = "hello"' "${*:2}"
	service "crlf$1" "$(($1 + 2))" 'crlf = true' "${*:2}"
	service "both$1" "$(($1 + 3))" 'banner = "hello" crlf = true' "${*:2}"
}
# answers PORT: what the program itself said in each of them, on one line.
answers() {
	local port
	for port in "$1" $(($1 + 1)) $(($1 + 2)) $(($1 + 3)); do
		ask "$port" | tr -d '\r' | grep -v '^hello$' | tr '\n' ' '
		echo
	done
}
all_say() { [ "$(answers "$1" | sort -u)" = "$2 " ] || fail "port $1 and up: $(answers "$1")"; }

@test "F103: exactly 0, 1 and 2, however it is run and wherever its standard error goes" {
	configure "$(every_way 7100 "$list")
		$(every_way 7110 "$list" 'stderr = client')
		$(every_way 7120 "$list" 'stderr = null')"
	start
	for port in 7100 7110 7120; do
		all_say $port "0 1 2"
	done
	stop
}

@test "F103: the same with more listeners than numbers below those of the master's own" {
	configure "$(every_way 7100 "$list")
		$(every_way 7110 "$list" 'stderr = client')
		$(service many 7200-7399 "$list")"
	start
	for port in 7100 7110; do
		all_say $port "0 1 2"
	done
	[ "$(ask 7399 | tr '\n' ' ')" = "0 1 2 " ]
	stop
}

@test "F103: the same while many connections are held open" {
	configure "$(service held 7100 'handler = "echo"') $(every_way 7110 "$list")"
	start
	for _ in $(seq 40); do
		run_for 60 nc -d 127.0.0.1 7100 >/dev/null 3>&- &
		HELPERS="${HELPERS-} $!"
	done
	until_true 10 forty_are_held
	all_say 7110 "0 1 2"
}
forty_are_held() { [ "$(log_count 'begat held')" = 40 ]; }

@test "F103: a worker that serves itself has no other descriptors either" {
	configure "$(service echo 7100 'handler = "echo"') $(service many 7200-7299 'handler = "echo"')"
	start
	for port in 7100 7299; do
		"$BATS_TEST_DIRNAME/helpers/talk.py" $port send:x expect:x rest >/dev/null 3>&- &
		HELPERS="${HELPERS-} $!"
	done
	until_true 10 two_are_held
	for worker in $(pgrep -P "$MASTER"); do
		[ "$(find "/proc/$worker/fd" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = "0 1 2 " ]
	done
}
two_are_held() { [ "$(children | grep -c 'begat: ')" = 2 ]; }

@test "F103: 0 and 1 are the client's socket itself, 2 is the log, the socket or /dev/null" {
	what="exec = { '/bin/sh', '-c', 'readlink /proc/\$\$/fd/0 /proc/\$\$/fd/1 /proc/\$\$/fd/2; true' }"
	configure "$(service log 7100 "$what") $(service client 7101 "$what" 'stderr = client')
		$(service null 7102 "$what" 'stderr = null')"
	start
	ask 7100 >"$BATS_TEST_TMPDIR/log-way"
	[ "$(sort -u "$BATS_TEST_TMPDIR/log-way" | grep -c socket)" = 2 ]
	[ "$(sed -n 1p "$BATS_TEST_TMPDIR/log-way")" = "$(sed -n 2p "$BATS_TEST_TMPDIR/log-way")" ]
	[ "$(ask 7101 | sort -u | grep -c socket)" = 1 ]
	[ "$(ask 7102 | sed -n 3p)" = /dev/null ]
	stop
}

@test "F104: the variables of TCP are these and no others, with the right values" {
	configure "service env { listen = \"tcp:7100\" exec = { \"/usr/bin/env\" } }"
	SECRET=1 LD_BIND_NOW=1 TZ=UTC LANG=C start
	run_for 5 nc -N -s 127.0.0.1 127.0.0.1 7100 </dev/null | sort >"$BATS_TEST_TMPDIR/env"
	[ "$(cut -d= -f1 "$BATS_TEST_TMPDIR/env" | tr '\n' ' ')" = "BEGAT_SERVICE HOME LANG LOGNAME PATH PROTO \
REMOTE_ADDR REMOTE_HOST REMOTE_PORT SERVER_NAME SERVER_PORT SHELL TCPLOCALIP TCPLOCALPORT TCPREMOTEIP \
TCPREMOTEPORT TZ USER " ]
	. "$BATS_TEST_TMPDIR/env"
	[ "$PROTO $BEGAT_SERVICE" = "TCP env" ]
	# Through a socket for both families, and yet no ::ffff: (fault F34's other half).
	[ "$REMOTE_ADDR $TCPREMOTEIP $REMOTE_HOST" = "127.0.0.1 127.0.0.1 127.0.0.1" ]
	[ "$TCPLOCALIP $SERVER_NAME $TCPLOCALPORT $SERVER_PORT" = "127.0.0.1 127.0.0.1 7100 7100" ]
	log_has "begat env.* peer=127.0.0.1:$TCPREMOTEPORT\$"
	[ "$REMOTE_PORT" = "$TCPREMOTEPORT" ]
	stop
}

@test "F104: the variables of IPv6" {
	configure "$(service env 7100 'exec = "/usr/bin/env"' | sed 's/127.0.0.1/[::1]/')"
	start
	run_for 5 nc -N ::1 7100 </dev/null >"$BATS_TEST_TMPDIR/env"
	grep -qx 'TCPREMOTEIP=::1' "$BATS_TEST_TMPDIR/env"
	grep -qx 'SERVER_NAME=::1' "$BATS_TEST_TMPDIR/env"
	grep -qx 'PROTO=TCP' "$BATS_TEST_TMPDIR/env"
	stop
}

@test "F104: the variables of Unix sockets, with ids that the kernel vouches for" {
	need socat
	configure "service env { listen = { \"unix:$BATS_TEST_TMPDIR/sock\", \"unix:@env test\" } exec = \"/usr/bin/env\" }"
	TZ=UTC LANG=C start
	run_for 5 socat - "UNIX-CONNECT:$BATS_TEST_TMPDIR/sock" </dev/null | sort >"$BATS_TEST_TMPDIR/env"
	[ "$(cut -d= -f1 "$BATS_TEST_TMPDIR/env" | tr '\n' ' ')" = "BEGAT_SERVICE HOME IPCLOCALPATH IPCREMOTEEGID \
IPCREMOTEEUID LANG LOGNAME PATH PROTO SHELL TZ USER " ]
	grep -qx "IPCLOCALPATH=$BATS_TEST_TMPDIR/sock" "$BATS_TEST_TMPDIR/env"
	grep -qx "PROTO=IPC" "$BATS_TEST_TMPDIR/env"
	grep -qx "IPCREMOTEEUID=$(id -u)" "$BATS_TEST_TMPDIR/env"
	grep -qx "IPCREMOTEEGID=$(id -g)" "$BATS_TEST_TMPDIR/env"
	run_for 5 socat - "ABSTRACT-CONNECT:env test" </dev/null | grep -qx 'IPCLOCALPATH=@env test'
	stop
}

@test "F104: env adds or replaces, pass-env takes what begatd has, unset stays unset" {
	configure "$(service env 7100 'exec = "/usr/bin/env"' \
		'env = { "OWN=a b;$(id)", "HOME=/elsewhere", "EMPTY=" } pass-env = { "WANTED", "MISSING" }')"
	WANTED='as is' UNWANTED=1 start
	ask 7100 >"$BATS_TEST_TMPDIR/env"
	grep -qxF 'OWN=a b;$(id)' "$BATS_TEST_TMPDIR/env"
	grep -qx 'HOME=/elsewhere' "$BATS_TEST_TMPDIR/env"
	grep -qx 'EMPTY=' "$BATS_TEST_TMPDIR/env"
	grep -qx 'WANTED=as is' "$BATS_TEST_TMPDIR/env"
	[ "$(grep -c ^HOME= "$BATS_TEST_TMPDIR/env")" = 1 ]
	refute grep -E 'UNWANTED|MISSING' "$BATS_TEST_TMPDIR/env"
	stop
}

@test "F105: standard error goes to the log, escaped, and not into the protocol" {
	noise="exec = { '/bin/sh', '-c', 'printf \"one\\\\ntwo\\\\033[2J\\\\n\" >&2; echo 220 ready' }"
	configure "$(service log 7100 "$noise") $(service client 7101 "$noise" 'stderr = client')
		$(service null 7102 "$noise" 'stderr = null')"
	start
	[ "$(ask 7100)" = "220 ready" ]
	log_has 'log\[[0-9]+\] stderr: one$'
	log_has 'log\[[0-9]+\] stderr: two\\(033|\^\[|M|e)'
	LC_ALL=C refute grep -q $'\033' "$LOG"
	ask 7101 | grep -q ^two
	[ "$(ask 7102)" = "220 ready" ]
	log_lacks '(client|null)\[[0-9]+\] stderr'
	stop
}

@test "F106: no byte of a client becomes an argument or a variable" {
	configure "$(every_way 7100 "exec = { '/bin/sh', '-c', 'read -r line; tr \"\\\\0\" \"|\" </proc/\$\$/cmdline; env', 'name', '--', '%h' }")"
	start
	for port in 7100 7101 7102 7103; do
		ask $port $'-f;$(id) --help %s\n' >"$BATS_TEST_TMPDIR/out"
		grep -qF '|name|--|%h|' "$BATS_TEST_TMPDIR/out"
		refute grep -qF -e '--help' "$BATS_TEST_TMPDIR/out"
	done
	stop
}

@test "F109: the program's socket blocks: three megabytes to a slow reader, and no O_NONBLOCK" {
	configure "$(every_way 7100 "exec = { '/bin/grep', 'flags', '/proc/self/fdinfo/0' }")
		$(service big 7110 'exec = { "/usr/bin/head", "-c", "3000000", "/dev/zero" }')"
	start
	for port in 7100 7101 7102 7103; do
		flags=$(ask $port | sed -n 's/^flags:[ \t]*\([0-7]*\).*/\1/p')
		[ $((0$flags & 04000)) = 0 ] || fail "flags on port $port: $flags"
	done
	[ "$(ask 7110 | { sleep 0.5; wc -c; })" = 3000000 ]
	log_has 'reaped big.*result=ok'
	stop
}

@test "F110: max-time ends a program that ignores SIGTERM, with its children" {
	MARK=$BASHPID # so that another run's are not taken for ours
	configure "$(service stubborn 7100 "exec = { '/bin/sh', '-c', 'trap \"\" TERM; sleep 7777.$MARK & sleep 7777.$MARK' }" \
		'max-time = "300ms" kill-grace = "200ms"')
		$(service meek 7101 "exec = { '/bin/sleep', '7777.$MARK' } max-time = '300ms'")"
	start
	[ "$(ask 7100)" = "" ]
	log_has 'did not end after SIGTERM; killed'
	log_has 'reaped stubborn.*result=timed-out'
	ask 7101
	log_has 'reaped meek.*result=timed-out'
	until_true 5 no_sleepers
	master_is_well
	stop
}
no_sleepers() { ! pgrep -f "sleep 7777.$MARK\$" >/dev/null; }

@test "F110: max-time ends a program that has been stopped, without waiting for kill-grace" {
	configure "$(service stopped 7100 'exec = { "/bin/sleep", "60" } max-time = "2s" kill-grace = "1h"')"
	start
	run_for 20 nc -d 127.0.0.1 7100 3>&- &
	HELPERS=$!
	log_has 'begat stopped'
	kill -STOP "$(sed -n 's/.* begat stopped\[\([0-9]*\)\].*/\1/p' "$LOG")"
	log_has 'reaped stopped.*result=timed-out'
	stop
}
