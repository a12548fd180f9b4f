#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The small services as their clients see them, over streams and datagrams: to the byte where the RFCs
# or the field have settled the bytes, and within their bounds where not.

load lib

# Files that workers may read: bats' own folder is its user's.
setup() {
	PUBLIC=$(mktemp -d /tmp/begat-small-XXXXXX)
	chmod 755 "$PUBLIC"
}
eval "lib_$(declare -f teardown)"
teardown() {
	lib_teardown
	rm -rf "$PUBLIC"
}

udp() { run_for 10 "$BATS_TEST_DIRNAME/helpers/datagrams.py" ask 127.0.0.1 "$@"; }
# As hexadecimal: "ADDRESS PORT HEX", or "none".
udp_hex() { run_for 10 "$BATS_TEST_DIRNAME/helpers/datagram.py" ask 127.0.0.1 "$@"; }
hex() { od -An -v -tx1 | tr -d ' \n'; }

# service NAME [MORE]: over both, each at a port of its own, and over a stream with a standing worker.
service() {
	printf 'service %s { listen = { "tcp:127.0.0.1:7001", "udp:127.0.0.1:7001" } handler = "%s" %s }\n' \
		"$1" "$1" "${2-}"
}
standing() {
	printf 'service standing { listen = "tcp:127.0.0.1:7002" wait = true handler = "%s" %s }\n' "$1" "${2-}"
}

# each_way_matches REGEX [QUESTION]: what each of the three ways answers; a longer question makes more
# room for a datagram's.
each_way_matches() {
	local answer
	for answer in "$(ask 7001 | cat -v)" "$(udp 7001 "${2-}" | cat -v)" "$(ask 7002 | cat -v)"; do
		[[ $answer =~ $1 ]] || fail "\"$answer\" does not match $1"
	done
}

@test "daytime: ctime's 26 bytes, whatever the question, and then the end" {
	configure "$(service daytime) $(standing daytime)"
	start
	each_way_matches '^[SMTWF][a-z]{2} [JFMASOND][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}\^M$'
	[ "$(ask 7001 'what time is it?' | wc -c)" = 26 ]
	[ "$(udp 7001 | wc -c)" = 26 ]
	[ "$(udp 7001 x | wc -c)" = 26 ]
	[ "$(ask 7002 'what time is it?' | wc -c)" = 26 ]
	stop
}

@test "daytime: the other forms, and zones that need no file" {
	[ -e /usr/share/zoneinfo/Asia/Kolkata ] || skip "tzdata is not installed"
	configure "$(service daytime 'options = { "format=rfc", "timezone=Asia/Kolkata" }')
		$(standing daytime 'options = { "format=rfc", "timezone=Asia/Kolkata" }')
		service iso { listen = { 'tcp:127.0.0.1:7003', 'udp:127.0.0.1:7003' } handler = 'daytime'
			options = { 'format=iso', 'timezone=Etc/GMT+5' } }
		service custom { listen = { 'tcp:127.0.0.1:7004', 'udp:127.0.0.1:7004' } handler = 'daytime'
			options = { 'format=strftime:%d %b %y %T %Z', 'timezone=UTC' } }"
	start
	each_way_matches '^[A-Z][a-z]+day, [A-Z][a-z]+ [0-9]{1,2}, [0-9]{4} [0-9:]{8}-IST\^M$' 'a question'
	[[ $(ask 7003 | cat -v) =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}-05:00\^M$ ]]
	[[ $(udp 7003 | cat -v) =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}-05:00\^M$ ]]
	[[ $(ask 7004 | cat -v) =~ ^[0-9]{2}\ [A-Z][a-z]{2}\ [0-9]{2}\ [0-9:]{8}\ UTC\^M$ ]]
	[[ $(udp 7004 | cat -v) =~ ^[0-9]{2}\ [A-Z][a-z]{2}\ [0-9]{2}\ [0-9:]{8}\ UTC\^M$ ]]
	# It is the time of there and not only its name.
	there=$(TZ=Asia/Kolkata date +%H:%M) && asked=$(ask 7001) && later=$(TZ=Asia/Kolkata date +%H:%M)
	[[ $asked == *" $there:"* || $asked == *" $later:"* ]]
	log_lacks 'SIGSYS|signal='
	"$BEGATD" -T -f "$CONF" | grep -q '"timezone=Asia/Kolkata"'
	stop
}

@test "daytime: a zone also in an empty root directory" {
	need_root
	[ -e /usr/share/zoneinfo/Asia/Kolkata ] || skip "tzdata is not installed"
	mkdir "$BATS_TEST_TMPDIR/root"
	configure "service daytime { listen = { 'tcp:127.0.0.1:7001', 'udp:127.0.0.1:7001' }
			handler = 'daytime' chroot = '$BATS_TEST_TMPDIR/root'
			options = { 'format=iso', 'timezone=Asia/Kolkata' } }
		service alone { listen = 'tcp:127.0.0.1:7003' handler = 'daytime'
			chroot = '$BATS_TEST_TMPDIR/root'
			options = { 'format=iso', 'timezone=Asia/Kolkata' } }"
	start
	[[ $(ask 7001) == *+05:30* ]]
	[[ $(udp 7001) == *+05:30* ]]
	[[ $(ask 7003) == *+05:30* ]]
	log_lacks 'SIGSYS|signal='
	stop
}

