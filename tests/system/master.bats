#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# What the master is: a small static program, told what to do by nothing but a sealed plan of its own build;
# it never reads what a client sends (promise P6), and ps shows who is who.

load lib

services='
service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
service shell { listen = "tcp:127.0.0.1:7023" handler = "shell" }
service cat { listen = "tcp:127.0.0.1:7100" exec = "/bin/cat" }
service lines { listen = "tcp:127.0.0.1:7101" exec = "/bin/cat" crlf = true banner = "hello" }
service noisy { listen = "tcp:127.0.0.1:7102" exec = { "/bin/sh", "-c", "cat >&2" } }
'

setup() { configure "$services"; }

# not_started: with this master; the reason is in $output.
not_started() {
	BEGAT_MASTER=$1 run run_for 5 "$BEGATD" -n -f "$CONF" 3>&-
	echo "$output"
	[ "$status" = 1 ]
	BEGAT_MASTER=$1 run run_for 5 "$BEGATD" -f "$CONF" 3>&-
	echo "$output"
	[ "$status" = 1 ]
}

@test "a master of another build says so and exits" {
	python3 - "$BEGAT_MASTER" "$BATS_TEST_TMPDIR/other" "$("$BEGATD" -V | cut -d' ' -f2)" <<'END'
import re, sys
program = open(sys.argv[1], "rb").read()
stamp = re.compile(re.escape(sys.argv[3].encode()) + rb"-[0-9]+\0")
patched, count = stamp.subn(lambda found: found.group().replace(b"-", b"+"), program)
open(sys.argv[2], "wb").write(patched)
sys.exit(count == 0)
END
	chmod 755 "$BATS_TEST_TMPDIR/other"
	not_started "$BATS_TEST_TMPDIR/other"
	[[ $output == *"another build"*"install both"* ]]
}

@test "no master, or one that cannot be run: told with its path, and nothing stays" {
	configure "service s { listen = \"unix:$BATS_TEST_TMPDIR/sock\" handler = \"daytime\" }"
	not_started "$BATS_TEST_TMPDIR/none"
	[[ $output == *"$BATS_TEST_TMPDIR/none: No such file"* ]]
	echo text >"$BATS_TEST_TMPDIR/text"
	not_started "$BATS_TEST_TMPDIR/text"
	[[ $output == *"$BATS_TEST_TMPDIR/text: Permission denied"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/sock" ]
	[ ! -e "$BATS_TEST_TMPDIR/pid" ]
}

@test "begat-master started by hand says what to start instead" {
	for plan in "" "x" "2" "-1" "4294967299" "-"; do
		run run_for 5 "$BEGAT_MASTER" $plan
		[ "$status" = 2 ]
		[[ $output == *begatd* ]]
		run run_for 5 "$BEGAT_MASTER" "$plan" - - - - - "" padding
		[ "$status" = 2 ]
	done
	run run_for 5 "$BEGAT_MASTER" 9 - - - - - "" padding
	[ "$status" = 1 ]
	[[ $output == *"9"*"not a plan"* ]]
	run run_for 5 "$BEGAT_MASTER" 9 - - - - - "" padding 9</etc/passwd
	[ "$status" = 1 ]
	[[ $output == *"9 is not a plan"* ]]
	run run_for 5 "$BEGAT_MASTER" --check 9 9</etc/passwd
	[ "$status" = 1 ]
	[[ $output == *"9 is not a plan"* ]]
}

@test "the master has about a dozen mappings, no shared library and a sealed plan" {
	! is_sanitized || skip "the master is not static with sanitizers"
	[[ $(file -b "$BEGAT_MASTER") == *static* ]] || skip "configured without a static master"
	start
	ask 7013 >/dev/null
	refute grep -F '.so' "/proc/$MASTER/maps"
	[ "$(wc -l <"/proc/$MASTER/maps")" -le 24 ]
	# Nobody can change it any more, not even we.
	[[ $(grep 'begat plan' "/proc/$MASTER/maps") == *" r--s "* ]]
	stop
}

@test "the master holds its listeners, and nothing of begatd's" {
	start
	[ "$(find "/proc/$MASTER/fd" -lname 'socket:*' | wc -l)" = 7 ]
	refute grep -Eq "$CONF|/etc/passwd" <(find "/proc/$MASTER/fd" -printf '%l\n')
	# Everything but 0 to 2 would be closed by an exec.
	for info in "/proc/$MASTER"/fdinfo/*; do
		((${info##*/} < 3)) || (((0$(sed -n 's/^flags:[ \t]*//p' "$info") & 02000000) != 0)) ||
			fail "descriptor ${info##*/} is not close-on-exec"
	done
	stop
}

@test "P6: the master never reads from a connection" {
	need strace
	start
	strace -qq -yy -o "$BATS_TEST_TMPDIR/trace" -p "$MASTER" 2>/dev/null 3>&- &
	HELPERS=$!
	until_true 10 is_traced
	for port in 7013 7007 7023 7100 7101 7102; do
		ask $port $'SECRET\n' >/dev/null
	done
	log_has 'stderr: SECRET'
	kill "$HELPERS"
	wait "$HELPERS" || :
	HELPERS=
	grep -q accept4 "$BATS_TEST_TMPDIR/trace"
	grep -E '^(read|recv|readv|pread|preadv|splice|tee|sendfile|vmsplice)[a-z0-9]*\(' "$BATS_TEST_TMPDIR/trace" >"$BATS_TEST_TMPDIR/reads"
	refute grep -v -E '^(read\([0-9]+<anon_inode:\[?signalfd|recvmsg\([0-9]+<(UNIX|socket))' "$BATS_TEST_TMPDIR/reads"
	# Its only messages are what workers write to their standard error.
	refute grep SECRET <(grep -v -E '^(recvmsg|writev?|sendmsg)\(' "$BATS_TEST_TMPDIR/trace")
	stop
}
is_traced() { grep -Eq '^TracerPid:.[1-9]' "/proc/$MASTER/status"; }

@test "process titles tell the master from its workers, and whom they serve" {
	start
	ps -o args= -p "$MASTER" | grep -Eq '^begat: master, 6 services'
	[ "$(cat "/proc/$MASTER/comm")" = begat-master ]
	"$BATS_TEST_DIRNAME/helpers/talk.py" 7007 send:x expect:x rest >/dev/null 3>&- &
	HELPERS=$!
	until_true 5 worker_is_titled
	kill "$HELPERS"
	HELPERS=
	stop
}
worker_is_titled() { children | grep -Eq 'begat: echo 127\.0\.0\.1:[0-9]+$'; }

@test "idle: the master does not wake up at all" {
	start
	ask 7013 >/dev/null
	log_has 'reaped daytime'
	until_true 5 sleeps_on
	stop
}
# Over half a second; a timer of the last connection may still run out in the first.
sleeps_on() {
	local before
	before=$(count_wakeups)
	sleep 0.5
	[ "$(count_wakeups)" = "$before" ]
}
