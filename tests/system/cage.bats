#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The cages that there are without a word of configuration, tried from within: by a probe that is run as a
# program in every way there is and as a shell's command, and by system calls that are put into the workers
# of each handler.  (inetd and xinetd have no cage at all, and xinetd once ran programs as root by one of its
# ways, CVE-2013-4342.)

load lib
load fault
load cage

setup_file() {
	build probe mirror inject
	if is_root; then
		cp "$PLACE/probe" "$PLACE/suid"
		chmod 4755 "$PLACE/suid"
	fi
	echo secret >"$PLACE/outside"
}
teardown_file() { unbuild; }
setup() { need_root; }

# What nobody is kept from who may run a program at all.
everyday='nothing sleep passwd outside shell fork-bomb fill-memory write-execute map-writable-executable'
outward='tcp tcp-fast-open multipath udp unix abstract bind'
places='write-tmp write-var-tmp write-shm'

# every_way PORT KEYS...: the ways to an exec, from the port on.
every_way() {
	local keys="${*:2}"
	service "plain$1" "$1" "$keys"
	service "banner$1" "$(($1 + 1))" 'banner = "hello"' "$keys"
	service "crlf$1" "$(($1 + 2))" 'crlf = true' "$keys"
	service "both$1" "$(($1 + 3))" 'banner = "hello" crlf = true' "$keys"
	[[ $keys == *stderr* ]] || service "null$1" "$(($1 + 4))" 'stderr = "null"' "$keys"
	service "proxy$1" "$(($1 + 5))" 'proxy-protocol = "127.0.0.1"' "$keys"
}
ways="0 1 2 3 4 5"
# try PORT WAY
try() {
	local header=
	[ "$2" != 5 ] || header=$'PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n'
	tell "$(($1 + $2))" "$header"
	sed -i '/^hello$/d' "$ANSWER"
}
is_way() { [[ $(cat "$CONF") == *":$(($1 + $2))\""* ]]; }

# The probe itself: a test that cannot fail would prove nothing.

@test "the probe gets everywhere where nobody keeps it from it" {
	told
	witness
	configure "$(service free 7100 "$(probe all)" 'user = "root" no-new-privileges = false')"
	start
	tell 7100
	for try in setuid setresuid setfsuid setgid setresgid setgroups drop-groups suid shadow list-root \
		write-root write-etc write-usr append-passwd mount pivot-root chroot chroot-escape device \
		ptrace process-read memory-file environ maps master-root master-descriptors pidfd-getfd signal \
		signal-thread signal-pidfd setns unshare-network unshare-mounts raw-socket packet-socket \
		bind-low hostname capset nice $everyday $outward $places; do
		says "$try=done"
	done
	says 'forks=64' 'mebibytes=64'
	[ "$(seen)" = "abstract tcp udp unix " ]
	stop
}

@test "the probe ends a master that does not keep it from it" {
	told
	configure "$(service free 7100 "$(probe terminate)" 'user = "root"')"
	start
	ask 7100
	log_has 'stopped$' 10
	MASTER=
}

# Programs.

@test "CVE-2013-4342, F108: in every way to a program the probe gets nowhere that needs a privilege" {
	told
	witness
	configure "$(every_way 7100 "$(probe all terminate)")"
	start
	for way in $ways; do
		try 7100 "$way"
		did_only $everyday $outward $places
	done
	master_is_well
	stop
}

@test "... nor over a Unix socket, nor by the way that a forked worker takes" {
	told
	witness
	configure "service path { listen = 'unix:$PLACE/service' $(probe all terminate) }
		service abstract { listen = 'unix:@begat-service' $(probe all terminate) }"
	start
	run_for 10 nc -NU "$PLACE/service" </dev/null >"$ANSWER"
	did_only $everyday $outward $places
	run_for 10 socat - ABSTRACT-CONNECT:begat-service </dev/null >"$ANSWER"
	did_only $everyday $outward $places
	stop
}

