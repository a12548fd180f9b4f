#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The benchmarks: begat beside the bare loops, in turn within each round, begat with and without
# reloads, clients that are too many, what the cage costs, standing workers and redirects.  Prints
# Markdown tables.  README.md says what the rows mean.
#
#     --only bare|reload|admit|cage|standing  no more than these
#     --quick       only to see whether it works
#     --write FILE  into FILE as well, between "<!-- bare -->" and "<!-- /bare -->", or the others
#
#     ROUNDS=n   rounds, 5 by default        TIME=s   seconds of each rate, 1.5 by default
#     CLIENTS=n  connections at a time, 16   HELD=n   connections held, 200
#
#     RELOADS=n  under load, 1000            PAUSE=s  seconds with and without reloads, 4 by default
#     CROWD=n    programs running, 5000      PAUSES=n rounds of these, 3
#
#     REFUSALS=n of each kind, 1000000       FLOODS=n     rounds that they are divided into, 10
#     CHAINS=n   rounds of all checks, 60    PREFIXES=n   in one list, 100000
#     MANY=n     connections held, 10000     SHORTAGE=s   seconds of each, 10
#     LULL=s     without a flood, and with a slow one, before each round of a fast one, 1.5
#
#     TURNS=n    of each key of the cage, and of each standing worker and redirect, 30
#     TURN=s     seconds of each, 0.25       CAGED=n      connections held, 1000
#
# make sets BEGATD, BEGAT_MASTER and BENCH, the folder of the built helpers.

set -eu
export LC_ALL=C
: "${BEGATD:?is not set; use \"make bench\"}" "${BEGAT_MASTER:?is not set}" "${BENCH:?is not set}"
many=1000
port=20000 # and the next $many; below the range from which clients get theirs

# A network namespace of our own, where there is one to be had: all ports are free, and nobody else's
# traffic is seen.
if [ "${1:-}" != --inside ]; then
	if [ "$(id -u)" = 0 ]; then
		# shellcheck disable=SC2016 # the inner shell's
		unshare -n true 2>/dev/null &&
			exec unshare -n sh -c 'ip link set lo up && exec sh "$0" --inside "$@"' "$0" "$@"
	elif unshare -Un --map-current-user --keep-caps ip link set lo up 2>/dev/null; then
		# shellcheck disable=SC2016 # the inner shell's
		exec unshare -Un --map-current-user --keep-caps sh -c 'ip link set lo up &&
			exec setpriv --inh-caps=-all --ambient-caps=-all sh "$0" --inside "$@"' "$0" "$@"
	fi
	echo "run.sh: no network namespace: using ports $port to $((port + many)) of this host" >&2
else
	shift
fi

here=$(dirname "$0")
parts='bare reload admit cage standing'
write=
while [ $# -gt 0 ]; do
	case $1 in
	--only) parts=$2 && shift ;;
	--write) write=$2 && shift ;;
	--quick)
		: "${ROUNDS:=1}" "${TIME:=0.2}" "${RELOADS:=20}" "${PAUSE:=2}" "${PAUSES:=1}"
		: "${CROWD:=500}" "${REFUSALS:=20000}" "${FLOODS:=2}" "${CHAINS:=4}"
		: "${PREFIXES:=1000}" "${MANY:=500}" "${SHORTAGE:=2}" "${LULL:=0.2}"
		: "${TURNS:=2}" "${TURN:=0.1}" "${CAGED:=100}"
		;;
	*) sed -n '4,27s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
	esac
	shift
done
rounds=${ROUNDS:-5}
time=${TIME:-1.5}
clients=${CLIENTS:-16}
held=${HELD:-200}
reloads=${RELOADS:-1000}
pause=${PAUSE:-4}
pauses=${PAUSES:-3}
crowd=${CROWD:-5000}
interval=200 # ms from one reload to the next
looping=4
burst=50

