#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs one file of system tests for "make check", as TAP, in a network namespace of its own in which
# only lo exists: so ports are free and nobody else's traffic is seen.  An ordinary user gets the
# namespace by way of a user namespace in which the ids stay what they are.  Where none can be had the
# tests run on the host's loopback.  PROGRAMS=no leaves out those that need the programs of others.

case ${PROGRAMS-}:$1 in
no:*/programs/*)
	echo "1..0 # SKIP not wanted: PROGRAMS=no"
	exit 0 ;;
esac
if ! command -v bats >/dev/null; then
	echo "1..0 # SKIP bats is not installed"
	exit 0
fi
if [ "$(id -u)" = 0 ]; then
	unshare -n true 2>/dev/null &&
		exec unshare -n sh -c 'ip link set lo up && exec bats --tap "$@"' sh "$@"
elif unshare -Un --map-current-user --keep-caps ip link set lo up 2>/dev/null; then
	exec unshare -Un --map-current-user --keep-caps sh -c 'ip link set lo up &&
		exec setpriv --inh-caps=-all --ambient-caps=-all bats --tap "$@"' sh "$@"
fi
exec bats --tap "$@"
