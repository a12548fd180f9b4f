#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# P2: a reload that fails, for whatever reason, changes nothing, says why, and the next good one works.
# (openbsd-inetd exits when its file is missing, and drops a service over a typo; the inetds, xinetd and
# HAProxy each had failed reloads that left signals blocked or descriptors open.)

# shellcheck disable=SC2030,SC2031 # a test is a subshell, and may change what it likes

load lib
load fault
load reload

good='reload-timeout = 1s
service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }
service echo { listen = "tcp:127.0.0.1:7007" handler = "echo" }'

setup() {
	own_programs
	configure "$good"
}

# begin: a daemon with a session, which has been reloaded once.  end: nothing is left of it all.
begin() {
	start "$@"
	session 7007
	is_daytime 7013
	reload
	remember
}
end() {
	exec 5>&-
	until_true 5 no_workers || fail "still there: $(children)"
	stop
}

# stays REGEX...: the reload fails, for these reasons, and nothing is other than before; made good again,
# it reloads at once.
stays() {
	fails_to_reload "$@"
	same_as_before
	goes_on
	is_daytime 7013
	until_true 5 only_the_session || fail "still there: $(children)"
	own_back
	rm -rf "$CONF"
	configure "$good"
	reload 'kept 2, added 0, changed 0, removed 0'
	same_as_before
	goes_on
}
only_the_session() { [ "$(children | wc -l)" = 1 ]; }

# The configuration.

@test "F75: a syntax error, told with file and line, each of them" {
	begin
	configure $'service daytime {\n\tlisten = "tcp:127.0.0.1:7013"\n\thandlr = "daytime"\n}\nuser = "nosuchuser"'
	stays "reload: $CONF:5: .*handlr" "reload: $CONF:7: .*nosuchuser"
	configure 'service daytime { listen = '
	stays "reload: $CONF:3: "
	printf 'garbage \001\002 }{' >"$CONF"
	stays "reload: $CONF:1: "
	: >"$CONF"
	stays "reload: $CONF: .*no service"
	end
}

@test "F75: an unknown user, program, handler, address" {
	begin
	while read -r what regex; do
		configure "$good
		service new { listen = 'tcp:127.0.0.1:7001' $what }"
		stays "reload: $CONF:6: .*$regex"
	done <<-'END'
		handler="echo"user="nosuchuser" nosuchuser
		exec="/no/such/program" /no/such/program
		handler="nosuchhandler" nosuchhandler
		handler="echo"backlog=-1 backlog
	END
	is_refused 7001
	end
}

@test "F76: the file is missing, a directory, a FIFO, not ours, or its own include" {
	begin
	rm "$CONF"
	stays "reload: $CONF: No such file"
	rm "$CONF" && mkdir "$CONF"
	stays "reload: $CONF: .*(directory|regular file)"
	rm "$CONF" && mkfifo "$CONF"
	stays "reload: $CONF: .*regular file"
	chmod 666 "$CONF"
	stays "reload: $CONF: "
	echo 'include("begat.conf")' >>"$CONF"
	stays "reload: $CONF:"
	end
}

@test "F76: the file cannot be read any more by an ordinary user's daemon" {
	if is_root; then
		dir=$(mktemp -d /tmp/begat-user.XXXXXX)
		cp "$BEGATD" "$BEGAT_MASTER" "$dir"
		BEGATD=$dir/begatd BEGAT_MASTER=$dir/begat-master LOG=$dir/log
		configure "$good"
		sed "s,^pidfile = .*,pidfile = '$dir/pid'," "$CONF" >"$dir/conf"
		CONF=$dir/conf
		chown -R 12345 "$dir"
		WRAPPER='setpriv --reuid=12345 --regid=12346 --clear-groups'
	fi
	start
	chmod 000 "$CONF"
	[ -z "${dir-}" ] || MASTER=$(cat "$dir/pid")
	fails_to_reload "reload: $CONF: Permission denied"
	is_daytime 7013
	chmod 644 "$CONF"
	reload
	is_daytime 7013
	stop
	[ -z "${dir-}" ] || rm -r "$dir"
}

@test "F76: a read error" {
	need strace
	begin
	# -f: the preflight.
	strace -f -qq -o "$FAULTS" -P "$CONF" -e inject=read,pread64:error=EIO -p "$MASTER" 3>&- 5>&- 2>/dev/null &
	STRACE=$!
	until_true 10 is_traced
	hup
	heal
	[[ $OUTCOME == *"reload failed"* ]]
	log_has "reload: $CONF: .*Input/output error"
	same_as_before
	reload
	goes_on
	end
}