@test "CVE-2013-4342: in every way a program is the same in everything" {
	configure "$(every_way 7100 "$(mirror)" 'user = "daemon" group = "sys" groups = { "games", "adm" }
		umask = "0027" directory = "/usr" env = { "A=b" }')"
	start
	for way in $ways; do
		try 7100 "$way"
		says 'uid=1 1 1' 'gid=3 3 3' 'groups=4 60' 'no-new-privileges=1' 'permitted=0' 'effective=0' \
			'inheritable=0' 'ambient=0' 'securebits=0' 'umask=0027' 'directory=/usr' \
			'blocked=0' 'ignored=0' 'caught=0' 'terminal=0' 'env.A=b' \
			'descriptors=0:socket 1:(socket|pipe) 2:(pipe|device|socket|file)'
		# What is the connection's or the way's own is left out.
		grep -vE '^(descriptors|pid|parent|leads-|env\.(BEGAT_SERVICE|.*PORT|.*ADDR|.*IP|.*HOST|SERVER_NAME)|processes|temporary)' \
			"$ANSWER" >"$ANSWER.$way"
		diff "$ANSWER.0" "$ANSWER.$way" || fail "way $way differs"
	done
	stop
}

@test "CVE-2002-0871, F103: no descriptor leaks into a caged program, in no way" {
	configure "$(every_way 7100 "$(mirror)" 'private-network = true private-tmp = true
			read-only = { "/etc/hostname" } system-calls = { "~@mount" } limits = { "core=0" }')
		$(every_way 7110 "$(mirror)" 'private-pids = true read-write = { "/tmp" } stderr = "client"')"
	start
	for port in 7100 7110; do
		for way in $ways; do
			is_way $port "$way" || continue
			try $port "$way"
			says 'descriptors=0:socket 1:(socket|pipe) 2:(pipe|device|socket|file)'
		done
	done
	stop
}

@test "F68: directories and files that begatd has inherited are no way out" {
	WRAPPER=$HELPERS_DIR/junk.sh
	configure "$(every_way 7100 "$(probe descriptors)")
		$(service shell 7110 'handler = "shell"' "options = { 'command.probe=$PLACE/probe descriptors' }")"
	start
	for way in $ways; do
		try 7100 "$way"
		says 'descriptors=denied EBADF'
	done
	tell 7110 $'probe\n'
	says '(> )?descriptors=(denied EBADF|killed SYS)'
	stop
}

@test "F58: whatever begatd has ignored or blocked, a program has the default, in every way" {
	cat >"$BATS_TEST_TMPDIR/ignore" <<-'END'
		#!/usr/bin/python3
		import os, signal, sys
		for number in (signal.SIGPIPE, signal.SIGHUP, signal.SIGCHLD, signal.SIGTERM, signal.SIGXFSZ, 34, 40):
		    signal.signal(number, signal.SIG_IGN)
		signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
		os.execv(sys.argv[1], sys.argv[1:])
	END
	chmod +x "$BATS_TEST_TMPDIR/ignore"
	WRAPPER=$BATS_TEST_TMPDIR/ignore
	configure "$(every_way 7100 "$(mirror)") $(every_way 7110 "$(mirror)" 'private-pids = true')"
	start
	for port in 7100 7110; do
		for way in $ways; do
			try $port "$way"
			says 'blocked=0' 'ignored=0' 'caught=0'
		done
	done
	stop
}

@test "F69, F104, CVE-2026-28372: a hostile environment, umask 0 and a directory that is gone do not get in" {
	mkdir "$BATS_TEST_TMPDIR/gone"
	cat >"$BATS_TEST_TMPDIR/hostile" <<-END
		#!/bin/sh
		umask 0
		cd "$BATS_TEST_TMPDIR/gone" && rmdir "$BATS_TEST_TMPDIR/gone"
		exec env -i BEGAT_MASTER="$BEGAT_MASTER" ASAN_OPTIONS="$ASAN_OPTIONS" TZ=UTC LD_LIBRARY_PATH=/tmp LD_AUDIT=/tmp/none.so GCONV_PATH=/tmp IFS=x ENV=/tmp/env \\
			BASH_ENV=/tmp/env CREDENTIALS_DIRECTORY=/tmp NOTIFY_SOCKET=/tmp/none USER=root HOME=/tmp \\
			SHELL=/tmp/shell "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/hostile"
	WRAPPER=$BATS_TEST_TMPDIR/hostile
	configure "$(every_way 7100 "$(mirror)")"
	start
	for way in $ways; do
		try 7100 "$way"
		says 'umask=0022' 'directory=/' 'env.USER=nobody'
		refute grep -E '^env\.(LD_|GCONV|IFS|ENV|BASH_ENV|CREDENTIALS|NOTIFY|LISTEN|BEGAT_(STATE|PLAN))' "$ANSWER"
		refute grep -E '^env.*=(/tmp|root)' "$ANSWER"
	done
	stop
}

