#!/usr/bin/env bats
# SPDX-License-Identifier: ISC
# begatd --security: it says what real workers are, by /proc and by a probe that tries; and it does so in a
# form that people and programs can read.

load lib
load cage

setup_file() {
	build probe
	if is_root; then
		cp "$PLACE/probe" "$PLACE/suid"
		chmod 4755 "$PLACE/suid"
	fi
}
teardown_file() { unbuild; }

# Whatever the kernel has not is left out, and what is said has to be right all the same.
best='defaults { sandbox = "best-effort" }'
daytime='service daytime { listen = "tcp:127.0.0.1:7013" handler = "daytime" }'

report() { run_for 10 "$BEGATD" --security -f "$CONF" "$@" 3>&-; }

# good COMMAND...: run, which must succeed.
good() {
	run "$@"
	[ "$status" = 0 ] || fail "$output"
}

# look CODE ARGUMENT...: CODE has what --json says by name in "services", and its items in cost(name, item).
look() {
	report --json >"$BATS_TEST_TMPDIR/json"
	run_for 20 python3 - "$BATS_TEST_TMPDIR/json" "${@:2}" 3>&- <<-END
		import json, os, re, subprocess, sys
		everything = json.load(open(sys.argv[1]))
		services = {each["service"]: each for each in everything}
		def cost(name, item):
		    return {i["name"]: i["cost"] for i in services[name]["items"]}[item]
		$1
	END
}

need_filters() {
	configure "$daytime"
	look 'sys.exit(not services["daytime"]["system-calls"]["filter"])' ||
		skip "no filters of system calls, in this build or this kernel"
}

# By /proc

# agrees SERVICE PORT: a worker of that service is what --json says.
agrees() {
	session "$2" -
	look "$is_same" "$1" "$WORKER" "$MASTER" || fail "$1 is something else: $(cat "/proc/$WORKER/status")"
	end_session
}
# A handler's first byte comes after its last step; a program that says nothing is waited for by has_worker.
agrees_silent() {
	session "$2"
	until_true 10 is_program "$3"
	look "$is_same" "$1" "$WORKER" "$MASTER" || fail "$1 is something else: $(cat "/proc/$WORKER/status")"
	end_session
}
is_program() { [ "$(cat "/proc/$WORKER/comm")" = "$1" ]; }

is_same='
def fields(pid):
    return dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", open(f"/proc/{pid}/status").read(), re.M))
# Where we run there may be filters already.
def filters(found):
    return int(found["Seccomp_filters"])
def network(pid):
    return os.readlink(f"/proc/{pid}/ns/net")
said, worker, master = services[sys.argv[2]], sys.argv[3], sys.argv[4]
found = fields(worker)
names = subprocess.run(["setpriv", "--list-caps"], capture_output=True, text=True).stdout.split()
mask = sum(1 << names.index(name.replace("-", "_")) for name in said["capabilities"])
pairs = {
    "uid": ([said["identity"]["uid"]] * 4, [int(i) for i in found["Uid"].split()]),
    "gid": ([said["identity"]["gid"]] * 4, [int(i) for i in found["Gid"].split()]),
    "groups": (sorted(said["identity"]["groups"]), sorted(int(i) for i in found["Groups"].split())),
    "permitted": (mask, int(found["CapPrm"], 16)),
    "effective": (mask, int(found["CapEff"], 16)),
    "no-new-privileges": (said["no-new-privileges"], found["NoNewPrivs"] == "1"),
    "filter": (said["system-calls"]["filter"] or said["system-calls"]["guards"] != [],
               filters(found) > filters(fields(master))),
    "network": (said["network"]["private"], network(worker) != network(master)),
}
for name, (by_us, by_kernel) in pairs.items():
    if by_us != by_kernel:
        sys.exit(f"{name}: {by_us}, not {by_kernel}")
'