@test "F80: an address that another process has: named with its holder, and no other one is opened" {
	sock=$BATS_TEST_TMPDIR/sock
	begin
	squat 127.0.0.1 7002
	configure "$good service new { handler = 'echo'
		listen = { 'tcp:127.0.0.1:7001', 'unix:$sock', 'tcp:127.0.0.1:7002', 'tcp:127.0.0.1:7003' } }"
	stays "reload: .*tcp:127.0.0.1:7002.*in use.*squatter, pid $SQUATTER"
	is_refused 7001
	is_refused 7003
	[ ! -e "$sock" ]
	leave
	configure "$good service new { listen = 'tcp:127.0.0.1:7002' handler = 'daytime' }"
	reload 'added 1'
	is_daytime 7002
	end
}

@test "F80: a Unix path where a file of somebody else's is" {
	begin
	echo precious >"$BATS_TEST_TMPDIR/sock"
	configure "$good service new { listen = { 'tcp:127.0.0.1:7001', 'unix:$BATS_TEST_TMPDIR/sock' }
		handler = 'echo' }"
	stays "reload: .*$BATS_TEST_TMPDIR/sock.*not a socket"
	[ "$(cat "$BATS_TEST_TMPDIR/sock")" = precious ]
	end
}

@test "a log that cannot be written" {
	begin
	for log in /nowhere/log "$BATS_TEST_TMPDIR"; do
		sed -i "s,^log = .*,log = '$log'," "$CONF"
		stays "reload: .*$log: "
	done
	end
}

@test "F86: more listeners than the limit of descriptors allows" {
	begin
	prlimit --pid "$MASTER" --nofile=300:300
	configure "$good service many { listen = 'tcp:127.0.0.1:8000-8999' handler = 'echo' }"
	fails_to_reload 'reload: .*(descriptors|Too many open files)'
	same_as_before
	goes_on
	configure "$good"
	reload
	same_as_before
	end
}

# 20 times, so that anything that stays behind is seen.
@test "P2, P3: failing again and again costs nothing but log lines" {
	begin
	echo garbage >"$CONF"
	for _ in {1..20}; do
		fails_to_reload
	done
	goes_on
	stays
	[[ $OUTCOME == *"generation 3" ]]
	log_times 21 "reload: $CONF:2: "
	end
}

# begatd.

@test "F83: the preflight hangs, says nothing, or leaves others behind: the time limit ends them all" {
	begin
	for script in 'sleep 1000' 'exec >&- 2>&-; sleep 1000' 'sleep 1000 & echo $! >'"$BIN/pid"'; wait' \
		'while :; do :; done' 'kill -STOP $$'; do
		fake begatd "$script"
		stays 'reload failed: .*(time|limit|seconds|1 s)'
	done
	until_true 2 is_gone_or_zombie "$(cat "$BIN/pid")"
	end
}

@test "F83: the preflight crashes, or is /bin/false, /bin/true, a text, a directory, or empty" {
	begin
	fake begatd 'exec python3 -c "import ctypes; ctypes.string_at(0)"'
	stays 'reload failed: the preflight was killed by SIGSEGV'
	fake begatd 'kill -KILL $$'
	stays 'reload failed: the preflight was killed by SIGKILL'
	put /bin/false begatd
	stays 'reload failed: .*1'
	put /bin/true begatd
	stays
	put /etc/passwd begatd
	stays 'reload failed: '
	chmod 644 "$BIN/begatd"
	stays 'reload.*Permission denied'
	fake begatd ''
	stays
	put /dev/null begatd
	stays
	printf '#!/no/such/interpreter\n' >"$BATS_TEST_TMPDIR/script"
	put "$BATS_TEST_TMPDIR/script" begatd
	stays
	rm "$BIN/begatd" && mkdir "$BIN/begatd"
	hup # a directory is no begatd, nor is the path gone: either answer is one
	rmdir "$BIN/begatd"
	own_back
	same_as_before
	stays_good
	end
}
stays_good() {
	reload
	same_as_before
	goes_on
}

@test "F83: begatd lacks a library, or is cut off" {
	begin
	sed 's/libconfuse\.so/libconfuse.no/' "$REAL_BEGATD" >"$BATS_TEST_TMPDIR/broken"
	put "$BATS_TEST_TMPDIR/broken" begatd
	stays 'reload: .*libconfuse.no.*cannot open'
	head -c 20000 "$REAL_BEGATD" >"$BATS_TEST_TMPDIR/broken"
	put "$BATS_TEST_TMPDIR/broken" begatd
	stays
	end
}

