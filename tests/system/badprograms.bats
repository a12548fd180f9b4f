#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Programs that cannot be run (faults F100, F107): the client is not left waiting, the log says which step
# failed and why, the service pauses instead of spinning, and comes back by itself.

load lib

PROGRAM=$BATS_TEST_TMPDIR/program

setup() {
	# Workers must be able to reach it.
	if is_root; then as="user = root"; fi
	printf '#!/bin/sh\necho works\n' >"$PROGRAM"
	chmod 755 "$PROGRAM"
}

program_services() {
	configure "service bad { listen = \"tcp:127.0.0.1:7100\" exec = \"$PROGRAM\" ${as-} }
		service banner { listen = \"tcp:127.0.0.1:7101\" exec = \"$PROGRAM\" banner = \"hello\" ${as-} }
		service crlf { listen = \"tcp:127.0.0.1:7102\" exec = \"$PROGRAM\" crlf = true ${as-} }
		service daytime { listen = \"tcp:127.0.0.1:7013\" handler = \"daytime\" }"
}

# fails_with ERROR: in each of the ways to run a program, and the client gets its end of file.
fails_with() {
	ask 7100 >/dev/null
	log_has "reaped bad\[.* result=failed step=exec error=\"$1\""
	ask 7101 >/dev/null
	log_has "reaped banner\[.* result=failed step=exec error=\"$1\""
	ask 7102 >/dev/null
	log_has "reaped crlf\[.* result=failed step=exec error=\"$1\""
	[ "$(ask 7013 | wc -c)" = 26 ]
	master_is_well
}

@test "F100: a program that is not there is refused when the configuration is read" {
	program_services
	rm "$PROGRAM"
	run "$BEGATD" -t -f "$CONF"
	[ "$status" = 6 ]
	[[ $output == "$CONF:3: "*"$PROGRAM"*"No such file"* ]]
}

@test "F100: a program that vanishes while the daemon runs" {
	program_services
	start
	rm "$PROGRAM"
	fails_with 'No such file or directory'
	stop
}

@test "F100: a program that may no longer be run" {
	program_services
	start
	chmod 644 "$PROGRAM"
	fails_with 'Permission denied'
	stop
}

@test "F100: no program at all, or one whose interpreter is missing" {
	echo 'just text' >"$PROGRAM"
	program_services
	start
	fails_with 'Exec format error'
	stop
	rm "$LOG"
	echo '#!/nowhere' >"$PROGRAM"
	start
	fails_with 'No such file or directory'
	stop
}

@test "F100: five failures in a row pause the service, others go on, and one success heals" {
	program_services
	start
	mv "$PROGRAM" "$PROGRAM.away"
	for _ in 1 2 3 4 5; do
		ask 7100 >/dev/null
	done
	log_has 'bad: throttled for 1 s'
	[ "$(ask 7013 | wc -c)" = 26 ]
	mv "$PROGRAM.away" "$PROGRAM"
	# This one waits in the queue, and is not refused.
	[ "$(ask 7100)" = works ]
	[ "$(log_count 'throttled')" = 1 ]
	mv "$PROGRAM" "$PROGRAM.away"
	for _ in 1 2 3 4; do
		ask 7100 >/dev/null
	done
	[ "$(log_count 'throttled')" = 1 ]
	stop
}

@test "F107: the user's limit of processes: execve says EAGAIN, and the log says so" {
	need_root
	need prlimit
	# With a limit of 0 the second process is one too many.
	setpriv --reuid=23456 --regid=23456 --clear-groups sleep 60 3>&- &
	HELPERS=$!
	until_true 5 is_theirs
	configure 'user = 23456 group = 23456
		service s { listen = "tcp:127.0.0.1:7100" exec = { "/bin/echo", "ran" } }
		service c { listen = "tcp:127.0.0.1:7101" exec = { "/bin/echo", "ran" } crlf = true }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" user = "nobody" group = "nogroup" }'
	WRAPPER='prlimit --nproc=0'
	start
	[ "$(ask 7100)" = "" ]
	log_has 'reaped s\[.*step=exec error="Resource temporarily unavailable"'
	[ "$(ask 7101)" = "" ]
	log_has 'reaped c\[.*step=relay error="Resource temporarily unavailable"'
	# A handler needs no exec.
	[ "$(ask 7013 | wc -c)" = 26 ]
	master_is_well
	stop
}

is_theirs() { [ "$(ps -o uid= -p "$HELPERS" | tr -d ' ')" = 23456 ]; }

@test "a working directory that vanishes" {
	mkdir "$BATS_TEST_TMPDIR/dir"
	configure "service s { listen = \"tcp:127.0.0.1:7100\" exec = { \"/bin/pwd\" } directory = \"$BATS_TEST_TMPDIR/dir\" }"
	start
	[ "$(ask 7100)" = "$BATS_TEST_TMPDIR/dir" ] || is_root
	rmdir "$BATS_TEST_TMPDIR/dir"
	ask 7100
	log_has 'step=directory error="No such file or directory"'
	stop
}
