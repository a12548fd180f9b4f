#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Control groups of version 2, one for each service: workers are born into them, what gets away from its
# session and its process group does not get out of them (fault F102), and begatd makes them only where it was
# given a place.  (xinetd and inetd lose whoever calls daemon(3); systemd does this, at a unit per connection.)

load lib
load fault
load reload

MOUNT=$(awk '$9 == "cgroup2" || / - cgroup2 / { print $5 }' /proc/self/mountinfo | tail -n 1)
ESCAPE='setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo ran'

BEGAT=${BEGAT:-$(dirname "$BEGATD")/begat}

setup() { need_root; }

# group [NAME]: a group of our own, in $GROUP, for the daemon to be started in by enter; removed by teardown.
group() {
	[ -n "$MOUNT" ] || skip "no control groups of version 2 here"
	GROUP=$MOUNT/begat-test-$$-$BATS_TEST_NUMBER${1-}
	mkdir "$GROUP" 2>/dev/null || skip "no control group can be made in $MOUNT"
	enter "$GROUP"
}

# enter GROUP: start and begatd go there.
enter() {
	printf '#!/bin/sh\necho $$ >"%s/cgroup.procs" && exec "$@"\n' "$1" >"$BATS_TEST_TMPDIR/enter"
	chmod 755 "$BATS_TEST_TMPDIR/enter"
	WRAPPER=$BATS_TEST_TMPDIR/enter
}

remove_groups() {
	local each
	for each in $(find "$GROUP" -depth -type d); do
		[ ! -e "$each/cgroup.kill" ] || echo 1 >"$each/cgroup.kill"
		until_true 5 rmdir "$each" 2>/dev/null || :
	done
}
eval "lib_$(declare -f teardown)"
teardown() {
	heal
	lib_teardown
	[ -z "${GROUP-}" ] || remove_groups
}

service() { printf 'service %s { listen = "tcp:127.0.0.1:%s" %s }\n' "$1" "$2" "${*:3}"; }
exec_sh() { printf "exec = { '/bin/sh', '-c', '%s' }" "$1"; }
show='exec = { "/bin/cat", "/proc/self/cgroup" }'
name_of() { sed -n 's/^0:://p' "$@"; }