# What comes on its standard output is the protocol of plan/packet.h.
@test "F83: the preflight talks nonsense, says that it is ready when it is not, or floods the log" {
	begin
	for script in 'echo garbage' 'printf r' 'printf r; sleep 1000' 'printf f; printf r; printf p' \
		'printf p; sleep 1000' 'printf d; printf r; head -c 3000 /dev/zero; exit 0' \
		'head -c 300000 /dev/zero' 'head -c 300000 /dev/zero | tr "\0" "r"'; do
		fake begatd "$script"
		stays
	done
	fake begatd 'yes "complaint" >&2'
	stays
	(($(log_count 'reload: complaint') < 10000)) || fail "the log is flooded"
	fake begatd 'printf "one\ntwo\033[31m\nthree" >&2; exit 6'
	stays 'reload: one$' 'reload: two\\' 'reload: three$'
	end
}

@test "F79: a slow name service is the preflight's to wait for, and its time is limited" {
	need cc
	need_root # others look nobody up
	! is_sanitized || skip "nothing is preloaded before a sanitizer"
	cat >"$BATS_TEST_TMPDIR/slow.c" <<-END
		#include <dlfcn.h>
		#include <unistd.h>
		struct passwd *getpwnam(const char *name)
		{
			struct passwd *(*next)(const char *) = dlsym(RTLD_NEXT, "getpwnam");

			while (access("$BATS_TEST_TMPDIR/stalls", F_OK) == 0)
				usleep(10000);
			return next(name);
		}
	END
	cc -D_GNU_SOURCE -shared -fPIC -o "$BATS_TEST_TMPDIR/slow.so" "$BATS_TEST_TMPDIR/slow.c" -ldl
	LD_PRELOAD=$BATS_TEST_TMPDIR/slow.so begin
	: >"$BATS_TEST_TMPDIR/stalls"
	kill -HUP "$MASTER"
	until_true 5 preflight
	is_daytime 7013
	goes_on
	until_true 10 has_outcomes 2
	[[ $(outcome 2) == *"reload failed"* ]]
	same_as_before
	rm "$BATS_TEST_TMPDIR/stalls"
	reload
	end
}

# begat-master.

@test "F83: begat-master is missing, of another build, crashes, hangs, or is no program at all" {
	begin
	rm "$BIN/begat-master"
	stays "reload: .*$BIN/begat-master.*No such file"
	upgrade begat-master
	stays 'reload: .*another build'
	upgrade begatd
	stays 'reload: .*another build'
	fake begat-master 'exit 1'
	stays
	fake begat-master 'exec python3 -c "import ctypes; ctypes.string_at(0)"'
	stays
	fake begat-master 'sleep 1000'
	stays
	# The first one says that all is well, whatever it is asked.
	for file in /bin/true /bin/false /etc/passwd /dev/null; do
		put "$file" begat-master
		stays
	done
	head -c 20000 "$REAL_MASTER" >"$BATS_TEST_TMPDIR/broken"
	put "$BATS_TEST_TMPDIR/broken" begat-master
	stays
	chmod 644 "$BIN/begat-master"
	stays 'reload: .*Permission denied'
	end
}

# A script cannot be begat-master: this is one that does what $1 says, in C.
master_that() {
	need "${CC%% *}"
	echo "int main(int argc, char **argv, char **env) { $1 }" >"$BATS_TEST_TMPDIR/master.c"
	# shellcheck disable=SC2086 # compiler and options
	$CC -D_GNU_SOURCE -include unistd.h -include string.h -o "$BIN/new" "$BATS_TEST_TMPDIR/master.c"
	mv "$BIN/new" "$BIN/begat-master"
}
CC=${CC:-cc}

@test "F83: begat-master hangs when it is tried: nothing stays of new Unix sockets" {
	begin
	master_that 'for (;;) pause();'
	configure "$good service unix { listen = 'unix:$BATS_TEST_TMPDIR/sock' handler = 'echo' }"
	stays 'reload failed: .*reload-timeout'
	[ ! -e "$BATS_TEST_TMPDIR/sock" ]
	end
}

@test "the way back, where even the log cannot be opened any more" {
	need strace
	mkdir "$BATS_TEST_TMPDIR/logs"
	begin
	sed -i "s|^log = .*|log = '$BATS_TEST_TMPDIR/logs/log'|" "$CONF"
	LOG=$BATS_TEST_TMPDIR/logs/log
	hup || :
	strace -qq -o /dev/null -e inject=execveat:delay_enter=300000 -p "$MASTER" 3>&- 5>&- 2>/dev/null &
	STRACE=$!
	until_true 10 is_traced
	kill -HUP "$MASTER"
	until_true 5 eval "grep -q 'reload: ' '$LOG' 2>/dev/null || :; [ -d '$BATS_TEST_TMPDIR/logs' ]"
	mv "$BATS_TEST_TMPDIR/logs" "$BATS_TEST_TMPDIR/away"
	until_true 5 eval "is_daytime 7013"
	goes_on
	heal
	[ "$(cat "/proc/$MASTER/comm")" = begat-master ]
	mv "$BATS_TEST_TMPDIR/away" "$BATS_TEST_TMPDIR/logs"
	reload
	goes_on
	end
}

