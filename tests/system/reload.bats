#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P1, F80: what a reload keeps, adds, changes, removes and adopts.  (xinetd kills live sessions, NetBSD's
# inetd closes and opens its listeners, systemd cannot reload a socket unit.)

load lib
load fault
load reload

daytime='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'
echo='service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'
at() { printf 'service %s { listen = "tcp:127.0.0.1:%s" %s }\n' "$1" "$2" "${3-handler = \"daytime\"}"; }

# What it keeps.

@test "nothing has changed: the same process, sockets, files and session, and a line that says so" {
	configure "$daytime $echo"
	start
	session 7007
	remember
	before=$(stat -c %i "$BATS_TEST_TMPDIR/pid"; cut -d' ' -f22 "/proc/$MASTER/stat")
	reload 'kept 2, added 0, changed 0, removed 0, generation 2'
	same_as_before
	[ "$(stat -c %i "$BATS_TEST_TMPDIR/pid"; cut -d' ' -f22 "/proc/$MASTER/stat")" = "$before" ]
	goes_on
	is_daytime 7013
	reload 'generation 3'
	master_is_well
	exec 5>&-
	stop
}

@test "F80: services renamed and reordered keep their sockets, and go by their new names" {
	configure "$(at one 7001) $(at two 7002) $(at three 7003)"
	start
	before=$(sockets)
	configure "$(at three 7003) $(at uno 7001) $(at two 7002)"
	reload 'kept 2, added 1, changed 0, removed 1'
	[ "$(sockets)" = "$before" ]
	is_daytime 7001
	is_daytime 7003
	log_has 'begat uno\['
	log_has 'begat three\['
	stop
}

@test "F80: addresses that services exchange keep their sockets, and lead to the other service" {
	configure "$(at one 7001) $(at two 7002 'handler = "echo"')"
	start
	before=$(sockets)
	configure "$(at one 7002) $(at two 7001 'handler = "echo"')"
	reload 'kept 0, added 0, changed 2, removed 0'
	[ "$(sockets)" = "$before" ]
	[ "$(ask 7001 hello)" = hello ]
	is_daytime 7002
	stop
}

@test "F80: whatever other key is changed, the listener keeps its socket" {
	configure "$(at s 7001)"
	start
	before=$(sockets)
	while read -r setting; do
		configure "$(at s 7001 "$setting")"
		reload 'kept 0, added 0, changed 1, removed 0'
		[ "$(sockets)" = "$before" ] || fail "$setting"
	done <<-'END'
		handler = "echo"
		exec = "/bin/cat"
		exec = { "/bin/cat", "-u" }
		exec = "/bin/cat" arg0 = "meow"
		exec = "/bin/cat" crlf = true
		exec = "/bin/cat" stderr = "client"
		exec = "/bin/cat" env = { "A=b" }
		exec = "/bin/cat" directory = "/tmp"
		exec = "/bin/cat" no-new-privileges = false
		handler = "shell" banner = "hello" umask = "0077"
		handler = "shell" options = "prompt=? " instances = 7
		handler = "echo" idle-timeout = 9s first-byte-timeout = 9s
		handler = "echo" max-time = 9s kill-grace = 9s
		handler = "echo" backlog = 9
	END
	[ "$(ask 7001 hello)" = hello ]
	stop
}

@test "F80: dual, IPv6, ranges, ports of the kernel's choice, Unix and abstract sockets are kept" {
	sock=$BATS_TEST_TMPDIR/sock
	configure "service s { listen = { 'tcp:7020', 'tcp6:7021', 'tcp:7022-7024', 'tcp:[::1]:7025',
		'tcp:127.0.0.1:0', 'unix:$sock', 'unix:@begat-reload' } handler = 'echo' }"
	start
	[ "$(sockets | wc -l)" = 10 ] # and the control socket
	remember
	file=$(stat -c '%i %a %u' "$sock")
	reload 'kept 1, added 0, changed 0, removed 0'
	same_as_before
	[ "$(stat -c '%i %a %u' "$sock")" = "$file" ]
	[ "$(printf hello | run_for 5 nc -NU "$sock")" = hello ]
	[ "$(printf hello | run_for 5 nc -N ::1 7025)" = hello ]
	[ "$(ask 7024 hello)" = hello ]
	[ "$(ask "$(sockets | sed -n 's/^127.0.0.1:\([0-9]*\) .*/\1/p')" hello)" = hello ]
	stop
	[ ! -e "$sock" ]
}

