#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Who a worker is: the configured user with exactly the configured groups, in all ways to be a worker, with no
# way back; and never anything else when a call fails (fault F108, CVE-2023-40303).

load lib

service() { printf 'service %s { listen = "tcp:127.0.0.1:%s" %s }\n' "$1" "$2" "${*:3}"; }
status='exec = { "/bin/cat", "/proc/self/status" }'

# The four ways to an exec and two handlers.
all_ways() {
	service plain 7100 "$status" "$@"
	service banner 7101 "$status" 'banner = "hello"' "$@"
	service crlf 7102 "$status" 'crlf = true' "$@"
	service shell 7103 'handler = "shell" options = "command.status=/bin/cat /proc/self/status"' "$@"
	service echo 7104 'handler = "echo"' "$@"
}

# has WHO: name, and value as in proc(5).
has() { grep -Eq "^$1:[[:space:]]+$2[[:space:]]*\$" "$BATS_TEST_TMPDIR/status" || fail "$(cat "$BATS_TEST_TMPDIR/status")"; }

# query PORT: nothing is sent to a program that does not read: it would make its end a reset.
query() { if [ "$1" = 7103 ]; then ask "$1" $'status\n'; else ask "$1"; fi; }

# everyone_is UID GID GROUPS
everyone_is() {
	local port
	for port in 7100 7101 7102 7103; do
		query "$port" | tr -d '\r' >"$BATS_TEST_TMPDIR/status"
		is_as_told "$@"
	done
	# A handler that has not become anything else.
	"$BATS_TEST_DIRNAME/helpers/talk.py" 7104 send:x expect:x rest >/dev/null 3>&- &
	HELPERS="${HELPERS-} $!"
	until_true 10 echo_has_begun
	cat "/proc/$(pgrep -P "$MASTER" | head -1)/status" >"$BATS_TEST_TMPDIR/status"
	is_as_told "$@"
	kill "$(pgrep -P "$MASTER" | head -1)"
}
echo_has_begun() { [ "$(pgrep -P "$MASTER" | wc -l)" = 1 ] && ps -o args= --ppid "$MASTER" | grep -q '^begat: echo'; }
is_as_told() {
	has Uid "$1[[:space:]]$1[[:space:]]$1[[:space:]]$1"
	has Gid "$2[[:space:]]$2[[:space:]]$2[[:space:]]$2"
	has Groups "$3"
	has NoNewPrivs 1
}

@test "root's workers are nobody unless the configuration says otherwise, without root's groups" {
	need_root
	configure "$(all_ways)"
	start
	everyone_is "$(id -u nobody)" "$(id -g nobody)" "$(id -G nobody)"
	has CapPrm 0000000000000000
	has CapEff 0000000000000000
	stop
}

@test "user, group and groups are exact" {
	need_root
	configure "$(all_ways 'user = "daemon" group = "sys" groups = { "games", "adm" }')"
	start
	expected=$(printf '%s\n' "$(getent group games | cut -d: -f3)" "$(getent group adm | cut -d: -f3)" |
		sort -n | tr '\n' ' ')
	everyone_is "$(id -u daemon)" "$(getent group sys | cut -d: -f3)" "${expected% }"
	stop
}

@test "groups = {} is none at all, even of root's" {
	need_root
	configure "$(service plain 7100 "$status" 'user = "root" groups = {}')"
	start
	ask 7100 >"$BATS_TEST_TMPDIR/status"
	has Groups ""
	has Uid '0[[:space:]]0[[:space:]]0[[:space:]]0'
	stop
}

@test "begatd's own supplementary groups do not get through" {
	need_root
	configure "$(service plain 7100 "$status")"
	WRAPPER='setpriv --groups 4242,4243'
	start
	ask 7100 >"$BATS_TEST_TMPDIR/status"
	has Groups "$(id -G nobody)"
	stop
}

