#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Each key of a cage by itself: what it keeps a program from, what it leaves it, and that it holds.

load lib
load fault
load cage

setup_file() {
	build probe mirror
	if is_root; then
		cp "$PLACE/probe" "$PLACE/suid"
		chmod 4755 "$PLACE/suid"
	fi
	echo secret >"$PLACE/outside"
}
teardown_file() { unbuild; }

shell() { printf "exec = { '/bin/sh', '-c', '%s' }" "$1"; }
# one KEYS...: a daemon with one service.
one() {
	configure "$(service one 7100 "$@")"
	start
}

# limits, nice, umask

@test "limits: every one there is, soft and hard, in its unit" {
	one "$(mirror)" 'limits = { "as=1g:2g", "core=0", "cpu=60s:2m", "data=512m:1g", "fsize=1m", "locks=10:20",
		"memlock=64k", "msgqueue=100k", "nice=0", "nofile=100:200", "nproc=1000:2000", "rss=5m", "rtprio=0",
		"rttime=1s", "sigpending=100", "stack=4m:16m" }'
	tell 7100
	says 'limit.as=1073741824:2147483648' 'limit.core=0:0' 'limit.cpu=60:120' \
		'limit.data=536870912:1073741824' 'limit.fsize=1048576:1048576' 'limit.locks=10:20' \
		'limit.memlock=65536:65536' 'limit.msgqueue=102400:102400' 'limit.nice=0:0' 'limit.nofile=100:200' \
		'limit.nproc=1000:2000' 'limit.rss=5242880:5242880' 'limit.rtprio=0:0' 'limit.rttime=1000000:1000000' \
		'limit.sigpending=100:100' 'limit.stack=4194304:16777216'
	stop
}

@test "limits: the others are left, and the master's own, which reloads keep, are not theirs" {
	ulimit -Sn 500
	one "$(mirror)" 'limits = { "stack=infinity", "core=infinity:infinity" }'
	before=$(cat "/proc/$MASTER/limits")
	kill -HUP "$MASTER"
	log_has 'reload: kept 1' 20
	[ "$(cat "/proc/$MASTER/limits")" = "$before" ]
	tell 7100
	says 'limit.nofile=500:[0-9]+' 'limit.stack=-1:-1' 'limit.core=-1:-1' 'limit.as=-1:-1'
	stop
}

@test "limits: they hold: processor time, memory, files, processes, sizes" {
	need_root
	need_static
	configure "$(service cpu 7100 "$(run_program probe burn)" 'limits = { "cpu=1s" }')
		$(service as 7101 "$(run_program probe memory=100 fill-memory)" 'limits = { "as=32m" }')
		$(service nproc 7102 "$(run_program probe forks=50 fork-bomb)" \
			'user = 23456 group = 23456 limits = { "nproc=10" }')
		$(service fsize 7103 "$(shell 'head -c 5000 /dev/zero >/dev/shm/begat-fsize; wc -c <&- </dev/shm/begat-fsize; rm /dev/shm/begat-fsize')" \
			'limits = { "fsize=1k" }')
		$(service nofile 7104 "$(shell 'exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null 7</dev/null && echo seven && exec 8</dev/null && echo eight')" \
			'limits = { "nofile=8" }')"
	start
	tell 7101
	says 'fill-memory=denied ENOMEM'
	tell 7102
	says 'forks=[0-9]' 'fork-bomb=denied EAGAIN'
	tell 7103
	says 1024
	[ "$(ask 7104)" = seven ]
	tell 7100
	says 'burn=killed (XCPU|KILL)'
	stop
}

@test "F107: nproc is reached: the program is not run, the log says why, and the service is throttled" {
	need_root
	# Who changes to a user does not count itself: it takes two for one too many.
	for _ in 1 2; do
		setpriv --reuid=23457 --regid=23457 --clear-groups sleep 60 3>&- &
		HELPERS="${HELPERS-} $!"
	done
	until_true 5 are_theirs
	configure "$(service plain 7100 "$(mirror)" 'user = 23457 group = 23457 limits = { "nproc=1" }')
		$(service crlf 7101 "$(mirror)" 'crlf = true user = 23457 group = 23457 limits = { "nproc=1" }')
		$(service root 7102 "$(mirror)" 'user = "root" limits = { "nproc=1" }')"
	start
	for _ in 1 2 3 4 5; do
		[ "$(ask 7100)" = "" ]
	done
	log_has 'reaped plain.*step=exec error="Resource temporarily unavailable"'
	log_has 'plain: throttled'
	[ "$(ask 7101)" = "" ]
	log_has 'reaped crlf.*step=relay error="Resource temporarily unavailable"'
	# It does not hold root, which begatd says when it starts.
	tell 7102
	says 'limit.nproc=1:1'
	grep -q 'nproc does not hold root' "$BATS_TEST_TMPDIR/stderr" "$LOG"
	stop
}
are_theirs() { [ "$(pgrep -cu 23457)" = 2 ]; }

@test "nice: lower for everybody, higher by root's leave alone" {
	configure "$(service low 7100 "$(mirror)" 'nice = 7') $(service echo 7101 'handler = "echo" nice = 5')
		$(! is_root || service high 7102 "$(run_program probe nice)" 'nice = -5')"
	start
	tell 7100
	says nice=7
	session 7101 x
	[ "$(ps -o ni= -p "$WORKER" | tr -d ' ')" = 5 ]
	end_session
	if is_root; then
		tell 7102
		says 'nice=denied E.*'
	fi
	stop
}

@test "umask: as it is said, for programs and whatever begatd's was" {
	printf '#!/bin/sh\numask 0\nexec "$@"\n' >"$BATS_TEST_TMPDIR/open"
	chmod +x "$BATS_TEST_TMPDIR/open"
	WRAPPER=$BATS_TEST_TMPDIR/open
	configure "$(service one 7100 "$(mirror)") $(service two 7101 "$(mirror)" 'umask = "0137"')"
	start
	tell 7100
	says umask=0022
	tell 7101
	says umask=0137
	stop
}

# Identity

