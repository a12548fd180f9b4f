# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Cages, for the tests that load this file after lib.bash: programs that try to get out of them or tell
# what they are (helpers/probe.c, mirror.c), code that is put into workers (inject.c), somebody outside
# who must not be reached (witness.py), and system calls of workers that fail.

HELPERS_DIR=$BATS_TEST_DIRNAME/helpers
ANSWER=$BATS_TEST_TMPDIR/answer

# build NAME...: helpers/NAME.c and what there is of NAME-*.c as $PLACE/NAME, where every user can run it and no private-tmp hides
# it.  For setup_file; unbuild for teardown_file.
build() {
	local base=/tmp name
	if is_root; then base=/var/lib; fi
	PLACE=$(mktemp -d $base/begat-cage.XXXXXX)
	export PLACE
	chmod 755 "$PLACE"
	for name; do
		# A static one needs no more files than itself.
		compile "$name" -static 2>/dev/null || compile "$name"
	done
}
shopt -s extglob
# shellcheck disable=SC2086 # words of a command
compile() {
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -Wall "${@:2}" -o "$PLACE/$1" "$HELPERS_DIR/$1"?(-*).c
}
unbuild() { [ -z "${PLACE-}" ] || rm -r "$PLACE"; }
is_static() { ! ldd "$PLACE/probe" >/dev/null 2>&1; }
need_static() { is_static || skip "no static C library"; }
need_landlock() {
	# landlock_create_ruleset(2) with LANDLOCK_CREATE_RULESET_VERSION
	LANDLOCK=$(/usr/bin/python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')
	((LANDLOCK >= ${1:-1})) || skip "no Landlock of ABI ${1:-1}"
}

# service NAME PORT KEYS...: a service's text.
service() { printf 'service %s { listen = "tcp:127.0.0.1:%s" %s }\n' "$1" "$2" "${*:3}"; }

# exec PROGRAM WORD...: the key that runs one of the helpers.
run_program() {
	local word text
	text=$(printf '"%s/%s"' "$PLACE" "$1")
	for word in "${@:2}"; do
		text+=", \"$word\""
	done
	echo "exec = { $text }"
}
mirror() { run_program mirror "$@"; }

# shellcheck disable=SC2046 # words
# probe TRY...: ... told where the master, the witness and a set-user-id program are.
probe() { run_program probe $(targets) "$@"; }
targets() {
	echo "master=MASTER_PID tcp=7900 udp=7901 unix=$PLACE/witness abstract=begat-witness suid=$PLACE/suid" \
		"outside=$PLACE/outside"
}

# shellcheck disable=SC2034 # of start()
# told: the configuration may say MASTER_PID for what will be the daemon's pid.  For $WRAPPER.
told() {
	cat >"$BATS_TEST_TMPDIR/told" <<-END
		#!/bin/sh
		sed -i "s/MASTER_PID/\$\$/g" "$CONF"
		exec "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/told"
	WRAPPER=$BATS_TEST_TMPDIR/told
}

# witness: somebody outside; seen: who has come, each once, on one line.
witness() {
	rm -f "$PLACE/witness"
	"$HELPERS_DIR/witness.py" 7900 7901 "$PLACE/witness" begat-witness >"$BATS_TEST_TMPDIR/seen" 3>&- &
	HELPERS="${HELPERS-} $!"
	until_true 5 grep -q ready "$BATS_TEST_TMPDIR/seen" || fail "no witness"
}
seen() { grep -v ready "$BATS_TEST_TMPDIR/seen" | sort -u | tr '\n' ' ' || :; }

# tell PORT [TEXT]: asks, without telnet's line ends and the shell's prompts, into $ANSWER.
tell() { ask "$@" | tr -d '\r' | sed -E 's/^(> )+//' >"$ANSWER"; }
answer() { sed -n "s/^$1=//p" "$ANSWER"; }
# says LINE...: whole lines, as extended regular expressions.
says() {
	local line
	for line; do
		grep -qxE -- "$line" "$ANSWER" || fail "no line is $line: $(cat "$ANSWER")"
	done
}
# did: all that the probe has succeeded in.  Some depend on the machine.
did() { sed -n 's/=done$//p' "$ANSWER" | grep -vxE 'unshare-user|io-uring|keyring|foreign-.*' | sort; }
# did_only TRY...: that and no more, in any order.
did_only() {
	diff <([ $# = 0 ] || printf '%s\n' "$@" | sort) <(did) >"$ANSWER.difference" ||
		fail "what was to be done (<), and what was (>): $(cat "$ANSWER.difference")"
}

# session PORT [TEXT]: one that stays, on descriptor 5, after the first byte of the answer when there is a
# text or a prompt ("-"); $WORKER is who serves it.
session() {
	local byte
	exec 5<>"/dev/tcp/127.0.0.1/$1"
	case ${2-} in '' | -) ;; *) printf '%s\n' "$2" >&5 ;; esac
	# shellcheck disable=SC2034 # what it is does not matter
	[ -z "${2-}" ] || read -r -N 1 -t 10 byte <&5 || fail "no answer on port $1"
	until_true 10 has_worker || fail "nobody serves: $(children)"
}
# As long as it is begat's own code on its way, its arguments are the master's.
has_worker() {
	WORKER=$(pgrep -n -P "$MASTER") && ! cmp -s "/proc/$WORKER/cmdline" "/proc/$MASTER/cmdline" &&
		grep -qs '^State:.S' "/proc/$WORKER/status"
}
status_of() { sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }
end_session() {
	exec 5>&-
	until_true 5 no_workers
}

# shellcheck disable=SC2034 # of heal()
# fail_in_workers CALLS WHAT: as inject of fault.bash, but of workers alone.
fail_in_workers() {
	need strace
	strace -qq -f -o "$BATS_TEST_TMPDIR/trace" -p "$MASTER" -e trace="$1,execve" -e inject="$1:$2" \
		3>&- 5>&- 2>"$BATS_TEST_TMPDIR/trace.error" &
	STRACE=$!
	if ! until_true 10 is_traced_or_gone; then
		grep -q 'not permitted' "$BATS_TEST_TMPDIR/trace.error" && skip "strace may not attach here"
		fail "strace does not attach: $(cat "$BATS_TEST_TMPDIR/trace.error")"
	fi
}

# injected WORKER CALL ARGUMENT...: what it gives, see helpers/inject.c.
injected() { run_for 10 "$PLACE/inject" "$@"; }
need_inject() {
	[ "$(uname -m)" = x86_64 ] || skip "inject.c knows x86-64 only"
	sleep 5 3>&- &
	HELPERS="${HELPERS-} $!"
	# It may still be on its way there.
	until_true 2 "$PLACE/inject" $! getpid >/dev/null 2>&1 || skip "no ptrace(2) here"
}
