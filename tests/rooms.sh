#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The dependency rule: which room of src/ may see which.  A room may use its own headers, those of the
# rooms that a connection has passed before, the plan, the log and small change; the two programs
# share nothing but the plan; master/ is the one that calls, and nobody sees it.  Every violation is
# printed as file:line: what.

set -eu
cd "${SRCDIR:-$(dirname "$0")/..}"
CC=${CC:-cc}
BUILDDIR=${BUILDDIR:-.}

# room (or one file of it): what its files may include beside the room itself.  A file's own line,
# where there is one, replaces its room's.
rules='
base
begat
report        base
report/status.c base plan admit
report/document.h plan
report/status.h plan
handlers      begat
plan          base report
plan/admission.c base config
plan/admission.h config
plan/ranges.c base config
plan/ranges.h config
plan/build.c  base report begat config listen handlers/handler.h
plan/build.h  config listen cage/cages.h
plan/cage.c   base report begat config listen handlers/handler.h cage/cage.h cage/cages.h
plan/cage.h   config listen cage/cage.h cage/cages.h
config        base report begat listen/address.h handlers/handler.h cage/kernel.h cage/capability.h cage/syscalls.h cage/cgroup.h
cage          base report begat plan config/config.h config/service.h config/nearest.h config/targets.h config/value.h handlers/handler.h
listen        base report config
start         base report plan config listen cage worker/resolve.h
start/options.c base report plan handlers/handler.h
start/capacity.c base report plan config handlers/handler.h
client        base report plan
client/unban.c base report plan config
admit         base report plan
worker        base report plan begat handlers admit
master        base report plan worker admit
begatd.c      base report plan begat config listen start cage handlers/handler.h
begat-master.c base report plan worker admit master handlers/handler.h
begat.c       base report client
'

# Headers of the system that belong to one place only.
owned='
confuse.h       config/
jansson.h       report/ client/ plan/handover.c plan/handover-children.c plan/reader.c cage/security-json.c
seccomp.h       cage/syscalls.c
cap-ng.h        cage/capability.c
sys/epoll.h     master/loop.c
sys/signalfd.h  master/signals.c
sys/prctl.h     cage/kernel.c cage/cages.c worker/ handlers/command.c master/ start/ begat-master.c
grp.h           config/ worker/ start/resolver.c
pwd.h           config/ handlers/shell.c handlers/ident.c
netdb.h         config/ listen/ start/lookup.c
pthread.h       -
threads.h       -
setjmp.h        -
'

# Calls that belong nowhere, or to one place only.
calls='
bsd_signal    -
siginterrupt  -
system        -
popen         -
vfork         -
getpeername   -
syslog        -
openlog       -
'

includes() {
	find src -name '*.[ch]' ! -name stamp.h | sort | xargs grep -Hn '^[[:space:]]*#[[:space:]]*include'
}

bad_includes() {
	includes | RULES=$rules OWNED=$owned awk '
	BEGIN {
		n = split(ENVIRON["RULES"], rows, "\n")
		for (i = 1; i <= n; i++) {
			k = split(rows[i], words, " ")
			if (k) {
				known[words[1]] = 1
				for (j = 2; j <= k; j++)
					may[words[1], words[j]] = 1
			}
		}
		n = split(ENVIRON["OWNED"], rows, "\n")
		for (i = 1; i <= n; i++) {
			k = split(rows[i], words, " ")
			if (k) {
				owner[words[1]] = k
				for (j = 2; j <= k; j++)
					place[words[1], j] = words[j]
			}
		}
	}
	function complain(what) {
		printf "%s:%s: %s\n", file, line, what
	}
	function is_owner(header, path,   j, where) {
		for (j = 2; j <= owner[header]; j++) {
			where = place[header, j]
			if (path == where || (where ~ /\/$/ && index(path, where) == 1))
				return 1
		}
		return 0
	}
	{
		split($0, part, ":")
		file = part[1]; line = part[2]
		path = substr(file, 5)
		room = path; sub(/\/.*/, "", room)
		rule = (path in known) ? path : room
		header = $0; sub(/^[^"<]*["<]/, "", header); sub(/[">].*/, "", header)
		quoted = index($0, "\"") > 0

		if (!(rule in known)) {
			complain("no rule says what " room "/ may include")
		} else if (file ~ /\.c$/ && !(file in seen) && header != "config.h") {
			complain("the first include is not \"config.h\"")
		} else if (quoted && header != "config.h") {
			target = header; sub(/\/.*/, "", target)
			if (target != room && !((rule, target) in may) && !((rule, header) in may))
				complain(room "/ may not see " header)
			if (target == "begat")
				complain("the public header is included as <" header ">")
			if (target == header && path ~ /\//)
				complain("name the room: " header)
		} else if (header == "begat/handler.h") {
			if (room != "begat" && !((rule, "begat") in may))
				complain(room "/ may not see <" header ">")
		} else if ((header in owner) && !is_owner(header, path)) {
			complain("<" header "> does not belong here")
		}
		seen[file] = 1
	}'
}

bad_calls() {
	echo "$calls" | while read -r name places; do
		[ -n "$name" ] || continue
		find src -name '*.[ch]' | sort |
			xargs grep -Hnw "$name" | grep "[^.>_A-Za-z0-9]$name(" |
			grep -v ':[[:space:]]*\(/\*\|\*\|//\)' | while IFS=: read -r file line rest; do
			mine=no
			for place in $places; do
				case ${file#src/} in
				"$place"*) mine=yes ;;
				esac
			done
			case "$rest" in
			*"/*"*"$name("*) mine=yes ;;
			esac
			[ $mine = yes ] || echo "$file:$line: $name() is not to be called here"
		done || :
	done
}

# There are no signal handlers but a caged worker's own, which ends it: dispositions are only ever set
# back to their defaults.
bad_dispositions() {
	find src -name '*.[ch]' ! -path src/worker/trap.c | sort |
		xargs grep -Hn 'sa_handler\|sa_sigaction\|[^a-z_]signal(' | grep -v 'SIG_DFL' |
		sed 's/^\([^:]*:[0-9]*\):.*/\1: a signal handler: there are none here, use the signalfd/' || :
}

lonely_headers() {
	for header in $(find src -name '*.h' ! -name stamp.h | sort); do
		"$CC" -std=gnu11 -include "$BUILDDIR/config.h" -I"$BUILDDIR/src" -Isrc \
			-Wall -Wextra -Werror -fsyntax-only -x c - <<-EOF 2>&1 || echo "$header:1: does not compile alone"
			#include "${header#src/}"
		EOF
	done
}

problems=$(bad_includes; bad_calls; bad_dispositions; lonely_headers)
if [ -n "$problems" ]; then
	echo "$problems"
	exit 1
fi
echo "every file keeps to its room"