@test "groups: exactly these, in the program and in what it starts" {
	need_root
	one "$(shell 'id -G; grep Groups /proc/self/status')" 'user = "daemon" group = "sys" groups = { "games" }'
	tell 7100
	says '3 60' 'Groups:[[:space:]]60 *'
	stop
}

@test "no-new-privileges: false lets a set-user-id program work, true does not" {
	need_root
	need_static
	configure "$(service safe 7100 "$(run_program probe "suid=$PLACE/suid" suid)")
		$(service unsafe 7101 "$(run_program probe "suid=$PLACE/suid" suid)" 'no-new-privileges = false')"
	start
	tell 7100
	says 'suid=denied EPERM'
	tell 7101
	if [ "$(findmnt -no OPTIONS -T "$PLACE" | grep -c nosuid)" = 0 ]; then
		says 'suid=done'
	fi
	stop
}

# Capabilities

@test "capabilities: one is kept over the change of user and the exec, and it is the only one" {
	need_root
	told
	configure "$(service bind 7100 "$(run_program mirror)" 'capabilities = { "net-bind-service" }')
		$(service both 7101 "$(probe bind-low raw-socket packet-socket mount shadow chroot setuid suid nice ambient)" \
			'capabilities = { "CAP_NET_BIND_SERVICE", "net_raw" }')
		$(service crlf 7102 "$(mirror)" 'crlf = true banner = "hello" capabilities = { "net-bind-service" }')
		$(service pids 7103 "$(mirror)" 'private-pids = true capabilities = { "net-bind-service" }')"
	start
	for port in 7100 7102 7103; do
		tell $port
		says 'uid=65534 65534 65534' 'permitted=400' 'effective=400' 'inheritable=400' 'bounding=400' 'ambient=400' \
			'no-new-privileges=1'
	done
	tell 7101
	did_only bind-low raw-socket packet-socket ambient
	stop
}

@test "capabilities = {}: none at all, in no set, not even by a set-user-id program, nor for root" {
	need_root
	told
	configure "$(service nobody 7100 "$(mirror)" 'capabilities = {}')
		$(service root 7101 "$(mirror)" 'user = "root" capabilities = {}')
		$(service tries 7102 "$(probe mount chroot raw-socket bind-low device ptrace memory-file setgroups hostname nice)" \
			'user = "root" capabilities = {}')
		$(service suid 7103 "exec = { '$PLACE/suid', 'mount', 'raw-socket', 'chroot' }" \
			'capabilities = {} no-new-privileges = false')"
	start
	for port in 7100 7101; do
		tell $port
		says 'permitted=0' 'effective=0' 'inheritable=0' 'bounding=0' 'ambient=0'
	done
	tell 7102
	refute grep '=done' "$ANSWER"
	tell 7103
	refute grep '=done' "$ANSWER"
	stop
}

@test "capabilities: root keeps what is said without passing it on by files or in the ambient set" {
	need_root
	configure "$(service plain 7100 "$(mirror)" 'user = "root" capabilities = { "net-bind-service" }')
		$(service crlf 7101 "$(mirror)" 'user = "root" capabilities = { "net-bind-service" } crlf = true banner = "hello"')
		$(service pids 7102 "$(mirror)" 'user = "root" capabilities = { "net-bind-service" } private-pids = true')"
	start
	for port in 7100 7101 7102; do
		tell $port
		says 'uid=0 0 0' 'permitted=400' 'effective=400' 'inheritable=0' 'bounding=400' 'ambient=0'
	done
	stop
}

@test "F68: a worker whose memory would stay readable, or is to be another's, does not share the master's" {
	need_root
	need strace
	! is_sanitized || skip "nobody shares under sanitizers"
	[ "$(cat /proc/sys/fs/suid_dumpable)" != 1 ] || skip "nobody shares where all that changes its user dumps core"
	configure "$(service shares 7100 "$(mirror)") $(service ambient 7101 "$(mirror)" 'capabilities = { "kill" }')
		$(service root 7102 "$(mirror)" 'user = "root"')
		$(service less 7103 "$(mirror)" 'user = "root" capabilities = { "kill" }')
		$(service none 7104 "$(mirror)" 'user = "root" capabilities = {}')
		$(service memory 7105 "$(mirror)" 'memory-deny-write-execute = true sandbox = "best-effort"')"
	start
	trace=$BATS_TEST_TMPDIR/births
	strace -qq -o "$trace" -p "$MASTER" -e trace=clone,clone3,fork,vfork 3>&- 2>/dev/null &
	STRACE=$!
	until_true 10 is_traced || skip "strace may not attach here"
	for port in 7100 7101 7102 7103 7104 7105; do
		ask $port >/dev/null
	done
	until_true 5 no_workers
	heal
	[ "$(grep -o 'CLONE_VM\|SIGCHLD$\|flags=[^,]*' "$trace" | sed 's/flags=.*CLONE_VM.*/shares/; s/flags=.*/forked/' | tr '\n' ' ')" = \
		"shares shares shares forked forked $([ "$(denies_memory)" ] && echo forked || echo shares) " ] || fail "$(cat "$trace")"
	stop
}
denies_memory() {
	echo "service a { listen = 'tcp:7001' exec = '/bin/true' memory-deny-write-execute = true }" >"$BATS_TEST_TMPDIR/try"
	"$BEGATD" -t -f "$BATS_TEST_TMPDIR/try" 2>/dev/null
}

@test "capabilities: who keeps setuid may become root, as was said; who does not may not" {
	need_root
	configure "$(service may 7100 "$(run_program probe setuid setgid mount)" 'capabilities = { "setuid" }')
		$(service may-not 7101 "$(run_program probe setuid setgid mount)" 'capabilities = { "kill" }')"
	start
	tell 7100
	did_only setuid
	tell 7101
	did_only
	stop
}

@test "capabilities: a handler has none, even when root runs it" {
	need_root
	configure "$(service echo 7100 'handler = "echo" user = "root"')"
	start
	session 7100 x
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		[ "$(status_of "$WORKER" $set)" = 0000000000000000 ] || fail "$set: $(status_of "$WORKER" $set)"
	done
	end_session
	stop
}