@test "daytime: what is no form and no zone is refused, with the line" {
	for bad in 'format=ISO' 'format=strftime:' 'format=strftime:%n' 'format=strftime:%0300d' \
		'timezone=/etc/localtime' 'timezone=../localtime' 'timezone=Mars/Olympus'; do
		configure "$(service daytime "options = { \"$bad\" }")"
		run "$BEGATD" -t -f "$CONF"
		[ "$status" = 6 ] || fail "$bad: $status: $output"
		[[ $output == *"begat.conf:3: options: ${bad%%=*}: "* ]] || fail "$output"
	done
}

# Seconds since 1900, in hexadecimal, and the clock's.
is_now() {
	local seconds=$((16#$1 - 2208988800)) now
	now=$(date +%s)
	[ "${#1}" = 8 ] && ((now >= seconds && now <= seconds + 5)) && return
	fail "$1 at $now"
}

@test "time: four bytes, in network order, and no more" {
	configure "$(service time) $(standing time)"
	start
	is_now "$(ask 7001 | hex)"
	is_now "$(ask 7001 ignored | hex)"
	is_now "$(udp 7001 | hex)"
	is_now "$(udp 7001 ignored | hex)"
	is_now "$(ask 7002 | hex)"
	stop
}

@test "echo: everything back, and datagrams as they came, also an empty one" {
	configure "$(service echo)"
	start
	[ "$(printf 'a\nb\0\377' | run_for 10 nc -N 127.0.0.1 7001 | hex)" = 610a6200ff ]
	[[ $(udp_hex 7001 610a6200ff) == "127.0.0.1 7001 610a6200ff" ]]
	[[ $(udp_hex 7001 '') == "127.0.0.1 7001 "* ]]
	[ "$(udp_hex 7001 "$(printf '%01024d' 0)" | cut -d ' ' -f 3 | wc -c)" = 1025 ]
	# One byte more than reply-max: no part of it.
	[ "$(udp_hex 7001 "$(printf '%01026d' 0)")" = none ]
	stop
}

@test "discard: not a byte, whatever comes" {
	configure "$(service discard)"
	start
	[ "$(head -c 1000000 /dev/zero | run_for 10 nc -N 127.0.0.1 7001 | wc -c)" = 0 ]
	[ "$(udp_hex 7001 61)" = none ]
	[ "$(udp_hex 7001 '')" = none ]
	master_is_well
	stop
}

@test "chargen: the pattern until the client goes, and no word about that in the log" {
	configure "$(service chargen)"
	start
	run_for 10 nc -d 127.0.0.1 7001 | head -c 148000 >"$BATS_TEST_TMPDIR/heard" || :
	[ "$(wc -c <"$BATS_TEST_TMPDIR/heard")" = 148000 ]
	python3 - "$BATS_TEST_TMPDIR/heard" <<-'EOF'
		import sys
		heard = open(sys.argv[1], "rb").read()
		ring = bytes(range(0x20, 0x7f)) * 2
		for number, line in enumerate(heard.split(b"\r\n")[:-1]):
		    assert line == ring[number % 95:][:72], (number, line)
	EOF
	log_has 'reaped chargen.* result=ok'
	until_true 5 no_workers
	for i in 1 2 3 4 5; do
		[ "$(udp 7001 "$(printf '%0200d' "$i")" | wc -c)" -le 512 ]
		# At most four times what was asked, with the headers.
		[ "$(udp 7001 x | wc -c)" -le 88 ]
	done
	stop
}

@test "chargen: a client that does not read is ended" {
	configure "$(service chargen 'idle-timeout = 1s')"
	start
	exec 5<>/dev/tcp/127.0.0.1/7001
	log_has 'reaped chargen.* result=timed-out why=.*idle-timeout' 10
	exec 5>&-
	stop
}

@test "qotd: less than 512 characters of ASCII, each line with its CRLF" {
	printf 'one\n%%\ncaf\303\251\n%%\ntwo\n\t-- me\n%%\n' >"$PUBLIC/quotes"
	chmod 644 "$PUBLIC/quotes"
	options="options = 'database=$PUBLIC/quotes'"
	configure "$(service qotd "$options") $(standing qotd "$options")"
	start
	for i in 1 2 3 4 5; do
		each_way_matches '^(one\^M|two\^M
        -- me\^M)$'
	done
	stop
}

@test "qotd: the database that comes with it, from an index or not, and a new one at once" {
	cp "$BATS_TEST_DIRNAME/../../etc/fortunes" "$PUBLIC/quotes"
	chmod 644 "$PUBLIC/quotes"
	options="options = 'database=$PUBLIC/quotes'"
	configure "$(service qotd "$options reply-factor = 0") $(standing qotd "$options")"
	start
	for i in 1 2 3 4 5; do
		for answer in "$(ask 7001 | hex)" "$(udp 7001 | hex)" "$(ask 7002 | hex)"; do
			[ "${#answer}" -gt 4 ]
			[ "${#answer}" -lt 1024 ]
			[[ $answer == *0d0a ]]
		done
	done
	# Standing workers look at the file for each client.
	echo 'only this' >"$PUBLIC/quotes"
	for answer in "$(ask 7001)" "$(udp 7001)" "$(ask 7002)"; do
		[ "$answer" = $'only this\r' ]
	done
	stop
}

@test "qotd: no quotation: nothing is sent, and one line says why" {
	configure "$(service qotd "options = 'database=$PUBLIC/none'")"
	start
	[ -z "$(ask 7001)" ]
	log_has "qotd.*$PUBLIC/none: No such file or directory"
	[ "$(udp_hex 7001 61)" = none ]
	[ "$(udp_hex 7001 61)" = none ]
	stop
}

@test "users: who is logged in, each once" {
	[ -r /run/utmp ] || skip "this machine keeps no list"
	configure "$(service users) $(standing users)"
	start
	expected=$(who | awk '!seen[$1]++ { print $1 "^M" }')
	[ "$(ask 7001 | cat -v)" = "$expected" ]
	[ "$(ask 7002 | cat -v)" = "$expected" ]
	[ "$(udp 7001 "$(printf '%0400d' 0)" | cat -v)" = "$expected" ]
	stop
}

@test "users: a machine without a list has nobody logged in, and that is no error" {
	[ ! -e /run/utmp ] || skip "this machine keeps one"
	configure "$(service users) $(standing users)"
	start
	[ "$(ask 7001 | wc -c)" = 0 ]
	[ "$(ask 7002 | wc -c)" = 0 ]
	[[ $(udp_hex 7001 61) == "127.0.0.1 7001 "* ]]
	log_has 'reaped users.* result=ok'
	stop
}

@test "motd: the file, with the line ends of the Internet; to a datagram, what fits" {
	printf 'Welcome\nto %s' "$(printf '%080d' 1)" >"$PUBLIC/motd"
	chmod 644 "$PUBLIC/motd"
	options="options = 'file=$PUBLIC/motd'"
	configure "$(service motd "$options") $(standing motd "$options")"
	start
	each_way_matches '^Welcome\^M
to 0{79}1\^M$' 'a question of sixteen or more bytes'
	[ "$(udp 7001 x | cat -v)" = 'Welcome^M' ]
	stop
}

@test "motd: what a standing worker has to cut is said so" {
	for i in $(seq 1000); do echo "line $i of the message"; done >"$PUBLIC/motd"
	chmod 644 "$PUBLIC/motd"
	configure "$(standing motd "options = 'file=$PUBLIC/motd'")"
	start
	ask 7002 >"$BATS_TEST_TMPDIR/heard"
	[ "$(wc -c <"$BATS_TEST_TMPDIR/heard")" -le 8192 ]
	[ "$(tail -c 10 "$BATS_TEST_TMPDIR/heard")" = $' message\r' ]
	log_has 'standing.* stderr: an answer over 8192 bytes was cut'
	stop
}

@test "motd: a file that was replaced is soon there for a standing worker too" {
	echo old >"$PUBLIC/motd"
	chmod 644 "$PUBLIC/motd"
	configure "$(standing motd "options = 'file=$PUBLIC/motd'")"
	start
	[ "$(ask 7002)" = $'old\r' ]
	echo new >"$PUBLIC/new"
	chmod 644 "$PUBLIC/new"
	mv "$PUBLIC/new" "$PUBLIC/motd"
	until_true 5 eval '[ "$(ask 7002)" = $'"'new\\r'"' ]' || fail "the new one is not to be seen"
	stop
}

@test "motd: no file: nothing is sent, and the log says why, once for many datagrams" {
	configure "$(service motd "options = 'file=$PUBLIC/none'")"
	start
	[ -z "$(ask 7001)" ]
	log_has "motd.*$PUBLIC/none: No such file or directory"
	before=$(log_count "$PUBLIC/none: No such file")
	for i in 1 2 3; do
		[ "$(udp_hex 7001 61)" = none ]
	done
	[ "$(log_count "$PUBLIC/none: No such file")" -le $((before + 1)) ]
	stop
}

@test "FIFO: each of them to a reader" {
	configure "service daytime { listen = 'fifo:$PUBLIC/now' handler = 'daytime' }
		service chargen { listen = 'fifo:$PUBLIC/noise' handler = 'chargen' }"
	start
	[ "$(run_for 10 cat "$PUBLIC/now" | wc -c)" = 25 ]
	# A reader that has enough goes away, and that is all.
	[ "$(run_for 10 head -c 100000 "$PUBLIC/noise" | wc -c)" = 100000 ]
	log_has 'reaped chargen.* result=ok'
	stop
}
