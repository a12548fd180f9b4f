#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Cages that cannot be closed: a step that fails ends the worker before it serves, says which one it was, and
# leaves the master and the other services alone (faults F107 to F110, CVE-2023-40303).

load lib
load fault
load cage

setup_file() { build probe mirror inject; }
teardown_file() { unbuild; }
setup() { need_root; }

# services KEYS...: "plain", "banner", "crlf" and "handler" with these keys, and one without.
services() {
	programs "$@"
	service handler 7103 'handler = "echo"' "$@" >>"$CONF"
}
programs() {
	configure "$(service plain 7100 "$(mirror)" "$@")
		$(service banner 7101 "$(mirror)" 'banner = "hello"' "$@")
		$(service crlf 7102 "$(mirror)" 'crlf = true banner = "hello"' "$@")
		$(service daytime 7013 'handler = "daytime"')"
}
names=(plain banner crlf handler)
has_service() { grep -q "service ${names[$1 - 7100]}" "$CONF"; }
# hello PORT: into $ANSWER.  A program does not read; what is sent to it would make its end a reset.
hello() { if [ "$1" = 7103 ]; then tell "$1" x; else tell "$1"; fi; }

# fails_in STEP CALL WHAT: of each service, and none of them says a word; heals after it.
fails_in() {
	local port
	rm -f "$LOG"
	start
	fail_in_workers "$2" "$3"
	for port in 7100 7101 7102 7103; do
		has_service $port || continue
		hello $port
		# A program is filtered last, after the banner of begat's own.
		[ "$1" != filter ] || sed -i '/^hello$/d' "$ANSWER"
		[ ! -s "$ANSWER" ] || fail "port $port has run in spite of $2: $(head -3 "$ANSWER")"
		log_has "reaped ${names[$port - 7100]}\[[0-9]+\].* result=failed step=($1) error=\"[A-Z]"
	done
	heal
	refute grep -q 'execve(.*mirror' "$BATS_TEST_TMPDIR/trace"
	grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || fail "$2 was not called"
	[ "$(ask 7013 | wc -c)" = 26 ]
	master_is_well
	stop
}

@test "F108: setgroups, setresgid, setresuid fail for caged workers: the step is told, and nothing runs" {
	services 'limits = { "core=0" } private-network = true private-tmp = true'
	fails_in groups setgroups error=EPERM
	fails_in gid setresgid error=EAGAIN
	fails_in uid setresuid error=EAGAIN
}

@test "F108, CVE-2023-40303: the same with process numbers of their own, where three become somebody else" {
	services 'private-pids = true'
	fails_in 'groups|pids' setgroups error=EPERM
	fails_in 'gid|pids' setresgid error=EAGAIN
	fails_in 'uid|pids' setresuid error=EAGAIN
	fails_in 'verify|pids' setresuid retval=0
}

@test "F108: setns, setpriority, prlimit fail: network, nice, limits" {
	services 'private-network = true'
	fails_in network setns error=EPERM
	services 'nice = 5'
	fails_in nice setpriority error=EACCES
	services 'limits = { "nofile=100", "core=0" }'
	fails_in limits prlimit64 error=EPERM
	fails_in limits prlimit64 error=EINVAL:when=2
}

@test "F108: unshare, mount, pipe2 fail: mounts and pids" {
	services 'private-tmp = true'
	fails_in mounts unshare error=EPERM
	fails_in mounts unshare error=ENOSPC
	fails_in mounts mount error=EACCES
	fails_in mounts mount error=ENOMEM:when=2
	services 'private-pids = true'
	fails_in 'mounts|pids' unshare error=ENOSPC
	fails_in pids unshare error=ENOSPC:when=2
	fails_in pids pipe2 error=EMFILE
}

@test "F108: chroot and chdir fail: chroot and directory" {
	need_static
	mkdir -p "$PLACE/jail/$PLACE"
	cp "$PLACE/mirror" "$PLACE/jail/$PLACE"
	services "chroot = '$PLACE/jail'"
	fails_in chroot chroot error=EPERM
	fails_in chroot chdir error=EACCES
	services 'directory = "/usr"'
	fails_in directory chdir error=EACCES
}

