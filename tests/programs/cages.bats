#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# The cages of the examples, each tried from within: the probe stands in the place of the example's
# program, with every other key as it is.  What it then can do is written down here, all of it, and is
# compared with what begatd --security says of the example.

load lib
load ../system/cage
HELPERS_DIR=$BATS_TEST_DIRNAME/../system/helpers

setup_file() {
	build probe mirror
	if is_root; then
		cp "$PLACE/probe" "$PLACE/suid"
		chmod 4755 "$PLACE/suid"
	fi
}
teardown_file() { unbuild; }
setup() {
	need_static
	need_landlock
	set_stage
	mkdir -p "$STAGE"/srv/{git,www,rsync,tftp} "$STAGE"/etc/stunnel "$STAGE"/run/sshd
	touch "$STAGE/etc/rsyncd.conf" "$STAGE"/etc/hosts.{allow,deny}
	# What no example names, and everybody may read.
	echo secret >"$STAGE/srv/outside"
	is_quiet
	setpriv --reuid=nobody --regid=nogroup --clear-groups sleep 600 3>&- &
	OTHER=$!
	HELPERS="${HELPERS-} $OTHER"
}

# What is left of a fork bomb would count as nobody's too.
is_quiet() { until_true 25 has_few || fail "nobody has $(pgrep -cu nobody) processes"; }
has_few() { (($(pgrep -cu nobody) < 50)); }

# What any program can do, and what they can that have sockets, for syslog and the like: Unix sockets
# are not Landlock's, and a port in a network that is empty is nobody's.
always='nothing sleep'
sockets='unix bind'
# What is left on kernels that cannot keep it: the write-execute ones before 6.3, a signal to another
# process of the same user before 6.12.
writable='write-execute map-writable-executable'
older() { [ "$(printf '%s\n' "$1" "$(uname -r)" | sort -V | head -n 1)" != "$1" ]; }
before_mdwe() { ! older 6.3 || echo "$writable"; }
before_ports() { ! older 6.7 || echo tcp bind; }
before_scopes() { ((LANDLOCK >= 6)) || echo signal-other; }

# installed FILE...: without them the example's configuration is not good.
installed() {
	local file
	for file; do
		[ -e "$file" ] || skip "$file is not there"
	done
}

# begin TEXT: starts begatd with it on the stage, where /usr/bin/passwd, a set-user-id program, is the
# probe.
begin() {
	local message
	configure "$1"
	message=$(on_stage "$BEGATD" -t -f "$CONF" 2>&1) ||
		case $message in
		*"this kernel"*) skip "${message##*: }" ;;
		*) fail "$message" ;;
		esac
	told
	sed -i "2i mount --bind $PLACE/suid /usr/bin/passwd" "$BATS_TEST_TMPDIR/told"
	WRAPPER="unshare -m sh $BATS_TEST_DIRNAME/stage.sh $STAGE $BATS_TEST_TMPDIR/told" start
}
targets() {
	echo "master=MASTER_PID other=$OTHER tcp=7900 udp=7901 unix=$PLACE/witness abstract=begat-witness" \
		"suid=/usr/bin/passwd outside=/srv/outside forks=2100 memory=${MEMORY:-600}"
}

# replace KEY TEXT: in the service on standard input.
replace() {
	awk -v key="$1" -v text="$2" '$1 == key { print text; cut = /{/ && !/}/; next }
		cut { cut = !/}/; next }
		{ print }'
}
# only SERVICE: of an example's.
only() { enable "$1" | awk -v name="$2" '$1 == "service" { on = $2 == name } on { print }'; }

# try EXAMPLE SERVICE PORT: everything, by the probe in the place of the service's program.
try() {
	witness
	begin "$(only "$1" "$2" | replace exec "$(probe all terminate)")"
	tell "$3"
	master_is_well
	agrees "$@"
}