# instance PATH: eight digits, which a daemon with this pid file has in the names of its groups (FNV-1a in 64
# bits, the upper half on the lower one).
instance() {
	local hash=$((0xcbf29ce484222325)) byte i
	for ((i = 0; i < ${#1}; i++)); do
		printf -v byte %d "'${1:i:1}"
		hash=$(((hash ^ byte) * 0x100000001b3))
	done
	printf %08x $(((hash ^ (hash >> 32 & 0xffffffff)) & 0xffffffff))
}
OURS=begat-$(instance "$PIDFILE")

members() { cat "$GROUP/$OURS-$1/cgroup.procs"; }
has_members() { [ -n "$(members "$1")" ]; }
has_none() { [ ! -d "$GROUP/$OURS-$1" ] || ! has_members "$1"; }
has_controller() { grep -qw "$1" "$GROUP/cgroup.controllers"; }

# refuses CONFIGURATION REGEX: -t, in the group of $WRAPPER.
refuses() {
	configure "$1"
	run ${WRAPPER-} "$BEGATD" -t -f "$CONF"
	[ "$status" = 6 ] || fail "exit status $status: $output"
	[[ $output =~ ^"$CONF":[0-9]+:\ $2 ]] || fail "$output"
}

@test "a worker is born into the group of its service, in each way to be one" {
	group
	configure "$(service plain 7100 "$show" 'cgroup = true')
		$(service banner 7101 "$show" 'banner = "hello" cgroup = true')
		$(service crlf 7102 "$show" 'crlf = true cgroup = true')
		$(service shell 7103 'handler = "shell" options = "command.where=/bin/cat /proc/self/cgroup"' \
			'read-only = "/proc" cgroup = true')
		$(service echo 7007 'handler = "echo" cgroup = true')
		$(service without 7104 "$show")"
	start
	base=${GROUP#"$MOUNT"}
	[ "$(ask 7100 | name_of)" = "$base/$OURS-plain" ]
	[ "$(ask 7101 | name_of)" = "$base/$OURS-banner" ]
	[ "$(ask 7102 | tr -d '\r' | name_of)" = "$base/$OURS-crlf" ]
	[ "$(ask 7103 $'where\n' | tr -d '\r' | sed -n 's/.*0:://p')" = "$base/$OURS-shell" ]
	[ "$(ask 7104 | name_of)" = "$base" ]
	session 7007
	worker=$(pgrep -P "$MASTER")
	[ "$(members echo)" = "$worker" ]
	[ "$(name_of "/proc/$worker/cgroup")" = "$base/$OURS-echo" ]
	# The daemon makes way only where a controller is wanted.
	[ "$(name_of "/proc/$MASTER/cgroup")" = "$base" ]
	exec 5>&-
	master_is_well
	stop
}

@test "F102: what gets away from its worker is counted, and ended with the daemon" {
	group
	configure "$(service caught 7100 "$(exec_sh "$ESCAPE")" 'cgroup = true')
		$(service free 7101 "$(exec_sh "$ESCAPE")")"
	start
	[ "$(ask 7100)" = ran ]
	[ "$(ask 7101)" = ran ]
	until_true 5 no_workers
	log_has 'reaped caught\['
	caught=$(members caught)
	[ "$(cat "/proc/$caught/comm")" = sleep ]
	[ "$(ps -o sid= -p "$caught" | tr -d ' ')" = "$caught" ]
	# It is what it is without a group, or this test could not fail.
	free=$(grep -v "^$MASTER\$" "$GROUP/cgroup.procs")
	[ "$(cat "/proc/$free/comm")" = sleep ]
	stop
	until_true 5 has_none caught || fail "it is still there"
	[ -d "/proc/$free" ] || fail "the other one is gone too"
	kill -KILL "$free"
}

@test "F102: many of them, that fork on, in a service that is busy" {
	group
	configure "$(service bomb 7100 "$(exec_sh 'for i in 1 2 3 4 5; do setsid sh -c "while :; do setsid sleep 0.05; done" >/dev/null 2>&1 </dev/null & done; sleep 1000')" \
		'cgroup = true kill-grace = "1s"') stop-timeout = \"1s\""
	start
	exec 5<>/dev/tcp/127.0.0.1/7100
	until_true 10 has_many bomb 8 || fail "$(members bomb)"
	stop
	exec 5>&-
	until_true 5 has_none bomb || fail "left: $(members bomb)"
}
has_many() { (($(members "$1" | wc -l) >= $2)); }

@test "groups survive a reload with the workers in them; those of removed services go" {
	group
	both="$(service stays 7007 'handler = "echo" cgroup = true')
		$(service goes 7100 "$show" 'cgroup = true')"
	configure "$both"
	start
	session 7007
	worker=$(pgrep -P "$MASTER")
	before=$(stat -c %i "$GROUP/$OURS-stays")
	reload 'kept 2'
	[ "$(stat -c %i "$GROUP/$OURS-stays")" = "$before" ]
	[ "$(members stays)" = "$worker" ]
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-goes" ]
	configure "$(service stays 7007 'handler = "echo" cgroup = true')
		$(service comes 7101 "$show" 'cgroup = true')"
	reload 'kept 1, added 1, changed 0, removed 1'
	until_true 5 test ! -e "$GROUP/$OURS-goes"
	[ "$(ask 7101 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-comes" ]
	goes_on
	# The last ones too; but not while somebody is there.
	configure "$(service stays 7007 'handler = "echo"')"
	reload
	until_true 5 test ! -e "$GROUP/$OURS-comes"
	goes_on
	[ "$(members stays)" = "$worker" ]
	exec 5>&-
	until_true 5 no_workers
	reload
	until_true 5 test ! -e "$GROUP/$OURS-stays"
	master_is_well
	stop
}

@test "P2: a reload that fails changes no group" {
	group
	configure "$(service stays 7100 "$show" 'cgroup = true')
		$(service old 7101 "$show" 'cgroup = true')"
	start
	squat 127.0.0.1 7102
	configure "$(service stays 7100 "$show" 'cgroup = true')
		$(service new 7102 "$show" 'cgroup = true')"
	fails_to_reload
	[ "$(ask 7101 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-old" ]
	master_is_well
	stop
}

@test "start, stop and start again in one group: workers live" {
	group
	configure "$(service plain 7100 "$show" 'cgroup = true')
		$(service leaves 7101 "$(exec_sh "$ESCAPE")" 'cgroup = true')"
	for round in 1 2 3; do
		start
		[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-plain" ] || fail "round $round"
		[ "$(ask 7101)" = ran ] || fail "round $round"
		until_true 5 no_workers
		stop
		# What was ended is gone, and its group too.
		[ ! -e "$GROUP/$OURS-plain" ]
		[ ! -e "$GROUP/$OURS-leaves" ]
	done
	# Where the daemon died before it could do that.
	mkdir "$GROUP/$OURS-plain"
	echo 1 >"$GROUP/$OURS-plain/cgroup.kill"
	start
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-plain" ]
	stop
}

# second CONFIGURATION: another begatd in the same group, with a pid file of its own; $SECOND.
second() {
	local other=$BATS_TEST_TMPDIR/second
	printf 'log = "%s.log"\npidfile = "%s"\n%s\n' "$other" "$other" "$1" >"$other.conf"
	mkfifo "$other.ready"
	$WRAPPER "$BEGATD" -n -f "$other.conf" --ready-fd 9 9>"$other.ready" 3>&- 5>&- 2>"$other.stderr" &
	read -r -t 20 _ <"$other.ready" || fail "$(cat "$other.stderr")"
	rm "$other.ready"
	SECOND=$(cat "$other")
	HELPERS="${HELPERS-} $SECOND"
	OTHERS=begat-$(instance "$other")
}
second_ends() {
	kill "$SECOND"
	until_true 10 is_gone_or_zombie "$SECOND"
}

@test "two daemons in one group leave each other's services alone" {
	group
	configure "$(service same 7007 'handler = "echo" cgroup = true')
		$(service idle 7100 "$show" 'cgroup = true')"
	start
	session 7007
	worker=$(members same)
	second "$(service same 7101 "$show" 'cgroup = true')"
	[ "$(ask 7101 | name_of)" = "${GROUP#"$MOUNT"}/$OTHERS-same" ]
	reload
	goes_on
	[ "$(ask 7101 | name_of)" = "${GROUP#"$MOUNT"}/$OTHERS-same" ]
	second_ends
	[ ! -e "$GROUP/$OTHERS-same" ]
	second "$(service free 7101 "$show")"
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-idle" ]
	goes_on
	[ "$(members same)" = "$worker" ]
	second_ends
	goes_on
	exec 5>&-
	stop
}

@test "a start that fails takes no group from the daemon that runs" {
	group
	configure "$(service idle 7100 "$show" 'cgroup = true')"
	start
	idle=$(stat -c %i "$GROUP/$OURS-idle")
	configure "$(service other 7101 "$show" 'cgroup = true')"
	run $WRAPPER "$BEGATD" -n -f "$CONF"
	[ "$status" = 1 ]
	[[ $output == *"already running"* ]]
	[ "$(stat -c %i "$GROUP/$OURS-idle")" = "$idle" ]
	[ ! -e "$GROUP/$OURS-other" ]
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-idle" ]
	stop
}

@test "a start that gets no group leaves no socket behind; with best-effort it goes on without" {
	group
	echo 0 >"$GROUP/cgroup.max.descendants"
	configure "service plain { listen = { 'tcp:7100', 'unix:$BATS_TEST_TMPDIR/socket' } $show cgroup = true }"
	run_for 10 $WRAPPER "$BEGATD" -t -f "$CONF"
	run run_for 10 $WRAPPER "$BEGATD" -n -f "$CONF"
	[ "$status" = 1 ]
	[[ $output == *"plain: cgroup: $GROUP/$OURS-plain: "* ]] || fail "$output"
	[ ! -e "$BATS_TEST_TMPDIR/socket" ]
	[ ! -e "$PIDFILE" ]
	configure "$(service plain 7100 "$show" 'cgroup = true sandbox = "best-effort"')"
	start
	grep -q "^$CONF:3: warning: cgroup: $GROUP/$OURS-plain: " "$BATS_TEST_TMPDIR/stderr"
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}" ]
	reload
	log_has "$CONF:3: warning: cgroup: "
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}" ]
	# There is room now.
	echo max >"$GROUP/cgroup.max.descendants"
	reload
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-plain" ]
	stop
}

status() { run_for 10 "$BEGAT" --control "$PIDFILE.sock" status; }

@test "a service whose group is gone pauses alone, until a reload makes it again" {
	group
	configure "$(service broken 7100 "$show" 'cgroup = true')
		$(service other 7101 "$show" 'cgroup = true')
		$(service daytime 7013 'handler = "daytime"')"
	start
	rmdir "$GROUP/$OURS-broken"
	[ -z "$(ask 7100)" ]
	log_has 'broken: cannot start a worker: its control group is gone: reload \(.*\); trying again in 1000 ms'
	[ -z "$(ask 7100)" ]
	# It pauses for two seconds.  A pause of all would be over at once: after it this one has its answer.
	later 7100
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		is_daytime 7013
		[ "$(ask 7101 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-other" ]
	done
	kill -0 "$LATER" || fail "it has not paused"
	status | grep -q 'broken .*throttled .*its control group is gone: reload'
	reload
	refute grep throttled < <(status)
	answered
	[ "$(name_of "$BATS_TEST_TMPDIR/later")" = "${GROUP#"$MOUNT"}/$OURS-broken" ]
	log_lacks 'daytime: cannot|other: cannot'
	master_is_well
	stop
}

@test "a service whose group is full pauses alone, and not for long" {
	group
	configure "$(service full 7100 "$show" 'cgroup = true')
		$(service daytime 7013 'handler = "daytime"')"
	start
	inject clone3 'error=EAGAIN:when=1..4'
	[ -z "$(ask 7100)" ]
	log_has 'full: cannot start a worker: its control group is full \(.*\); trying again in 100 ms'
	for _ in 1 2 3; do
		is_daytime 7013
		[ -z "$(ask 7100)" ]
	done
	# 0.8 s are the longest pause.
	later 7100
	is_daytime 7013
	kill -0 "$LATER" || fail "it has not paused"
	answered
	[ "$(name_of "$BATS_TEST_TMPDIR/later")" = "${GROUP#"$MOUNT"}/$OURS-full" ]
	heal
	stop
}

@test "F83: descriptors of groups do not pile up over reloads" {
	group
	configure "$(service one 7100 "$show" 'cgroup = true')"
	start
	reload
	before=$(count_descriptors)
	for _ in 1 2 3 4 5; do reload; done
	[ "$(count_descriptors)" = "$before" ]
	stop
}

@test "without a group of its own: refused, with what to do" {
	[ -n "$MOUNT" ] || skip "no control groups of version 2 here"
	[ ! -e "$MOUNT/cgroup.type" ] || skip "only a branch of the hierarchy can be seen"
	# The hierarchy's root, where a begatd is that nobody has put anywhere.
	enter "$MOUNT"
	if [ -d /run/systemd/system ]; then WRAPPER=; fi
	refuses "$(service plain 7100 "$show" 'cgroup = true')" '.*cgroup.*Delegate=yes.*'
}

@test "in the group of a unit that is not delegated: refused, with what to do" {
	group .service
	refuses "$(service plain 7100 "$show" 'cgroup = true')" '.*cgroup.*Delegate=yes.*'
	setfattr -n trusted.delegate -v 1 "$GROUP" 2>/dev/null ||
		/usr/bin/python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.delegate", b"1")' "$GROUP" ||
		skip "a group cannot be marked here"
	start
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-plain" ]
	stop
}

@test "best-effort: a warning, and the service runs without" {
	[ -n "$MOUNT" ] || skip "no control groups of version 2 here"
	[ ! -e "$MOUNT/cgroup.type" ] || skip "only a branch of the hierarchy can be seen"
	enter "$MOUNT"
	configure "$(service plain 7100 "$show" 'cgroup = true sandbox = "best-effort"')"
	start
	grep -q 'cgroup.*Delegate=yes' "$BATS_TEST_TMPDIR/stderr" "$LOG"
	[ "$(ask 7100 | name_of)" = / ]
	[ ! -e "$MOUNT/$OURS-plain" ]
	stop
}

@test "in a container, the root that can be seen is given" {
	group
	unshare -Cm true 2>/dev/null || skip "no cgroup namespaces here"
	cat >"$BATS_TEST_TMPDIR/contain" <<-EOF
		#!/bin/sh
		echo \$\$ >"$GROUP/cgroup.procs"
		exec unshare -Cm sh -c 'umount "$MOUNT" && mount -t cgroup2 none "$MOUNT" && exec "\$@"' sh "\$@"
	EOF
	chmod 755 "$BATS_TEST_TMPDIR/contain"
	WRAPPER=$BATS_TEST_TMPDIR/contain
	configure "$(service plain 7100 "$show" 'cgroup = true')"
	start
	[ "$(ask 7100 | name_of)" = /$OURS-plain ]
	[ -d "$GROUP/$OURS-plain" ]
	stop
}

# limits CONTROLLER KEY FILE VALUE: the key as it is written, and what the kernel is told.
limits() {
	group
	echo "+$1" >"$GROUP/cgroup.subtree_control" 2>/dev/null && echo "-$1" >"$GROUP/cgroup.subtree_control"
	if ! has_controller "$1"; then
		refuses "$(service limited 7100 "$show" "cgroup = true $2")" ".*\"$1\".*cgroup_no_v1=$1"
		[ ! -e "$GROUP/$OURS-limited" ]
		skip "refused as it should be: there is no controller \"$1\" of version 2 here"
	fi
	configure "$(service limited 7100 "$show" "cgroup = true $2")"
	start
	[ "$(cat "$GROUP/$OURS-limited/$3")" = "$4" ]
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-limited" ]
	[ "$(name_of "/proc/$MASTER/cgroup")" = "${GROUP#"$MOUNT"}/begat-master" ]
	configure "$(service limited 7100 "$show" "cgroup = true")"
	reload
	until_true 5 grep -qx max "$GROUP/$OURS-limited/$3"
	[ "$(ask 7100 | name_of)" = "${GROUP#"$MOUNT"}/$OURS-limited" ]
	stop
}

@test "memory-max is set, and lifted by a reload" {
	limits memory 'memory-max = "64m"' memory.max 67108864
}

@test "tasks-max is set, and lifted by a reload" {
	limits pids 'tasks-max = 20' pids.max 20
}