@test "each handler's worker is what it says" {
	need_root
	configure "$best $(service daytime 7100 'handler = "daytime"')
		$(service time 7101 'handler = "time"')
		$(service shell 7102 'handler = "shell"')
		$(service commands 7103 'handler = "shell" options = "command.up=/usr/bin/uptime"')
		$(service root 7104 'handler = "shell" user = "root"')
		$(service greeting 7105 'handler = "daytime" user = "daemon" group = "sys" groups = { "games" }')
		$(service everything 7106 'handler = "daytime" system-calls = "@all" private-network = true')"
	start
	agrees daytime 7100
	agrees time 7101
	agrees shell 7102
	agrees commands 7103
	agrees root 7104
	agrees greeting 7105
	agrees everything 7106
	stop
}

@test "each program is what it says" {
	need_root
	cat='exec = "/bin/cat"'
	configure "$best $(service plain 7100 "$cat")
		$(service root 7101 "$cat user = 'root'")
		$(service gains 7102 "$cat no-new-privileges = false")
		$(service some 7103 "$cat capabilities = { 'net-bind-service', 'kill' }")
		$(service none 7104 "$cat user = 'root' capabilities = {}")
		$(service rootly 7105 "$cat user = 'root' capabilities = 'chown'")
		$(service calls 7106 "$cat system-calls = { '@system-service' }")
		$(service network 7107 "$cat private-network = true")
		$(service groups 7108 "$cat user = 'daemon' group = 'sys' groups = { 'games', 'adm' }")
		$(service crlf 7109 "$cat system-calls = '@system-service' crlf = true")"
	start
	for each in plain:7100 root:7101 gains:7102 some:7103 none:7104 rootly:7105 calls:7106 network:7107 \
		groups:7108; do
		agrees_silent "${each%:*}" "${each#*:}" cat
	done
	stop
}

@test "as an ordinary user it says what an ordinary user's workers are" {
	need_root
	dir=$(mktemp -d /tmp/begat-user.XXXXXX)
	cp "$BEGATD" "$BEGAT_MASTER" "$dir"
	BEGATD=$dir/begatd
	export BEGAT_MASTER=$dir/begat-master
	LOG=$dir/log
	configure "$(service shell 7100 'handler = "shell"')
		$(service plain 7101 'exec = "/bin/cat"')"
	sed "s,^pidfile = .*,pidfile = \"$dir/pid\"," "$CONF" >"$dir/conf"
	CONF=$dir/conf
	chmod 644 "$CONF"
	chown 12345 "$dir"
	ln -s "$dir/pid" "$BATS_TEST_TMPDIR/pid"
	report() { setpriv --reuid=12345 --regid=12346 --groups=12347,12348 "$BEGATD" --security -f "$CONF" "$@"; }
	WRAPPER='setpriv --reuid=12345 --regid=12346 --groups=12347,12348'
	start
	agrees shell 7100
	agrees_silent plain 7101 cat
	rm "$BATS_TEST_TMPDIR/pid"
	stop
	rm -r "$dir"
}

# By a probe

# What the probe can do where an item costs, and cannot where it does not.
tries='tries = {
    "reads-all": "passwd",
    "executes-all": "shell",
    "shared-tmp": "write-tmp",
    "connects-all": "tcp",
    "binds-all": "bind",
    "other-sockets": "udp",
    "abstract-sockets": "abstract",
    "memory-execute": "write-execute",
    "new-privileges": "suid",
}
# These are killed by the filter, or denied by the kernel to whom they do not fit.
calls = {
    "calls-mount": "mount",
    "calls-module": "insert-module",
    "calls-raw-io": "iopl",
    "calls-debug": "ptrace",
    "calls-privileged": "setgroups",
    "calls-reboot": "reboot",
    "calls-swap": "swap",
    "calls-clock": "settime",
    "calls-keyring": "keyring",
}'

agrees_with_probe() {
	tell "$2"
	look "$tries
name = sys.argv[2]
found = dict(line.strip().split('=', 1) for line in open(sys.argv[3]) if '=' in line)
for item, each in tries.items():
    if item == 'binds-all' and services[name]['network']['private']:
        continue # what it binds there is nobody's to come to
    if (cost(name, item) > 0) != (found[each] == 'done'):
        sys.exit(f'{name}: {item} costs {cost(name, item)}, but {each}={found[each]}')
for item, each in calls.items():
    if each in found and (cost(name, item) > 0) != (not found[each].startswith('killed')):
        sys.exit(f'{name}: {item} costs {cost(name, item)}, but {each}={found[each]}')
" "$1" "$ANSWER" || fail "$(cat "$ANSWER")"
}

