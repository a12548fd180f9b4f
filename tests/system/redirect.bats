#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# Redirects: every byte, each end on its own; targets that are dead, hang, reset or are slow; and the
# line in the log that says how much it was.  (xinetd's redirect loses what a half-closed client still
# waits for, waits for a dead target as long as the kernel does, and has one target.)

# shellcheck disable=SC2016 # programs are in single quotes

load lib

target() { run_for 60 "$BATS_TEST_DIRNAME/helpers/target.py" "$@"; }
talk() { run_for 30 "$BATS_TEST_DIRNAME/helpers/talk.py" "$@"; }
datagrams() { run_for 30 "$BATS_TEST_DIRNAME/helpers/datagrams.py" "$@"; }

setup() {
	PLACE=$(mktemp -d /tmp/begat-redirect.XXXXXX) # where workers get to, too
	chmod 755 "$PLACE"
}
eval "end_all() $(declare -f teardown | tail -n +2)"
teardown() {
	end_all
	rm -rf "$PLACE"
}

# serve ADDRESS KIND [ARGUMENT]: a target; what it writes is in $SERVED.
serve() {
	SERVED=$(mktemp "$BATS_TEST_TMPDIR/target.XXXX")
	"$BATS_TEST_DIRNAME/helpers/target.py" serve "$@" >"$SERVED" 3>&- &
	TARGET=$!
	HELPERS="${HELPERS-} $TARGET"
	until_true 10 grep -q ready "$SERVED"
}
# served TEXT: it has got that.
served() { until_true 5 grep -Fq -- "$1" "$SERVED" || fail "$1: $(cat "$SERVED")"; }
end_target() {
	kill -KILL "$TARGET"
	wait "$TARGET" 2>/dev/null || :
}

# to TARGET [KEYS]: a service at 7007.
to() { printf 'service r { listen = "tcp:127.0.0.1:7007" redirect = %s %s }\n' "$1" "${2-}"; }
udp_to() { printf 'service r { listen = "udp:7007" redirect = %s %s }\n' "$1" "${2-}"; }

@test "10 MiB each way at the same time, and the log says how many" {
	serve 7100 echo
	configure "$(to '"tcp:127.0.0.1:7100"')"
	start
	target echo 7007 10485760
	log_has 'reaped r\[[0-9]+\] peer=127.0.0.1:[0-9]+ result=ok .*in=10485760 out=10485760'
	stop
}

@test "a client that half-closes gets its answer" {
	serve 7100 digest
	configure "$(to '"tcp:127.0.0.1:7100"')"
	start
	target digest 7007 3000000
	log_has 'result=ok .*in=3000000 out=73'
	stop
}

@test "a target that half-closes still hears the client" {
	serve 7100 source 1000
	configure "$(to '"tcp:127.0.0.1:7100"')"
	start
	[ "$(target slow 7007)" = "1000 True" ]
	until_true 5 grep -q '^thanks$' "$SERVED"
	stop
}

@test "a client that reads slowly gets all, and nobody spins meanwhile" {
	local before after worker
	serve 7100 source 20000000
	configure "$(to '"tcp:127.0.0.1:7100"')"
	start
	target slow 7007 >"$BATS_TEST_TMPDIR/slow" 3>&- &
	HELPERS="$HELPERS $!"
	log_has 'begat r\['
	worker=$(sed -n 's/.*begat r\[\([0-9]*\)\].*/\1/p' "$LOG")
	sleep 0.5
	before=$(cut -d' ' -f14,15 "/proc/$worker/stat")
	sleep 0.4
	after=$(cut -d' ' -f14,15 "/proc/$worker/stat")
	[ $((${after/ /+} - ${before/ /-} )) -lt 10 ]
	until_true 20 grep -q '^20000000 True$' "$BATS_TEST_TMPDIR/slow"
	log_has 'result=ok .*in=7 out=20000000'
	stop
}

