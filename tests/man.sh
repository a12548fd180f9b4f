#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The manual pages are clean under mandoc, and leave out no option of begatd and begat, no
# command, no key of the configuration and no option of a handler.

set -eu
SRCDIR=${SRCDIR:-$(dirname "$0")/..}
BUILDDIR=${BUILDDIR:-.}
BEGATD=${BEGATD:-$BUILDDIR/begatd}
BEGAT=${BEGAT:-$BUILDDIR/begat}

pages="$BUILDDIR/man/begat.1 $BUILDDIR/man/begatd.8 $BUILDDIR/man/begat.conf.5 $SRCDIR/man/begat-handler.3"
problems=0

complain() {
	echo "$*"
	problems=$((problems + 1))
}

# mentions PAGE WORD: whether the page's source has the word after a macro.
mentions() {
	grep -Eq "^\.(It .*)?.*(^| )$2( |$)" "$1"
}

# shellcheck disable=SC2086 # the pages' names are words
if command -v mandoc >/dev/null; then
	mandoc -Tlint -Wwarning $pages || complain "mandoc has complaints"
	grep -Hn '@[a-z]*@' $pages && complain "something was not substituted"
else
	echo "mandoc is not installed: pages not checked for their grammar"
fi

for option in $("$BEGATD" -h | sed -n 's/^ *\(-[a-zA-Z], \)\{0,1\}--\([a-z-]*\).*/\2/p'); do
	mentions "$BUILDDIR/man/begatd.8" "Fl -$option" || complain "begatd(8) has no --$option"
done

for option in $("$BEGAT" -h | sed -n 's/^ *\(-[a-zA-Z], \)\{0,1\}--\([a-z-]*\).*/\2/p'); do
	mentions "$BUILDDIR/man/begat.1" "Fl -$option" || complain "begat(1) has no --$option"
done
for command in $("$BEGAT" -h | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'); do
	mentions "$BUILDDIR/man/begat.1" "Cm $command" || complain "begat(1) has no command $command"
done

keys=$(sed -n 's/^.*\[KEY_[A-Z_0-9]*\] = { "\([a-z-]*\)".*/\1/p' "$SRCDIR/src/config/section.c")
[ -n "$keys" ] || complain "no keys found in src/config/section.c"
for key in $keys; do
	mentions "$BUILDDIR/man/begat.conf.5" "$key" || complain "begat.conf(5) has no key $key"
done

for option in $("$BEGATD" --handlers | sed -n 's/^ \{4\}\([a-z.-]*\)[A-Z]*=.*/\1/p' | sort -u); do
	mentions "$BUILDDIR/man/begat.conf.5" "$option" || complain "begat.conf(5) has no option $option"
done

[ $problems -eq 0 ] || exit 1
command -v mandoc >/dev/null || exit 77