@test "the probe can do what it says, and no more" {
	need_root
	need_static
	told
	witness
	all="passwd shell write-tmp tcp bind udp abstract write-execute suid mount insert-module ptrace setgroups
		reboot swap settime keyring"
	[ "$(uname -m)" != x86_64 ] || all="$all iopl"
	# shellcheck disable=SC2086 # words
	probe=$(probe $all)
	configure "$best $(service plain 7100 "$probe")
		$(service gains 7101 "$probe no-new-privileges = false")
		$(service files 7102 "$probe read-only = '/srv'")
		$(service reads 7103 "$probe read-only = '/' execute = '$PLACE'")
		$(service executes 7104 "$probe execute = '/'")
		$(service writes 7105 "$probe read-write = '/tmp'")
		$(service ports 7106 "$probe connect = {} bind = {}")
		$(service connects 7107 "$probe connect = {}")
		$(service network 7108 "$probe private-network = true")
		$(service memory 7109 "$probe memory-deny-write-execute = true")
		$(service calls 7110 "$probe system-calls = { '@system-service', '~@privileged', '~@keyring' }")
		$(service sets 7111 "$probe system-calls = { '~@mount', '~@clock', '~@swap' }")
		$(service most 7112 "$probe read-only = '/srv' connect = {} bind = {} memory-deny-write-execute = true
			system-calls = { '@system-service', '~@privileged', '~@keyring', '~@network-io', '~io_uring_setup' }")"
	start
	port=7100
	for name in plain gains files reads executes writes ports connects network memory calls sets most; do
		agrees_with_probe $name $((port++))
	done
	stop
}

# For people

@test "a line for each service in the order of the files; reasons for those that are not tight" {
	need_root
	need_filters
	configure "$(service z 7100 'handler = "echo"')
		$(service off 7101 'handler = "echo" disable = true')
		$(service a 7102 'exec = "/bin/cat"')"
	good report
	[ "${#lines[@]}" = 4 ]
	[[ ${lines[0]} =~ ^SERVICE\ +SCORE\ +USER\ +CAPABILITIES\ +CALLS\ +FILES\ +NETWORK$ ]]
	[[ ${lines[1]} =~ ^z\ +0\.[0-9]\ tight\ +nobody\ +none\ +[0-9]+\ +none\ +none$ ]]
	[[ ${lines[2]} =~ ^a\ +6\.0\ fair\ +nobody\ +none\ +all\ +all\ +all$ ]]
	[[ ${lines[3]} == "    2.1 no filter of system calls (system-calls); 1.9 every file "* ]]
}

@test "each handler is tight without a word of configuration" {
	need_root
	need_landlock
	need_filters
	text=
	for handler in $("$BEGATD" --handlers | grep -oE '^[a-z]+'); do
		text+=$(service "$handler" $((7100 + ${#text})) "handler = '$handler'")
	done
	configure "$text"
	look 'assert len(services) >= 6
for each in everything:
    assert each["word"] == "tight", each
    assert each["system-calls"]["filter"] and not each["capabilities"]
    assert each["service"] == "ident" or not each["network"]["sockets"], each # it asks the kernel by one'
}

@test "what a key is worth is what the reason says" {
	need_root
	unshare -n true || skip "no network namespaces"
	configure "$best $(service plain 7100 'exec = "/bin/cat"')
		$(service private 7101 'exec = "/bin/cat" private-network = true')
		$(service memory 7102 'exec = "/bin/cat" limits = "as=1g"')"
	look 'def score(name):
    return round(10 * services[name]["score"])
assert score("plain") - score("private") == 13
assert score("plain") - score("memory") == 1
for each in everything:
    assert round(10 * each["score"]) == round(10 * sum(item["cost"] for item in each["items"]))
    assert round(10 * sum(item["weight"] for item in each["items"])) == 100'
}

# on_terminal COLUMNS ARGUMENT...: what it writes there.
on_terminal() {
	python3 - "$BEGATD" --security -f "$CONF" 3>&- <<-END
		import fcntl, os, pty, struct, sys, termios
		pid, fd = pty.fork()
		if pid == 0:
		    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 25, $1, 0, 0))
		    os.environ.update(dict(each.split("=") for each in "TERM=xterm $2".split()))
		    os.execv(sys.argv[1], sys.argv[1:])
		text = b""
		while True:
		    try:
		        some = os.read(fd, 4096)
		    except OSError: # EIO: the end
		        break
		    if not some:
		        break
		    text += some
		sys.stdout.write(text.decode().replace("\r", ""))
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	END
}
has_colour() { grep -q $'\033' <<<"$output"; }

@test "colours on a terminal only, and not with NO_COLOR" {
	configure "$daytime"
	good on_terminal 100
	has_colour
	good on_terminal 100 NO_COLOR=1
	refute has_colour
	good on_terminal 100 NO_COLOR= # https://no-color.org: when it is not empty
	has_colour
	good on_terminal 100 TERM=dumb
	refute has_colour
	good report
	refute has_colour
}

@test "on a narrow terminal lines are broken between columns" {
	need_root
	need_landlock 4
	configure "$(service daytime 7013 'handler = "daytime"')
		$(service proxy 7100 'exec = "/bin/cat" connect = { 80, 443 } user = "root"')"
	for width in 40 60 80; do
		good on_terminal $width NO_COLOR=1
		# Of the columns, that is; a reason may be longer.
		head -n 2 <<<"$output" | awk -v width=$width 'length($0) > width { exit 1 }'
		grep -q 'connect 80, 443; bind all' <<<"$output"
		grep -qE '[0-9]\.[0-9] (tight|good|fair)' <<<"$output"
	done
	good on_terminal 200 NO_COLOR=1
	[ "$(grep -c '^[a-z]' <<<"$output")" = 2 ]
	grep -q '^proxy .* connect 80, 443; bind all$' <<<"$output"
}

@test "begatd(8) has the table by which the score is made" {
	configure "$daytime"
	look 'import pathlib
page = pathlib.Path(sys.argv[2]).read_text()
table = re.findall(r"^[.]It Cm (\S+) , No (\S+)\n.*\n[.]Pq Cm (.*)$", page, re.M)
assert table == [(i["name"], str(i["weight"]), " , ".join(i["keys"])) for i in services["daytime"]["items"]], table
' "$BATS_TEST_DIRNAME/../../man/begatd.8.in"
}

# What it does besides

@test "it changes nothing, and asks for no privilege" {
	configure "$daytime"
	there=$(find "$BATS_TEST_TMPDIR" | sort)
	good report
	good report --json
	[ "$(find "$BATS_TEST_TMPDIR" | sort)" = "$there" ]
	need strace
	run_for 10 strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=bind,listen,execve,mkdir,unlink,setuid \
		"$BEGATD" --security -f "$CONF" 3>&- >/dev/null || skip "strace may not trace here"
	[ "$(grep -c '(' "$BATS_TEST_TMPDIR/trace")" = "$(grep -c 'execve(.*begatd' "$BATS_TEST_TMPDIR/trace")" ]
}

@test "a broken configuration is status 6, wrong usage 2, and output that is lost 1" {
	configure 'service s { listen = "tcp:99999" handler = "nonsense" }'
	run report
	[ "$status" = 6 ]
	[[ $output == "$CONF:3: "* ]]
	configure "$daytime"
	for wrong in --json "--security -t" "--security -T"; do
		# shellcheck disable=SC2086 # words
		run "$BEGATD" $wrong -f "$CONF"
		[ "$status" = 2 ] || fail "$wrong: $status"
	done
	for form in "" --json; do
		# shellcheck disable=SC2086 # nothing, or a word
		run sh -c '"$@" >/dev/full' sh "$BEGATD" --security $form -f "$CONF"
		[ "$status" = 1 ] || fail "$form: $status"
	done
}