@test "F80: two services with a port of the kernel's choice keep each its own" {
	first=$(at first 0) second=$(at second 0 'handler = "echo"')
	configure "$first $second"
	start
	port=$(sed -n 's/.*listening second on tcp:127.0.0.1://p' "$LOG")
	before=$(sockets)
	reload
	[ "$(sockets)" = "$before" ]
	[ "$(ask "$port" hello)" = hello ]
	stop
}

@test "F80: ... in another order, too, and when one of them is removed" {
	first=$(at first 0) second=$(at second 0 'handler = "echo"')
	configure "$first $second"
	start
	port=$(sed -n 's/.*listening second on tcp:127.0.0.1://p' "$LOG")
	for services in "$second $first" "$first $second" "$second"; do
		configure "$services"
		reload
		[ "$(ask "$port" hello)" = hello ] || fail "$services"
	done
	stop
}

@test "F80: a changed backlog is that of the kept socket" {
	has_backlog() { [ "$(ss -Hltn 'sport = :7001' | awk '{ print $3 }')" = "$1" ]; }
	configure "$(at s 7001 'handler = "daytime" backlog = 11')"
	start
	before=$(sockets)
	has_backlog 11
	for backlog in 22 7; do
		configure "$(at s 7001 "handler = 'daytime' backlog = $backlog")"
		reload 'changed 1'
		has_backlog "$backlog"
		[ "$(sockets)" = "$before" ]
	done
	stop
}

@test "F80: a changed mode is that of the kept socket's file" {
	sock=$BATS_TEST_TMPDIR/sock
	unix() { configure "service s { listen = 'unix:$sock' handler = 'daytime' $1 }"; }
	unix ""
	start
	remember
	file=$(stat -c %i "$sock")
	unix 'socket-mode = 0660'
	reload 'changed 1'
	[ "$(stat -c '%i %a' "$sock")" = "$file 660" ]
	if is_root; then
		unix 'socket-mode = 0640 socket-user = "daemon" socket-group = "sys"'
		reload 'changed 1'
		[ "$(stat -c '%i %a %U %G' "$sock")" = "$file 640 daemon sys" ]
		# Who is taken out of the configuration can connect no longer.
		unix 'socket-mode = 0640'
		reload 'changed 1'
		[ "$(stat -c '%i %a %U %G' "$sock")" = "$file 640 root root" ]
	fi
	same_as_before
	stop
}

@test "a Unix socket's file that somebody has removed is made anew" {
	sock=$BATS_TEST_TMPDIR/sock
	configure "service s { listen = 'unix:$sock' handler = 'echo' }"
	start
	rm "$sock"
	reload
	[ "$(printf hello | run_for 5 nc -NU "$sock")" = hello ]
	[ "$(sockets | wc -l)" = 2 ] # and the control socket
	stop
	[ ! -e "$sock" ]
}

# What it adds and removes.

@test "F80: an added address is served, a removed one refuses and its file is gone" {
	sock=$BATS_TEST_TMPDIR/sock
	configure "$echo $(at old 7001) service unix { listen = 'unix:$sock' handler = 'daytime' }"
	start
	kept=$(socket_of 127.0.0.1:7007)
	configure "$echo $(at new 7002)"
	reload 'kept 1, added 1, changed 0, removed 2'
	is_daytime 7002
	is_refused 7001
	[ ! -e "$sock" ]
	[ "$(socket_of 127.0.0.1:7007)" = "$kept" ]
	[ "$(sockets | wc -l)" = 3 ] # and the control socket
	# And back.
	configure "$echo $(at old 7001) service unix { listen = 'unix:$sock' handler = 'daytime' }"
	reload 'kept 1, added 2, changed 0, removed 1'
	is_daytime 7001
	is_refused 7002
	[ -S "$sock" ]
	stop
	[ ! -e "$sock" ]
}

@test "a service that is disabled is gone, enabled again it is back" {
	configure "$daytime $echo"
	start
	configure "${daytime/handler/disable = true handler} $echo"
	reload 'kept 1, added 0, changed 0, removed 1'
	is_refused 7013
	configure "$daytime $echo"
	reload 'kept 1, added 1, changed 0, removed 0'
	is_daytime 7013
	stop
}

