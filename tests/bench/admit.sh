# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# Who may come in, and what happens when too many do: the part "admit" of run.sh, which reads this
# file.  begat beside the bare loop, and beside a begat of another configuration.

# shellcheck disable=SC2154 # what is not set here is set there
refusals=${REFUSALS:-1000000}
floods=${FLOODS:-10}
lull=${LULL:-1.5}
chains=${CHAINS:-60}
prefixes=${PREFIXES:-100000}
many_wanted=${MANY:-10000}
shortage=${SHORTAGE:-10}
checked=1000              # prefixes of the service with all checks
waiting=50                # clients in a shortage
other_port=$((port + 10)) # of the second server of a pair

# One service for everybody, and a door on the next port.
configure_door() { # configure_door NAME PORT KEYS
	{
		begin 1000 "$1."
		echo "service daytime { listen = \"tcp:127.0.0.1:$2\" handler = \"daytime\" }"
		echo "service door { listen = \"tcp:127.0.0.1:$(($2 + 1))\" handler = \"echo\" $3 }"
	} >"$work/$1.conf"
}

# list_prefixes COUNT: 1.0.0.0/24, 1.0.1.0/24, ...  None of them has a loopback address in it.
list_prefixes() {
	awk -v count="$1" 'BEGIN {
		for (i = 0; i < count; i++)
			printf "%s\"%d.%d.%d.0/24\"", i ? ", " : "", 1 + i / 65536,
				i / 256 % 256, i % 256
	}'
}

# Every length that a prefix of 127.0.0.1 can have.
list_nested() {
	awk 'BEGIN {
		for (i = 8; i < 32; i++)
			printf "\"127.0.0.0/%d\", ", i
		print "\"127.0.0.1\""
	}'
}

configure_checks() {
	checks="only-from = { \"127.0.0.0/8\", $(list_prefixes "$checked") }"
	checks="$checks no-access = { \"127.9.0.0/16\", \"192.0.2.0/24\" }"
	checks="$checks access-times = { \"mon-fri 00:00-24:00\", \"sat,sun 00:00-24:00\" }"
	checks="$checks per-source = 900 rate = \"1000000/s\" rate-per-source = \"900000/s\""
	checks="$checks ban = \"10m\" source-prefix = { 24, 64 }"
	{ begin 1000 all. && services 0 1 "handler = \"daytime\" $checks"; } >"$work/all.conf"
	{ begin 1000 none. && services 10 11 "handler = \"daytime\""; } >"$work/none.conf"
}

configure_prefixes() {
	echo "no-access = { $(list_prefixes "$prefixes"), $(list_nested) }" >"$work/prefixes"
	{
		begin 1000 long.
		services 0 1 'handler = "echo" '"$(cat "$work/prefixes")"
	} >"$work/long.conf"
	{
		begin 1000 short.
		services 10 11 'handler = "echo" no-access = { "127.0.0.1" }'
	} >"$work/short.conf"
}

# pair KEY FIRST SECOND MODE OPTIONS...: the first is a configuration; so is the second, or it is bare.
pair() {
	key=$1 first=$2 second=$3 mode=$4
	shift 4
	: >"$work/$first.log"
	set -- "$@" "$port" "$other_port" "$BEGATD" -n -f "$work/$first.conf" --ready-fd 3 --
	if [ "$second" = bare ]; then
		set -- "$@" "$BENCH/bare" refuse 3 "$other_port" 2
	else
		set -- "$@" "$BEGATD" -n -f "$work/$second.conf" --ready-fd 3
	fi
	"$BENCH/pair" "$mode" "$@" >"$work/out"
	sed "s/ first / begat $key./; s/ second / other $key./" "$work/out" >>"$work/results"
}

# was_refused NAME REASON: why, else something else has been measured.
was_refused() {
	grep -q "reason=$2" "$work/$1.log" && return
	echo "run.sh: nobody was refused for the reason \"$2\":" >&2
	tail -n 3 "$work/$1.log" >&2
	exit 1
}

flood() { # flood KEY REASON KEYS OPTIONS...
	key=$1 reason=$2
	progress "$key" 1
	configure_door "$key" "$port" "$3"
	shift 3
	pair "$key" "$key" bare flood -c "$clients" -n "$floods" -s "$lull" \
		-w $((refusals / floods)) "$@"
	was_refused "$key" "$reason"
}

