#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The configurations that come with begat are without a problem.  What they say about users only root
# may say, so that an ordinary user checks the demo's alone.

set -eu
etc=${SRCDIR:-$(dirname "$0")/..}/etc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Copies are ours and not writable by others, whatever the umask of the clone was.
cp -R "$etc/demo.conf" "$etc/begat.conf" "$etc/begat.d" "$work"
chmod -R go-w "$work"

"$BEGATD" -t -f "$work/demo.conf"
if [ "$(id -u)" -ne 0 ]; then
	echo "begat.conf and begat.d not checked: that needs root"
	exit 0
fi
"$BEGATD" -t -f "$work/begat.conf"
[ "$("$BEGATD" -T -f "$work/begat.conf" | grep -c '^service')" -gt 1 ] # begat.d was read
