# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Reloads, for the tests that load this file after lib.bash and fault.bash: SIGHUP and what came of it,
# the sockets that must stay the same ones, a session that must go on, and programs on the disk that are
# another build, broken, slow or gone.

OUTCOMES='reload: kept|reload failed'
has_outcomes() { (($(log_count "$OUTCOMES") >= $1)); }
outcome() { grep -E "$OUTCOMES" "$LOG" | sed -n "$1p"; }

# hup: SIGHUP; when the reload is over, one way or the other, the log's line of it is in $OUTCOME.
hup() {
	local number=$(($(log_count "$OUTCOMES") + 1))
	kill -HUP "$MASTER"
	until_true 40 has_outcomes "$number" || fail "nothing came of SIGHUP"
	OUTCOME=$(outcome "$number")
}

# reload [TEXT]: one that must succeed, and say so.
reload() {
	hup
	[[ $OUTCOME == *"reload: "*"${1:-kept}"* ]] || fail "${1:-kept} was expected: $OUTCOME"
}

# fails_to_reload REGEX...: one that must fail, for reasons that are in the log.
fails_to_reload() {
	local regex
	hup
	[[ $OUTCOME == *"reload failed: "*"going on with the old configuration"* ]] || fail "$OUTCOME"
	for regex in "$@"; do
		log_has "$regex"
	done
}

# program SCRIPT: as the value of exec.
program() { printf "{ '/bin/sh', '-c', '%s' }" "$1"; }

# sockets: "ADDRESS INODE" of everything that the master listens on.
sockets() {
	local held
	held=$(find "/proc/$MASTER/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n')
	{
		ss -Hltne | awk 'match($0, /ino:[0-9]+/) { print $4, substr($0, RSTART + 4, RLENGTH - 4) }'
		ss -Hlx | awk '{ print $5, $6 }'
	} | awk -v held="$held" 'BEGIN { n = split(held, all, "\n"); for (; n; n--) is[all[n]] = 1 }
		is[$NF]' | sort
}
socket_of() { sockets | sed -n "s,^$1 ,,p"; }

# remember, is_as_before: the sockets, the descriptors and the signals of the master.
remember() { BEFORE=$(sockets && count_descriptors && signals && locks); }
is_as_before() { [ "$(sockets && count_descriptors && signals && locks)" = "$BEFORE" ]; }
signals() { grep -E '^Sig(Blk|Ign|Cgt)' "/proc/$MASTER/status"; }
PIDFILE=$BATS_TEST_TMPDIR/pid
locks() { ! flock -n "$PIDFILE" true && cat "$PIDFILE"; }
same_as_before() {
	until_true 5 is_as_before ||
		fail "$(diff <(echo "$BEFORE") <(sockets && count_descriptors && signals && locks))"
}

# session PORT [WORD]: a client, on descriptor 5, of a service that echoes; goes_on: and still does.
session() {
	exec 5<>"/dev/tcp/127.0.0.1/$1"
	goes_on
}
goes_on() {
	local word=$RANDOM answer
	echo "$word" >&5
	read -r -t 10 answer <&5 || :
	[ "$answer" = "$word" ] || fail "the session is dead"
}

# later PORT [TEXT]: ask in the background, see $LATER and $LATER.answer.
later() {
	ask "$@" >"$BATS_TEST_TMPDIR/later" 3>&- 5>&- 6>&- &
	LATER=$!
}
answered() {
	wait "$LATER" || :
	[ -s "$BATS_TEST_TMPDIR/later" ] || fail "no answer"
}

is_refused() { ! nc -z 127.0.0.1 "$1"; }
is_daytime() { [ "$(ask "$1" | wc -c)" = 26 ]; }

# squat ADDRESS PORT: somebody else has it; leave: not any more.
squat() {
	rm -f "$BATS_TEST_TMPDIR/squatter"
	"$BATS_TEST_DIRNAME/helpers/listen.py" "$@" >"$BATS_TEST_TMPDIR/squatter" 3>&- 5>&- &
	SQUATTER=$!
	HELPERS="${HELPERS-} $SQUATTER"
	until_true 5 grep -sq ready "$BATS_TEST_TMPDIR/squatter"
}
leave() {
	kill "$SQUATTER"
	wait "$SQUATTER" 2>/dev/null || :
}

# own_programs: the daemon is started from copies in $BIN, which a test may replace by put and fake, as
# package managers do: by rename.
own_programs() {
	REAL_BEGATD=$BEGATD REAL_MASTER=$BEGAT_MASTER
	BIN=$BATS_TEST_TMPDIR/bin
	BEGATD=$BIN/begatd BEGAT_MASTER=$BIN/begat-master
	mkdir "$BIN"
	own_back
}
own_back() { put "$REAL_BEGATD" begatd && put "$REAL_MASTER" begat-master; }
put() { install -m 755 "$1" "$BIN/$2.new" && mv -fT "$BIN/$2.new" "$BIN/$2"; }
fake() { put <(printf '#!/bin/sh\n%s\n' "$2") "$1"; }

# upgrade PROGRAM...: to another build, whose version is $OTHER; see helpers/build.py.
upgrade() {
	local name version
	version=$("$REAL_BEGATD" -V | cut -d" " -f2)
	OTHER=$(tr 0-8 9 <<<"$version")
	for name in "$@"; do
		"$BATS_TEST_DIRNAME/helpers/build.py" "$BIN/$name" "$BATS_TEST_TMPDIR/build" "$version" "$OTHER"
		put "$BATS_TEST_TMPDIR/build" "$name"
	done
}
is_upgraded() { grep -qF "$OTHER" "/proc/$MASTER/exe"; }

# hold_preflight: the next one waits before it does anything, until go_preflight.  Needs own_programs.
hold_preflight() {
	rm -f "$BIN/held" "$BIN/go"
	mkfifo "$BIN/go"
	fake begatd ": >$BIN/held; read -r _ <$BIN/go; exec $REAL_BEGATD \"\$@\""
	kill -HUP "$MASTER"
	until_true 10 test -e "$BIN/held" || fail "no preflight has begun"
}
go_preflight() {
	own_back
	# shellcheck disable=SC2016 # for the other shell
	run_for 10 sh -c ': >"$1"' sh "$BIN/go"
}
preflight() { pgrep -P "$MASTER" -f "$BIN/begatd"; }

# hold_exec: a reload is stopped in the master's exec, for a second.  go_exec: it is over.
hold_exec() {
	inject execve,execveat "delay_enter=${1:-1000000}:when=1"
	kill -HUP "$MASTER"
	until_true 20 is_at_exec || fail "no exec"
}
# By number, on x86_64 and on aarch64.
is_at_exec() {
	local number
	read -r number _ <"/proc/$MASTER/syscall" && [[ $number == @(59|322|221|281) ]]
}
go_exec() {
	until_true 10 has_outcomes "${1:-1}" || fail "no end of the reload"
	OUTCOME=$(outcome "${1:-1}")
	heal
}

# begin [ARGUMENT...]: a daemon with $services and a session.  end: nothing is left of it.
# shellcheck disable=SC2034 # of those who load this
services='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
begin() {
	start "$@"
	session 7007
	is_daytime 7013
	remember
}
end() {
	exec 5>&-
	stop
}