@test "F84: exec fails after all: descriptors are close-on-exec again, and it goes on" {
	begin
	cloexec() { grep -h ^flags: "/proc/$MASTER"/fdinfo/* | sort; }
	before=$(cloexec)
	for error in ENOENT EACCES ENOMEM E2BIG; do
		inject execve,execveat "error=$error"
		fails_to_reload
		heal
		same_as_before
		[ "$(cloexec)" = "$before" ]
		goes_on
		is_daytime 7013
		reload
	done
	log_has "reload failed: .*Argument list too long"
	end
}

@test "what was checked is what is taken up, whatever becomes of the file meanwhile" {
	begin
	configure "$good service new { listen = 'tcp:127.0.0.1:7001' handler = 'daytime' }"
	hold_exec
	echo garbage >"$CONF"
	go_exec 2
	[[ $OUTCOME == *"kept 2, added 1"* ]]
	is_daytime 7001
	goes_on
	fails_to_reload
	goes_on
	end
}

# reload_without CALL [ERROR]: the first one of these calls of the master fails.
reload_without() {
	inject "$1" "error=${2:-EMFILE}:when=1"
	hup
	heal
	[[ $OUTCOME == *"reload failed: "*"going on with the old configuration"* ]] || fail "$1: $OUTCOME"
}

@test "P8: a reload that cannot even begin, without memory, sockets, a process" {
	need strace
	begin
	# Each in a master that has not had a preflight yet, and in one that has.
	for call in memfd_create socketpair clone,clone3,fork,vfork; do
		for _ in 1 2; do
			reload_without "$call"
			same_as_before
			is_daytime 7013
			goes_on
		done
		reload
	done
	same_as_before
	end
}

@test "the new master cannot get ready: the old one is back, with its configuration" {
	need strace
	sock=$BATS_TEST_TMPDIR/sock
	begin
	for call in epoll_create1 signalfd4; do
		configure "$good service new { listen = { 'tcp:127.0.0.1:7001', 'unix:$sock' } handler = 'echo' }"
		# The new master's is the first such call, the old one's is the second.
		reload_without "$call"
		same_as_before
		is_refused 7001
		[ ! -e "$sock" ]
		goes_on
		is_daytime 7013
		configure "$good"
		reload
		same_as_before
	done
	end
}

# The way on, and the way back: whichever system call of the master fails, from SIGHUP to the line in the
# log, the old or the new configuration is served, by the same process, with the same session and sockets,
# and the next reload works.

# calls_of_reload: "NAME NUMBER" for each, without those of the C library before main(), the wait for
# events, and what is always done with success.
calls_of_reload() {
	strace -qq -o "$BATS_TEST_TMPDIR/calls" -p "$MASTER" 3>&- 5>&- 2>/dev/null &
	STRACE=$!
	until_true 10 is_traced
	reload
	heal
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$BATS_TEST_TMPDIR/calls" | grep -Evx \
		'brk|arch_prctl|set_tid_address|set_robust_list|rseq|mprotect|getrandom|readlinkat?|epoll_p?wait|close|get[a-z]*id' |
		awk '{ print $1, ++number[$1] }'
}

# survives CALL NUMBER ERROR
survives() {
	local outcomes
	outcomes=$(log_count "$OUTCOMES")
	inject "$1" "error=$3:when=$2"
	kill -HUP "$MASTER"
	until_true 3 has_outcomes $((outcomes + 1)) || : # unless it was the log's line that failed
	heal
	[ -n "$(run_for 5 nc -d 127.0.0.1 7013)" ] || fail "dead after $*"
	goes_on || fail "$*"
	reload || fail "no good reload after $*"
	[ "$(sockets)" = "$kept" ] || fail "$*: $(sockets)"
}

@test "P8: any system call of a reload fails: the old or the new configuration, never none" {
	need strace
	! is_sanitized || skip "a sanitizer's own calls would fail"
	begin
	kept=$(sockets)
	descriptors=$(count_descriptors)
	# A sample: all of them are for "make check-faults".
	calls_of_reload | shuf -n "${FAULT_SAMPLE:-10}" >"$BATS_TEST_TMPDIR/sample"
	[ -s "$BATS_TEST_TMPDIR/sample" ]
	while read -r name number; do
		echo "$name $number"
		survives "$name" "$number" "$(shuf -n 1 -e ENOMEM EMFILE EIO)"
	done <"$BATS_TEST_TMPDIR/sample"
	leaks_nothing() { (($(count_descriptors) <= descriptors)); }
	until_true 5 leaks_nothing || fail "$(ls -l "/proc/$MASTER/fd")"
	end
}