# try_here EXAMPLE SERVICE PORT: ... each in a service of its own, for filters that have no fork(2), or
# none that could be waited for.
try_here() {
	local name port=8000 all
	all=$("$PLACE/probe" list && echo terminate)
	witness
	begin "$(for name in $all; do
		only "$1" "$2" | replace exec "$(probe here "$name")" |
			replace listen "listen = 'tcp:127.0.0.1:$port'" |
			sed "s/^service .*/service $name {/"
		((port += 1))
	done)"
	for name in $all; do
		tell "$((port++))"
		log_has "reaped $name\\["
		grep -E "^($name|forks|mebibytes)=" "$ANSWER" || :
		grep -q "^$name=" "$ANSWER" || how "$name"
	done >"$ANSWER.all"
	mv "$ANSWER.all" "$ANSWER"
	master_is_well
	agrees "$@"
}
# how NAME: it ended, without an answer.  As another program, who knows.
how() {
	if grep -Eq "reaped $1\\[.*seccomp" "$LOG"; then
		echo "$1=killed SYS"
	else
		echo "$1=done"
	fi
}

# agrees EXAMPLE SERVICE PORT: begatd --security says of the example, as it is, what can be seen of a
# worker that stays, and what the probe has found.
agrees() {
	local report=$BATS_TEST_TMPDIR/report
	stop
	is_quiet
	configure "$(only "$1" "$2")"
	on_stage "$BEGATD" --security --json -f "$CONF" 3>&- >"$report"
	begin "$(only "$1" "$2" | replace exec "$(mirror -)")"
	hold "$3"
	until_true 5 grep -q '^State:.S' "/proc/$WORKER/status"
	grep -q "^keyring=" "$ANSWER" || fail "not all was tried: $(cat "$ANSWER")"
	"$BATS_TEST_DIRNAME/helpers/caged.py" "$report" "$2" "$WORKER" "$MASTER" "$ANSWER" >"$ANSWER.difference" ||
		fail "$(cat "$ANSWER.difference")"
}

# shellcheck disable=SC2046,SC2086 # words
# can TRY...: that, what the kernel cannot keep, and nothing else in the whole list; nor what did_only
# leaves to the machine.
can() {
	did_only $always "$@"
	refute grep -E '^(unshare-user|io-uring|foreign-.*)=done' "$ANSWER"
	[ "$(grep -cE '=(done|denied|killed)( |$)' "$ANSWER")" -ge "$("$PLACE/probe" list | wc -l)" ] ||
		fail "not all was tried: $(cat "$ANSWER")"
}
# seen_are NAME...: who has come to the witness.
seen_are() { [ "$(seen)" = "$*${1:+ }" ] || fail "it has reached: $(seen)"; }

@test "finger: reads who there is, and gets nowhere" {
	installed /usr/sbin/in.fingerd /usr/bin/finger
	try finger finger 79
	can passwd $sockets $(before_mdwe) $(before_scopes)
	seen_are unix
	says 'fork-bomb=denied EAGAIN' 'fill-memory=denied ENOMEM' 'mount=killed SYS' 'ptrace=killed SYS' \
		'shell=denied EACCES' 'suid=denied EACCES' 'tcp=denied ENETUNREACH' 'keyring=killed SYS'
}

@test "git: gets nowhere, and has no sockets" {
	installed /usr/bin/git /usr/lib/git-core
	MEMORY=1100 try git git 9418
	can $(before_mdwe) $(before_scopes)
	seen_are
	says 'fork-bomb=denied EAGAIN' 'fill-memory=denied ENOMEM' 'passwd=denied EACCES' 'tcp=killed SYS' \
		'unix=killed SYS' 'mount=killed SYS' 'ptrace=killed SYS' 'suid=denied EACCES' 'keyring=killed SYS'
}

@test "rsync: gets nowhere" {
	installed /usr/bin/rsync
	MEMORY=1100 try rsync rsync 873
	can $sockets $(before_mdwe) $(before_scopes)
	seen_are unix
	says 'fork-bomb=denied EAGAIN' 'fill-memory=denied ENOMEM' 'passwd=denied EACCES' 'shell=denied EACCES' \
		'tcp=denied ENETUNREACH' 'mount=killed SYS' 'keyring=killed SYS'
}

@test "httpd: gets nowhere, and can neither begin a process nor a connection" {
	installed /usr/bin/busybox
	try_here httpd httpd 80
	can $(before_mdwe)
	seen_are
	says 'fork-bomb=killed SYS' 'fill-memory=denied ENOMEM' 'passwd=denied EACCES' 'shell=denied EACCES' \
		'tcp=killed SYS' 'unix=killed SYS' 'signal-other=killed SYS' 'keyring=killed SYS'
	refute grep '^forks=' "$ANSWER"
}

