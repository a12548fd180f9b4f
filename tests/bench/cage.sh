# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# What the cage costs: the part "cage" of run.sh, which reads this file.  One begat has a service for
# each key, so that nothing but the key differs, and the bare loops are beside it.

# shellcheck disable=SC2154 # what is not set here is set there
turns=${TURNS:-30}
turn=${TURN:-0.25}
held_caged=${CAGED:-1000}
bare_port=$((port + 900)) # of the first bare loop

# A control group that is ours, so that begat is given one: sh "$work/enter" PROGRAM...
find_delegated() {
	for folder in /sys/fs/cgroup/unified /sys/fs/cgroup; do
		[ -e "$folder/cgroup.procs" ] || continue
		mkdir "$folder/begat-cage.$$" 2>/dev/null || continue
		delegated=$folder/begat-cage.$$
		break
	done
	{
		[ -z "$delegated" ] || echo "echo \$\$ >$delegated/cgroup.procs"
		echo 'exec "$@"'
	} >"$work/enter"
}

# private-tmp hides what is in /tmp, and with it, as a rule, all that is ours.
find_programs() {
	programs=$work
	shm=$(mktemp -d /dev/shm/begat-bench.XXXXXX 2>/dev/null) || return 0
	chmod 755 "$shm"
	cp "$work/hello" "$shm"
	[ "$("$shm/hello" 2>/dev/null)" != hello ] || programs=$shm
}

leave_cage() {
	rm -rf ${shm:+"$shm"}
	[ -z "$delegated" ] || find "$delegated" -depth -type d -exec rmdir {} +
	shm="" delegated=""
}

list_service() { # list_service NAME SERVER PORT ANSWER
	echo "$*" >>"$work/services"
}

# What cannot be had here is left out.
caged() { # caged NAME ANSWER KEYS...
	name=$1 answer=$2
	shift 2
	echo "service $name { listen = \"tcp:127.0.0.1:$next_port\" $* }" >"$work/service"
	{ begin 1000 cage. && cat "$work/service"; } >"$work/one.conf"
	if sh "$work/enter" "$BEGATD" -t -f "$work/one.conf" >"$work/out" 2>&1; then
		cat "$work/service" >>"$work/cage.conf"
		list_service "$name" 0 "$next_port" "$answer"
		next_port=$((next_port + 1))
	else
		echo "run.sh: $name is left out: $(sed 's/^[^ ]* //;q' "$work/out")" >&2
	fi
}

caged_handler() { # caged_handler NAME KEYS...
	name=$1
	shift
	caged "$name" daytime 'handler = "daytime"' "$@"
}

caged_program() { # caged_program NAME KEYS...
	name=$1
	shift
	caged "$name" hello "exec = { \"$programs/hello\" }" "$@"
}

begin_caged() {
	next_port=$port
	: >"$work/services"
	begin $((held_caged + 1000)) cage. >"$work/cage.conf"
	echo "instances = $((held_caged + 2000))" >>"$work/cage.conf"
}

none='no-new-privileges = false' # without that the kernel lets nobody else into a cage
limits='limits = { "nofile=1024", "core=0", "as=512m", "cpu=60s", "stack=8m" }'
paths='"/etc", "/usr/lib", "/usr/share", "/var/lib", "/proc"'
allow='system-calls = { "@system-service" }'
deny='system-calls = { "~@mount", "~@module", "~@debug", "~@raw-io", "~@reboot", "~@swap", "~@clock" }'

list_handlers() {
	caged_handler daytime
	caged_handler daytime-ruleset 'system-calls = { "@all" }'
	caged_handler daytime-none "$none"
	list_service daytime-bare 1 "$bare_port" daytime
}

list_programs() {
	all="nice = 5 private-network = true private-pids = true"
	all="$all memory-deny-write-execute = true on-master-death = \"die\" capabilities = {}"
	[ "$programs" = "$work" ] || all="$all private-tmp = true"
	all="$all $limits $allow read-only = { $paths } cgroup = true"
	mkdir -p "$programs/root"
	cp "$work/hello" "$programs/root"
	caged_program exec
	caged_program exec-none "$none"
	list_service exec-bare 2 $((bare_port + 1)) hello
	caged_program limits "$limits"
	caged_program nice 'nice = 5'
	caged exec-chroot hello "exec = { \"/hello\" } chroot = \"$programs/root\""
	caged_program capabilities 'capabilities = {}'
	caged_program ambient 'capabilities = { "net_bind_service" }'
	caged_program network 'private-network = true'
	[ "$programs" = "$work" ] || caged_program tmp 'private-tmp = true'
	caged_program pids 'private-pids = true'
	caged_program read-only "read-only = { $paths }"
	caged_program connect 'connect = { 80, 443 }'
	caged_program allow "$allow"
	caged_program deny "$deny"
	caged_program write-execute 'memory-deny-write-execute = true'
	caged_program die 'on-master-death = "die"'
	caged_program cgroup 'cgroup = true'
	caged_program exec-all "$all"
}

list_held() {
	caged echo echo 'handler = "echo"'
	caged echo-ruleset echo 'handler = "echo" system-calls = { "@all" }'
	caged echo-none echo "handler = \"echo\" $none"
	list_service echo-bare 1 "$bare_port" echo
}

# run_turns "MODE OPTIONS" BARE-LOOPS...: all that is listed.
run_turns() {
	mode=$1
	shift
	: >"$work/cage.log"
	# shellcheck disable=SC2086 # the words of it
	"$BENCH/turns" $mode "$work/services" /bin/sh "$work/enter" \
		"$BEGATD" -n -f "$work/cage.conf" --ready-fd 3 -- "$@" >>"$work/results"
	# An answer may come from a worker whose cage has ended it then.
	if grep 'killed by' "$work/cage.log" >"$work/out"; then
		echo "run.sh: workers were killed:" >&2
		tail -n 3 "$work/out" >&2
		exit 1
	fi
}

run_cage() {
	find_delegated
	find_programs
	begin_caged
	list_handlers
	list_programs
	run_turns "rate -n $turns -s $turn -c $clients" \
		"$BENCH/bare" daytime 3 "$bare_port" 1 -- \
		"$BENCH/bare" spawn 3 $((bare_port + 1)) 1 "$programs/hello"
	begin_caged
	list_held
	run_turns "hold -n $pauses -h $held_caged" "$BENCH/bare" echo 3 "$bare_port" 1
	leave_cage
}
