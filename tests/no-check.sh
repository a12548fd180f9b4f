#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Stands for the unit tests when configure did not find the library they are written with.

echo "the unit tests need check (https://libcheck.github.io/check/): install it and configure again"
exit 77