work=$(mktemp -d)
cgroup=
shm="" delegated="" # cage.sh
trap 'rm -rf "$work"; [ -z "$cgroup" ] || rmdir "$cgroup"; leave_cage' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work" # workers are somebody else
cp "$BENCH/hello" "$work"

# begin INSTANCES [NAME]: the head of a configuration; with a name it is not the only one that runs.
begin() {
	echo "log = \"$work/${2:-}log\""
	echo "pidfile = \"$work/${2:-}pid\""
	[ "$(id -u)" != 0 ] || echo 'user = "nobody"'
	echo "defaults { instances = $1 }"
}
services() { # services FIRST COUNT KEYS
	i=$1
	while [ "$i" -lt "$2" ]; do
		echo "service s$i { listen = \"tcp:127.0.0.1:$((port + i))\" $3 }"
		i=$((i + 1))
	done
}
configure() { # configure NAME COUNT KEYS
	{ begin 1000 && services 0 "$2" "$3"; } >"$work/$1.conf"
}

# Each of these prints "NAME VALUE" lines: begat CONFIGURATION and bare ARGUMENTS are what measure
# runs.
measure() { # measure WHO KEY MODE ARGUMENTS...
	who=$1 key=$2
	shift 2
	"$BENCH/measure" "$@" >"$work/out"
	sed "s/^/$round $who $key./" "$work/out" >>"$work/results"
	: >"$work/log"
}
begat() { # begat CONFIGURATION KEY MODE ARGUMENTS...
	conf=$1
	shift
	measure begat "$@" "$BEGATD" -n -f "$work/$conf.conf" --ready-fd 3
}
bare() { # bare WHAT LISTENERS KEY MODE ARGUMENTS...
	what=$1 listeners=$2
	shift 2
	if [ "$what" = spawn ]; then
		measure bare "$@" "$BENCH/bare" spawn 3 "$port" "$listeners" "$work/hello"
	else
		measure bare "$@" "$BENCH/bare" "$what" 3 "$port" "$listeners"
	fi
}

# Who goes first changes with the round.
in_turn() { # in_turn CONFIGURATION WHAT LISTENERS KEY MODE ARGUMENTS...
	conf=$1 what=$2 listeners=$3
	shift 3
	if [ $((round % 2)) = 1 ]; then
		begat "$conf" "$@"
		bare "$what" "$listeners" "$@"
	else
		bare "$what" "$listeners" "$@"
		begat "$conf" "$@"
	fi
}

# A service to be asked, one for those that are held, and others.
configure_reload() { # configure_reload NAME COUNT HANDLER
	{
		begin $((crowd + 1000))
		services 0 1 'handler = "echo"'
		services 1 2 'exec = { "/bin/cat" }'
		services 2 "$2" "handler = \"$3\""
	} >"$work/$1.conf"
}

# reload KEY FIRST SECOND THIRD OPTIONS...: from the first configuration to the others by turns.
reload() {
	key=$1 second=$3 third=$4
	rm -f "$work/live.conf" # is another name of one of them
	cp "$work/$2.conf" "$work/live.conf"
	shift 4
	: >"$work/log"
	"$BENCH/reload" "$@" -a "$work/live.conf" -x "$work/$second.conf" -y "$work/$third.conf" \
		"$port" "$work/log" "$BEGATD" -n -f "$work/live.conf" --ready-fd 3 >"$work/out"
	sed "s/^/$round begat $key./" "$work/out" >>"$work/results"
}

progress() { [ ! -t 2 ] || printf '%s: round %d of %d\r' "$1" "$round" "$2" >&2; }