@test "a Unix socket is a target, and so is an abstract one" {
	serve "$PLACE/socket" name path
	chmod 777 "$PLACE/socket"
	serve @begat-test name abstract
	configure "$(to "\"unix:$PLACE/socket\"")
		service a { listen = \"tcp:7008\" redirect = \"unix:@begat-test\" }"
	start
	[ "$(ask 7007)" = path ]
	[ "$(ask 7008)" = abstract ]
	stop
}

@test "IPv6 at both ends, and a Unix socket in front" {
	serve '[::1]:7100' name six
	configure "service r { listen = { \"tcp:[::1]:7007\", \"unix:$BATS_TEST_TMPDIR/front\" } redirect = \"tcp:[::1]:7100\" }"
	start
	[ "$(run_for 10 nc -N ::1 7007 </dev/null)" = six ]
	[ "$(run_for 10 nc -N -U "$BATS_TEST_TMPDIR/front" </dev/null)" = six ]
	stop
}

@test "of several targets the first that answers" {
	serve 7102 name third
	configure "$(to '{ "tcp:127.0.0.1:7100", "unix:/nonexistent/socket", "tcp:127.0.0.1:7102" }')"
	start
	[ "$(ask 7007)" = third ]
	serve 7100 name first
	[ "$(ask 7007)" = first ]
	end_target
	[ "$(ask 7007)" = third ]
	log_lacks 'stderr|redirect:'
	stop
}

@test "when none answers the client sees the end, and the log why" {
	configure "$(to '{ "tcp:127.0.0.1:7100", "unix:/nonexistent" }')"
	start
	[ "$(ask 7007 question)" = "" ]
	log_has 'redirect: tcp:127.0.0.1:7100: Connection refused; unix:/nonexistent: No such file or directory'
	log_has 'reaped r\[[0-9]+\] .*result=exited .*status=1'
	stop
}

@test "a target that hangs costs connect-timeout, and no more" {
	local start=$SECONDS
	serve 7100 hang
	serve 7101 name second
	configure "$(to '{ "tcp:127.0.0.1:7100", "tcp:127.0.0.1:7101" }' 'connect-timeout = "300ms"')"
	start
	[ "$(ask 7007)" = second ]
	[ $((SECONDS - start)) -lt 5 ]
	stop
}

@test "a target that resets: what it said before arrives, then the end" {
	serve 7100 reset 'last words'
	configure "$(to '"tcp:127.0.0.1:7100"')"
	start
	[ "$(talk 7007 send:hello rest)" = "last words" ]
	log_has 'reaped r\[[0-9]+\] .*result=ok .*in=5 out=10'
	stop
}

@test "a client that resets ends its worker at once, and the target sees the end" {
	serve 7100 echo
	configure "$(to '"tcp:127.0.0.1:7100"')"
	start
	talk 7007 send:hello expect:hello reset || :
	talk 7007 send:hello reset || :
	log_has 'reaped r\[[0-9]+\]'
	until_true 5 no_workers
	master_is_well
	stop
}

@test "idle-timeout counts bytes of both directions" {
	serve 7100 echo
	configure "$(to '"tcp:127.0.0.1:7100"' 'idle-timeout = "1s"')"
	start
	exec 7<>/dev/tcp/127.0.0.1/7007
	for _ in 1 2 3; do
		sleep 0.6
		echo x >&7
		read -r -t 5 <&7
	done
	refute read -r -t 5 <&7
	log_has 'reaped r\[[0-9]+\] .*result=timed-out .*(idle-timeout|idle).*' 5
	stop
}

@test "max-time ends it, and the log still says how many bytes there were" {
	serve 7100 echo
	configure "$(to '"tcp:127.0.0.1:7100"' 'max-time = "1s"')"
	start
	exec 7<>/dev/tcp/127.0.0.1/7007
	echo 12345 >&7
	read -r -t 5 <&7
	log_has 'reaped r\[[0-9]+\] .*in=6 out=6'
	stop
}

