#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# FIFOs (listen = "fifo:..."): every reader gets one fresh answer, whole, and nobody else's; the file is
# there with its owner and mode whatever is done to it, and what is not a FIFO of ours is never touched.

load lib
load reload

setup() {
	DIR=$BATS_TEST_TMPDIR/home
	FIFO=$DIR/.signature
	mkdir -m 755 "$DIR"
	chmod 755 "$BATS_TEST_TMPDIR"
}

UUID='exec = { "/bin/cat", "/proc/sys/kernel/random/uuid" }'

# fifo_service [KEYS]: a service that says another word to each reader.
fifo_service() {
	configure "$(printf 'service sig { listen = "fifo:%s" %s socket-mode = "%s" %s }\n' \
		"$FIFO" "${BODY-$UUID}" "${MODE-0644}" "${1-}")"
}

# refused: begatd does not start; what it says is in $output.
refused() {
	run run_for 5 "$BEGATD" -n -f "$CONF" 3>&-
	echo "$output"
	[ "$status" = 1 ]
}

sign() { run_for 10 cat "$FIFO"; }
is_word() { [[ $1 =~ ^[0-9a-f-]{36}$ ]] || fail "no answer, or not one: '$1'"; }
signs() { is_word "$(sign)"; }
readers() { run_for 60 "$BATS_TEST_DIRNAME/helpers/readers.py" "$@"; }
keeper() { children | awk '/keeper of/ { print $1 }'; }
has_keeper() { [ -n "$(keeper)" ]; }
is_alone() { [ "$(find "$DIR" -mindepth 1 | wc -l)" = 2 ]; } # with the one that comes next
is_empty() { [ -z "$(find "$DIR" -mindepth 1)" ]; }

@test "every reader gets a fresh answer: 200 in a row are all different" {
	fifo_service
	start
	for ((i = 0; i < 200; i++)); do
		sign
	done >"$BATS_TEST_TMPDIR/answers"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" = 200 ]
	[ "$(sort -u "$BATS_TEST_TMPDIR/answers" | grep -Ecx '[0-9a-f-]{36}')" = 200 ]
	log_has 'begat sig\[[0-9]+\] peer=fifo'
	until_true 5 is_alone
	master_is_well
	stop
	is_empty
}

@test "readers at the same moment never share an answer, and each has a whole one" {
	need_root # others cannot tell what readers wait for
	fifo_service 'instances = 30'
	start
	[ "$(readers together "$FIFO" 20 10)" = "200 0" ]
	[ "$(readers together "$FIFO" 2 30)" = "60 0" ]
	until_true 5 is_alone
	stop
}

@test "readers that a shell starts at once each have an answer" {
	fifo_service
	start
	readers=
	for ((i = 0; i < 20; i++)); do
		sign >"$BATS_TEST_TMPDIR/answer.$i" 3>&- &
		readers+=" $!"
	done
	# shellcheck disable=SC2086 # a list of pids
	wait $readers
	[ "$(cat "$BATS_TEST_TMPDIR"/answer.* | sort -u | grep -Ecx '[0-9a-f-]{36}')" = 20 ]
	stop
}

@test "a handler answers as well" {
	BODY='handler = "daytime"' fifo_service
	start
	sign | grep -Eq ' 20[0-9]{2}$'
	sign | grep -Eq ' 20[0-9]{2}$'
	stop
}

@test "a program has the pipe as 1 and /dev/null as 0, and ends by SIGPIPE without blame" {
	BODY=$(printf 'exec = { "/bin/sh", "-c", "%s" }' \
		'readlink /proc/self/fd/0; test -p /dev/stdout && echo a pipe; echo $PROTO') fifo_service
	start
	run sign
	[ "${lines[0]}" = /dev/null ]
	[ "${lines[1]}" = "a pipe" ]
	stop
	BODY='exec = "/usr/bin/yes"' fifo_service
	start
	for ((i = 0; i < 8; i++)); do
		[ "$(run_for 10 head -n 1 "$FIFO")" = y ]
	done
	log_has 'reaped sig.* signal=PIPE'
	log_lacks throttled
	stop
}

@test "a long answer comes whole" {
	BODY='exec = { "/usr/bin/seq", "200000" }' fifo_service
	start
	[ "$(sign | md5sum)" = "$(seq 200000 | md5sum)" ]
	stop
}

