#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every shell script of the tree is clean under shellcheck, and no system test has an error.

set -eu
cd "${SRCDIR:-$(dirname "$0")/..}"
if ! command -v shellcheck >/dev/null; then
	echo "shellcheck is not installed"
	exit 77
fi

folders="contrib etc tests"
[ ! -d .ci ] || folders="$folders .ci" # is not in the tarball
# None of our file names has a blank.
# shellcheck disable=SC2086
{
	scripts=$(grep -rlE '^#!.*[/ ](sh|bash)$' $folders)
	tests=$(grep -rlE '^#!.*[/ ]bats$' tests)
	shellcheck -x $scripts
	# Bats is a language of its own: much that is meant looks wrong to shellcheck.
	shellcheck -x -S error $tests
	set -- $scripts $tests
}
echo "$# scripts are clean"