@test "send-proxy: the target's first bytes say who the client is" {
	serve 7100 first
	configure "$(to '"tcp:127.0.0.1:7100"' 'send-proxy = "v1"')
		service v2 { listen = \"tcp:127.0.0.1:7008\" redirect = \"tcp:127.0.0.1:7100\" send-proxy = \"v2\" }
		service u { listen = \"unix:$BATS_TEST_TMPDIR/u\" redirect = \"tcp:127.0.0.1:7100\" send-proxy = \"v1\" }
		service u2 { listen = \"unix:$BATS_TEST_TMPDIR/u2\" redirect = \"tcp:127.0.0.1:7100\" send-proxy = \"v2\" }"
	start
	# From ports of their own: 4711 is 0x1267, 4712 0x1268; 7008 is 0x1b60.
	run_for 10 nc -N -p 4711 127.0.0.1 7007 <<<one
	run_for 10 nc -N -p 4712 127.0.0.1 7008 <<<two
	run_for 10 nc -N -U "$BATS_TEST_TMPDIR/u" <<<three
	run_for 10 nc -N -U "$BATS_TEST_TMPDIR/u2" <<<four
	served 'PROXY TCP4 127.0.0.1 127.0.0.1 4711 7007\r\n'
	served 'QUIT\n!\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00\x01\x12h\x1b`'
	served 'PROXY UNKNOWN\r\n'
	served 'QUIT\n \x00\x00\x00'
	log_has 'in=4 out=0'
	stop
}

@test "behind a proxy, the next one hears of the real client" {
	serve 7100 first
	configure "$(to '"tcp:127.0.0.1:7100"' 'send-proxy = "v1" proxy-protocol = "127.0.0.1"')"
	start
	talk 7007 'send:PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\nhello' half rest
	served 'PROXY TCP4 192.0.2.7 198.51.100.1 4711 80\r\n'
	served hello
	stop
}

@test "a begat behind a begat knows the client by its header" {
	configure "$(to '"tcp:127.0.0.1:7100"' 'send-proxy = "v2"')
		service inner { listen = \"tcp:127.0.0.1:7100\" proxy-protocol = \"127.0.0.1\"
			exec = { \"/bin/sh\", \"-c\", \"echo \$REMOTE_HOST:\$REMOTE_PORT\" } }"
	start
	[ "$(run_for 10 nc -N -p 4713 127.0.0.1 7007 </dev/null)" = 127.0.0.1:4713 ]
	stop
}

@test "a name is looked up when a client comes" {
	serve 7100 name found
	configure "$(to '"tcp:localhost:7100"' 'connect-timeout = "2s"')
		service n { listen = \"tcp:7008\" redirect = \"tcp:nowhere.invalid:80\" connect-timeout = \"1s\" }"
	start
	[ "$(ask 7007)" = found ]
	[ "$(ask 7008)" = "" ]
	log_has 'redirect: tcp:nowhere.invalid:80: '
	stop
}

@test "a banner comes before all that the target says" {
	serve 7100 name target
	configure "$(to '"tcp:127.0.0.1:7100"' 'banner = "Welcome"')"
	start
	[ "$(ask 7007 | tr -d '\r')" = $'Welcome\ntarget' ]
	stop
}

@test "200 clients at once" {
	serve 7100 name me
	configure "$(to '"tcp:127.0.0.1:7100"')"
	start
	for _ in $(seq 200); do
		printf x | run_for 20 nc -N 127.0.0.1 7007 3>&- &
	done >"$BATS_TEST_TMPDIR/answers"
	until_true 20 eval '[ "$(wc -l <"$BATS_TEST_TMPDIR/answers")" = 200 ]'
	until_true 10 no_workers
	[ "$(log_count 'result=ok .*in=1 out=3')" = 200 ]
	master_is_well
	stop
}

@test "git clone through a redirect" {
	need git
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	[ -x "$(git --exec-path)/git-daemon" ] || skip "git daemon is not installed"
	cd "$PLACE"
	git init -q --bare repository.git && touch repository.git/git-daemon-export-ok
	git init -q work
	head -c 3000000 /dev/urandom >work/file
	git -C work add file
	git -C work -c user.name=x -c user.email=x@example.org commit -qm one
	git -C work push -q "$PLACE/repository.git" HEAD:master
	chmod -R a+rX repository.git
	configure "$(to '"tcp:127.0.0.1:7418"')
		service git { listen = \"tcp:127.0.0.1:7418\" env = { \"HOME=/nonexistent\", \"GIT_CONFIG_COUNT=1\",
			\"GIT_CONFIG_KEY_0=safe.directory\", \"GIT_CONFIG_VALUE_0=*\" }
			exec = { \"$(command -v git)\", \"daemon\", \"--inetd\", \"--base-path=$PLACE\" } }"
	start
	run_for 30 git clone -q git://127.0.0.1:7007/repository.git clone || fail "no clone"
	cmp work/file clone/file
	stop
}

# -- datagrams --

@test "datagrams of two peers reach the target from two ports, and each gets its own answer" {
	serve 7100 udp target
	configure "$(udp_to '"udp:127.0.0.1:7100"')"
	start
	one=$(datagrams ask 127.0.0.1 7007 one)
	two=$(datagrams ask 127.0.0.1 7007 two)
	[[ $one == "target "*" one" && $two == "target "*" two" ]] || fail "$one, $two"
	[ "${one% one}" != "${two% two}" ]
	stop
}

# datagrams.py connects its socket, so that an answer from another address is none.
@test "answers come from the address that was asked" {
	serve 7100 udp target
	configure "$(udp_to '"udp:127.0.0.1:7100"')"
	start
	[[ $(datagrams ask 127.0.0.1 7007 a) == *" a" ]]
	[[ $(datagrams ask 127.0.0.77 7007 b) == *" b" ]]
	[[ $(datagrams ask ::1 7007 c) == *" c" ]]
	stop
}

@test "datagrams of no bytes, and of as many as there can be" {
	local long
	serve 7100 udplate 0
	configure "$(udp_to '"udp:127.0.0.1:7100"')"
	start
	datagrams ask 127.0.0.1 7007 ''
	long=$(head -c 65507 /dev/zero | tr '\0' x)
	[ "$(python3 - <<-END
		import socket
		s = socket.socket(type=socket.SOCK_DGRAM)
		s.settimeout(5)
		s.connect(("127.0.0.1", 7007))
		s.send(b"x" * 65507)
		print(s.recv(65536).decode())
	END
	)" = "$long" ]
	stop
}

@test "what a target answers is not cut short, however little was asked" {
	serve 7100 udplarge 30000
	configure "$(udp_to '"udp:127.0.0.1:7100"')"
	start
	[ "$(datagrams ask 127.0.0.1 7007 x | wc -c)" = 30000 ]
	stop
}

# answers NAME: who answers the first datagram of a new peer.
answers() { [[ $(datagrams ask 127.0.0.1 7007 x 2>/dev/null) == "$1 "*" x" ]]; }

@test "a target that refuses datagrams: the peer's next target gets them" {
	serve 7101 udp second
	configure "$(udp_to '{ "udp:127.0.0.1:7100", "udp:127.0.0.1:7101" }')"
	start
	python3 - <<-END
		import socket
		s = socket.socket(type=socket.SOCK_DGRAM)
		s.settimeout(1)
		s.connect(("127.0.0.1", 7007))
		for _ in range(5):
		    s.send(b"x")
		    try:
		        answer = s.recv(100)
		        break
		    except TimeoutError:
		        pass
		assert answer.startswith(b"second "), answer
	END
	# The next peer does not have to find out by itself.
	answers second
	stop
}

@test "when no target takes datagrams the log says so, once in a while" {
	configure "$(udp_to '"udp:127.0.0.1:7100"')"
	start
	for _ in $(seq 20); do
		datagrams send 127.0.0.1 7007 3
		sleep 0.02
	done
	log_has 'redirect: udp:127.0.0.1:7100: Connection refused'
	[ "$(log_count 'Connection refused')" -le 2 ]
	serve 7100 udp back
	until_true 5 answers back
	stop
}

@test "an answer that comes after idle-timeout is not sent to anybody" {
	serve 7100 udplate 300
	configure "$(udp_to '"udp:127.0.0.1:7100"' 'idle-timeout = "1s"')"
	start
	[ "$(datagrams ask 127.0.0.1 7007 soon)" = soon ]
	end_target
	serve 7100 udplate 2000
	[ "$(datagrams ask 127.0.0.1 7007 late)" = "" ]
	stop
}

@test "a peer that asks again after a while is not forgotten before idle-timeout" {
	serve 7100 udp target
	configure "$(udp_to '"udp:127.0.0.1:7100"' 'idle-timeout = "30s"')"
	start
	run_for 40 python3 - <<-END
		import socket, time
		s = socket.socket(type=socket.SOCK_DGRAM)
		s.settimeout(5)
		s.connect(("127.0.0.1", 7007))
		def port():
		    s.send(b"x")
		    return s.recv(100).split()[1]
		first = port()
		time.sleep(12) # longer than a standing worker is idle
		assert port() == first
	END
	stop
}

@test "of more peers than there is room for the longest silent one is forgotten, and all are served" {
	serve 7100 udp target
	configure "$(udp_to '"udp:127.0.0.1:7100"' 'rate-per-source = "100000/1s"')"
	start
	run_for 30 python3 - <<-END
		import socket
		peers = []
		for i in range(400):
		    s = socket.socket(type=socket.SOCK_DGRAM)
		    s.settimeout(5)
		    s.connect(("127.0.0.1", 7007))
		    s.send(b"%d" % i)
		    assert s.recv(100).split()[2] == b"%d" % i
		    peers.append(s)
		for i, s in enumerate(peers):
		    s.send(b"again %d" % i)
		    assert s.recv(100).split()[3] == b"%d" % i
	END
	stop
}

@test "a source that no client has is not passed on" {
	need_root
	serve 7100 udp target
	configure "$(udp_to '"udp:127.0.0.1:7100"')"
	start
	run python3 - <<-END
		import socket
		s = socket.socket(type=socket.SOCK_DGRAM)
		s.settimeout(1)
		s.bind(("127.0.0.1", 53))
		s.connect(("127.0.0.1", 7007))
		s.send(b"loop")
		s.recv(100)
	END
	[[ $output == *"timed out"* ]] || fail "$output"
	log_has 'r: .*refused.*127\.0\.0\.1:53|refused.* peer=127\.0\.0\.1:53'
	stop
}

@test "the log says how many bytes a standing redirect has passed on" {
	serve 7100 udplate 0
	configure "$(udp_to '"udp:127.0.0.1:7100"' 'idle-timeout = "1s"')"
	start
	[ "$(datagrams ask 127.0.0.1 7007 12345)" = 12345 ]
	log_has 'reaped r\[[0-9]+\] .*in=5 out=5' 20
	stop
}

@test "a reload while a target thinks does not lose its answer" {
	serve 7100 udplate 600
	configure "$(udp_to '"udp:127.0.0.1:7100"')"
	start
	datagrams ask 127.0.0.1 7007 before >"$BATS_TEST_TMPDIR/before" 3>&- &
	log_has 'begat r\['
	kill -HUP "$MASTER"
	log_has 'reload: .*kept'
	[ "$(datagrams ask 127.0.0.1 7007 after)" = after ]
	wait $!
	[ "$(cat "$BATS_TEST_TMPDIR/before")" = before ]
	stop
}

@test "a redirect that leads to itself says so, and takes no more workers than clients" {
	configure "$(to '"tcp:localhost:7007"')"
	start
	for _ in 1 2; do [ -z "$(ask 7007)" ]; done
	log_has 'redirect: tcp:localhost:7007: .*leads back to this service'
	[ "$(log_count 'begat r\[')" -le 2 ] || fail "$(log_count 'begat r') workers"
	stop
}

@test "F28: a redirect of datagrams that leads to itself passes one on once" {
	configure "$(udp_to '"udp:localhost:7007"')"
	start
	datagrams ask 127.0.0.1 7007 hello >/dev/null || :
	log_has 'reason=port'
	sleep 1
	stop
	log_has 'reaped r\[.*served=1 refused=1'
}