@test "owner and mode are as configured, from the first moment on and after every reader" {
	need_root
	MODE=0640 fifo_service 'socket-user = "nobody" socket-group = "nogroup"'
	start
	is_right() { [ "$(stat -c '%U %G %a %F' "$FIFO")" = "nobody nogroup 640 fifo" ]; }
	is_right
	signs
	is_right
	until_true 5 is_alone
	[ "$(find "$DIR" -mindepth 1 ! -user nobody)" = "" ]
	rm "$FIFO"
	until_true 5 test -p "$FIFO"
	is_right
	stop
}

@test "a FIFO that is removed, or renamed, is made again" {
	fifo_service
	start
	signs
	for ((i = 0; i < 5; i++)); do
		rm "$FIFO"
		until_true 5 test -p "$FIFO"
		[ "$(stat -c %a "$FIFO")" = 644 ]
		signs
	done
	mv "$FIFO" "$DIR/other"
	until_true 5 test -p "$FIFO"
	signs
	stop
	[ ! -e "$FIFO" ]
}

@test "P4: who removes it all the time keeps nobody busy" {
	fifo_service
	start
	until_true 5 has_keeper
	before=$(keeper)
	removed=$(readers remove "$FIFO" 1)
	((removed >= 1 && removed <= 15))
	until_true 5 test -p "$FIFO"
	signs
	[ "$(keeper)" = "$before" ]
	master_is_well
	stop
}

# replaced COMMAND...: makes something else in its place; CHECK... says that it is still what it was.
replaced() {
	rm -f "$FIFO"
	"$@"
	log_has 'sig: fifo:.*not a FIFO of ours; remove it; trying again in 1 s'
}

@test "F42: a file, a directory or a link in its place is left alone, and serving goes on after it" {
	fifo_service
	start
	signs
	echo precious >"$DIR/file"
	replaced mv "$DIR/file" "$FIFO"
	[ "$(cat "$FIFO")" = precious ]
	sleep 1.2 # another keeper has looked
	[ "$(cat "$FIFO")" = precious ]
	log_has 'trying again in 2 s'
	[ -z "$(find "$DIR" -name '*.begat-*')" ]
	rm "$FIFO"
	until_true 10 test -p "$FIFO"
	signs
	master_is_well
	stop

	start
	signs
	ln -s nowhere "$DIR/link"
	replaced mv -T "$DIR/link" "$FIFO"
	[ "$(readlink "$FIFO")" = nowhere ]
	[ ! -e "$DIR/nowhere" ]
	stop
	[ "$(readlink "$FIFO")" = nowhere ]
}

@test "F42: it does not start where something else is, and says so" {
	fifo_service
	echo precious >"$FIFO"
	refused
	[[ $output == *"$FIFO"*FIFO* ]]
	[ "$(cat "$FIFO")" = precious ]
	rm "$FIFO"
	mkdir "$FIFO"
	refused
	rmdir "$FIFO"
	ln -s nowhere "$FIFO"
	refused
	[ "$(readlink "$FIFO")" = nowhere ]
	rm "$FIFO"
	mkfifo -m 600 "$DIR/target"
	ln "$DIR/target" "$FIFO"
	refused
	[ "$(stat -c %a "$DIR/target")" = 600 ]
}

@test "a reader that leaves at once, or never reads, is nobody's trouble" {
	BODY='exec = { "/usr/bin/seq", "1000000" }' fifo_service 'max-time = "2s" kill-grace = "1s"'
	start
	readers leave "$FIFO" 200
	"$BATS_TEST_DIRNAME/helpers/readers.py" hold "$FIFO" >"$BATS_TEST_TMPDIR/held" 3>&- &
	HELPERS=$!
	until_true 5 grep -q held "$BATS_TEST_TMPDIR/held"
	[ "$(sign | tail -n 1)" = 1000000 ]
	log_has 'reaped sig.*max-time' 10
	[ "$(sign | tail -n 1)" = 1000000 ]
	master_is_well
	stop
}

@test "readers wait for their turn when all instances are busy" {
	BODY='exec = { "/bin/sh", "-c", "sleep 0.2; cat /proc/sys/kernel/random/uuid" }' \
		fifo_service 'instances = 1'
	start
	readers=
	for ((i = 0; i < 5; i++)); do
		sign >"$BATS_TEST_TMPDIR/answer.$i" 3>&- &
		readers+=" $!"
	done
	# shellcheck disable=SC2086 # a list of pids
	wait $readers
	[ "$(cat "$BATS_TEST_TMPDIR"/answer.* | sort -u | grep -Ecx '[0-9a-f-]{36}')" = 5 ]
	stop
}