@test "what waits for a program, and has the master's memory, cannot be traced or read by it" {
	keys='parent-ptrace parent-memory parent-environ parent-descriptors'
	configure "$(every_way 7100 "$(run_program probe $keys)") $(every_way 7110 "$(run_program probe $keys)" 'private-pids = true')
		$(every_way 7130 "$(run_program probe parent-ptrace parent-memory parent-environ)" 'user = "root" capabilities = {}')
		$(service shell 7120 'handler = "shell"' "options = { 'command.probe=$PLACE/probe $keys' }")
		$(service pids 7121 'handler = "shell" private-pids = true' "options = { 'command.probe=$PLACE/probe $keys' }")"
	start
	# Root that has kept nothing is the same user as the master.  First: whoever shares its memory and
	# becomes somebody else makes that unreadable, once for all.
	for way in $ways; do
		try 7130 "$way"
		did_only
		[ "$(grep -c denied "$ANSWER")" = 3 ] || fail "$(cat "$ANSWER")"
	done
	for port in 7100 7110; do
		for way in $ways; do
			try $port "$way"
			did_only
			[ "$(grep -c denied "$ANSWER")" = 4 ] || fail "$(cat "$ANSWER")"
		done
	done
	for port in 7120 7121; do
		tell $port $'probe\n'
		did_only
		[ "$(grep -cE 'denied|killed SYS' "$ANSWER")" = 4 ] || fail "$(cat "$ANSWER")"
	done
	stop
}

# Tight.

tight='user = 23456 group = 23456 limits = { "nproc=12", "as=48m", "core=0", "nofile=64" } capabilities = {}
	private-network = true private-tmp = true private-pids = true read-only = { "/etc/hostname" }
	connect = {} bind = {} system-calls = { "@system-service", "~@network-io", "~@keyring", "~unshare",
		"~setns", "~@aio" }
	memory-deny-write-execute = true on-master-death = "die"'

@test "with all keys together the probe gets nowhere at all, in every way, and nobody outside sees it" {
	need_landlock 4
	need_static
	told
	witness
	configure "$(every_way 7100 "$(probe all unshare-user terminate)" "$tight")"
	start
	for way in $ways; do
		try 7100 "$way"
		says 'fork-bomb=denied EAGAIN' 'fill-memory=denied ENOMEM' 'tcp=killed SYS' 'mount=killed SYS' \
			'shadow=denied EACCES' 'signal=denied ESRCH' 'write-execute=denied EACCES' 'shell=denied EACCES'
		did_only nothing sleep
		refute grep -E '^(unshare-user|io-uring|keyring|foreign-call|foreign-number)=done' "$ANSWER"
	done
	[ "$(seen)" = "" ]
	master_is_well
	stop
}

# The shell's commands.

@test "a shell's command gets nowhere: no network, no files but its own, no other programs" {
	need_landlock
	need_static
	told
	witness
	configure "$(service shell 7100 'handler = "shell"' "options = { \"command.probe=$PLACE/probe $(targets) all terminate\" }")"
	start
	tell 7100 $'probe\n'
	says 'shadow=denied EACCES' 'mount=killed SYS' 'ptrace=(killed SYS|denied E.*)' 'tcp=denied EACCES' \
		'signal=denied EPERM'
	# No process is beyond limits without a word, and a socket in the file system is not Landlock's.
	did_only nothing sleep fork-bomb fill-memory write-execute map-writable-executable unix
	[ "$(seen)" = "unix " ]
	log_lacks 'killed by seccomp' # it is the command that is
	master_is_well
	stop
}

