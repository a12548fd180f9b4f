# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# What the tests of other people's programs share.  Each takes the example of its program out of
# etc/begat.d as it is; all that a test changes in it is said in enable() below.  The daemon has the
# machine of stage.sh, in which there are
#
#   /srv, /run, /var/log  with nothing in them but what the test puts there,
#   /etc                  a copy, without keys and passwords,
#   /home/caller          of the user "caller", whose password is $PASSWORD.

load ../system/lib

STAGE=$BATS_TEST_TMPDIR/stage
CALLER=61234

# set_stage: the machine, before it is furnished.
set_stage() {
	need_root
	unshare -mn true 2>/dev/null || skip "namespaces cannot be made here"
	umask 022
	PASSWORD=$(od -An -N 12 -t x1 /dev/urandom | tr -d ' \n')
	mkdir -p "$STAGE"/{etc,home/caller,run,srv,var/log}
	tar -C /etc --exclude='./*shadow*' --exclude='./ssh/ssh_host_*' --exclude=./ssl/private \
		-cf - . 2>/dev/null | tar -C "$STAGE/etc" -xf -
	echo "caller:x:$CALLER:$CALLER:Caller:/home/caller:/bin/sh" >>"$STAGE/etc/passwd"
	echo "caller:x:$CALLER:" >>"$STAGE/etc/group"
	(umask 077 && cat >"$STAGE/etc/shadow") <<-END
		root:*:19000:0:99999:7:::
		nobody:*:19000:0:99999:7:::
		caller:$(openssl passwd -6 "$PASSWORD"):19000:0:99999:7:::
	END
	chown $CALLER:$CALLER "$STAGE/home/caller" && chmod 700 "$STAGE/home/caller"
	touch "$STAGE"/run/utmp "$STAGE"/var/log/{lastlog,wtmp}
}

# example NAME: where it is.
example() { echo "$BATS_TEST_DIRNAME/../../etc/begat.d/$1.conf"; }

# enable NAME...: the examples, with their services taken into use, and with what the kernel must be
# new enough for where it is.  CHANGE, for sed, is what a test wants to have otherwise.
enable() {
	local newer='' name
	! is_kernel 6.3 || newer+='s/^\( *\)#\(memory-deny-write-execute\)/\1\2/;'
	! is_kernel 6.7 || newer+='s/^\( *\)#\(connect\|bind\)/\1\2/;'
	for name; do
		sed -e '/^ *disable *=/d' -e "$newer" -e "${CHANGE-}" "$(example "$name")"
	done
}

# is_kernel VERSION: that, or newer.
is_kernel() { [ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" = "$1" ]; }

# file_of NAME: the other program's own configuration, which stands in the example's comment.
file_of() { sed -n 's/^#     //p' "$(example "$1")"; }

# start_examples NAME...: starts begatd on that machine, with those services.
start_examples() {
	local message
	configure "$(enable "$@")"
	message=$(on_stage "$BEGATD" -t -f "$CONF" 2>&1) ||
		case $message in
		*"this kernel"*) skip "${message##*: }" ;;
		*) fail "$message" ;;
		esac
	WRAPPER="unshare -m sh $BATS_TEST_DIRNAME/stage.sh $STAGE" start
}
on_stage() { unshare -m sh "$BATS_TEST_DIRNAME/stage.sh" "$STAGE" "$@"; }

# hold PORT: a client that connects, and says nothing.  $WORKER is the program that serves it.
hold() {
	nc -d 127.0.0.1 "$1" >/dev/null 3>&- &
	HELPERS="${HELPERS-} $!"
	until_true 5 has_program || fail "no worker: $(children)"
}
has_program() { WORKER=$MASTER && until_program; }
# The first one that is not begat's own, such as a private-pids one, which waits for the program.
until_program() {
	while [ "$(cat "/proc/$WORKER/comm")" = begat-master ]; do
		WORKER=$(pgrep -o -P "$WORKER") || return 1
	done
}

# status FIELD: of the worker's /proc/PID/status, with single blanks.
status() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$WORKER/status" | tr -s '\t ' ' '; }

# is_caged USER [CAPABILITIES]: what the worker itself shows of its cage.
is_caged() {
	local uid gid capabilities=${2:-0000000000000000} set
	uid=$(id -u "$1") gid=$(id -g "$1")
	[ "$(status Uid)" = "$uid $uid $uid $uid" ] || fail "Uid: $(status Uid)"
	[ "$(status Gid)" = "$gid $gid $gid $gid" ] || fail "Gid: $(status Gid)"
	for set in CapPrm CapEff CapBnd; do
		[ "$(status $set)" = "$capabilities" ] || fail "$set: $(status $set)"
	done
	[ "$(status NoNewPrivs)" = 1 ] || fail "it could gain privileges"
	[ "$(status Seccomp)" = 2 ] || fail "there is no filter of system calls"
}

# is_offline: the worker's network is empty.
is_offline() {
	[ "$(readlink "/proc/$WORKER/ns/net")" != "$(readlink /proc/self/ns/net)" ] ||
		fail "its network is ours"
	[ -z "$(nsenter -t "$WORKER" -n ip -o addr show up)" ] || fail "its network is not empty"
}

# without KEY...: the same again, with those walls taken down, to show that it was they.
without() {
	local key
	for key; do
		grep -q "^ *$key *=" "$CONF" || fail "there is no $key"
		awk -v key="$key" '$1 == key { cut = /{/ && !/}/; next }
			cut { cut = !/}/; next }
			{ print }' "$CONF" >"$CONF.new"
		mv "$CONF.new" "$CONF"
	done
	kill -HUP "$MASTER"
	log_has 'reload: kept' 10
}

# stop_examples: and none of their programs was killed for a system call.
stop_examples() {
	log_lacks 'killed by seccomp|SIGSYS|signal 31|Bad system call'
	stop
}