@test "a worker cannot become root again, by any call" {
	need_root
	dir=$(mktemp -d /tmp/begat-regain.XXXXXX)
	chmod 755 "$dir"
	cp "$BATS_TEST_DIRNAME/helpers/regain.py" "$dir"
	configure "$(service plain 7100 "exec = \"$dir/regain.py\"")"
	start
	ask 7100 >"$BATS_TEST_TMPDIR/answer"
	stop
	rm -r "$dir"
	[ "$(sort "$BATS_TEST_TMPDIR/answer" | uniq -c | tr -s ' ')" = " 8 denied" ]
}

@test "no-new-privileges: a set-user-id program gains nothing, unless it is allowed to" {
	need_root
	dir=$(mktemp -d /tmp/begat-suid.XXXXXX)
	chmod 755 "$dir"
	cp /usr/bin/id "$dir/id"
	chmod 4755 "$dir/id"
	configure "$(service safe 7100 "exec = { \"$dir/id\", \"-u\" }")
		$(service unsafe 7101 "exec = { \"$dir/id\", \"-u\" } no-new-privileges = false")"
	start
	safe=$(ask 7100)
	unsafe=$(ask 7101)
	stop
	rm -r "$dir"
	[ "$safe" = "$(id -u nobody)" ]
	[ "$unsafe" = 0 ] || skip "set-user-id has no effect on this file system"
}

@test "as an ordinary user everything stays as it is" {
	if is_root; then
		# As one in a copy that they can read.
		dir=$(mktemp -d /tmp/begat-user.XXXXXX)
		cp "$BEGATD" "$BEGAT_MASTER" "$dir"
		BEGATD=$dir/begatd BEGAT_MASTER=$dir/begat-master
		WRAPPER='setpriv --reuid=12345 --regid=12346 --groups=12347,12348'
		LOG=$dir/log
	fi
	configure "$(all_ways)"
	if is_root; then
		sed "s,^pidfile = .*,pidfile = \"$dir/pid\"," "$CONF" >"$dir/conf"
		CONF=$dir/conf
		chmod 644 "$CONF"
		chown 12345 "$dir"
		ln -s "$dir/pid" "$BATS_TEST_TMPDIR/pid"
	fi
	start
	if is_root; then
		everyone_is 12345 12346 '12347 12348'
		rm "$BATS_TEST_TMPDIR/pid"
		stop
		rm -r "$dir"
	else
		everyone_is "$(id -u)" "$(id -g)" "$(sed -n 's/^Groups:[[:space:]]*//p' /proc/self/status | sed 's/ *$//')"
		stop
	fi
}

# fails_in CALL ERROR STEP: a worker whose call fails ends there.
fails_in() {
	rm -f "$LOG"
	WRAPPER="strace -qq -f -o $BATS_TEST_TMPDIR/trace -e trace=execve,$1 -e inject=$1:$2"
	start
	for port in 7100 7101 7102 7103 7104; do
		[ "$(query $port)" = "" ] || fail "a worker has run in spite of $1"
	done
	until_true 5 five_failed_in "$3" || fail "not each worker has failed in $3"
	stop
	[ "$(grep -c 'execve(' "$BATS_TEST_TMPDIR/trace")" -le 3 ]
	refute grep -q /bin/cat "$BATS_TEST_TMPDIR/trace"
}

five_failed_in() { [ "$(log_count "result=failed step=$1 ")" = 5 ]; }

@test "F108: setgroups, setresgid or setresuid fails: the worker never runs" {
	need_root
	need strace
	configure "$(all_ways)"
	fails_in setgroups error=EPERM groups
	fails_in setresgid error=EAGAIN gid
	fails_in setresuid error=EAGAIN uid
	fails_in setresuid error=ENOMEM uid
}

@test "F108: a call that says that it has worked but has not is found out" {
	need_root
	need strace
	configure "$(all_ways)"
	fails_in setgroups retval=0 verify
	fails_in setresgid retval=0 verify
	fails_in setresuid retval=0 verify
}
