#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# F53 to F55, F61, F66, F87: a reload when the moment is bad: many of them, during a stop, with signals ignored
# or blocked, as pid 1, without a descriptor left, with the master killed in the middle of it.

load lib
load fault
load reload

new='service new { listen = "tcp:127.0.0.1:7001" handler = "daytime" }'

setup() {
	own_programs
	configure "$services"
}

# ended: the daemon has ended as it should.
ended() {
	local status=0
	until_true 10 is_gone_or_zombie "$MASTER" || fail "the daemon did not stop"
	wait "$MASTER" || status=$?
	MASTER=
	[ "$status" = 0 ] || fail "the daemon's exit status is $status"
	log_has 'stopped$'
	[ ! -e "$BATS_TEST_TMPDIR/pid" ] || fail "the pid file is still there"
}

@test "F53, P1: a storm of SIGHUP under load: nobody is refused, reset or unanswered" {
	begin
	storm() {
		for ((i = 0; i < 150; i++)); do
			kill -HUP "$MASTER"
			sleep "0.0$((RANDOM % 30))"
		done
	}
	storm &
	storming=$!
	for i in 1 2; do
		client flood 7013 400 >"$BATS_TEST_TMPDIR/client$i" 3>&- 5>&- &
		clients[i]=$!
	done
	wait "${clients[@]}" "$storming"
	[ "$(cat "$BATS_TEST_TMPDIR"/client?)" = $'400\n400' ]
	settled() { [ "$(children | wc -l)" = 1 ] && is_as_before; }
	until_true 10 settled || fail "$(children)"
	goes_on
	log_lacks 'reload failed'
	(($(log_count 'reload: kept') >= 10)) || fail "only $(log_count 'reload: kept') reloads"
	reload
	end
}

@test "F53: SIGHUPs during a preflight become one more reload, which sees the last configuration" {
	begin
	hold_preflight
	configure "$services $new"
	for _ in {1..10}; do
		kill -HUP "$MASTER"
	done
	is_daytime 7013 # it serves on meanwhile
	goes_on
	go_preflight
	until_true 10 has_outcomes 2
	is_daytime 7001
	few_wakeups 2 0.3 # and no more of them
	log_times 2 "$OUTCOMES"
	reload 'kept 3'
	end
}

@test "F53: a SIGHUP in the exec, and in the first moment of the new master, is one more reload" {
	begin
	hold_exec
	configure "$services $new"
	kill -HUP "$MASTER"
	go_exec
	[[ $OUTCOME == *'kept 2, added 0'*'generation 2' ]]
	log_has 'reload: kept 2, added 1, .*generation 3'
	is_daytime 7001
	goes_on
	end
}

@test "F55: TERM during a preflight: it is ended, the session may finish, and so does the daemon" {
	begin
	hold_preflight
	held=$(preflight)
	kill -TERM "$MASTER"
	log_has 'SIGTERM: stopping; 1 workers'
	until_true 5 is_gone_or_zombie "$held"
	is_refused 7013
	goes_on
	exec 5>&-
	ended
	log_lacks "$OUTCOMES"
}

@test "F55: TERM in the exec: the new master drains" {
	begin
	hold_exec
	kill -TERM "$MASTER"
	go_exec
	log_has 'SIGTERM: stopping; 1 workers'
	until_true 5 is_refused 7013
	goes_on
	exec 5>&-
	ended
}

@test "F55, P9: TERM at any moment after HUP: a clean end, and the addresses are free" {
	for i in {1..12}; do
		start
		kill -HUP "$MASTER"
		sleep "0.0$(printf %02d $((RANDOM % 60)))"
		kill -TERM "$MASTER"
		ended
		[ -z "$(pgrep -f "$BIN/begatd")" ]
	done
}

@test "HUP during a drain is refused with a line, and the drain goes on" {
	begin
	kill -TERM "$MASTER"
	log_has 'stopping; 1 workers'
	kill -HUP "$MASTER"
	log_has 'SIGHUP.*(ignored|stopping|stop)'
	is_refused 7013
	goes_on
	exec 5>&-
	ended
	log_lacks "$OUTCOMES"
}

@test "F51: CHLD, USR1, PIPE, WINCH, HUP before any system call of a reload" {
	begin
	for round in {1..12}; do
		signals=(HUP CHLD USR1 PIPE WINCH)
		inject all "signal=SIG${signals[round % 5]}:when=$((RANDOM % 8 + 1))"
		kill -HUP "$MASTER"
		until_true 10 has_outcomes "$round"
		heal
		goes_on
		is_daytime 7013
	done
	log_lacks 'reload failed'
	until_true 5 is_as_before
	reload
	end
}

@test "F51: TERM before any system call of a reload: a clean end" {
	for when in 1 2 $((RANDOM % 10 + 3)); do
		start
		inject all "signal=SIGTERM:when=$when"
		kill -HUP "$MASTER" || :
		until_true 10 is_gone_or_zombie "$MASTER" || kill -TERM "$MASTER" # so many calls were not made
		wait "$STRACE" 2>/dev/null || :
		STRACE=
		ended
	done
}

@test "USR1 during a reload opens the log again" {
	begin
	hold_preflight
	mv "$LOG" "$LOG.1"
	kill -USR1 "$MASTER"
	log_has 'log reopened'
	go_preflight
	log_has 'reload: kept 2'
	end
}

@test "F66: it works when begatd was started with SIGHUP ignored (nohup), and all signals blocked" {
	for wrapper in "nohup" "env --ignore-signal" "env --block-signal"; do
		WRAPPER=$wrapper begin
		for generation in 2 3; do
			reload "generation $generation"
			same_as_before
		done
		goes_on
		end
		rm "$LOG"
	done
}

