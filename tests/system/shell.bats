#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The command server against crafted clients (faults F120 to F126), over the wire.  Telnet servers have been
# broken through each of these for thirty years; here lines are data, and all answers are bounded.

load lib

setup() {
	# With a mark, so that another run's are not taken for ours.
	MARK=$BASHPID
	configure "service shell { listen = \"tcp:127.0.0.1:7023\" handler = \"shell\"
		options = { \"prompt=? \", \"motd=$BATS_TEST_TMPDIR/none\", \"command-timeout=1s\",
			\"command.args=/usr/bin/printf [%s] one 'two \\\"three four\\\" \$(id) ;\",
			\"command.env=/usr/bin/env\",
			\"command.files=/bin/ls -l /proc/self/fd\",
			\"command.flood=/usr/bin/yes 0123456789-$MARK\",
			\"command.hang=/bin/sleep 7878.$MARK\",
			\"command.fails=/bin/false\",
			\"command.input=/bin/cat\",
			\"command.who=/bin/echo replaced\" } }
		service patient { listen = \"tcp:127.0.0.1:7024\" handler = \"shell\"
			options = { \"command-timeout=1h\", \"command.hang=/bin/sleep 7878.$MARK\" } }"
	start
}

talk() { "$BATS_TEST_DIRNAME/helpers/talk.py" 7023 "$@" >"$BATS_TEST_TMPDIR/talk"; }
count() { grep -Eac -- "$1" "$BATS_TEST_TMPDIR/talk" || :; }
has() { grep -Eaq -- "$1" "$BATS_TEST_TMPDIR/talk" || fail "no answer matches: $1: $(cat -v "$BATS_TEST_TMPDIR/talk")"; }
lacks() { refute grep -Eaq -- "$1" "$BATS_TEST_TMPDIR/talk"; }
# bytes TEXT: how often these bytes, given as in printf, were answered.
bytes() { LC_ALL=C grep -aoP "$1" "$BATS_TEST_TMPDIR/talk" | wc -l; }
stamp='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}'

@test "F120: a mebibyte without a line end: told, closed, and no more memory for it" {
	talk 'repeat:1048576:x' rest
	has '^\? line too long'
	log_has 'reaped shell.* result=ok'
	if ! is_sanitized; then
		kib=$(sed -n 's/.*reaped shell.*maxrss=\([0-9]*\)k.*/\1/p' "$LOG")
		[ "$kib" -lt 4096 ] || fail "the worker has used $kib KiB"
	fi
	stop
}

@test "F120: a line at the cap is answered, one byte more ends the session" {
	talk "send:$(printf '%512s' '' | tr ' ' x)\r\ntime\r\n" half rest
	has 'unknown command'
	[ "$(count "$stamp")" = 1 ]
	talk "send:$(printf '%513s' '' | tr ' ' x)\r\ntime\r\n" half rest
	has 'line too long'
	lacks "$stamp"
	stop
}

@test "F121: NUL, eight-bit, bad UTF-8 and control characters are data, shown back as escapes" {
	talk 'send:\x00\x01\x07\x1b[2J\x7f\x80\xfe\xc3\x28\xff\xff\xe2\x82\r\n' 'send:ti\x00me\r\n' 'send:time\r\n' half rest
	[ "$(count 'unknown command')" = 2 ]
	[ "$(count "$stamp")" = 1 ]
	# What comes back is printable and line ends.
	[ "$(tr -d '\r\n -~' <"$BATS_TEST_TMPDIR/talk" | wc -c)" = 0 ]
	has '\\033'
	has '\\377'
	stop
	[ "$(tr -d '\n -~' <"$LOG" | wc -c)" = 0 ]
}

@test "F121: an unknown command is shown back cut" {
	talk "send:$(printf '%500s' '' | tr ' ' '%')\n" half rest
	[ "$(wc -c <"$BATS_TEST_TMPDIR/talk")" -lt 200 ]
	has '%\.\.\.: unknown'
	stop
}

@test "F122: telnet commands split over packets anywhere leave the line whole" {
	talk 'bytes:\xff\xfd\x01ti\xff\xf1m\xff\xfb\x1f\xff\xfa\x18\x00xterm\xff\xf0e\r\n' 'expect:T' half rest
	[ "$(count "$stamp")" = 1 ]
	[ "$(bytes '\xff\xfc\x01')" = 1 ]
	[ "$(bytes '\xff\xfe\x1f')" = 1 ]
	lacks unknown
	stop
}

@test "F122: a storm of DO and WILL is refused once each, and is no storm of answers" {
	talk 'repeat:20000:\xff\xfd\x18\xff\xfb\x1f' 'send:time\r\n' half rest
	[ "$(bytes '\xff\xfc\x18')" = 1 ]
	[ "$(bytes '\xff\xfe\x1f')" = 1 ]
	[ "$(count "$stamp")" = 1 ]
	[ "$(wc -c <"$BATS_TEST_TMPDIR/talk")" -lt 100 ]
	stop
}

@test "F122: refusals are never answered, TIMING-MARK always, within bounds" {
	talk 'repeat:1000:\xff\xfe\x01\xff\xfc\x01' 'send:time\r\n' half rest
	[ "$(bytes '\xff')" = 0 ]
	talk 'send:\xff\xf4\xff\xfd\x06' 'send:\xff\xf4\xff\xfd\x06' 'send:time\r\n' half rest
	[ "$(bytes '\xff\xfc\x06')" = 2 ]
	talk 'repeat:20000:\xff\xfd\x06\xff\xf6' 'send:time\r\n' half rest
	[ "$(wc -c <"$BATS_TEST_TMPDIR/talk")" -lt 10000 ]
	[ "$(count "$stamp")" = 1 ]
	stop
}

@test "F122: subnegotiations of any length or none are dropped: SLC, NEW-ENVIRON, unterminated" {
	talk 'send:\xff\xfa\x22\x03' 'repeat:100:\x01\x02\x03' 'send:\xff\xf0time\r\n' \
		'send:\xff\xfa\x27\x00\x00USER\x01-f root\xff\xf0time\r\n' \
		'send:\xff\xfa\xff\xff\xff\xf0time\r\n' \
		'send:\xff\xfa\xff\xf0time\r\n' half rest
	[ "$(count "$stamp")" = 4 ]
	lacks 'unknown|root'
	# One that does not end swallows a kibibyte and no more.
	talk 'send:\xff\xfa\x18' 'repeat:1024:x' 'send:\r\ntime\r\n' half rest
	has "$stamp"
	# And one at the end of the connection nothing at all.
	talk 'send:time\r\n\xff\xfa\x18' half rest
	has "$stamp"
	stop
}

@test "F122: erase, go ahead, break, AYT and urgent data do no harm" {
	talk 'send:\xff\xf7\xff\xf8\xff\xf9\xff\xf3\xff\xf5\xff\xf1\xff\xef\xfftime\r\n' 'send:\xff\xf6time\r\n' half rest
	has '\[yes\]'
	has "$stamp"
	stop
}

@test "F123: CR LF, CR NUL and LF are one line end each, and CR within a line is data" {
	talk 'send:time\r\ntime\r\x00time\n\r\n\n' half rest
	[ "$(count "$stamp")" = 3 ]
	[ "$(grep -ao '? ' "$BATS_TEST_TMPDIR/talk" | wc -l)" = 6 ]
	# The same, cut between the two bytes of a line end.
	talk 'bytes:time\r\ntime\r\x00time\n' half rest
	[ "$(count "$stamp")" = 3 ]
	talk 'send:ti\rme\r\n' half rest
	has 'unknown command'
	stop
}

@test "F124: commands sent in advance are all answered before the end, the last without a line end" {
	talk 'repeat:199:time\n' 'send:time' half rest
	[ "$(count "$stamp")" = 200 ]
	talk 'send:quit\r\ntime\r\n' rest
	lacks "$stamp"
	log_has 'reaped shell.* result=ok'
	stop
}

@test "F124: line ends of the answers are the Internet's" {
	talk 'send:time\nargs\nbad\n' half rest
	[ "$(count '[^'$'\r'']$')" -le 1 ] || fail "$(cat -A "$BATS_TEST_TMPDIR/talk")"
	stop
}

@test "F125: a client that is gone in the middle of output ends the worker and the command, quietly" {
	talk 'send:flood\r\n' 'expect:0123456789' reset
	log_has 'reaped shell\['
	log_lacks 'stderr|signal'
	until_true 5 no_workers
	until_true 5 no_programs
	# One that says nothing, so that no failing write can tell.
	"$BATS_TEST_DIRNAME/helpers/talk.py" 7024 'send:hang\r\n' 'expect:> ' reset >/dev/null
	log_has 'begat patient'
	until_true 5 no_workers
	until_true 5 no_programs
	master_is_well
	stop
}

no_programs() { ! pgrep -f "^/[^ ]* [0-9]+[-.]$MARK\$" >/dev/null; }

@test "F126: metacharacters, paths and arguments are no way to anything" {
	bait=$BATS_TEST_TMPDIR/bait
	for line in "time;touch $bait" "\$(touch $bait)" "\`touch $bait\`" "|touch $bait" "&& touch $bait" \
		"> $bait" "../../bin/touch $bait" "/bin/touch $bait" "touch $bait" "args;touch $bait" \
		"args $bait" "command.args" "-c touch" "%s%n%x" "!touch $bait" "args\ttouch"; do
		talk "send:${line//\\/\\\\}\r\n" half rest
		has 'unknown command|takes no arguments'
	done
	[ ! -e "$bait" ]
	until_true 5 sixteen_are_ok
	stop
}

sixteen_are_ok() { [ "$(log_count 'result=ok')" = 16 ]; }

@test "command.NAME: the administrator's words, no shell, a small environment, 0 to 2 and no input" {
	talk 'send:ARGS\r\n' 'send:input\r\n' 'send:fails\r\n' 'send:who\r\n' half rest
	has "\[one\]\['two\]\[three four\]\[\\$\(id\)\]\[;\]"
	has 'fails: exit status 1'
	has replaced
	talk 'send:env\r\n' half rest
	[ -z "$(grep -aoE '[A-Za-z_]+=' "$BATS_TEST_TMPDIR/talk" | grep -vxE '(PATH|TZ|LANG)=')" ]
	has '^(\? )?PATH='
	talk 'send:files\r\n' half rest
	[ "$(count ' -> ')" = 4 ] # with that of ls
	has '0 -> /dev/null'
	has '1 -> pipe:'
	stop
}

@test "command.NAME: one that hangs is stopped after command-timeout, one that floods after a mebibyte" {
	talk 'send:hang\r\ntime\r\n' half rest
	has 'hang: stopped after 1 s'
	[ "$(count "$stamp")" = 1 ]
	until_true 5 no_programs
	talk 'send:flood\r\ntime\r\n' half rest
	has 'flood: stopped after 1024 KiB'
	[ "$(count "$stamp")" = 1 ]
	stop
}
