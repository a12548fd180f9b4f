#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs a command on a machine that is set up for it: what is in DIRECTORY lies over this machine's
# directories of the same names, for the command alone.  So an example's paths and users are those
# that it names, and none of this machine's own are read or changed.
#
# usage: unshare -m sh stage.sh DIRECTORY COMMAND [ARGUMENT]...

set -eu
stage=$1
shift
for place in etc home root run srv var/log; do
	[ ! -d "$stage/$place" ] || mount --bind "$stage/$place" "/$place"
done
exec "$@"