@test "... nor to the less tried parts of the kernel: user namespaces, io_uring, key rings, other architectures" {
	configure "$(service shell 7100 'handler = "shell"' "options = {
		'command.probe=$PLACE/probe unshare-user unshare-network io-uring keyring setns bpf perf foreign-call foreign-number' }")"
	start
	tell 7100 $'probe\n'
	refute grep '=done' "$ANSWER"
	stop
}
@test "a shell's command is nobody, without privileges, signals, descriptors or variables" {
	configure "$(service shell 7100 'handler = "shell"' "options = { 'command.mirror=$PLACE/mirror' }")"
	start
	tell 7100 $'mirror\n'
	says 'uid=65534 65534 65534' 'gid=65534 65534 65534' 'permitted=0' 'effective=0' \
		'ambient=0' 'no-new-privileges=1' 'filter=2' 'blocked=0' 'ignored=0' 'caught=0' \
		'interfaces=(lo:down)?'
	says 'descriptors=0:device 1:pipe 2:pipe'
	[ "$(grep -c '^env\.' "$ANSWER")" -le 3 ]
	stop
}

@test "a shell that has ports reaches these and no others; one that is given the network has no TCP" {
	need_landlock 4
	need_static
	told
	witness
	tries='tcp tcp-fast-open multipath udp bind raw-socket packet-socket unshare-user unshare-network'
	configure "$(service ports 7100 'handler = "shell" connect = { "7900" }' "options = { 'command.probe=$PLACE/probe $(targets) $tries' }")
		$(service none 7101 'handler = "shell" connect = {}' "options = { 'command.probe=$PLACE/probe $(targets) $tries' }")
		$(service network 7102 'handler = "shell" private-network = false' "options = { 'command.probe=$PLACE/probe $(targets) $tries' }")
		$(service which 7103 'handler = "shell" connect = { "7900" }' "options = { 'command.mirror=$PLACE/mirror' }")"
	start
	tell 7100 $'probe\n'
	did_only tcp udp
	says 'tcp-fast-open=denied EACCES' 'multipath=denied EACCES' 'bind=denied EACCES'
	tell 7101 $'probe\n'
	did_only
	tell 7102 $'probe\n'
	did_only udp
	tell 7103 $'mirror\n'
	says "namespace.net=$(readlink "/proc/$MASTER/ns/net" | sed 's/[][]/\\&/g')"
	stop
}

@test "what commands need is in their cage: a script, /dev/null, the time zone, a pipe" {
	cat >"$PLACE/script" <<-'END'
		#!/bin/sh
		echo lost >/dev/null
		echo one two | while read -r a b; do echo "$b $a"; done
		echo "$(echo nested)"
	END
	chmod 755 "$PLACE/script"
	configure "$(service shell 7100 'handler = "shell"' "options = { 'command.script=$PLACE/script',
		'command.date=/bin/date +%Z', 'command.uptime=/usr/bin/env' }")"
	TZ=Europe/Berlin start
	tell 7100 $'script\ndate\nuptime\n'
	says 'two one' nested 'PATH=.*'
	says '(CET|CEST)'
	log_lacks 'stderr|seccomp'
	stop
}

# Handlers.

handlers="echo discard daytime time fortune shell commands"
# handler NAME PORT: "commands" is a shell with one.
handler() {
	case $1 in
	commands) service "$1-$2" "$2" "handler = 'shell' options = { 'command.true=/bin/true', 'motd=$PLACE/motd',
		'database=$PLACE/fortunes' }" ;;
	fortune) service "$1-$2" "$2" "handler = 'fortune' options = { 'database=$PLACE/fortunes' }" ;;
	*) service "$1-$2" "$2" "handler = '$1'" ;;
	esac
}
# Each has a service for each call, so that none is throttled for a call that another one was ended for.
all_handlers() {
	local name port=7100
	printf 'a quotation\n%%\nanother\n' >"$PLACE/fortunes"
	echo welcome >"$PLACE/motd"
	for name in $handlers; do
		handler "$name" "$port"
		((port += 100))
	done
}
# port_of NAME
port_of() {
	local name port=7100
	for name in $handlers; do
		[ "$name" != "$1" ] || break
		((port += 100))
	done
	echo "$port"
}
# occupy NAME PORT: a session with its worker inside the handler.
occupy() {
	case $1 in
	discard) session "$2" ;;
	echo) session "$2" hello ;;
	*) session "$2" - ;;
	esac
}