@test "F108: prctl and capset fail: bounding, capabilities, death, privileges, write-execute" {
	programs 'capabilities = { "kill" }'
	fails_in bounding prctl error=EPERM
	fails_in capabilities capset error=EPERM
	programs 'capabilities = {}'
	fails_in capabilities capset error=EPERM
	services 'on-master-death = "die" no-new-privileges = false'
	fails_in death prctl error=EINVAL
	services
	fails_in privileges prctl error=EINVAL
}

@test "F108: no memory that is written and executed, and that fails" {
	programs 'memory-deny-write-execute = true no-new-privileges = false'
	"$BEGATD" -t -f "$CONF" || skip "this kernel cannot"
	fails_in write-execute prctl error=EINVAL
}

@test "F108: landlock_restrict_self and seccomp fail: landlock and filter" {
	need_landlock
	services 'read-only = { "/etc/hostname" }'
	fails_in landlock landlock_restrict_self error=EPERM
	fails_in landlock landlock_restrict_self error=E2BIG
	services 'system-calls = { "~@mount" }'
	fails_in filter seccomp error=EINVAL
	fails_in filter seccomp error=ENOMEM
}

@test "F108: a ruleset that has to be made anew and cannot be: no worker without it" {
	need_landlock
	echo x >"$PLACE/file"
	services "read-only = { '$PLACE/file' }"
	fails_anew() {
		rm -f "$LOG"
		start
		echo y >"$PLACE/file.new" && mv "$PLACE/file.new" "$PLACE/file"
		fail_in_workers "$1" "$2"
		[ "$(ask 7100)" = "" ]
		log_has 'reaped plain.*result=failed step=landlock'
		heal
		tell 7100
		says 'no-new-privileges=1'
		stop
	}
	fails_anew landlock_create_ruleset error=ENOMEM
	fails_anew landlock_add_rule error=ENOMEM
	fails_anew landlock_create_ruleset error=EMFILE
}

@test "F108: the proc of process numbers of one's own cannot be mounted: pids" {
	services 'private-pids = true'
	start
	# Of each worker that is the first mount; of the program's process the only one.
	fail_in_workers mount 'error=EPERM:when=1' # so the first one fails before that
	[ "$(ask 7100)" = "" ]
	log_has 'reaped plain.*result=failed step=mounts'
	heal
	strace -qq -f -o "$BATS_TEST_TMPDIR/trace" -p "$MASTER" -P /proc -e inject=mount:error=EPERM 3>&- 2>/dev/null &
	STRACE=$!
	until_true 10 is_traced
	for port in 7101 7102 7103; do
		[ "$(ask $port x)" = "" ]
	done
	heal
	for name in banner crlf handler; do
		log_has "reaped $name.*result=failed step=pids"
	done
	until_true 5 no_workers
	stop
}

@test "P5, F108: a step that goes on failing pauses its service, and one success is enough" {
	services 'nice = 5'
	start
	fail_in_workers setpriority error=EPERM
	for _ in 1 2 3 4 5; do
		[ "$(ask 7100)" = "" ]
	done
	log_has 'plain: throttled for 1 s'
	heal
	tell 7100 # waits in the queue
	says nice=5
	[ "$(log_count throttled)" = 1 ]
	stop
}

@test "F109: a caged program's socket blocks, and three megabytes get to a slow reader, in every cage" {
	need_landlock
	program='exec = { "/usr/bin/head", "-c", "3000000", "/dev/zero" }'
	configure "$(service pids 7100 "$program" 'private-pids = true')
		$(service files 7101 "$program" 'read-only = { "/dev/zero" } system-calls = { "~@mount" } private-network = true')
		$(service crlf 7102 "$program" 'private-pids = true private-tmp = true crlf = true')"
	start
	for port in 7100 7101 7102; do
		[ "$(ask $port | { sleep 0.3; wc -c; })" = 3000000 ] || fail "port $port"
	done
	log_lacks 'seccomp|result=[^o]'
	stop
}