@test "greeting: gets nowhere, and can neither begin a process nor a connection" {
	installed /usr/games/fortune /usr/share/games/fortunes
	try_here greeting greeting 2345
	can $(before_mdwe)
	seen_are
	says 'fork-bomb=killed SYS' 'fill-memory=denied ENOMEM' 'passwd=denied EACCES' 'shell=denied EACCES' \
		'tcp=killed SYS' 'unix=killed SYS' 'signal-other=killed SYS' 'keyring=killed SYS'
	refute grep '^forks=' "$ANSWER"
}

@test "stunnel: reaches Unix sockets, which is what it is for, and nothing else" {
	installed /usr/bin/stunnel /etc/ssl/openssl.cnf
	try_here stunnel greeting-tls 2346
	can $sockets $(before_mdwe)
	seen_are unix
	# It may have threads, and processes cannot be told from them; there is an end to both.
	says 'forks=1[0-9][0-9][0-9]' 'fill-memory=denied ENOMEM' 'passwd=denied EACCES' 'shell=denied EACCES' \
		'tcp=denied ENETUNREACH' 'signal-other=killed SYS' 'keyring=killed SYS'
}

@test "top: sees the machine's processes, which is what it is for, and touches none" {
	installed /usr/sbin/telnetd /usr/bin/top
	try telnet top 2300
	can passwd see-other $sockets $(before_mdwe) $(before_scopes)
	seen_are unix
	says 'fork-bomb=denied EAGAIN' 'fill-memory=denied ENOMEM' 'shell=denied EACCES' 'environ=denied EACCES' \
		'setuid=killed SYS' 'tcp=denied ENETUNREACH' 'keyring=killed SYS'
}

# The probe wants a client to itself, and so a connection.  It can leave a directory that it is in for good,
# and has the groups that it likes, which gives it no other file.
@test "tftp: sends datagrams, which is what it is for, and gets nowhere" {
	installed /usr/sbin/in.tftpd
	CHANGE='s/"udp:69"/"tcp:69"/' try tftp tftp 69
	can passwd unix udp chroot chroot-escape setgroups drop-groups $(before_ports) $(before_mdwe) $(before_scopes)
	says 'fork-bomb=denied EAGAIN' 'fill-memory=denied ENOMEM' 'shell=denied EACCES' 'outside=denied EACCES' \
		'setuid=killed SYS' 'mount=killed SYS' 'keyring=killed SYS'
}

# Those that log users in: they are root, become anybody, run every program in /usr and read what root may
# read in /etc.  So root regains root, and as it has no capability else, that gives nothing more: no device,
# no file elsewhere, nobody's memory, no process of the machine, no kernel; of begat's own process it sees
# how many descriptors there are.  Limits do not hold root.
become='setuid setresuid setfsuid setgid setresgid setgroups drop-groups suid shadow passwd parent-descriptors'
login="shell fork-bomb fill-memory write-tmp write-var-tmp $writable"

@test "ssh: becomes a user, and can go into a directory for good" {
	installed /usr/sbin/sshd
	try ssh ssh 22
	# It is in no chroot, so there is nothing to escape from.
	can $become $login chroot chroot-escape $sockets
	seen_are unix
	says 'append-passwd=denied EACCES' 'write-root=denied EACCES' 'write-etc=denied EACCES' \
		'sysctl=denied EACCES' 'list-root=denied EACCES' 'device=denied E(ACCES|PERM)' 'signal=denied ESRCH' \
		'see-other=denied ENOENT' 'tcp=denied ENETUNREACH' 'mount=killed SYS' 'keyring=killed SYS'
}

@test "telnet: becomes a user" {
	installed /usr/sbin/telnetd
	try telnet telnet 23
	can $become $login $sockets
	seen_are unix
	# sysctl: a program that the kernel would run for the next core, outside.
	says 'append-passwd=denied EACCES' 'write-root=denied EACCES' 'write-etc=denied EACCES' \
		'sysctl=denied EACCES' 'list-root=denied EACCES' 'device=denied E(ACCES|PERM)' 'signal=denied ESRCH' \
		'see-other=denied ENOENT' 'tcp=denied ENETUNREACH' 'mount=killed SYS' 'chroot=killed SYS'
}
