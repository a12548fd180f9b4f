#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# telnetd as in etc/begat.d/telnet.conf, with telnet as its client.

load lib

setup() {
	[ -x /usr/sbin/telnetd ] || skip "inetutils-telnetd is not installed"
	need telnet
	set_stage
	sed -i 's/^\(session *\)required\( *pam_loginuid\)/\1optional\2/' "$STAGE/etc/pam.d/login"
}

# dial PORT WORD...: helpers/dial.py with telnet.
dial() { run_for 40 "$BATS_TEST_DIRNAME/helpers/dial.py" telnet 127.0.0.1 "$@"; }

@test "telnet: a program on a terminal, without a login" {
	[ -x /usr/bin/top ] || skip "top is not installed"
	start_examples telnet
	dial 2300 expect:'PID USER' send:q expect:closed
	stop_examples
}

@test "telnet: a login with a password, and none with another" {
	start_examples telnet
	dial 23 expect:'login: ' line:caller expect:'assword: ' "line:$PASSWORD" expect:'\$ ' \
		line:'id -un; tty; exit' expect:'caller\s+/dev/pts/' expect:closed
	dial 23 expect:'login: ' line:caller expect:'assword: ' line:wrong expect:'incorrect'
	stop_examples
}

@test "telnet: a login keeps the cage" {
	mkdir -m 777 "$STAGE/srv/open"
	start_examples telnet
	dial 23 expect:'login: ' line:caller expect:'assword: ' "line:$PASSWORD" expect:'\$ ' \
		line:'ls /srv/open' expect:'Permission denied' \
		line:'grep NoNewPrivs /proc/self/status' expect:'NoNewPrivs:\s*1' \
		line:exit expect:closed
	stop_examples
}

@test "telnet: telnetd is nobody without capabilities for a program, and without a network" {
	[ -x /usr/bin/top ] || skip "top is not installed"
	start_examples telnet
	hold 2300
	is_caged nobody
	is_offline
}

@test "telnet: telnetd is root with four capabilities for a login, and without a network" {
	start_examples telnet
	hold 23
	# chown fowner setgid setuid
	is_caged root 00000000000000c9
	is_offline
}