@test "without a word of configuration a handler's worker is nobody, and has a filter and no capability" {
	configure "$(all_handlers)"
	start
	for name in $handlers; do
		occupy "$name" "$(port_of "$name")"
		for line in 'Uid	65534	65534	65534	65534' 'Gid	65534	65534	65534	65534' \
			'CapInh	0000000000000000' 'CapPrm	0000000000000000' 'CapEff	0000000000000000' \
			'CapAmb	0000000000000000' 'NoNewPrivs	1' 'Seccomp	2' 'SigBlk	0000000000000000' \
			'SigIgn	0000000000000000'; do
			grep -qx "${line/	/:	}" "/proc/$WORKER/status" ||
				fail "$name: no $line: $(cat "/proc/$WORKER/status")"
		done
		[ "$(find "/proc/$WORKER/fd" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = "0 1 2 " ]
		[ "$(readlink "/proc/$WORKER/cwd")" = / ]
		end_session
	done
	stop
}

@test "... and limits: no core, no files, 64 MiB; a shell's commands 512 MiB and 4096 processes" {
	configure "$(all_handlers) $(service said 7000 'handler = "echo" limits = { "core=1m:2m", "data=1g" }')
		$(service mirror 7001 'handler = "shell"' "options = { 'command.mirror=$PLACE/mirror' }")"
	start
	for name in echo discard daytime time fortune shell; do
		occupy "$name" "$(port_of "$name")"
		has_limit 'Max core file size' 0
		has_limit 'Max file size' 0
		is_sanitized || has_limit 'Max data size' 67108864
		end_session
	done
	session 7000 x
	has_limit 'Max core file size' '1048576 +2097152'
	has_limit 'Max data size' 1073741824
	has_limit 'Max file size' 0
	end_session
	tell 7001 $'mirror\n'
	says 'limit.core=0:0' 'limit.nproc=4096:4096' 'limit.fsize=-1:-1'
	is_sanitized || says 'limit.data=536870912:536870912'
	stop
}
has_limit() { grep -Eq "^$1 +$2 " "/proc/$WORKER/limits" || fail "$1: $(cat "/proc/$WORKER/limits")"; }

@test "no-new-privileges = false in the defaults is for programs; a handler that says so itself is warned of" {
	configure "defaults { no-new-privileges = false }
		$(service handler 7100 'handler = "echo"')
		$(service itself 7101 'handler = "echo" no-new-privileges = false')
		$(service program 7102 "$(mirror)")"
	start
	grep -q "itself.*is a handler, and false leaves it without its filter" "$BATS_TEST_TMPDIR/stderr" ||
		fail "$(cat "$BATS_TEST_TMPDIR/stderr")"
	[ "$(grep -c 'is a handler' "$BATS_TEST_TMPDIR/stderr")" = 1 ]
	session 7100 x
	[ "$(status_of "$WORKER" Seccomp) $(status_of "$WORKER" NoNewPrivs)" = "2 1" ]
	end_session
	session 7101 x
	[ "$(status_of "$WORKER" Seccomp) $(status_of "$WORKER" NoNewPrivs)" = "0 0" ]
	[ "$(status_of "$WORKER" CapEff)" = 0000000000000000 ]
	end_session
	tell 7102
	says 'no-new-privileges=0'
	stop
}

# ended_for NAME PORT CALL ARGUMENT...: the worker dies of it, and the log says which call that was.
ended_for() {
	local result
	occupy "$1" "$2"
	result=$(injected "$WORKER" "${@:3}") || fail "$1: $3 could not be tried"
	[ "$result" = "$3=killed SYS" ] || fail "$1 is not kept from $3: $result"
	log_has "reaped $1-$2\[$WORKER\].* signal=SYS.*" 5
	log_has "$1-$2\[$WORKER\].*killed by seccomp$(blamed "$3")\"" 5
	end_session
}
# Other architectures' are not told by their number, which would be another call's.
blamed() { [ "$1" = x32-getpid ] || echo ", system call $(number_of "$1")"; }
# Of x86-64, where these tests are.
number_of() {
	case $1 in
	socket) echo 41 ;; execve) echo 59 ;; fork) echo 57 ;; clone3) echo 435 ;; kill) echo 62 ;;
	ptrace) echo 101 ;; process_vm_readv) echo 310 ;; setuid) echo 105 ;; mount) echo 165 ;;
	chroot) echo 161 ;; unshare) echo 272 ;; unlink) echo 87 ;; openat) echo 257 ;; bpf) echo 321 ;;
	io_uring_setup) echo 425 ;; memfd_create) echo 319 ;; keyctl) echo 250 ;; reboot) echo 169 ;;
	bind) echo 49 ;; connect) echo 42 ;; nonexistent) echo 1999 ;; setgroups) echo 116 ;;
	*) fail "number of $1?" ;;
	esac
}
# refused NAME PORT ERRNO CALL ARGUMENT...: the worker gets this error, and goes on.
refused() {
	local result
	occupy "$1" "$2"
	result=$(injected "$WORKER" "${@:4}")
	[ "$result" = "$4=-$3" ] || fail "$1: $4: $result"
	end_session
}

