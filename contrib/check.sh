#!/bin/sh
# SPDX-License-Identifier: ISC
#
# From a fresh clone to the verdict of all tests: installs what they need, builds in build/check, runs
# "make check", and shows the logs of what failed.
#
# usage: contrib/check.sh [ARGUMENT OF CONFIGURE]...
#
# for example contrib/check.sh --enable-sanitizers, or CC=clang contrib/check.sh --enable-werror.
# BUILD=DIRECTORY builds elsewhere.  PROGRAMS=yes installs the programs of others that begat is tried
# with (git, rsync, sshd, ...; none of them is started); without them, and with PROGRAMS=no, their tests
# are skipped.

set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-$top/build/check}
# shellcheck source=contrib/packages.sh
. "$top/contrib/packages.sh"

case ${1-} in
-h | --help) sed -n '4,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac

umask 022
make_directory "$build" ", or set BUILD"
log=$build/packages.log
need build test
case ${PROGRAMS-} in
'' | no) ;;
*) (need programs) || say "going on without those of them that are missing: their tests are skipped" ;;
esac
configured_build "$build" "$@"
log=$build/make.log
step "building" make -j2
step "building the tests" make -j2 check TESTS=

say "testing in $build"
{ make -j2 check || echo $? >failed; } 2>&1 | tee check.log | grep -E '^(# )?(PASS|FAIL|SKIP|ERROR|XPASS|XFAIL|TOTAL)' || :
if [ -e failed ]; then
	rm -f failed
	if [ -e test-suite.log ]; then
		cat test-suite.log
		die "tests failed (each has its own log under $build/tests; all of it: $build/check.log)"
	fi
	tail -n 20 check.log >&2
	die "make check failed before the first test (everything it said: $build/check.log)"
fi
say "all tests pass"