# chroot

# jail: a directory to be locked in.
jail() {
	JAIL=$PLACE/jail
	rm -rf "$JAIL"
	mkdir -p "$JAIL/bin" "$JAIL/tmp" "$JAIL/etc"
	cp "$PLACE/probe" "$PLACE/mirror" "$JAIL/bin"
	echo inside >"$JAIL/etc/inside"
	chmod 1777 "$JAIL/tmp"
}

@test "chroot: its root is the directory, in every way, and nothing outside can be seen" {
	need_root
	need_static
	jail
	tries="\"outside=$PLACE/outside\", \"outside\", \"shell\", \"list-root\", \"passwd\", \"descriptors\", \"chroot\", \"chroot-escape\""
	keys="chroot = '$JAIL' exec = { '/bin/probe', $tries }"
	configure "$(service plain 7100 "$keys") $(service banner 7101 "$keys" 'banner = "hello"')
		$(service crlf 7102 "$keys" 'crlf = true') $(service pids 7103 "$keys" 'private-pids = true')
		$(service mirror 7104 "chroot = '$JAIL' exec = '/bin/mirror'")
		$(service directory 7105 "chroot = '$JAIL' exec = '/bin/mirror' directory = '/etc'")"
	WRAPPER=$HELPERS_DIR/junk.sh
	start
	for port in 7100 7101 7102 7103; do
		tell $port
		did_only
		says 'outside=denied ENOENT' 'chroot=denied EPERM' 'descriptors=denied EBADF'
	done
	tell 7104
	says 'directory=/' 'env.HOME=.*' 'uid=65534 65534 65534'
	tell 7105
	says 'directory=/etc'
	stop
}

@test "chroot: root does not get out either when it has no capability for it" {
	need_root
	need_static
	jail
	tries="'outside=$PLACE/outside', 'chroot-escape', 'outside', 'mount', 'device', 'setns'"
	configure "$(service caged 7100 "chroot = '$JAIL' exec = { '/bin/probe', $tries } user = 'root' capabilities = {}")
		$(service free 7101 "chroot = '$JAIL' exec = { '/bin/probe', $tries } user = 'root'")"
	start
	tell 7100
	did_only
	# The escape is real: this is why.
	tell 7101
	says 'chroot-escape=done'
	stop
}

@test "chroot: with Landlock, paths are the host's, and what is inside is inside" {
	need_root
	need_static
	need_landlock
	jail
	echo other >"$JAIL/etc/other"
	configure "$(service one 7100 "chroot = '$JAIL' exec = { '/bin/probe', 'outside=/etc/inside', 'outside' } read-only = { '$JAIL/etc/inside' }")
		$(service two 7101 "chroot = '$JAIL' exec = { '/bin/probe', 'outside=/etc/other', 'outside', 'write-tmp' } read-only = { '$JAIL/etc/inside' }")
		$(service three 7102 "chroot = '$JAIL' exec = { '/bin/probe', 'write-tmp' } read-write = { '$JAIL/tmp' }")"
	start
	for _ in 1 2; do
		tell 7100
		did_only outside
		tell 7101
		did_only
		says 'outside=denied EACCES'
		tell 7102
		did_only write-tmp
	done
	stop
}

@test "chroot: a directory that is gone when a client comes: no program, and the step is told" {
	need_root
	need_static
	jail
	one "chroot = '$JAIL' exec = '/bin/mirror'"
	mv "$JAIL" "$JAIL.gone"
	[ "$(ask 7100)" = "" ]
	log_has 'reaped one.*step=chroot error="No such file or directory"'
	mv "$JAIL.gone" "$JAIL"
	tell 7100
	says 'directory=/'
	stop
}

# Namespaces

@test "private-network: no network but the connection itself" {
	need_root
	told
	witness
	configure "$(service one 7100 "$(probe tcp tcp-fast-open udp abstract bind interface raw-socket setns)" 'private-network = true')
		$(service mirror 7101 "$(mirror)" 'private-network = true')
		$(service banner 7102 "$(mirror)" 'private-network = true banner = "hello" crlf = true')
		$(service echo 7103 'handler = "echo" private-network = true')
		$(service host 7104 "$(mirror)")"
	start
	tell 7100
	# Within its own it may do as it likes.
	did_only bind
	says 'tcp=denied ENETUNREACH' 'udp=denied ENETUNREACH' 'abstract=denied ECONNREFUSED'
	[ "$(seen)" = "" ]
	tell 7104
	host=$(answer namespace.net)
	for port in 7101 7102; do
		tell $port
		says 'interfaces=lo:down' 'namespace.net=net:.*'
		[ "$(answer namespace.net)" != "$host" ]
	done
	session 7103 x
	[ "$(readlink "/proc/$WORKER/ns/net")" != "$(readlink "/proc/$MASTER/ns/net")" ]
	end_session
	[ "$(readlink "/proc/$MASTER/ns/net")" = "$host" ]
	stop
}

@test "private-network: two services do not meet in theirs, not even by an abstract socket" {
	need_root
	need socat
	cat >"$PLACE/meet" <<-END
		#!/bin/sh
		read -r word
		if [ "\$word" = listen ]; then
			socat ABSTRACT-LISTEN:begat-meet,fork EXEC:/bin/true &
			while ! grep -q @begat-meet /proc/net/unix; do sleep 0.02; done
			echo ready
			read -r word
			kill \$!
		else
			exec $PLACE/probe abstract=begat-meet abstract
		fi
	END
	chmod 755 "$PLACE/meet"
	configure "$(service one 7100 "exec = '$PLACE/meet' private-network = true")
		$(service two 7101 "exec = '$PLACE/meet' private-network = true")
		$(service host 7102 "exec = '$PLACE/meet'")"
	start
	session 7100 listen
	tell 7100 $'try\n'
	says 'abstract=done'
	for port in 7101 7102; do
		tell $port $'try\n'
		says 'abstract=denied ECONNREFUSED'
	done
	end_session
	stop
}