# every_call NAME: what none has a use for.
every_call() {
	local port
	need_inject
	printf 'a quotation\n%%\nanother\n' >"$PLACE/fortunes"
	echo welcome >"$PLACE/motd"
	configure "$(for port in $(seq 7100 7120); do handler "$1" "$port"; done)"
	start
	port=7100
	while read -r call arguments; do
		[ -n "$call" ] || continue
		# shellcheck disable=SC2086 # words
		ended_for "$1" $((port++)) $call ${arguments/MASTER/$MASTER}
	done
	master_is_well
}
outrages='socket 2 1 0
kill MASTER 15
ptrace 16 MASTER 0 0
process_vm_readv MASTER 0 0 0 0 0
setuid 0
setgroups 0 0
mount none /mnt tmpfs 0 0
chroot /
unshare 0x10000000
unlink /nonexistent
io_uring_setup 1 0
bpf 11 0 0
reboot 0 0 0
x32-getpid
nonexistent'
alone='execve /bin/true 0 0
fork'
fileless='openat -100 /etc/passwd 0'
# Sanitizers open files themselves.
! is_sanitized || fileless=

@test "echo: intruding code is ended for every call that echo has no use for" {
	every_call echo <<<"$outrages"$'\n'"$alone"$'\n'"$fileless"
	stop
}

@test "discard: the same" {
	every_call discard <<<"$outrages"$'\n'"$alone"$'\n'"$fileless"
	stop
}

@test "daytime: the same" {
	every_call daytime <<<"$outrages"$'\n'"$alone"
	stop
}

@test "time: the same" {
	every_call 'time' <<<"$outrages"$'\n'"$alone"$'\n'"$fileless"
	stop
}

@test "fortune: the same, and it opens its database and no other file" {
	need_landlock
	every_call fortune <<<"$outrages"$'\n'"$alone"
	refused fortune 7120 13 openat -100 /etc/passwd 0
	refused fortune 7120 13 openat -100 / 0x10000
	refused fortune 7120 13 openat -100 "$PLACE/outside" 0
	refused fortune 7120 13 openat -100 "$PLACE/fortunes" 1
	occupy fortune 7120
	[[ $(injected "$WORKER" openat -100 "$PLACE/fortunes" 0) == openat=[0-9]* ]]
	end_session
	stop
}

@test "shell without commands: the same, and it opens its files and no others" {
	need_landlock
	every_call shell <<<"$outrages"$'\n'"$alone"
	refused shell 7120 13 openat -100 /etc/passwd 0
	refused shell 7120 13 openat -100 "$PLACE/outside" 0
	stop
}

@test "shell with commands: their calls more, but no way to other programs, files or processes" {
	need_landlock
	every_call commands <<'END'
ptrace 16 MASTER 0 0
setgroups 0 0
mount none /mnt tmpfs 0 0
chroot /
bpf 11 0 0
reboot 0 0 0
nonexistent
END
	refused commands 7120 13 openat -100 /etc/passwd 0
	refused commands 7120 13 execve /usr/bin/id 0 0
	refused commands 7120 13 execve /bin/sh 0 0
	refused commands 7120 1 kill "$MASTER" 15
	refused commands 7120 1 kill "$MASTER" 0
	occupy commands 7120
	[[ $(injected "$WORKER" openat -100 "$PLACE/motd" 0) == openat=[0-9]* ]]
	end_session
	stop
}

