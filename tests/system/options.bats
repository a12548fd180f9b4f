#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The command line: exit codes as LSB has them (0, 1, 2, 4, 6), what goes to which stream, and the addresses
# that a listener can be given.

load lib

daytime='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'

# both STATUS ARGUMENT...: runs begatd; $OUT and $ERR are what it said.
both() {
	local expected=$1 status=0
	shift
	run_for 5 "$BEGATD" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" 3>&- || status=$?
	OUT=$(cat "$BATS_TEST_TMPDIR/out") ERR=$(cat "$BATS_TEST_TMPDIR/err")
	[ "$status" = "$expected" ] || fail "begatd $*: status $status, not $expected: $OUT $ERR"
}

@test "help and version go to standard output, with status 0" {
	for option in -h --help; do
		both 0 $option
		[[ $OUT == Usage:* ]]
		[ -z "$ERR" ]
	done
	for option in -V --version; do
		both 0 $option
		[[ $OUT =~ ^begatd\ [0-9]+\.[0-9]+ ]]
		[ -z "$ERR" ]
	done
	# Each option that the help names is one.
	for option in $("$BEGATD" -h | grep -oE '^ +(-[a-zA-Z], +)?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
		[ "$option" != --help ] || continue
		run_for 5 "$BEGATD" "$option" --no-such-option </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- || :
		refute grep -E "unrecognized option '$option'" "$BATS_TEST_TMPDIR/out"
	done
}

@test "wrong usage is status 2, on standard error, with a hint" {
	both 2 --no-such-option
	[[ $ERR == *--no-such-option*"Try 'begatd --help'"* ]]
	both 2 -X
	both 2 -f
	both 2 surplus
	[[ $ERR == *surplus* ]]
	both 2 -t -- surplus
	[ -z "$OUT" ]
}

@test "--handlers lists all with their options" {
	both 0 --handlers
	for handler in daytime time echo discard fortune shell; do
		grep -q "^$handler " <<<"$OUT"
	done
	grep -q '^ *max-line=' <<<"$OUT"
	grep -q '^ *command.NAME=' <<<"$OUT"
}

@test "output that cannot be written is a failure" {
	configure "$daytime"
	for option in --help --version --handlers; do
		run sh -c '"$1" "$2" >/dev/full' sh "$BEGATD" $option
		[ "$status" != 0 ] || fail "$option"
	done
	run sh -c '"$1" -T -f "$2" >/dev/full' sh "$BEGATD" "$CONF"
	[ "$status" = 1 ]
}

@test "-t: 0, or 6 and file:line: message; nothing is opened" {
	configure "$daytime"
	both 0 -t -f "$CONF"
	refute grep -E ":[0-9]+:" <<<"$ERR"
	[ ! -e "$BATS_TEST_TMPDIR/pid" ]
	[ ! -e "$LOG" ]
	configure 'service s { listen = "tcp:99999" handler = "nonsense" }'
	both 6 -t -f "$CONF"
	[[ $ERR == "$CONF:3: "* ]]
	both 6 -t -f "$BATS_TEST_TMPDIR/none"
	[[ $ERR == *"$BATS_TEST_TMPDIR/none"*"No such file"* ]]
	both 6 -n -f "$BATS_TEST_TMPDIR/none"
	both 6 -f "$BATS_TEST_TMPDIR/none"
}

@test "-t does not mind a daemon that is running" {
	configure "$daytime"
	start
	both 0 -t -f "$CONF"
	stop
}

@test "-T: what it prints loads to the same, for each of the examples" {
	for file in "$BATS_TEST_DIRNAME"/../../etc/*.conf "$BATS_TEST_DIRNAME"/../../etc/begat.d/*.conf; do
		cp "$file" "$BATS_TEST_TMPDIR/example.conf"
		chmod 644 "$BATS_TEST_TMPDIR/example.conf"
		if ! is_root; then
			# What only root can have.
			sed -i 's/^ *\(user\|socket-user\|socket-group\) .*//' "$BATS_TEST_TMPDIR/example.conf"
		fi
		# Programs of theirs that are not on every machine.
		sed -i 's,"/usr/games/fortune","/bin/true",' "$BATS_TEST_TMPDIR/example.conf"
		both 0 -T -f "$BATS_TEST_TMPDIR/example.conf"
		cp "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/first.conf"
		[ -s "$BATS_TEST_TMPDIR/first.conf" ]
		both 0 -T -f "$BATS_TEST_TMPDIR/first.conf"
		cmp "$BATS_TEST_TMPDIR/first.conf" "$BATS_TEST_TMPDIR/out"
	done
}

@test "no privilege is status 4: an ordinary user and a port below 1024, a Unix path, a pid file" {
	dir=$(mktemp -d /tmp/begat-user.XXXXXX)
	as=
	if is_root; then
		cp "$BEGATD" "$BEGAT_MASTER" "$dir"
		BEGATD=$dir/begatd BEGAT_MASTER=$dir/begat-master
		as='setpriv --reuid=12345 --regid=12345 --clear-groups'
	fi
	chmod 755 "$dir"
	for listen in tcp:127.0.0.1:13 tcp:13 'tcp:[::1]:13' unix:/proc/begat.sock unix:/etc/begat.sock; do
		printf 'log = stderr\nservice s { listen = "%s" handler = "daytime" }\n' "$listen" >"$dir/conf"
		chmod 644 "$dir/conf"
		[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 13 ] || [[ $listen == unix* ]] || continue
		run run_for 5 env -u XDG_RUNTIME_DIR $as "$BEGATD" -n -f "$dir/conf" 3>&-
		echo "$output"
		[ "$status" = 4 ] || [ "$listen" = unix:/proc/begat.sock ]
		[[ $output == *"${listen#*:}"* ]]
		run run_for 5 env -u XDG_RUNTIME_DIR $as "$BEGATD" -f "$dir/conf" -p /etc/begat.pid 3>&-
		[ "$status" = 4 ] || [ "$status" = 6 ]
	done
	rm -r "$dir"
}

@test "a range is a listener for each port, and both ends belong to it" {
	configure 'service s { listen = "tcp:127.0.0.1:7200-7203" handler = "daytime" }'
	start
	for port in 7200 7201 7202 7203; do
		[ "$(ask $port | wc -c)" = 26 ]
	done
	refute nc -z 127.0.0.1 7199
	refute nc -z 127.0.0.1 7204
	log_has '1 services, 4 listeners'
	stop
}

@test "port 0 is one of the kernel's choice" {
	configure 'service s { listen = { "tcp:127.0.0.1:0", "tcp:127.0.0.1:0" } handler = "daytime" }'
	start
	ports=$(sed -n 's/.*listening s on tcp:127\.0\.0\.1:\([0-9]*\)$/\1/p' "$LOG" | sort -u)
	[ "$(wc -l <<<"$ports")" = 2 ] || fail "$ports"
	for port in $ports; do
		[ "$(ask "$port" | wc -c)" = 26 ]
	done
	stop
}

@test "tcp:PORT is one socket for both families; tcp4 and tcp6 are one family each" {
	configure 'service both { listen = "tcp:7100" handler = "daytime" }
		service four { listen = "tcp4:7101" handler = "daytime" }
		service six { listen = "tcp6:7102" handler = "daytime" }'
	start
	log_has '3 services, 3 listeners'
	for host in 127.0.0.1 ::1; do
		run_for 5 nc -N $host 7100 </dev/null | grep -q 20
	done
	# One form of the same client's address.
	log_has 'begat both.* peer=127\.0\.0\.1:[0-9]+$'
	log_has 'begat both.* peer=\[::1\]:[0-9]+$'
	nc -z 127.0.0.1 7101
	refute nc -z ::1 7101
	nc -z ::1 7102
	refute nc -z 127.0.0.1 7102
	stop
}

@test "tcp:PORT is IPv4 alone where the kernel has no IPv6; tcp6 is an error there" {
	configure 'service both { listen = "tcp:7100" handler = "daytime" }'
	WRAPPER="$BATS_TEST_DIRNAME/helpers/no-ipv6.py"
	start
	[ "$(ask 7100 | wc -c)" = 26 ]
	refute nc -z ::1 7100
	stop
	configure 'service six { listen = "tcp6:7100" handler = "daytime" }'
	run run_for 5 "$WRAPPER" "$BEGATD" -n -f "$CONF" 3>&-
	[ "$status" = 1 ]
	[[ $output == *"tcp6:7100: Address family not supported"* ]]
}

@test "tcp:PORT serves IPv4 where IPv6 is switched off by sysctl" {
	need_root
	sysctl -qw net.ipv6.conf.all.disable_ipv6=1 || skip "cannot switch it off here"
	configure 'service both { listen = "tcp:7100" handler = "daytime" }'
	start
	[ "$(ask 7100 | wc -c)" = 26 ]
	stop
	sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.lo.disable_ipv6=0
}
