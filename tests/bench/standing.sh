# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# One worker for all clients, and redirects: the part "standing" of run.sh, which reads this file.
# begat beside bare loops, and beside socat(1) where there is one.

# shellcheck disable=SC2154 # what is not set here is set there
target_port=$((port + 950)) # of redirects
streams=64
window=8     # questions of each client at a time
flood=20000  # datagrams a second
allowed=2000 # of one source, where that is limited

configure_standing() {
	{
		begin 1000 standing.
		echo "service daytime { listen = \"tcp:127.0.0.1:$port\" handler = \"daytime\" wait = true }"
		echo "service forked { listen = \"tcp:127.0.0.1:$((port + 1))\" handler = \"daytime\" }"
		standing_time none $((port + 2)) none
		standing_time counted $((port + 3)) '"1000000/s"'
		standing_time limited $((port + 4)) "\"$allowed/s\""
	} >"$work/standing.conf"
	{
		begin 1000 standing.
		echo "service redirect {"
		echo "	listen = \"tcp:127.0.0.1:$port\" redirect = \"tcp:127.0.0.1:$target_port\""
		echo "}"
	} >"$work/redirect.conf"
}
standing_time() { # standing_time NAME PORT RATE
	echo "service $1 { listen = \"udp:127.0.0.1:$2\" handler = \"time\" rate-per-source = $3 }"
}

# sh "$work/ready" PORT SERVER...: a server that says nothing when it is ready, and too much after
# that: each reset of a client.
write_ready() {
	cat >"$work/ready" <<-'EOF'
		port=$(printf %04X "$1")
		shift
		{
			until grep -q "^ *[0-9]*: [0-9A-F]*:$port [0-9A-F:]* 0A" /proc/net/tcp; do
				sleep 0.01
			done
			echo >&3
		} &
		exec "$@" 3>&- 2>/dev/null
	EOF
}

list_services() { # list_services "NAME SERVER PORT ANSWER"...
	printf '%s\n' "$@" >"$work/services"
}

# stand KEY "MODE OPTIONS" CONFIGURATION [SERVER...]: all that is listed; begat is server 0.
stand() {
	key=$1 mode=$2 conf=$3
	shift 3
	progress "$key" 1
	: >"$work/standing.log"
	# shellcheck disable=SC2086 # the words of it
	"$BENCH/turns" $mode "$work/services" \
		"$BEGATD" -n -f "$work/$conf.conf" --ready-fd 3 "$@" >"$work/out"
	sed "s/^\([0-9]* [^ ]*\) /\1 $key./" "$work/out" >>"$work/results"
	# An answer may come from a worker whose cage has ended it then.
	if grep 'killed by' "$work/standing.log" >"$work/out"; then
		echo "run.sh: workers were killed:" >&2
		tail -n 3 "$work/out" >&2
		exit 1
	fi
}

run_standing_rates() {
	list_services "begat 0 $port daytime" "bare 1 $bare_port daytime" \
		"forked 0 $((port + 1)) daytime"
	stand daytime "rate -n $turns -s $turn -c $clients -k 1" standing \
		-- "$BENCH/bare" inproc 3 "$bare_port"
	list_services "begat 0 $((port + 2)) time" "counted 0 $((port + 3)) time" \
		"bare 1 $bare_port time" "singly 2 $((bare_port + 1)) time"
	stand time "datagrams -n $turns -s $turn -c $clients -w $window" standing \
		-- "$BENCH/bare" datagrams 3 "$bare_port" \
		-- "$BENCH/bare" singly 3 $((bare_port + 1))
}

run_floods_of_datagrams() {
	list_services "begat 0 $((port + 2)) time" "limited 0 $((port + 4)) time" \
		"bare 1 $bare_port time"
	stand flood "flood -n $waits -s $wait -r $flood" standing \
		-- "$BENCH/bare" datagrams 3 "$bare_port"
}

# A bare loop, and socat; the rest are servers that are not measured.
redirects() { # redirects KEY "MODE OPTIONS" ANSWER [SERVER...]
	key=$1 mode=$2 answer=$3
	shift 3
	list_services "begat 0 $port $answer" "bare 1 $bare_port $answer"
	if [ -n "$socat" ]; then
		echo "socat 2 $((bare_port + 1)) $answer" >>"$work/services"
		set -- -- /bin/sh "$work/ready" $((bare_port + 1)) "$socat" \
			"TCP-LISTEN:$((bare_port + 1)),bind=127.0.0.1,fork,reuseaddr,backlog=4096" \
			"TCP:127.0.0.1:$target_port" "$@"
	fi
	stand "$key" "$mode" redirect -- "$BENCH/bare" splice 3 "$bare_port" "$target_port" "$@"
}

run_redirects() {
	redirects one "flow -n $turns -s $turn -t $target_port -c 1" -
	redirects many "flow -n $turns -s $turn -t $target_port -c $streams" -
	redirects connect "rate -n $turns -s $turn -c $clients" daytime \
		-- "$BENCH/bare" inproc 3 "$target_port"
}

run_standing() {
	socat=$(command -v socat) || {
		socat=
		echo "run.sh: there is no socat: its columns are left out" >&2
	}
	waits=$(((turns + 2) / 3))
	wait=$(awk -v turn="$turn" 'BEGIN { print 4 * turn }')
	round=1
	configure_standing
	write_ready
	run_standing_rates
	run_redirects
	run_floods_of_datagrams
}