run_floods() {
	flood access access 'no-access = { "127.0.0.2" }'
	flood ban banned 'per-source = 1 ban = "1h"' -o
	flood rate source-rate 'rate-per-source = "1/1h"' -o
	flood source source-full 'per-source = 1' -h
}

# What it takes to read a configuration; the word of begatd that it is right is not wanted.
check_config() { # check_config KEY CONFIGURATION
	start=$(date +%s%N)
	"$BEGATD" -t -f "$work/$2.conf" >"$work/out" 2>&1 || { cat "$work/out" >&2 && exit 1; }
	end=$(date +%s%N)
	echo "$round begat $1 $(((end - start) / 1000))" >>"$work/results"
}

run_chain() {
	configure_checks
	configure_prefixes
	progress chain 1
	pair chain all none rate -c "$clients" -n "$chains" -s 0.5 -e daytime
	pair look long short rate -c "$clients" -n "$chains" -s 0.5
	was_refused long access
	round=1
	while [ "$round" -le "$rounds" ]; do
		check_config load.long long
		check_config load.short short
		round=$((round + 1))
	done
}

# smaller A B
smaller() { if [ "$1" -lt "$2" ]; then echo "$1"; else echo "$2"; fi; }

# How many connections with a worker each there can be: of memory, a quarter of a MiB for each.
find_many() {
	kib=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' /proc/meminfo)
	many_held=$(smaller "$many_wanted" $((kib / 256)))
	many_held=$(smaller "$many_held" $(($(cat /proc/sys/kernel/pid_max) - 4000)))
	# Only dash and bash know it.
	# shellcheck disable=SC3045
	processes=$(ulimit -u 2>/dev/null || ulimit -p 2>/dev/null) || processes=unlimited
	[ "$processes" = unlimited ] || many_held=$(smaller "$many_held" $((processes - 500)))
	if [ "$many_held" -lt "$many_wanted" ]; then
		echo "run.sh: there is no room for $many_wanted connections: $many_held are held" >&2
	fi
}

run_many() {
	find_many
	{
		echo "instances = $((many_held + 2000))"
		begin $((many_held + 2000))
		services 0 1 'handler = "daytime"'
		services 1 2 'handler = "echo"'
	} >"$work/crowd.conf"
	round=1
	while [ "$round" -le "$pauses" ]; do
		progress many "$pauses"
		in_turn crowd crowd 2 crowd crowd "$port" "$many_held" "$time"
		round=$((round + 1))
	done
}

# A cgroup that counts processes; an ordinary user has RLIMIT_NPROC, which does not stop root.
find_cgroup() {
	for folder in /sys/fs/cgroup/pids /sys/fs/cgroup; do
		mkdir "$folder/begat-bench.$$" 2>/dev/null || continue
		cgroup=$folder/begat-bench.$$
		[ ! -w "$cgroup/pids.max" ] || return 0
		rmdir "$cgroup"
		cgroup=
	done
	return 1
}

# shortage KIND CONFIGURATION OPTIONS...
shortage() {
	kind=$1 conf=$2
	shift 2
	progress "$kind" 1
	: >"$work/log"
	"$BENCH/shortage" -c "$waiting" -s "$shortage" "$@" "$kind" "$port" \
		"$BEGATD" -n -f "$work/$conf.conf" --ready-fd 3 >"$work/out"
	sed "s/^/1 begat short-$kind./" "$work/out" >>"$work/results"
}

run_shortages() {
	period=$((shortage + 5))
	configure plain 1 'handler = "echo"'
	configure single 1 'handler = "echo" instances = 1'
	configure slow 1 "handler = \"echo\" rate = \"1/${period}s\""
	cp /bin/cat "$work/works"
	cp /bin/false "$work/program"
	configure program 1 "exec = { \"$work/program\" }"
	shortage nothing plain
	shortage descriptors plain
	if [ "$(id -u)" != 0 ]; then
		shortage processes plain
	elif find_cgroup; then
		shortage processes plain -g "$cgroup"
	else
		echo "run.sh: no cgroup that counts processes: that shortage is left out" >&2
	fi
	shortage full single
	shortage rate slow -p "$period"
	shortage throttled program -x "$work/works" -y "$work/program"
}

run_admit() {
	round=1
	run_floods
	run_chain
	run_many
	round=1
	run_shortages
}