run_bare() {
	configure daytime 1 'handler = "daytime"'
	configure echo 1 'handler = "echo"'
	configure exec 1 "exec = { \"$work/hello\" }"
	configure many "$many" 'handler = "daytime"'
	round=1
	while [ "$round" -le "$rounds" ]; do
		progress bare "$rounds"
		in_turn daytime daytime 1 handler rate "$port" "$clients" "$time" daytime
		in_turn exec spawn 1 exec rate "$port" "$clients" "$time" "hello
"
		in_turn echo echo 1 echo hold "$port" "$held"
		in_turn daytime daytime 1 one idle
		in_turn many daytime "$many" many idle
		round=$((round + 1))
	done
}

run_reload() {
	configure_reload ten 10 daytime
	configure_reload changed 10 time
	configure_reload many "$many" daytime
	{ cat "$work/ten.conf" && echo 'service echo { listen = "tcp:nowhere" }'; } >"$work/broken.conf"
	count=$((pause * 1000 / interval))
	round=1
	progress storm 1
	reload storm ten changed ten -c "$looping" -b "$burst" -n "$reloads" -m
	while [ "$round" -le "$pauses" ]; do
		progress reload "$pauses"
		set -- -p 1 -s "$pause" -i "$interval" -n "$count"
		reload ten ten ten ten "$@"
		reload many many many many -h "$crowd" "$@"
		reload broken ten broken broken -f "$@"
		round=$((round + 1))
	done
}

# shellcheck source=tests/bench/admit.sh
. "$here/admit.sh"
# shellcheck source=tests/bench/cage.sh
. "$here/cage.sh"
# shellcheck source=tests/bench/standing.sh
. "$here/standing.sh"

table_bare() {
	echo "medians of $rounds rounds, $time s and $clients clients."
	echo
	awk -v held="$held" -v many="$many" -f "$here/median.awk" -f "$here/table.awk" "$work/results"
}

table_reload() {
	echo "medians of $pauses rounds of $pause s."
	echo
	awk -v reloads="$reloads" -v clients="$looping" -v burst="$burst" -v many="$many" \
		-v crowd="$crowd" -v interval="$interval" \
		-f "$here/median.awk" -f "$here/reload.awk" "$work/results"
}

# put PART FILE: the part's table takes the place of the one that is there.
put() {
	awk -v table="$work/$1.table" -v begin="<!-- $1 -->" -v end="<!-- /$1 -->" '
		$0 == end { skip = 0 }
		!skip { print }
		$0 == begin {
			skip = 1
			print ""
			while ((getline line <table) > 0)
				print line
			print ""
		}' "$2" >"$work/file"
	cat "$work/file" >"$2"
}

table_admit() {
	echo "medians; connections held in $pauses rounds of $time s."
	echo
	awk -v refusals="$refusals" -v floods="$floods" -v chains="$chains" -v clients="$clients" \
		-v prefixes="$prefixes" -v many="$many_held" -v wanted="$many_wanted" \
		-v waiting="$waiting" -v seconds="$shortage" \
		-f "$here/median.awk" -f "$here/admit.awk" "$work/results"
}

table_cage() {
	echo "medians of $turns rounds of $turn s, $clients clients; connections held in $pauses rounds."
	echo
	awk -v held="$held_caged" -f "$here/median.awk" -f "$here/cage.awk" "$work/results"
}

table_standing() {
	echo "medians of $turns rounds of $turn s, $clients clients; floods of $waits rounds of $wait s."
	echo
	awk -v clients="$clients" -v streams="$streams" -v flood="$flood" \
		-f "$here/median.awk" -f "$here/standing.awk" "$work/results"
}

# Pages of a fresh binary that are not on the disk yet would count as dirty memory.
sync

cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
for part in $parts; do
	: >"$work/results"
	"run_$part"
	{
		printf '%s; Linux %s %s; %s × %s; ' "$(date +%Y-%m-%d)" "$(uname -r)" "$(uname -m)" \
			"$(getconf _NPROCESSORS_ONLN)" "${cpu:-processor}"
		"table_$part"
	} >"$work/$part.table"
	cat "$work/$part.table"
	[ -z "$write" ] || put "$part" "$write"
done
