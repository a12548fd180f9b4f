#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Every fuzz target takes its whole corpus.  (To look for more: configure with --enable-fuzzers,
# "make fuzz".)

set -eu
SRCDIR=${SRCDIR:-$(dirname "$0")/..}
BUILDDIR=${BUILDDIR:-.}

for target in "$BUILDDIR"/tests/fuzz/fuzz_*; do
	case $target in
	*.o | *.c | *\*) continue ;;
	esac
	corpus=$SRCDIR/tests/fuzz/corpus/${target##*/fuzz_}
	echo "${target##*/}"
	"$target" "$corpus"/*
done