@test "F58: what a preflight passes on to workers is no ignored or blocked signal" {
	configure "$services service status { listen = 'tcp:127.0.0.1:7002'
		exec = { '/bin/grep', '^Sig[BI]', '/proc/self/status' } }"
	begin
	reload
	ask 7002 >"$BATS_TEST_TMPDIR/signals"
	[ "$(grep -Ec '0000000000000000$' "$BATS_TEST_TMPDIR/signals")" = 2 ]
	end
}

@test "as pid 1 of a container it reloads, reaps orphans, and stops" {
	need_root
	configure "$services service orphan { listen = 'tcp:127.0.0.1:7100' exec = { '/bin/sh', '-c',
		'setsid sleep 0.3 </dev/null >/dev/null 2>&1 &' } }"
	unshare -pf --kill-child --mount-proc "$BEGATD" -n -f "$CONF" -dreap 2>/dev/null 3>&- &
	HELPERS=$!
	log_has 'ready.*pid 1$'
	MASTER=$(pgrep -P "$HELPERS")
	session 7007
	ask 7100 >/dev/null
	reload 'generation 2'
	reload 'generation 3'
	log_has 'unknown child'
	goes_on
	exec 5>&-
	kill "$MASTER"
	MASTER=
	log_has 'stopped$'
	wait "$HELPERS"
}

@test "F65: a child of which it knows nothing, and a stranger's SIGCHLD, do not end a reload" {
	configure "$services"
	WRAPPER="$BATS_TEST_DIRNAME/helpers/subreaper.py" begin
	hold_preflight
	kill -CHLD "$MASTER"
	log_lacks "$OUTCOMES"
	go_preflight
	log_has 'reload: kept 2'
	goes_on
	end
}

@test "somebody kills the preflight, or stops it: the reload fails, nothing else" {
	configure "reload-timeout = 1s $services"
	begin
	hold_preflight
	kill -KILL "$(preflight)"
	log_has 'reload failed: .*(KILL|signal)'
	hold_preflight
	kill -STOP "$(preflight)"
	until_true 10 has_outcomes 2
	[[ $(outcome 2) == *"reload failed"* ]]
	own_back
	same_as_before
	goes_on
	reload
	end
}

@test "F61: a reloaded master is killed: sessions go on, and a new one can start at once" {
	begin
	reload
	reload
	kill -KILL "$MASTER"
	wait "$MASTER" || :
	goes_on
	start
	goes_on
	is_daytime 7013
	reload
	exec 5>&-
	stop
}

@test "F61: a master is killed during a preflight: a new one can start at once" {
	sock=$BATS_TEST_TMPDIR/sock
	configure "$services service unix { listen = 'unix:$sock' handler = 'echo' }"
	begin
	hold_preflight
	held=$(preflight)
	kill -KILL "$MASTER"
	wait "$MASTER" || :
	rm "$LOG"
	own_back
	start
	goes_on
	is_daytime 7013
	[ "$(printf hello | run_for 5 nc -NU "$sock")" = hello ]
	until_true 5 is_gone "$held"
	reload
	end
}

@test "a master that was stopped for longer than the preflight may take" {
	configure "reload-timeout = 1s $services"
	begin
	kill -HUP "$MASTER"
	kill -STOP "$MASTER"
	sleep 1.2
	kill -CONT "$MASTER"
	until_true 10 has_outcomes 1
	same_as_before
	goes_on
	reload
	end
}

# top_descriptor: the highest number that it has in use.
top_descriptor() { find "/proc/$MASTER/fd" -mindepth 1 -printf '%f\n' | sort -n | tail -n 1; }

@test "F87: no descriptor is left: it reloads, or fails and goes on; with descriptors again it works" {
	begin
	hard=$(awk '/open files/ { print $5 }' "/proc/$MASTER/limits")
	soft=$(awk '/open files/ { print $4 }' "/proc/$MASTER/limits")
	for limit in $(($(count_descriptors) + 0)) 12 64 $(($(top_descriptor) + 1)); do
		prlimit --pid "$MASTER" --nofile="$limit:"
		hup
		echo "$limit: $OUTCOME"
		prlimit --pid "$MASTER" --nofile="$soft:"
		[ "$(awk '/open files/ { print $5 }' "/proc/$MASTER/limits")" = "$hard" ]
		goes_on
		is_daytime 7013
		same_as_before
	done
	reload
	same_as_before
	end
}

@test "F87: clients have taken every descriptor: the reload has its reserve" {
	begin
	# Accepting is what fails; the reload needs some of its own.
	limit=$(($(top_descriptor) + 1))
	prlimit --pid "$MASTER" --nofile="$limit:$limit"
	hup
	[[ $OUTCOME == *"reload: kept 2"* ]] || fail "$OUTCOME"
	goes_on
	is_daytime 7013
	master_is_well
	end
}

@test "F87: a reload while accept fails, and while a service is full" {
	configure "$services service full { listen = 'tcp:127.0.0.1:7008' handler = 'echo' instances = 1 }"
	begin
	exec 6<>/dev/tcp/127.0.0.1/7008
	log_has 'all 1 instances'
	later 7008 waiting
	inject accept4 error=EMFILE
	ask 7013 >"$BATS_TEST_TMPDIR/answer" 3>&- 5>&- 6>&- &
	asking=$!
	log_has 'Too many open files'
	reload 'kept 3'
	heal
	wait "$asking"
	[ -s "$BATS_TEST_TMPDIR/answer" ]
	exec 6>&-
	answered
	goes_on
	end
}