@test "private-network: root with all its capabilities does not get back either" {
	need_root
	told
	witness
	one "$(probe tcp udp abstract)" 'private-network = true user = "root" no-new-privileges = false'
	tell 7100
	did_only
	[ "$(seen)" = "" ]
	stop
}

@test "private-tmp: empty, one's own, the user's to write, and gone with the connection" {
	need_root
	mark=$(mktemp -d /tmp/begat-mark.XXXXXX)
	chmod 777 "$mark"
	before=$(cat "/proc/self/mountinfo")
	configure "$(service look 7100 "$(shell "ls -A /tmp /var/tmp; echo x >/tmp/begat-mine && cat /tmp/begat-mine && ls $mark")" 'private-tmp = true')
		$(service mirror 7101 "$(mirror - hold)" 'private-tmp = true')
		$(service write 7102 "$(shell 'echo x >/tmp/begat-mine; ls -A /tmp; stat -c %a /tmp; read -r line')" 'private-tmp = true')
		$(service probe 7103 "$(run_program probe write-tmp write-var-tmp suid shell)" 'private-tmp = true banner = "hello" crlf = true')"
	start
	tell 7100
	says '/tmp:' '/var/tmp:' x
	refute grep -q begat-mark "$ANSWER"
	# Two at a time: the one that writes is held while the other looks.
	session 7102 -
	ls -A "/proc/$WORKER/root/tmp" | grep -qx begat-mine
	tell 7101
	says temporary=0
	end_session
	tell 7103
	did_only write-tmp write-var-tmp shell
	[ ! -e /tmp/begat-mine ]
	[ "$(cat /proc/self/mountinfo)" = "$before" ]
	[ "$(readlink "/proc/$MASTER/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ]
	rmdir "$mark"
	stop
}

@test "private-tmp: no device and no set-user-id program can be made in it" {
	need_root
	one "$(shell 'mknod /tmp/null c 1 3; echo x >/tmp/null; cp /bin/true /tmp/true; chmod 4755 /tmp/true; grep -E " /(var/)?tmp " /proc/self/mounts')" \
		'private-tmp = true user = "root"'
	tell 7100
	[ "$(grep -c 'tmpfs.*nosuid.*nodev' "$ANSWER")" = 2 ] || fail "$(cat "$ANSWER")"
	log_has 'stderr.*/tmp/null: Permission denied'
	stop
}

@test "private-pids: it is one of few, sees nobody else, and reaches nobody" {
	need_root
	told
	setpriv --reuid=nobody --regid=nogroup --clear-groups sleep 60 3>&- &
	HELPERS=$!
	other="\"other=$HELPERS\""
	configure "$(service one 7100 "$(probe signal signal-thread signal-pidfd ptrace process-read memory-file environ signal-other ptrace-other see-other setns)" 'private-pids = true')
		$(service two 7101 "exec = { '$PLACE/probe', $other, 'signal-other', 'ptrace-other', 'see-other' } private-pids = true")
		$(service three 7102 "exec = { '$PLACE/probe', $other, 'signal-other', 'see-other' }")
		$(service mirror 7103 "$(mirror)" 'private-pids = true')
		$(service way 7104 "$(mirror)" 'private-pids = true banner = "hello" crlf = true')"
	start
	tell 7100
	did_only
	says 'signal=denied ESRCH' 'memory-file=denied ENOENT'
	tell 7101
	did_only
	# Without it a program reaches all that are its user's.
	tell 7102
	did_only signal-other see-other
	for port in 7103 7104; do
		tell $port
		says 'processes=[1-3]' 'pid=[2-4]' 'descriptors=0:socket 1:(socket|pipe) 2:(pipe|device|socket|file)' \
			'uid=65534 65534 65534' 'permitted=0' 'no-new-privileges=1'
	done
	stop
}

@test "private-pids: who waits for it keeps nothing: no privilege, no descriptor of the client's" {
	need_root
	configure "$(service one 7100 "$(mirror hold)" 'private-pids = true')
		$(service two 7101 "$(mirror hold)" 'private-pids = true capabilities = { "kill", "setuid" }')
		$(service root 7102 "$(mirror hold)" 'private-pids = true user = "root"')
		$(service less 7103 "$(mirror hold)" 'private-pids = true user = "root" capabilities = { "kill" }')"
	start
	for port in 7100 7101 7102 7103; do
		session $port -
		user=65534
		((port < 7102)) || user=0
		for pid in $WORKER $(pgrep -P "$WORKER"); do
			[ "$(status_of "$pid" Uid)" = "$user	$user	$user	$user" ]
			for set in CapInh CapPrm CapEff CapAmb; do
				[ "$(status_of "$pid" $set)" = 0000000000000000 ] || fail "$port: $(cat "/proc/$pid/status")"
			done
			[ "$(status_of "$pid" NoNewPrivs)" = 1 ]
			[ "$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)" = 0 ]
		done
		end_session
	done
	stop
}

@test "private-pids: in a chroot the proc that is there shows its own processes, and may be missing" {
	need_root
	need_static
	jail
	mkdir "$JAIL/proc" && cp -r "$JAIL" "$JAIL.bare" && rmdir "$JAIL.bare/proc"
	configure "$(service jail 7100 "chroot = '$JAIL' exec = '/bin/mirror' private-pids = true")
		$(service bare 7101 "chroot = '$JAIL.bare' exec = '/bin/mirror' private-pids = true")"
	start
	tell 7100
	says 'processes=[1-3]' 'pid=[2-4]' 'directory=/'
	tell 7101
	says 'processes=-?[01]' 'pid=[2-4]' 'directory=/'
	[ -z "$(ls -A "$JAIL/proc")" ]
	rm -r "$JAIL.bare"
	stop
}

@test "private-pids, F57, F102: with the program all that it has left behind ends, whatever it ignores" {
	need_root
	one "$(mirror leave:7779)" 'private-pids = true'
	for _ in 1 2 3; do
		tell 7100
		says 'pid=.*'
	done
	log_has 'reaped one.*result=ok'
	until_true 5 none_is_left
	until_true 5 no_workers
	stop
}
none_is_left() { ! pgrep -f "^$PLACE/mirror leave" >/dev/null; }

