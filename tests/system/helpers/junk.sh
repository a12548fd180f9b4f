#!/bin/bash
# SPDX-License-Identifier: ISC
#
# junk.sh COMMAND...: runs the command with descriptors that a careless parent has left open, below and
# above every number that matters.

exec 4</dev/null 8</etc/passwd 10>/dev/null 63</etc/passwd 64</etc/passwd 65</ 77</dev/null 700</
exec "$@"