@test "P4: nothing wakes the keeper or the master when nobody reads" {
	fifo_service
	start
	signs
	until_true 5 is_alone
	sleep 0.5
	wakeups() { awk '/voluntary_ctxt/ { n += $2 } END { print n }' "/proc/$1/status"; }
	before="$(wakeups "$(keeper)") $(wakeups "$MASTER")"
	sleep 1
	[ "$(wakeups "$(keeper)") $(wakeups "$MASTER")" = "$before" ]
	stop
}

@test "P7: a keeper has no descriptor of the master's, and is not an instance" {
	fifo_service 'instances = 1'
	start
	signs
	until_true 5 is_alone
	[ "$(find "/proc/$(keeper)/fd" -mindepth 1 -lname 'socket:*' | wc -l)" = 1 ]
	[ "$(find "/proc/$(keeper)/fd" -mindepth 1 | wc -l)" -le 10 ]
	signs
	stop
}

@test "a reload goes on with the same keeper, and changes owner and mode" {
	fifo_service
	start
	signs
	before=$(keeper)
	reload
	signs
	[ "$(keeper)" = "$before" ]
	MODE=0604 fifo_service
	reload
	has_mode() { [ "$(stat -c %a "$FIFO")" = 604 ]; }
	until_true 5 has_mode
	signs
	has_mode
	[ "$(keeper)" = "$before" ]
	master_is_well
	stop
	is_empty
}

@test "P1: no reader goes without an answer while the daemon reloads" {
	fifo_service 'instances = 30'
	start
	for ((i = 0; i < 300; i++)); do
		sign
	done >"$BATS_TEST_TMPDIR/answers" 3>&- &
	reader=$!
	for ((i = 0; i < 5; i++)); do
		reload
	done
	wait $reader
	[ "$(sort -u "$BATS_TEST_TMPDIR/answers" | grep -Ecx '[0-9a-f-]{36}')" = 300 ]
	stop
}

@test "a reload adds a FIFO, and removes one with its file" {
	fifo_service
	start
	signs
	configure "service other { listen = \"fifo:$DIR/other\" $UUID }"
	reload
	until_true 5 test ! -e "$FIFO"
	is_word "$(run_for 5 cat "$DIR/other")"
	until_true 5 is_alone
	stop
	is_empty
}

@test "a keeper that is killed is replaced, and a reader that waits meanwhile is served" {
	fifo_service
	start
	signs
	sleep 1
	before=$(keeper)
	kill -KILL "$before"
	signs
	until_true 5 has_keeper
	[ "$(keeper)" != "$before" ]
	until_true 5 is_alone
	master_is_well
	log_lacks throttled
	stop
}

@test "F61: after SIGKILL to the master a new one takes the FIFO over, with its reader" {
	fifo_service
	start
	signs
	until_true 5 is_alone
	before=$(keeper)
	kill -KILL "$MASTER"
	until_true 5 is_gone "$before"
	wait "$MASTER" 2>/dev/null || :
	[ -p "$FIFO" ]
	sign >"$BATS_TEST_TMPDIR/answer" 3>&- &
	reader=$!
	rm -f "$BATS_TEST_TMPDIR/pid"
	start
	wait $reader
	is_word "$(cat "$BATS_TEST_TMPDIR/answer")"
	signs
	stop
	is_empty
}

@test "a start that fails leaves no FIFO behind" {
	configure "service sig { listen = \"fifo:$FIFO\" $UUID }
service day { listen = \"tcp:127.0.0.1:7013\" handler = \"daytime\" }"
	squat 127.0.0.1 7013
	refused
	leave
	is_empty
}

@test "SIGTERM removes it, also while a reader is being served" {
	BODY='exec = { "/bin/sh", "-c", "echo begun; sleep 1; echo done" }' fifo_service
	start
	sign >"$BATS_TEST_TMPDIR/answer" 3>&- &
	reader=$!
	until_true 5 grep -q begun "$BATS_TEST_TMPDIR/answer"
	stop
	wait $reader
	grep -q 'done' "$BATS_TEST_TMPDIR/answer"
	is_empty
}