@test "private-pids: how the program ends is how the worker does, exit status and signal" {
	need_root
	configure "$(service exit 7100 "$(mirror exit:3)" 'private-pids = true')
		$(service signal 7101 "$(mirror raise:11)" 'private-pids = true')
		$(service crlf 7102 "$(mirror exit:4)" 'private-pids = true crlf = true')
		$(service kill 7103 "$(mirror raise:9)" 'private-pids = true banner = "hello"')
		$(service missing 7104 "exec = '$PLACE/gone'" 'private-pids = true')"
	cp "$PLACE/mirror" "$PLACE/gone"
	start
	rm "$PLACE/gone"
	for port in 7100 7101 7102 7103 7104; do
		ask $port >/dev/null
	done
	log_has 'reaped exit.*result=exited status=3'
	log_has 'reaped signal.*result=(signalled|core) signal=SEGV'
	log_has 'reaped crlf.*result=exited status=4'
	log_has 'reaped kill.*result=signalled signal=KILL'
	log_has 'reaped missing.*result=failed step=exec error="No such file or directory"'
	stop
}

@test "private-pids, F110: max-time asks the program itself to end, and then all of them" {
	need_root
	MARK=$BASHPID
	configure "$(service meek 7100 "$(shell 'trap "echo asked; exit 0" TERM; echo ready; while :; do sleep 0.05; done')" \
			'private-pids = true max-time = "500ms"')
		$(service stubborn 7101 "$(shell "trap \"\" TERM; sleep 7777.$MARK & sleep 7777.$MARK")" \
			'private-pids = true max-time = "300ms" kill-grace = "200ms"')"
	start
	tell 7100
	says ready asked
	log_has 'reaped meek.*result=timed-out'
	[ "$(ask 7101)" = "" ]
	log_has 'reaped stubborn.*result=timed-out'
	until_true 5 no_sleepers
	master_is_well
	stop
}
no_sleepers() { ! pgrep -f "sleep 7777.$MARK\$" >/dev/null; }

@test "private-pids, F56, F61: stopping drains, and a master that is killed is not outlived by \"die\"" {
	need_root
	one "$(mirror hold)" 'private-pids = true on-master-death = "die"'
	session 7100 -
	pids=$(pgrep -f "^$PLACE/mirror hold")
	kill -KILL "$MASTER"
	MASTER=
	for pid in $pids; do
		until_true 5 is_gone_or_zombie "$pid" || fail "$pid goes on"
	done
	exec 5>&-
}

# Landlock

@test "read-only: this file, and no other, in every way to a program" {
	need_landlock
	echo one >"$PLACE/one" && echo two >"$PLACE/two"
	keys="read-only = { '$PLACE/one' }"
	cat="exec = { '/bin/cat', '$PLACE/one', '$PLACE/two', '/etc/passwd', '$PLACE' }"
	configure "$(service plain 7100 "$cat" "$keys") $(service banner 7101 "$cat" "$keys" 'banner = "hello"')
		$(service crlf 7102 "$cat" "$keys" 'crlf = true')"
	start
	for port in 7100 7101 7102; do
		tell $port
		sed -i /^hello/d "$ANSWER"
		[ "$(cat "$ANSWER")" = one ]
	done
	[ "$(log_count 'stderr.*Permission denied')" = 9 ]
	stop
}

@test "read-only: nothing is written, made, removed or renamed in it" {
	need_landlock
	mkdir -p "$PLACE/ro" && chmod 777 "$PLACE/ro" && echo x >"$PLACE/ro/file" && chmod 666 "$PLACE/ro/file"
	one "$(shell "cd $PLACE/ro && read -r a <file && echo \$a; echo y >>file; echo z >new; exec 3>file")" "read-only = { '$PLACE/ro' }"
	tell 7100
	says x
	[ "$(cat "$PLACE/ro/file")" = x ]
	[ "$(ls "$PLACE/ro")" = file ]
	stop
}

@test "read-write: there everything but to execute, nowhere else, and /dev/null" {
	need_landlock
	mkdir -p "$PLACE/rw" "$PLACE/elsewhere" && chmod 777 "$PLACE/rw" "$PLACE/elsewhere"
	printf '#!/bin/sh\necho executed\n' >"$PLACE/rw/script" && chmod 755 "$PLACE/rw/script"
	one "$(shell "cd $PLACE/rw && echo new >file && read -r a <file && echo \$a; echo lost >/dev/null && echo null; ./script; echo x >$PLACE/elsewhere/file; cd / && echo \$?")" \
		"read-write = { '$PLACE/rw' }"
	tell 7100
	says new null
	refute grep -q executed "$ANSWER"
	[ ! -e "$PLACE/elsewhere/file" ]
	[ "$(cat "$PLACE/rw/file")" = new ]
	stop
}

@test "execute: these programs and no others; a script's interpreter is thought of" {
	need_landlock
	printf '#!/bin/sh\n/bin/echo by script\n/bin/date\n' >"$PLACE/script"
	chmod 755 "$PLACE/script"
	configure "$(service some 7100 "exec = '$PLACE/script' execute = { '/bin/echo' }")
		$(service none 7101 "exec = '$PLACE/script' execute = {}")
		$(service all 7102 "exec = '$PLACE/script' execute = { '/usr/bin', '/bin' }")"
	start
	tell 7100
	[ "$(cat "$ANSWER")" = "by script" ]
	tell 7101
	[ "$(cat "$ANSWER")" = "" ]
	tell 7102
	[ "$(wc -l <"$ANSWER")" = 2 ]
	log_has 'some\[[0-9]+\] stderr: .*Permission denied'
	stop
}

@test "execute: what such a program needs to start is thought of, whatever the first one needs" {
	need_static
	need_landlock
	one "$(run_program probe shell)" 'execute = { "/bin/sh" }'
	tell 7100
	did_only shell
	stop
}

