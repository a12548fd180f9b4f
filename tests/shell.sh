#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every shell script of the tree is clean under shellcheck.

set -eu
cd "${SRCDIR:-$(dirname "$0")/..}"
if ! command -v shellcheck >/dev/null; then
	echo "shellcheck is not installed"
	exit 77
fi

# shellcheck disable=SC2046 # none of our file names has a blank
set -- $(grep -rlE '^#!.*[/ ](sh|bash|bats)$' contrib etc tests $([ -d .ci ] && echo .ci))
shellcheck -x "$@" && echo "$# scripts are clean"
