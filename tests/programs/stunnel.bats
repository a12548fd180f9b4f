#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# stunnel in front of another service as in etc/begat.d/stunnel.conf, with openssl s_client as its
# client.

load lib

setup() {
	[ -x /usr/bin/stunnel ] || skip "stunnel is not installed"
	[ -x /usr/games/fortune ] || skip "fortune is not installed"
	[ -e /etc/ssl/openssl.cnf ] || skip "OpenSSL's configuration is elsewhere here"
	set_stage
	mkdir -p "$STAGE/etc/stunnel"
	file_of stunnel >"$STAGE/etc/stunnel/begat-greeting.conf"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=localhost -keyout "$STAGE/etc/stunnel/begat-greeting.key" \
		-out "$STAGE/etc/stunnel/begat-greeting.crt" 2>/dev/null
	chown nobody "$STAGE/etc/stunnel/begat-greeting.key"
	chmod 400 "$STAGE/etc/stunnel/begat-greeting.key"
}

# call: stays until the other side has said all.
call() {
	run_for 10 openssl s_client -quiet -verify_return_error \
		-CAfile "$STAGE/etc/stunnel/begat-greeting.crt" -connect 127.0.0.1:2346 </dev/null 2>/dev/null
}

@test "stunnel: a service that knows no TLS is reached by it" {
	start_examples greeting stunnel
	call >"$BATS_TEST_TMPDIR/out" || :
	grep -q '^Hello there, unix' "$BATS_TEST_TMPDIR/out" || fail "$(cat "$BATS_TEST_TMPDIR/out")"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -gt 1 ]
	stop_examples
}

@test "stunnel: it is the cage that keeps it from this machine's ports" {
	sed -i 's,^connect.*,connect = 127.0.0.1:2345,' "$STAGE/etc/stunnel/begat-greeting.conf"
	start_examples greeting stunnel
	ask 2345 | grep -q Hello
	refute grep -q Hello <(call)
	without private-network
	call | grep -q Hello
	stop_examples
}

@test "stunnel: the worker is nobody, without capabilities and without a network" {
	start_examples greeting stunnel
	hold 2346
	is_caged nobody
	is_offline
}