@test "read-only: a file that is replaced by rename, as editors do, is the one that is meant" {
	need_landlock
	echo before >"$PLACE/config"
	one "exec = { '/bin/cat', '$PLACE/config' }" "read-only = { '$PLACE/config' }"
	[ "$(ask 7100)" = before ]
	echo after >"$PLACE/config.new" && mv "$PLACE/config.new" "$PLACE/config"
	[ "$(ask 7100)" = after ]
	echo again >"$PLACE/config.new" && mv "$PLACE/config.new" "$PLACE/config"
	[ "$(ask 7100)" = again ]
	descriptors=$(count_descriptors)
	[ "$(ask 7100)" = again ]
	[ "$(count_descriptors)" = "$descriptors" ]
	stop
}

@test "read-only: a directory that is gone, and is back as another one, costs no service" {
	need_landlock
	mkdir -p "$PLACE/data" && echo one >"$PLACE/data/file"
	one "exec = { '/bin/cat', '$PLACE/data/file' }" "read-only = { '$PLACE/data' }"
	[ "$(ask 7100)" = one ]
	mv "$PLACE/data" "$PLACE/data.old"
	[ "$(ask 7100)" = "" ]
	mkdir "$PLACE/data" && echo two >"$PLACE/data/file"
	[ "$(ask 7100)" = two ]
	rm -r "$PLACE/data.old"
	stop
}

# swap: a program that does what it is told in a directory that it may write, where another rule is.
swap() {
	mkdir -p "$PLACE/data/hooks" && chmod 777 "$PLACE/data"
	cp /bin/true "$PLACE/data/hooks/hook"
	one "exec = { '/bin/sh', '-c', 'read -r line; eval \"\$line\"' } read-write = { '$PLACE/data' }
		execute = { '$PLACE/data/hooks', '/bin/mv', '/bin/ln', '/bin/cat' }"
}
do_it() { tell 7100 "$1"$'\n'; }

@test "read-write: a worker that puts a link to / in the place of a rule beneath gains nothing, at no reload either" {
	need_root
	need_landlock
	load reload
	swap
	do_it "$PLACE/data/hooks/hook && echo hook; cat /etc/hostname && echo read"
	[ "$(cat "$ANSWER")" = hook ]
	do_it "cd $PLACE/data && mv hooks old && ln -s / hooks && echo swapped"
	[ "$(cat "$ANSWER")" = swapped ]
	for _ in 1 2; do
		do_it "/usr/bin/id && echo executed; cat /etc/hostname && echo read; $PLACE/data/hooks/usr/bin/id; echo end"
		[ "$(cat "$ANSWER")" = end ] || fail "$(cat "$ANSWER")"
		# What was there then has kept its place in the old rules, and in no new ones.
		fails_to_reload "$PLACE/data/hooks: "
	done
	rm "$PLACE/data/hooks" && mv "$PLACE/data/old" "$PLACE/data/hooks"
	reload
	do_it "$PLACE/data/hooks/hook && echo hook; /usr/bin/id; cat /etc/hostname; echo end"
	[ "$(tr '\n' ' ' <"$ANSWER")" = "hook end " ]
	stop
	rm -r "$PLACE/data"
}

@test "read-write: nor by a link in the middle, nor by another file in its place" {
	need_root
	need_landlock
	load reload
	mkdir -p "$PLACE/data/way/hooks" "$PLACE/other/hooks" && chmod 777 "$PLACE/data" "$PLACE/data/way"
	echo mine >"$PLACE/data/way/hooks/file" && echo theirs >"$PLACE/other/hooks/file"
	one "exec = { '/bin/sh', '-c', 'read -r line; eval \"\$line\"' } read-write = { '$PLACE/data' }
		execute = { '$PLACE/data/way/hooks', '/bin/mv', '/bin/ln', '/bin/cat' }"
	do_it "cd $PLACE/data && cat way/hooks/file && mv way old && ln -s $PLACE/other way && cat old/hooks/file"
	[ "$(tr '\n' ' ' <"$ANSWER")" = "mine mine " ]
	do_it "cat $PLACE/data/way/hooks/file; cat $PLACE/other/hooks/file; echo end"
	[ "$(cat "$ANSWER")" = end ]
	fails_to_reload "$PLACE/data/way/hooks: "
	stop
	rm -r "$PLACE/data" "$PLACE/other"
}

@test "read-write: nor where the rules call one directory by two names" {
	need_root
	need_landlock
	load reload
	mkdir -p "$PLACE/data/hooks" && chmod 777 "$PLACE/data" && ln -s data "$PLACE/alias"
	one "exec = { '/bin/sh', '-c', 'read -r line; eval \"\$line\"' } read-write = { '$PLACE/alias' }
		execute = { '$PLACE/data/hooks', '/bin/mv', '/bin/ln', '/bin/cat' }"
	do_it "cd $PLACE/data && mv hooks old && ln -s / hooks && echo swapped"
	[ "$(cat "$ANSWER")" = swapped ]
	do_it "/usr/bin/id && echo executed; cat /etc/hostname && echo read; echo end"
	[ "$(cat "$ANSWER")" = end ]
	fails_to_reload "$PLACE/data/hooks: "
	stop
	rm -r "$PLACE/data" "$PLACE/alias"
}

@test "read-write: a directory that has links of the system's own in it is no reason not to start" {
	need_landlock
	one "exec = { '/bin/date', '+%Z' } read-write = { '/etc' }"
	tell 7100
	[ -s "$ANSWER" ]
	log_lacks 'stderr|result=[^o]'
	stop
}

@test "private-tmp and read-write together: the private one, and it can be written" {
	need_root
	need_landlock
	one "$(run_program probe write-tmp write-var-tmp passwd write-shm)" 'private-tmp = true read-write = { "/tmp" }'
	tell 7100
	did_only write-tmp
	stop
}