@test "the removed socket's file is left alone when it is somebody else's by now" {
	sock=$BATS_TEST_TMPDIR/sock
	configure "$daytime service s { listen = 'unix:$sock' handler = 'echo' }"
	start
	rm "$sock"
	echo precious >"$sock"
	configure "$daytime"
	reload 'removed 1'
	[ "$(cat "$sock")" = precious ]
	stop
}

@test "log and log-level are those of the new configuration" {
	configure "$daytime"
	start
	sed -i "s,^log = .*,log = '$LOG.new' log-level = 'notice'," "$CONF"
	kill -HUP "$MASTER"
	until_true 10 grep -sq 'reload: kept 1' "$LOG.new"
	is_daytime 7013
	until_true 5 no_workers
	refute grep -q 'begat daytime' "$LOG.new"
	stop
}

@test "at level debug the log has what has changed" {
	configure "$echo $(at old 7001)"
	start -d
	configure "${echo/handler/instances = 7 handler} $(at new 7002)"
	reload
	log_has '~ service "echo": instances = 7'
	log_has '\+ service "new" on tcp:127.0.0.1:7002'
	log_has '- service "old" on tcp:127.0.0.1:7001'
	stop
}

# Clients.

@test "P1: a live session goes on over reloads, also when its service is changed or removed" {
	configure "$daytime $(at shell 7023 'handler = "shell"')"
	start
	exec 5<>/dev/tcp/127.0.0.1/7023
	speaks() {
		echo nonsense >&5
		while read -r -t 5 line <&5; do
			[[ $line != *nonsense* ]] || return 0
		done
		fail "the shell is dead"
	}
	speaks
	for services in "$daytime $(at shell 7023 'handler = "shell"')" \
		"$daytime $(at shell 7023 'handler = "echo"')" "$daytime" "$echo"; do
		configure "$services"
		reload
		speaks
	done
	exec 5>&-
	log_has 'reaped shell\[[0-9]+\] peer=127.0.0.1:[0-9]+ result=ok'
	until_true 5 no_workers
	stop
}

@test "P1: clients that wait in the queue are all answered" {
	configure "$(at s 7008 'handler = "echo" backlog = 100')"
	start
	kill -STOP "$MASTER"
	for i in {1..20}; do
		ask 7008 "client $i" >"$BATS_TEST_TMPDIR/client$i" 3>&- &
		clients[i]=$!
	done
	queued() { [ "$(ss -Hltn 'sport = :7008' | awk '{ print $2 }')" = 20 ]; }
	until_true 10 queued
	configure "$daytime $(at renamed 7008 'handler = "echo" backlog = 50')"
	kill -HUP "$MASTER"
	kill -CONT "$MASTER"
	for i in {1..20}; do
		wait "${clients[i]}"
		[ "$(cat "$BATS_TEST_TMPDIR/client$i")" = "client $i" ]
	done
	log_has 'reload: kept'
	stop
}

# transfer PORT: 20 MiB through a service that echoes, the second half after transfer_rest.
transfer() {
	mkfifo "$BATS_TEST_TMPDIR/rest"
	head -c 20M /dev/urandom >"$BATS_TEST_TMPDIR/sent"
	(
		head -c 10M "$BATS_TEST_TMPDIR/sent"
		read -r _ <"$BATS_TEST_TMPDIR/rest"
		tail -c 10M "$BATS_TEST_TMPDIR/sent"
	) 3>&- 5>&- | run_for 30 nc -N 127.0.0.1 "$1" >"$BATS_TEST_TMPDIR/got" 3>&- 5>&- &
	TRANSFER=$!
	until_true 10 test -s "$BATS_TEST_TMPDIR/got"
}
transfer_rest() {
	echo go >"$BATS_TEST_TMPDIR/rest"
	wait "$TRANSFER"
	cmp "$BATS_TEST_TMPDIR/sent" "$BATS_TEST_TMPDIR/got"
}

@test "P1: a transfer of 20 MiB is whole" {
	configure "$daytime $(at cat 7008 'exec = "/bin/cat"')"
	start
	transfer 7008
	reload
	configure "$daytime"
	reload 'removed 1'
	transfer_rest
	log_has 'reaped cat.* result=ok'
	stop
}

