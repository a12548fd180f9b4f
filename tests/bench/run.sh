#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The benchmarks: begat beside the bare loops, in turn within each round.  Prints a Markdown table;
# --write FILE also puts it into FILE, between the lines "<!-- bench -->" and "<!-- /bench -->".
# README.md says what the rows mean.
#
#     ROUNDS=n   rounds, 5 by default        TIME=s   seconds of each rate, 1.5 by default
#     CLIENTS=n  connections at a time, 16   HELD=n   connections held, 200
#
# make sets BEGATD, BEGAT_MASTER and BENCH, the folder of the built helpers.

set -eu
export LC_ALL=C
: "${BEGATD:?is not set; use \"make bench\"}" "${BEGAT_MASTER:?is not set}" "${BENCH:?is not set}"
rounds=${ROUNDS:-5}
time=${TIME:-1.5}
clients=${CLIENTS:-16}
held=${HELD:-200}
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

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
chmod 755 "$work" # workers are somebody else
cp "$BENCH/hello" "$work"

# configure NAME COUNT KEYS: a configuration of so many services
configure() {
	{
		echo "log = \"$work/log\""
		echo "pidfile = \"$work/pid\""
		[ "$(id -u)" != 0 ] || echo 'user = "nobody"'
		echo 'defaults { instances = 1000 }'
		i=0
		while [ "$i" -lt "$2" ]; do
			echo "service s$i { listen = \"tcp:127.0.0.1:$((port + i))\" $3 }"
			i=$((i + 1))
		done
	} >"$work/$1.conf"
}
configure daytime 1 'handler = "daytime"'
configure echo 1 'handler = "echo"'
configure exec 1 "exec = { \"$work/hello\" }"
configure many "$many" 'handler = "daytime"'

# Each of these prints "NAME VALUE" lines: begat CONFIGURATION and bare ARGUMENTS are what measure runs.
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

# Pages of a fresh binary that are not on the disk yet would count as dirty memory.
sync

round=1
while [ "$round" -le "$rounds" ]; do
	[ ! -t 2 ] || printf 'round %d of %d\r' "$round" "$rounds" >&2
	in_turn daytime daytime 1 handler rate "$port" "$clients" "$time" daytime
	in_turn exec spawn 1 exec rate "$port" "$clients" "$time" "hello
"
	in_turn echo echo 1 echo hold "$port" "$held"
	in_turn daytime daytime 1 one idle
	in_turn many daytime "$many" many idle
	round=$((round + 1))
done

cpu=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
{
	printf '%s; Linux %s %s; %s × %s; medians of %s rounds, %s s and %s clients.\n\n' \
		"$(date +%Y-%m-%d)" "$(uname -r)" "$(uname -m)" "$(getconf _NPROCESSORS_ONLN)" \
		"${cpu:-processor}" "$rounds" "$time" "$clients"
	awk -v held="$held" -v many="$many" -f "${0%/*}/table.awk" "$work/results"
} >"$work/table"
cat "$work/table"

if [ "${1:-}" = --write ]; then
	awk -v table="$work/table" '
		$0 == "<!-- /bench -->" { skip = 0 }
		!skip { print }
		$0 == "<!-- bench -->" {
			skip = 1
			print ""
			while ((getline line <table) > 0)
				print line
			print ""
		}' "$2" >"$work/readme"
	cat "$work/readme" >"$2"
fi