@test "connect: these ports and no others, by no way; bind: likewise" {
	need_landlock 4
	told
	witness
	configure "$(service free 7100 "$(probe tcp tcp-fast-open bind)")
		$(service this 7101 "$(probe tcp tcp-fast-open bind)" 'connect = { "7900" }')
		$(service none 7102 "$(probe tcp bind)" 'connect = {}')
		$(service range 7103 "$(probe tcp bind)" 'connect = { "7890-7910" } bind = {}')
		$(service other 7104 "$(probe tcp bind)" 'connect = { "7901" } bind = { "7999" }')
		$(service crlf 7105 "$(probe tcp bind)" 'connect = {} bind = {} crlf = true banner = "hello"')"
	start
	tell 7100
	did_only tcp tcp-fast-open bind
	tell 7101
	# By the first segment one gets anywhere, and so nowhere.
	did_only tcp bind
	says 'tcp-fast-open=denied EACCES'
	tell 7103
	did_only tcp
	tell 7104
	did_only bind
	tell 7105
	did_only
	says 'tcp=denied EACCES' 'bind=denied EACCES'
	tell 7102
	says 'tcp=denied EACCES'
	did_only bind
	stop
}

@test "connect: nor by what is TCP by another name, Fast Open or Multipath" {
	need_landlock 4
	told
	witness
	one "$(probe tcp tcp-fast-open multipath)" 'connect = {}'
	tell 7100
	did_only
	[ "$(seen)" = "" ]
	stop
}

# System calls

@test "system-calls: a list of what is allowed, and what is denied, in every way; the log says seccomp" {
	need_root
	need_static
	configure "$(service allow 7100 "$(run_program probe nothing mount unshare-user)" 'system-calls = { "@system-service", "~unshare" }')
		$(service deny 7101 "$(run_program probe nothing unshare-user mount raw-socket)" 'system-calls = { "~@mount", "~socket", "~unshare" }')
		$(service crlf 7102 "$(run_program probe nothing mount)" 'system-calls = { "~@mount" } crlf = true banner = "hello"')
		$(service pids 7103 "$(run_program probe nothing mount)" 'system-calls = { "~@mount" } private-pids = true')
		$(service itself 7104 "$(mirror)" 'system-calls = { "~getpriority" }')
		$(service all 7105 "$(mirror)" 'system-calls = { "@all" }')"
	start
	tell 7100
	says 'mount=killed SYS' 'unshare-user=killed SYS' 'nothing=done'
	tell 7101
	says 'unshare-user=killed SYS' 'mount=killed SYS' 'raw-socket=killed SYS' 'nothing=done'
	tell 7102
	says 'mount=killed SYS' 'nothing=done'
	tell 7103
	says 'mount=killed SYS' 'nothing=done'
	ask 7104 >/dev/null
	log_has 'reaped itself.*result=(signalled|core) signal=SYS.*killed by seccomp'
	tell 7105
	says 'filter=0'
	stop
}

@test "system-calls: the least that a program can do with is enough for our own way to it, in every way" {
	need_root
	need_static
	calls='system-calls = { "read", "write", "exit_group", "brk", "arch_prctl", "set_tid_address",
		"set_robust_list", "rseq", "prlimit64", "readlinkat", "readlink", "getrandom", "mprotect", "uname", "mmap", "fork", "clone",
		"rt_sigaction", "rt_sigprocmask", "wait4", "alarm", "munmap", "newfstatat", "fstat", "clone3", "ioctl", "getppid",
		"lseek" }'
	configure "$(service plain 7100 "$(run_program probe nothing)" "$calls")
		$(service banner 7101 "$(run_program probe nothing)" "$calls" 'banner = "hello %h %t"')
		$(service crlf 7102 "$(run_program probe nothing)" "$calls" 'crlf = true')
		$(service pids 7103 "$(run_program probe nothing)" "$calls" 'private-pids = true')
		$(service landlock 7104 "$(run_program probe nothing)" "$calls" 'read-only = { "/etc/hostname" }')
		$(service proxy 7105 "$(run_program probe nothing)" "$calls" 'proxy-protocol = "127.0.0.1"')"
	start
	for port in 7100 7101 7102 7103 7104; do
		tell $port
		says 'nothing=done'
	done
	tell 7105 $'PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n'
	says 'nothing=done'
	log_lacks seccomp
	stop
}

@test "system-calls: what is denied is denied to the program, and not to our own way to it" {
	need_root
	need_static
	calls='system-calls = { "~kill", "~sendto", "~sendmsg", "~recvmsg", "~poll", "~pipe2", "~dup2", "~shutdown",
		"~rt_sigprocmask", "~setpgid", "~getsockname" }'
	configure "$(service plain 7100 "$(run_program probe nothing signal)" "$calls")
		$(service banner 7101 "$(run_program probe nothing signal)" "$calls" 'banner = "hello %h %t"')
		$(service crlf 7102 "$(run_program probe nothing signal)" "$calls" 'crlf = true banner = "hello"')
		$(service pids 7103 "$(run_program probe nothing signal)" "$calls" 'private-pids = true crlf = true')
		$(service proxy 7104 "$(run_program probe nothing signal)" "$calls" 'proxy-protocol = "127.0.0.1" crlf = true')
		$(service ends 7105 "$(mirror raise:9)" "$calls" 'crlf = true')"
	start
	for port in 7100 7101 7102 7103 7104; do
		header=
		[ $port != 7104 ] || header=$'PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n'
		tell $port "$header"
		says 'nothing=done' 'signal=killed SYS'
	done
	ask 7105 >/dev/null
	log_has 'reaped ends.*signal=(SYS|KILL)'
	stop
}

@test "system-calls: a handler whose list is too short dies of it, and the log says of which call" {
	one 'handler = "echo" system-calls = { "~recvfrom", "~read", "~recvmsg" }'
	[ "$(ask 7100 hello)" = "" ]
	log_has 'reaped one.*signal=SYS why="killed by seccomp, system call [0-9]+"'
	stop
}

@test "memory-deny-write-execute: no memory that is both, in every way; else there is" {
	configure "$(service no 7100 "$(run_program probe write-execute map-writable-executable shell)" 'memory-deny-write-execute = true')
		$(service yes 7101 "$(run_program probe write-execute map-writable-executable)")
		$(service crlf 7102 "$(run_program probe write-execute map-writable-executable)" 'memory-deny-write-execute = true crlf = true')
		$(service echo 7103 'handler = "echo" memory-deny-write-execute = true')"
	"$BEGATD" -t -f "$CONF" || skip "this kernel cannot"
	start
	tell 7100
	did_only shell
	says 'write-execute=denied EACCES'
	tell 7101
	did_only write-execute map-writable-executable
	tell 7102
	did_only
	[ "$(ask 7103 hello)" = hello ]
	stop
}

