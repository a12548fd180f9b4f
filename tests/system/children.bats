#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Children that crash, and children that are not ours (faults F64, F65): the master tells them apart, reaps
# them all and minds nobody else's business.

load lib

setup() {
	configure 'service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }
		service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
		service orphan { listen = "tcp:127.0.0.1:7100" exec = { "/bin/sh", "-c",
			"(setsid sleep 0.3; exit 3) </dev/null >/dev/null 2>&1 & echo done" } }
		service crash { listen = "tcp:127.0.0.1:7101" exec = { "/bin/sh", "-c", "kill -SEGV $$" } }'
}

hold() {
	"$BATS_TEST_DIRNAME/helpers/talk.py" 7007 send:x expect:x rest >/dev/null 3>&- &
	HELPERS="${HELPERS-} $!"
	log_has 'begat echo'
	WORKER=$(sed -n 's/.*begat echo\[\([0-9]*\)\].*/\1/p' "$LOG" | tail -1)
}

@test "F64: a worker that crashes is told with its signal, and the master goes on" {
	start
	hold
	kill -SEGV "$WORKER"
	log_has "reaped echo\[$WORKER\].* result=(signalled|core) signal=(SEGV|ABRT)" # a sanitizer aborts
	ask 7101
	log_has 'reaped crash.* result=(signalled|core) signal=SEGV'
	[ "$(ask 7013 | wc -c)" = 26 ]
	master_is_well
	stop
}

@test "F64: a core file is told as one" {
	! is_sanitized || skip "sanitizers limit the size of cores to 0"
	# The pattern is of the whole machine: only where it is a plain file can this be seen.
	[[ $(cat /proc/sys/kernel/core_pattern) != [\|/]* ]] || skip "cores go elsewhere here"
	dir=$(mktemp -d /tmp/begat-core.XXXXXX)
	chmod 777 "$dir"
	configure "service crash { listen = \"tcp:127.0.0.1:7101\" directory = \"$dir\"
		exec = { '/bin/sh', '-c', 'kill -SEGV \$\$' } }"
	ulimit -c unlimited
	start
	ask 7101
	until_true 5 crash_is_told
	stop
	rm -r "$dir"
	log_has 'result=core signal=SEGV'
}
crash_is_told() { grep -q 'reaped crash' "$LOG"; }

@test "F65: a child from before the exec is reaped and otherwise ignored" {
	(sleep 0.3 3>&- & exec "$BEGATD" -n -f "$CONF" -dreap 2>/dev/null 3>&-) 3>&- &
	MASTER=$!
	log_has 'unknown child'
	ask 7013 >/dev/null
	log_has 'reaped daytime.* result=ok'
	master_is_well
	stop
}

@test "F65: as a subreaper it inherits orphans and leaves no zombie of them" {
	WRAPPER="$BATS_TEST_DIRNAME/helpers/subreaper.py"
	start -dreap
	for _ in 1 2 3 4 5; do
		[ "$(ask 7100)" = "done" ]
	done
	# The one from before the exec and five orphans.
	until_true 10 six_unknown
	until_true 5 five_orphans
	until_true 5 no_workers
	stop
}
five_orphans() { [ "$(log_count 'reaped orphan.* result=ok')" = 5 ]; }
six_unknown() { [ "$(log_count 'unknown child')" = 6 ]; }

@test "F65: as the init of a container: orphans are reaped, and SIGTERM stops it" {
	need_root
	unshare -pf --kill-child --mount-proc "$BEGATD" -n -f "$CONF" -dreap 2>/dev/null 3>&- &
	HELPERS=$!
	log_has 'ready.*pid 1$'
	[ "$(ask 7100)" = "done" ]
	log_has 'unknown child'
	[ "$(ask 7013 | wc -c)" = 26 ]
	kill "$(pgrep -P "$HELPERS")"
	log_has 'stopped$'
	wait "$HELPERS"
}

@test "a stranger's SIGCHLD, and signals that mean nothing, change nothing" {
	start
	for signal in CHLD PIPE WINCH ALRM USR2 URG TTOU TTIN CONT TSTP XFSZ VTALRM PROF IO PWR QUIT; do
		kill -$signal "$MASTER"
	done
	[ "$(ask 7013 | wc -c)" = 26 ]
	log_has 'reaped daytime.* result=ok'
	master_is_well
	stop
}

@test "fifty children that end at once are all reaped" {
	configure 'service s { listen = "tcp:127.0.0.1:7100" exec = { "/bin/sleep", "60" } }'
	start
	for _ in $(seq 50); do
		run_for 60 nc -d 127.0.0.1 7100 3>&- &
	done
	until_true 10 fifty begat
	kill -STOP "$MASTER"
	kill $(pgrep -P "$MASTER" -x sleep)
	kill -CONT "$MASTER"
	until_true 10 fifty reaped
	until_true 5 no_workers
	stop
}
fifty() { [ "$(log_count "$1 s\[")" = 50 ]; }