# Workers.

@test "an adopted worker counts in instances, and whoever waits for its place gets it" {
	configure "${echo/handler/instances = 1 handler}"
	start
	session 7007
	reload
	later 7007 second
	few_wakeups 5 0.3
	log_times 1 'begat echo'
	goes_on
	exec 5>&-
	answered
	log_times 2 'reaped echo.* result=ok'
	stop
}

@test "more instances: who waits is served; fewer: nobody is ended, and the next one waits" {
	configure "${echo/handler/instances = 1 handler}"
	start
	session 7007
	later 7007 second
	log_has 'all 1 instances are busy'
	configure "$echo"
	reload 'changed 1'
	answered
	exec 6<>/dev/tcp/127.0.0.1/7007
	log_times 3 'begat echo'
	configure "${echo/handler/instances = 1 handler}"
	reload 'changed 1'
	goes_on
	later 7007 third
	exec 6>&-
	log_times 2 'reaped echo'
	log_times 3 'begat echo'
	exec 5>&-
	answered
	stop
}

@test "instances of all services together are lowered and raised while workers are there" {
	configure "instances = 9 $echo"
	start
	background python3 "$CLIENT" hold 7007 5
	log_times 5 'begat echo'
	session 7007
	for instances in 2 1000000 1; do
		configure "instances = $instances $echo"
		reload
		goes_on
	done
	later 7007 waits
	kill "$BACKGROUND"
	log_times 5 'reaped echo'
	log_times 6 'begat echo'
	exec 5>&-
	answered
	log_times 7 'reaped echo.* result=ok'
	stop
}

@test "max-time goes on from the start of the worker, as it was then" {
	slow() { configure "$(at slow 7008 "max-time = $1 exec = $(program 'echo begun; sleep 1000')")"; }
	slow 1s
	start
	exec 5<>/dev/tcp/127.0.0.1/7008
	read -r -t 5 _ <&5
	for time in 1h 2h 3h; do
		slow "$time"
		reload
	done
	log_has 'reaped slow.* result=timed-out why="timed out: max-time" duration=1\.[0-4]'
	exec 5>&-
	stop
}

@test "SIGKILL comes when kill-grace is over, though SIGTERM was sent before the reload" {
	configure "$(at stubborn 7008 "max-time = 200ms kill-grace = 800ms exec = $(program \
		'trap "echo asked >&2" TERM; while :; do sleep 1000 & wait; done')")"
	start
	exec 5<>/dev/tcp/127.0.0.1/7008
	log_has 'stderr: asked'
	reload
	log_lacks 'killed'
	configure "$daytime"
	reload 'removed 1'
	log_has 'stubborn.* did not end after SIGTERM; killed'
	log_has 'reaped stubborn.* result=timed-out why="timed out: max-time" duration=1\.[0-4]'
	exec 5>&-
	stop
}

@test "the line of an adopted worker's end has its service, its peer and its whole duration" {
	configure "$echo"
	start
	session 7007
	who=$(sed -n 's/.*begat \(echo.* peer=.*\)/\1/p' "$LOG")
	reload
	sleep 0.3 # the preflight is over by then
	few_wakeups 0 0.3 # P4
	configure "$daytime"
	reload
	exec 5>&-
	log_has "reaped ${who//[[]/\\[} result=ok duration=(0\.[6-9]|[1-9]\.)"
	stop
}

@test "what adopted programs complain of is logged, under the name of their service" {
	configure "$(at noisy 7008 "exec = $(program 'while read -r word; do echo "heard $word" >&2; done')")"
	start
	exec 5<>/dev/tcp/127.0.0.1/7008
	echo one >&5
	log_has 'noisy.* stderr: heard one'
	reload
	echo two >&5
	log_has 'noisy.* stderr: heard two'
	configure "$daytime"
	reload
	echo three >&5
	log_has 'noisy.* stderr: heard three'
	exec 5>&-
	log_has 'reaped noisy.* result='
	# Nothing of the removed service is left then.
	has_no_pipes() { [ -z "$(find "/proc/$MASTER/fd" -lname 'pipe:*')" ]; }
	until_true 5 has_no_pipes
	stop
}