# The master's death, F61

outlives() {
	session "$@"
	kill -KILL "$MASTER"
	MASTER=
}
answers_on() {
	local word
	echo on >&5
	read -r -t 5 word <&5 && [ "$word" = on ]
}

@test "F61: on-master-death = finish: a session goes on when the master is killed" {
	configure "$(service echo 7100 'handler = "echo"') $(service cat 7101 'exec = "/bin/cat"')"
	start
	outlives 7100 x
	read -r -t 5 <&5 # the rest of the line
	answers_on || fail "the session has ended"
	exec 5>&-
	until_true 5 is_gone_or_zombie "$WORKER"
}

@test "F61: on-master-death = die: it ends with it, a handler as well as a program of another user" {
	for service in 'handler = "echo"' 'exec = "/bin/cat"' 'exec = "/bin/cat" crlf = true' \
		'exec = "/bin/cat" banner = "hello" umask = "0077" limits = { "core=0" }'; do
		rm -f "$LOG"
		configure "$(service one 7100 "$service" 'on-master-death = "die"')"
		start
		outlives 7100 x
		until_true 5 is_gone_or_zombie "$WORKER" || fail "$service goes on"
		refute answers_on
		exec 5>&-
		rm -f "$BATS_TEST_TMPDIR/pid"
	done
}

# What begatd says of itself

@test "begatd --security says the same as the probe finds, with each key" {
	need_root
	need_landlock 4
	told
	witness
	configure "$(port=7100
	while read -r keys; do
		# Both programs, one after the other.
		service "s$port" $port "exec = { '/bin/sh', '-c', '$PLACE/mirror; $PLACE/probe $(targets) passwd tcp bind write-execute; true' } $keys"
		((port++))
	done <<-'END'

		user = "daemon" group = "games" groups = { "sys", "adm" } umask = "0027"
		capabilities = { "net-bind-service" }
		user = "root" groups = {}
		user = "root" capabilities = {}
		no-new-privileges = false
		private-network = true
		private-tmp = true
		private-pids = true
		system-calls = { "~@mount" }
		memory-deny-write-execute = true
		connect = {}
		bind = {}
		connect = { "7900" } bind = { "7999" }
	END
	service files 7120 "exec = { '/bin/sh', '-c', '$PLACE/mirror; $PLACE/probe $(targets) passwd tcp bind write-execute; true' }
		read-only = { '/proc', '/tmp' } execute = { '$PLACE' }")"
	start
	"$BEGATD" --security --json -f "$CONF" >"$BATS_TEST_TMPDIR/report"
	for name in $(sed -n 's/^[^a-z]*service \([a-z0-9]*\) .*/\1/p' "$CONF"); do
		tell "$(sed -n "s/.*service $name { listen = \"tcp:127.0.0.1:\([0-9]*\).*/\1/p" "$CONF")"
		"$HELPERS_DIR/security.py" "$BATS_TEST_TMPDIR/report" "$name" "$ANSWER" >"$ANSWER.difference" ||
			fail "$(cat "$ANSWER.difference")"
	done
	stop
}

# Reloads

@test "a key that a reload changes holds for the next connection, not for a session that is there" {
	need_root
	told
	witness
	body() { configure "$(service one 7100 "$(mirror hold)" "$1") $(service two 7101 "$(probe tcp mount shell setuid)" "$2")"; }
	body 'nice = 3' ''
	start
	session 7100 -
	old=$WORKER
	tell 7101
	did_only tcp shell
	body 'nice = 9 private-network = true limits = { "nofile=50" }' 'private-network = true execute = {}'
	sed -i "s/MASTER_PID/$MASTER/" "$CONF"
	kill -HUP "$MASTER"
	log_has 'reload: kept 0, added 0, changed 2, removed 0' 20
	tell 7100
	says nice=9 'interfaces=lo:down' 'limit.nofile=50:50'
	tell 7101
	did_only
	[ "$(ps -o ni= -p "$old" | tr -d ' ')" = 3 ]
	body '' 'system-calls = { "~@mount" }'
	sed -i "s/MASTER_PID/$MASTER/" "$CONF"
	kill -HUP "$MASTER"
	until_true 20 has_reloads 2
	tell 7101
	did_only tcp shell
	says 'mount=killed SYS'
	tell 7100
	says nice=0
	[ "$(ps -o ni= -p "$old" | tr -d ' ')" = 3 ]
	end_session
	stop
}
has_reloads() { (($(log_count 'reload: kept') >= $1)); }

@test "F83: the new master cannot get ready: the old cages are there, and no descriptor is lost" {
	need_root
	need_landlock
	need strace
	load reload
	body() {
		configure "$(service one 7100 "$(probe tcp passwd mount shell nothing)" "$1")
			$(service shell 7101 'handler = "shell"' "options = { 'command.probe=$PLACE/probe tcp=7900 tcp passwd nothing' }")"
	}
	told
	witness
	body 'private-network = true read-only = { "/etc/hostname" } system-calls = { "~@mount" }'
	start
	hup
	# The first worker of a service opens what takes its messages.
	ask 7100 >/dev/null
	ask 7101 >/dev/null
	until_true 5 no_workers
	descriptors=$(count_descriptors)
	body 'read-write = { "/etc", "/run" } connect = { "7900" }'
	sed -i "s/MASTER_PID/$MASTER/" "$CONF"
	for call in epoll_create1 signalfd4; do
		# The new master's is the first such call, the old one's is the second.
		inject "$call" error=EMFILE:when=1
		fails_to_reload
		heal
		tell 7100
		did_only nothing
		says 'mount=killed SYS'
		tell 7101 $'probe\n'
		did_only nothing
		until_true 5 no_workers
		[ "$(count_descriptors)" = "$descriptors" ] || fail "$(ls -l "/proc/$MASTER/fd")"
	done
	reload 'changed 1'
	tell 7100
	did_only nothing passwd tcp
	stop
}
