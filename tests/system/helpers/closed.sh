#!/bin/sh
# SPDX-License-Identifier: ISC
#
# closed.sh 02 COMMAND...: runs the command with these of the standard descriptors closed.

which=$1
shift
case $which in *0*) exec <&- ;; esac
case $which in *1*) exec >&- ;; esac
case $which in *2*) exec 2>&- ;; esac
exec "$@"