@test "F110: what is stopped in its cage is ended by max-time, with all that it has started" {
	MARK=$BASHPID
	configure "$(service stopped 7100 "exec = { '/bin/sh', '-c', 'sleep 7777.$MARK & kill -STOP \$\$' }" \
		'max-time = "400ms" kill-grace = "1h" private-pids = true')"
	start
	[ "$(ask 7100)" = "" ]
	log_has 'reaped stopped.*result=timed-out'
	until_true 5 no_sleepers
	until_true 5 no_workers
	stop
}
no_sleepers() { ! pgrep -f "sleep 7777.$MARK\$" >/dev/null; }

@test "F57: whichever of the three processes of a cage is killed, all of them are gone" {
	configure "$(service one 7100 "$(mirror leave:7779 hold)" 'private-pids = true instances = 10')"
	for which in 1 2 3; do
		rm -f "$LOG"
		start
		session 7100 -
		init=$(pgrep -P "$WORKER")
		program=$(pgrep -P "$init" | head -1)
		pids="$WORKER $init $(pgrep -P "$init" | tr '\n' ' ') $(pgrep -P "$program" | tr '\n' ' ')"
		[ "$(wc -w <<<"$pids")" -ge 4 ]
		case $which in 1) kill -KILL "$WORKER" ;; 2) kill -KILL "$init" ;; 3) kill -KILL "$program" ;; esac
		log_has 'reaped one\[.*'
		for pid in $pids; do
			until_true 5 is_gone_or_zombie "$pid" || fail "$which: $pid is left"
		done
		exec 5>&-
		until_true 5 no_workers
		stop
	done
}

@test "a SIGSYS from outside ends a handler like any signal, and no system call is blamed" {
	services
	start
	session 7103 x
	kill -SYS "$WORKER"
	until_true 5 is_gone_or_zombie "$WORKER" || fail "it goes on"
	log_has 'reaped handler.*signal=SYS'
	log_lacks 'system call'
	end_session
	stop
}

@test "F13, F64: memory that runs out in a cage is the worker's problem, and told" {
	need_static
	configure "$(service one 7100 "$(run_program probe memory=100 fill-memory)" 'limits = { "as=20m" }')
		$(service two 7101 'exec = "/bin/true" limits = { "as=64k" }') $(service daytime 7013 'handler = "daytime"')"
	start
	tell 7100
	says 'fill-memory=denied ENOMEM'
	[ "$(ask 7101)" = "" ]
	log_has 'reaped two.*result=(failed step=exec|signalled)'
	[ "$(ask 7013 | wc -c)" = 26 ]
	master_is_well
	stop
}

@test "F67: a master started without descriptors 0 to 2 cages as always" {
	need_landlock
	services 'read-only = { "/etc/hostname" } private-network = true'
	WRAPPER="$HELPERS_DIR/closed.sh 012"
	start
	for port in 7100 7101 7102; do
		tell $port
		says 'descriptors=0:socket 1:(socket|pipe) 2:(pipe|device|socket|file)' 'no-new-privileges=1'
	done
	stop
}

@test "P3: two hundred caged connections: the master's descriptors and memory are what they were" {
	need_landlock
	services 'private-network = true private-tmp = true private-pids = true read-only = { "/etc/hostname" }
		system-calls = { "~@mount" } limits = { "core=0" } nice = 1'
	start
	for port in 7100 7101 7102 7103; do
		hello $port
	done
	until_true 5 no_workers
	descriptors=$(count_descriptors)
	memory=$(status_of "$MASTER" VmData)
	mounts=$(wc -l <"/proc/$MASTER/mountinfo")
	for _ in $(seq 50); do
		for port in 7100 7101 7102 7103; do
			hello $port
			[ -s "$ANSWER" ] || fail "port $port"
		done
	done
	until_true 5 no_workers
	[ "$(count_descriptors)" = "$descriptors" ]
	is_sanitized || [ "$(status_of "$MASTER" VmData)" = "$memory" ]
	[ "$(wc -l <"/proc/$MASTER/mountinfo")" = "$mounts" ]
	master_is_well
	stop
}