@test "workers that die while the master is in its exec are reaped, once" {
	configure "$daytime $echo $(at cat 7008 'exec = "/bin/cat"')"
	start
	session 7007
	exec 6<>/dev/tcp/127.0.0.1/7008
	log_has 'begat cat'
	hold_exec
	kill -KILL "$(pgrep -P "$MASTER" -x cat)"
	exec 5>&-
	go_exec
	log_times 1 'reaped cat.* result=signalled signal=KILL'
	log_times 1 'reaped echo.* result=ok'
	until_true 5 no_workers
	exec 6>&-
	stop
}

@test "P10: a stop after reloads drains adopted workers, those of removed services too" {
	configure "stop-timeout = 300ms $echo $(at cat 7008 'exec = "/bin/cat"')"
	start
	session 7007
	exec 6<>/dev/tcp/127.0.0.1/7008
	log_has 'begat cat'
	configure "stop-timeout = 300ms $echo"
	reload 'removed 1'
	kill -TERM "$MASTER"
	log_has 'stopping; 2 workers'
	goes_on
	log_has 'reaped cat.* signal=TERM'
	log_has 'reaped echo.* signal=TERM'
	until_true 5 is_gone_or_zombie "$MASTER"
	wait "$MASTER"
	MASTER=
	log_has 'stopped$'
	exec 5>&- 6>&-
}

# throttle: until the service pauses; its program can be seen by the preflight, but not be run.
throttle() {
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR"
	printf '#!/nowhere\n' >"$BATS_TEST_TMPDIR/program"
	chmod 755 "$BATS_TEST_TMPDIR/program"
	for i in 1 2 3 4 5 6; do
		[ -z "$(ask 7008)" ]
		log_times "$i" 'reaped broken'
	done
	log_has 'broken: throttled for 2 s: 6 workers in a row'
}
broken() { at broken 7008 "exec = '$BATS_TEST_TMPDIR/program' ${1-}"; }

@test "P5: the throttle goes on over a reload, and a change of the service lifts it" {
	cp /bin/false "$BATS_TEST_TMPDIR/program"
	configure "$daytime $(broken)"
	start
	throttle
	reload 'kept 2'
	later 7008
	few_wakeups 5 0.3
	log_times 6 'reaped broken'
	wait "$LATER" || :
	log_has 'broken: throttled for 4 s: 7 workers in a row'
	cp /bin/cat "$BATS_TEST_TMPDIR/program.new"
	mv "$BATS_TEST_TMPDIR/program.new" "$BATS_TEST_TMPDIR/program"
	configure "$daytime $(broken 'instances = 7')"
	reload 'kept 1, added 0, changed 1, removed 0'
	[ "$(echo fine | run_for 2 nc -N 127.0.0.1 7008)" = fine ] || fail "still throttled"
	stop
}

# The daemon.

@test "F85, P3: after 100 reloads nothing is more, less, or another than before" {
	! is_sanitized || times=20
	configure "$daytime $echo"
	start
	session 7007
	reload
	what_it_is() {
		cat "/proc/$MASTER/limits" "/proc/$MASTER/cgroup"
		grep -E '^(PPid|Tgid|NSpid|Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:|Umask)' "/proc/$MASTER/status"
		sed 's/.*) //' "/proc/$MASTER/stat" | cut -d' ' -f2-7,18,20
		readlink "/proc/$MASTER/cwd"
		ps -o args= -p "$MASTER"
	}
	# Their places are random, and neighbours may become one.
	mappings() { wc -l <"/proc/$MASTER/maps"; }
	most=$(($(mappings) + 8))
	remember
	before=$(what_it_is)
	for ((i = 3; i < ${times:-100}; i++)); do
		reload "generation $i"
	done
	same_as_before
	[ "$(what_it_is)" = "$before" ] || fail "$(diff <(echo "$before") <(what_it_is))"
	[ "$(mappings)" -le "$most" ]
	goes_on
	master_is_well
	run run_for 5 "$BEGATD" -n -f "$CONF" 3>&-
	[[ $status = 1 && $output == *"already running, pid $MASTER"* ]]
	exec 5>&-
	stop
}

