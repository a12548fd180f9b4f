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
# 2016: what "sh -c" gets is meant for it.
# 2030 and 2031: each bats test is a subshell anyhow; 2119 and 2120 do not know defaults of arguments.
shellcheck -x -e SC2016,SC2030,SC2031,SC2119,SC2120 "$@" && echo "$# scripts are clean"