@test "begatd --security says of handlers what intruding code finds in them" {
	need_inject
	configure "$(all_handlers)"
	start
	"$BEGATD" --security --json -f "$CONF" >"$BATS_TEST_TMPDIR/report"
	for name in $handlers; do
		occupy "$name" "$(port_of "$name")"
		result=$(injected "$WORKER" mmap 0 4096 7 0x22 -1 0)
		case $result in mmap=-* | *SYS) denied=True ;; *) denied=False ;; esac
		said=$(/usr/bin/python3 -c "import json, sys
for one in json.load(open(sys.argv[1])):
    if one['service'].startswith(sys.argv[2] + '-'):
        print(one['memory-deny-write-execute'], one['no-new-privileges'], one['system-calls']['filter'],
              one['capabilities'], one['identity']['uid'])" "$BATS_TEST_TMPDIR/report" "$name")
		[ "$said" = "$denied True True [] 65534" ] || fail "$name: $said, and $result"
		end_session
	done
	stop
}

@test "with process numbers of its own a handler is caged as well, and the log knows of which call it died" {
	need_inject
	configure "$(handler echo 7100 | sed 's/ }$/ private-pids = true }/')"
	start
	session 7100 hello
	WORKER=$(pgrep -P "$(pgrep -P "$WORKER")")
	[ "$(status_of "$WORKER" Seccomp) $(status_of "$WORKER" NoNewPrivs)" = "2 1" ]
	[ "$(injected "$WORKER" socket 2 1 0)" = "socket=killed SYS" ]
	log_has 'reaped echo-7100\[.*signal=SYS why="killed by seccomp, system call 41"'
	end_session
	stop
}

# start_as_user: begatd in a place that an ordinary user can reach, run by one.
start_as_user() {
	need_landlock
	cp "$BEGATD" "$BEGAT_MASTER" "$PLACE"
	BEGATD=$PLACE/begatd BEGAT_MASTER=$PLACE/begat-master
	install -d -o 12345 "$PLACE/home"
	LOG=$PLACE/home/log
	configure "$(all_handlers) $(service probe 7000 'handler = "shell"' "options = {
		'command.probe=$PLACE/probe $(targets) tcp abstract bind ptrace memory-file environ signal terminate passwd shell',
		'command.other=$PLACE/probe $(targets) tcp-fast-open multipath udp' }")"
	sed -i "s,^pidfile = .*,pidfile = '$PLACE/home/pid'," "$CONF"
	cp "$CONF" "$PLACE/home/conf" && CONF=$PLACE/home/conf
	witness
	told
	chmod 755 "$BATS_TEST_TMPDIR/told"
	cp "$BATS_TEST_TMPDIR/told" "$PLACE/told"
	WRAPPER="$PLACE/told setpriv --reuid=12345 --regid=12345 --clear-groups"
	start
}

@test "as an ordinary user: the same filters and files, and only the user is as it was" {
	need_inject
	start_as_user
	for name in $handlers; do
		occupy "$name" "$(port_of "$name")"
		[ "$(status_of "$WORKER" Uid) $(status_of "$WORKER" Seccomp) $(status_of "$WORKER" NoNewPrivs)" = \
			$'12345\t12345\t12345\t12345 2 1' ] || fail "$name: $(cat "/proc/$WORKER/status")"
		[ "$(injected "$WORKER" mount none /mnt tmpfs 0 0)" = "mount=killed SYS" ]
		end_session
	done
	tell 7000 $'probe\n'
	did_only
	master_is_well
	stop
}

@test "... nor does a shell's command get out by what Landlock does not know: datagrams, TCP by other names" {
	start_as_user
	tell 7000 $'other\n'
	did_only
	[ "$(seen)" = "" ]
	stop
}