@test "workers after a reload: the same environment, descriptors and signals" {
	configure "$(at env 7001 'exec = "/usr/bin/env"')
		$(at status 7002 'exec = { "/bin/grep", "-E", "^(Sig[BIC]|Uid|Gid|Groups|Cap)", "/proc/self/status" }')
		$(at files 7003 'exec = { "/bin/sh", "-c", "umask; pwd; ulimit -n; ls /proc/self/fd" }')"
	start
	workers() { ask 7001 | grep -v PORT && ask 7002 && ask 7003; }
	before=$(workers)
	reload
	[ "$(workers)" = "$before" ] || fail "$(workers)"
	ask 7001 | refute grep BEGAT_RELOAD
	stop
}

@test "everything but 0 to 2 is close-on-exec after a reload" {
	configure "$daytime $echo"
	start
	session 7007
	configure "$daytime"
	reload
	for info in "/proc/$MASTER"/fdinfo/*; do
		((${info##*/} < 3)) || (((0$(sed -n 's/^flags:[ \t]*//p' "$info") & 02000000) != 0)) ||
			fail "descriptor ${info##*/} is not close-on-exec"
	done
	exec 5>&-
	stop
}

@test "detached, it reloads all the same" {
	configure "$daytime $echo"
	"$BEGATD" -f "$CONF" 3>&-
	MASTER=$(cat "$BATS_TEST_TMPDIR/pid")
	session 7007
	remember
	reload
	same_as_before
	goes_on
	exec 5>&-
	stop
}

@test "F86: 1,000 listeners are kept, or added and removed" {
	(($(ulimit -Hn) > 4000)) || skip "too few descriptors"
	configure "$(at s 8000-8999)"
	start
	remember
	reload 'kept 1'
	same_as_before
	configure "$(at s 8500-9499)"
	reload 'changed 1'
	[ "$(sockets | wc -l)" = 1001 ] # and the control socket
	is_daytime 8999
	is_daytime 9499
	is_refused 8499
	stop
}

@test "a change of pidfile is warned of, and the lock is kept" {
	configure "$daytime"
	start
	sed -i "s,^pidfile = .*,pidfile = '$BATS_TEST_TMPDIR/pid2'," "$CONF"
	reload
	log_has 'pidfile'
	[ ! -e "$BATS_TEST_TMPDIR/pid2" ]
	[ "$(locks)" = "$MASTER" ]
	stop
}

@test "F90: RELOADING with the time, then READY, also when the reload has failed" {
	need socat
	configure "$daytime"
	socat -u "UNIX-RECV:$BATS_TEST_TMPDIR/notify" "CREATE:$BATS_TEST_TMPDIR/received" 3>&- &
	HELPERS=$!
	until_true 5 test -S "$BATS_TEST_TMPDIR/notify"
	NOTIFY_SOCKET=$BATS_TEST_TMPDIR/notify start
	received() { [[ $(tr '\n' ' ' <"$BATS_TEST_TMPDIR/received") =~ $1 ]]; }
	ready='READY=1 STATUS=1 services, generation'
	once='RELOADING=1 MONOTONIC_USEC=[0-9]+'
	reload
	until_true 5 received "^$ready 1$once$ready 2$"
	echo garbage >"$CONF"
	fails_to_reload
	until_true 5 received "^$ready 1$once$ready 2${once}READY=1 STATUS=reload failed: .*begat.conf:2: "
	stop
}

# What all of this is for.

@test "a session, a queue, a transfer, a throttle; another version and another configuration; HUP" {
	own_programs
	cp /bin/false "$BATS_TEST_TMPDIR/program"
	services="$(at shell 7007 'handler = "echo"') $(at cat 7009 'exec = "/bin/cat"')
		$(at queue 7010 'handler = "echo"') $(broken)"
	configure "$services"
	start
	session 7007
	transfer 7009
	throttle
	before=$(sockets)
	kill -STOP "$MASTER"
	later 7010 queued
	until_true 5 eval "ss -Hltn 'sport = :7010' | grep -Eq 'LISTEN +1 '"
	upgrade begatd begat-master
	configure "$services $daytime"
	kill -HUP "$MASTER"
	kill -CONT "$MASTER"
	log_has 'reload: kept 4, added 1, changed 0, removed 0, generation 2' 20
	goes_on
	answered
	transfer_rest
	is_daytime 7013
	[ "$(sockets | grep -v 7013)" = "$before" ]
	is_upgraded
	log_has "begat $OTHER"
	[ -z "$(ask 7008)" ]
	log_has 'broken: throttled for 4 s: 7 workers in a row'
	exec 5>&-
	stop
}