@test "F61: what a shell's command is doing ends with the master, where that is wanted" {
	MARK=$BASHPID
	configure "$(service shell 7100 'handler = "shell" on-master-death = "die"' "options = 'command.hang=/bin/sleep 7778.$MARK'")"
	start
	session 7100 hang
	until_true 5 pgrep -f "sleep 7778.$MARK\$" >/dev/null
	kill -KILL "$MASTER"
	MASTER=
	until_true 5 is_gone_or_zombie "$WORKER"
	until_true 5 no_sleepers
	exec 5>&-
}
no_sleepers() { ! pgrep -f "sleep 7778.$MARK\$" >/dev/null; }

@test "P5: five workers in a row that are ended by seccomp pause their service, and no other" {
	need_inject
	configure "$(handler echo 7100) $(handler echo 7101)"
	start
	for _ in 1 2 3 4 5; do
		ended_for echo 7100 socket 2 1 0
	done
	log_has 'echo-7100: throttled for 1 s'
	[ "$(ask 7101 hello)" = hello ]
	[ "$(ask 7100 hello)" = hello ]
	stop
}

@test "a handler that reads a file and one that runs commands do all that they are for" {
	configure "$(all_handlers)"
	start
	for _ in $(seq 20); do
		[[ $(ask "$(port_of fortune)") == @(a quotation|another)* ]]
	done
	tell "$(port_of commands)" $'help\ndate\ntime\nwho\ncookie\nmotd\ntrue\nquit\n'
	grep -q welcome "$ANSWER"
	[ "$(ask "$(port_of daytime)" | wc -c)" = 26 ]
	[ "$(ask "$(port_of 'time')" | wc -c)" = 4 ]
	log_lacks 'seccomp|stderr'
	stop
}

@test "sanitizers aside, no handler's worker is ended by its own filter under hard input" {
	configure "$(all_handlers)"
	start
	for name in $handlers; do
		port=$(port_of "$name")
		head -c 200000 /dev/urandom | run_for 10 nc -N 127.0.0.1 "$port" >/dev/null || :
		"$HELPERS_DIR/talk.py" "$port" 'send:x\r\n' reset >/dev/null || :
		"$HELPERS_DIR/talk.py" "$port" 'bytes:\xff\xf4\xff\xfd\x06time\r\n' half rest >/dev/null || :
	done
	until_true 10 no_workers
	log_lacks 'seccomp|SYS'
	stop
}

@test "an administrator gives a handler more: a path, and other system calls instead" {
	need_landlock
	need_inject
	echo more >"$PLACE/more"
	configure "$(service path-7100 7100 "handler = 'fortune' options = { 'database=$PLACE/fortunes' } read-only = { '$PLACE/more' }")
		$(service calls-7101 7101 "handler = 'echo' system-calls = { '@all' }")"
	printf 'a quotation\n%%\nanother\n' >"$PLACE/fortunes"
	start
	occupy fortune 7100
	[[ $(injected "$WORKER" openat -100 "$PLACE/more" 0) == openat=[0-9]* ]]
	end_session
	refused fortune 7100 13 openat -100 /etc/passwd 0
	occupy echo 7101
	[[ $(injected "$WORKER" socket 1 1 0) == socket=[0-9]* ]]
	end_session
	stop
}

# Afterwards.

@test "F85: forty reloads of caged services: nothing stacks in the master, nothing leaks" {
	configure "$(service tight 7099 "$(probe nothing passwd tcp setuid)" "$tight") $(all_handlers)"
	start
	ask 7099 >/dev/null
	kill -HUP "$MASTER"
	until_true 20 has_reloads 1
	descriptors=$(count_descriptors)
	for number in $(seq 2 40); do
		kill -HUP "$MASTER"
		until_true 20 has_reloads "$number" || fail "reload $number"
	done
	for line in NoNewPrivs:.0 Seccomp:.0 Seccomp_filters:.0; do
		grep -qx "$line" "/proc/$MASTER/status" || fail "$(cat "/proc/$MASTER/status")"
	done
	[ "$(status_of "$MASTER" CapBnd)" = "$(status_of $$ CapBnd)" ]
	[ "$(count_descriptors)" = "$descriptors" ]
	tell 7099
	says 'nothing=done' 'passwd=denied EACCES' 'tcp=killed SYS' 'setuid=denied EPERM'
	[[ $(ask "$(port_of fortune)") == @(a quotation|another)* ]]
	master_is_well
	stop
}
has_reloads() { (($(log_count 'reload: kept') >= $1)); }
