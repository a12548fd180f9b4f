#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The configurations of good/ and bad/ against begatd.
#
# good/NAME.conf: "begatd -T" prints good/NAME.dump, and that output loads again to the same.
# bad/NAME.conf: "begatd -t" exits 6 and prints exactly bad/NAME.err.
# What cannot be kept in a repository (NUL bytes, noise, modes, kinds of files) is made here.
#
# Needs BEGATD, and SRCDIR when it is not run from the top.  With UPDATE=1 the expectations are
# written instead of compared; read the difference before you keep them.

set -u
umask 022

begatd=${BEGATD:?"is not set: it is the begatd to test"}
source=$(cd "${SRCDIR:-.}/tests/config" && pwd) || exit 1
work=$(mktemp -d) || exit 1
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
failures=0
checks=0
root=no
[ "$(id -u)" != 0 ] || root=yes
XDG_RUNTIME_DIR=$work
export XDG_RUNTIME_DIR

# Copies belong to us and have our umask: begatd refuses files that others could write.
cp -R "$source/good" "$source/bad" "$work" || exit 1
chmod -R go-w "$work"

fail() {
	echo "FAIL: $*"
	failures=$((failures + 1))
}

# What differs between systems and users: the group of "nobody", and that only root sets identities.
normalize() {
	if [ "$root" = yes ]; then
		sed 's/"nogroup"/"nobody"/g' "$1"
	else
		sed '/^	\(user\|group\|groups\) = /d' "$1"
	fi
}

# same WHAT EXPECTED ACTUAL
same() {
	checks=$((checks + 1))
	normalize "$2" >"$work/expected"
	normalize "$3" >"$work/actual"
	diff -u "$work/expected" "$work/actual" >"$work/diff" && return
	fail "$1"
	sed 's/^/    /' "$work/diff"
}

# keep EXPECTATION ACTUAL: for UPDATE=1
keep() {
	[ -n "${UPDATE:-}" ] || return 0
	cp "$2" "$source/$1" && cp "$2" "$work/$1"
}

# probe KEY: whether a service may have that key on this kernel, in this build and as this user.
probe() {
	case $1 in
	system-calls) value=@system-service ;;
	capabilities) value="kill" ;;
	read-only) value=/ ;;
	connect) value=80 ;;
	*) value=true ;;
	esac
	echo "service a { listen = 'tcp:7001' exec = '/bin/true' $1 = '$value' }" >"$work/probe.conf"
	"$begatd" -t -f "$work/probe.conf" >"$work/out" 2>&1
}

# "# needs root", "# needs KEY KEY": what a file cannot do without.
skip() {
	# shellcheck disable=SC2013 # words are what is wanted
	for need in $(sed -n 's/^# needs //p' "$1"); do
		[ "$need" != root ] || [ "$root" = no ] || continue
		[ "$need" != root ] && probe "$need" && continue
		echo "skip: ${1##*/} needs $need"
		return 0
	done
	return 1
}

good() {
	name=${1%.conf}
	skip "$1" && return
	if ! "$begatd" -T -f "$1" >"$work/out" 2>"$work/err"; then
		fail "good/$1 is refused"
		sed 's/^/    /' "$work/err"
		return
	fi
	keep "good/$name.dump" "$work/out"
	same "good/$1 prints good/$name.dump" "$name.dump" "$work/out"
	"$begatd" -T -f "$work/out" >"$work/again" 2>>"$work/err"
	same "the dump of good/$1 loads to itself" "$work/out" "$work/again"
}

# refuse NAME: begatd -t must exit 6 and print NAME.err
refuse() {
	"$begatd" -t -f "$1" >"$work/out" 2>"$work/err"
	status=$?
	[ $status = 6 ] || fail "bad/$1: exit status $status instead of 6"
	[ -s "$work/out" ] && fail "bad/$1: output on stdout"
	# The program's name before each line is not what is tested here.
	sed 's/^begatd: //' "$work/err" >"$work/said"
}

bad() {
	name=${1%.conf}
	skip "$1" && return
	refuse "$1"
	keep "bad/$name.err" "$work/said"
	same "bad/$1 says bad/$name.err" "$name.err" "$work/said"
}

# says NAME MESSAGE: refused with this one line
says() {
	refuse "$1"
	printf '%s\n' "$2" >"$work/one"
	same "bad/$1" "$work/one" "$work/said"
}

cd "$work/good" || exit 1
for left in '~' .bak .swp .ucf-dist .dpkg-old .rpmnew .rpmsave; do
	echo 'left behind {' >"begat.d/10-echo.conf$left"
done
mkdir "begat.d/30-directory.conf"
for conf in *.conf; do
	good "$conf"
done

cd "$work/bad" || exit 1
for conf in *.conf; do
	bad "$conf"
done

# Kinds of files
valid='service a { listen = "tcp:7001" handler = "daytime" }'

says missing.conf 'missing.conf: No such file or directory'
mkdir directory.conf
says directory.conf 'directory.conf: is a directory'
mkfifo fifo.conf
says fifo.conf 'fifo.conf: is not a regular file'
says /dev/null '/dev/null: is not a regular file'
: >empty.conf
says empty.conf 'empty.conf: there is no service'
ln -s nowhere.conf link.conf
says link.conf 'link.conf: No such file or directory'
ln -s loop.conf loop.conf
says loop.conf 'loop.conf: Too many levels of symbolic links'

# Who could have written it
echo "$valid" >writable.conf
chmod 666 writable.conf
says writable.conf 'writable.conf: is writable by everybody; use chmod o-w'
chmod 600 writable.conf
echo 'include("world.inc")' >>writable.conf
echo "$valid" >world.inc
chmod 646 world.inc
says writable.conf 'writable.conf:2: include: world.inc: is writable by everybody; use chmod o-w'
if [ "$root" = yes ]; then
	echo "$valid" >others.conf
	chown 1 others.conf
	says others.conf 'others.conf: belongs to another user, who could change it; use chown'
	chown 0:1 others.conf
	chmod 664 others.conf
	says others.conf 'others.conf: is writable by its group; use chmod g-w'
else
	echo "$valid" >secret.conf
	chmod 0 secret.conf
	says secret.conf 'secret.conf: Permission denied'
	echo "service a { listen = 'tcp:7001' handler = daytime user = root }" >root.conf
	says root.conf 'root.conf:1: user: only root can run a service as "root"'
	echo "service a { listen = 'tcp:7001' handler = daytime groups = {} }" >groups.conf
	says groups.conf 'groups.conf:1: groups: only root can set them'
	echo "service a { listen = 'tcp:7001' handler = echo private-pids = true }" >pids.conf
	says pids.conf 'pids.conf:1: private-pids: needs CAP_SYS_ADMIN, which this begatd does not have; run it as root; or use sandbox = "best-effort"'
	echo "service a { listen = 'tcp:7001' exec = /bin/true chroot = /usr }" >chroot.conf
	says chroot.conf 'chroot.conf:1: chroot: needs CAP_SYS_CHROOT, which this begatd does not have; run it as root; or use sandbox = "best-effort"'
fi

# Bytes
printf 'service a {\n\tlisten = "tcp:7001\000"\n' >nul.conf
says nul.conf 'nul.conf:2: a NUL byte: this is not a text file'
printf '# \000\n%s\n' "$valid" >nul-in-comment.conf
says nul-in-comment.conf 'nul-in-comment.conf:1: a NUL byte: this is not a text file'
printf '%s\r\n' "$valid" >dos.conf
says dos.conf 'dos.conf:1: a carriage return: lines must end with a newline alone'
printf '\033[31m\n' >escape.conf
says escape.conf 'escape.conf:1: control character \x1b: this is not a text file'
printf 'log = "\001"\n%s\n' "$valid" >control.conf
says control.conf 'control.conf:1: control character \x01 in a string'

# Sizes: 8 MiB are read, and one byte more is not
size=8388608
{
	echo "$valid"
	head -c $size /dev/zero | tr '\0' ' '
} | head -c $size >full.conf
"$begatd" -t -f full.conf >"$work/out" 2>&1 || fail "a file of 8 MiB is refused"
echo >>full.conf
says full.conf 'full.conf: is larger than 8 MiB'

# Lists: 100,000 prefixes take a moment, even for 1,000 services, and come out as they went in.  (What
# takes time by the square of their number takes minutes.)
awk 'BEGIN { for (i = 0; i < 100000; i++) { n = i * 7919 % 131072
	printf "%s\"%d.%d.%d.0/24\"", i ? ", " : "", 10 + n / 65536, n / 256 % 256, n % 256 } }' >list
{ printf 'service a { listen = "tcp:7001" handler = echo only-from = {' && cat list && echo '} }'; } >long.conf
checks=$((checks + 1))
timeout 20 "$begatd" -T -f long.conf 2>"$work/err" | sed -n 's/^	only-from = { \(.*\) }$/\1/p' |
	tr -d '\n' | cmp - list || fail "100,000 prefixes are lost"
{
	printf 'defaults { no-access = {' && cat list && printf '} only-from = {' &&
		sed 's/\.0\/24/.1/g' list && echo '} }'
	i=0 && while [ $i -lt 1000 ]; do
		echo "service a$i { listen = 'unix:@begat-test-$i' handler = echo only-from = 'uid:7' }"
		i=$((i + 1))
	done
} >long.conf
timeout 20 "$begatd" -t -f long.conf >"$work/out" 2>&1 || fail "100,000 prefixes of the defaults are refused"
{ echo 'service a { access-times = {' && yes '"00:00-24:00",' | head -n 1000 && echo '"" } }'; } >long.conf
refuse long.conf
grep -q '^long.conf:2: access-times: the list has more than 1000$' "$work/said" || fail "a list of 1,001 times is taken"

# Noise must be refused in bounded time and space.  What is said depends on the noise.
noise() {
	checks=$((checks + 1))
	timeout 20 "$begatd" -t -f noise.conf >"$work/out" 2>"$work/err"
	status=$?
	[ $status = 6 ] || fail "$1: exit status $status instead of 6"
	[ "$(wc -l <"$work/err")" -le 210 ] || fail "$1: more than 210 lines"
	grep -qv '^\(begatd: \)\?noise\.conf:' "$work/err" && fail "$1: a line without a place"
}
head -c $size /dev/urandom >noise.conf
noise "8 MiB of random bytes"
head -c 33554432 /dev/urandom | LC_ALL=C tr -dc '[:print:]\n' | head -c $size >noise.conf
noise "8 MiB of random text"
head -c $size /dev/zero | tr '\0' '{' >noise.conf
noise "8 MiB of braces"
head -c $size /dev/zero | tr '\0' 'x' >noise.conf
noise "8 MiB of one word"
{ printf 'log = "' && head -c 8000000 /dev/zero | tr '\0' 'x' && echo '"'; } >noise.conf
noise "a string of 8 MB"
{ echo 'service a { exec = {' && yes 'x,' | head -n 300000 && echo '} }'; } >noise.conf
noise "a list of 300,000"
{ echo 'service a { only-from = {' && yes '::/0,' | head -n 499999 && echo '10/8 } }'; } >noise.conf
noise "a list of 500,000 with one mistake"
{ echo 'service a { only-from = {' && yes 'x,' | head -n 500000 && echo 'x } }'; } >noise.conf
noise "a list of 500,001"
yes 'x=1' | head -n 1000000 >noise.conf
noise "1,000,000 unknown keys"
yes 'service a { }' | head -n 500000 >noise.conf
noise "500,000 services of one name"
{ i=0 && while [ $i -lt 60000 ]; do echo "service $i {}" && i=$((i + 1)); done; } >noise.conf
noise "60,000 services"
i=0
while [ $i -lt 300 ]; do
	echo "service a$i { listen = 'tcp:1-65535' handler = echo }" && i=$((i + 1))
done >noise.conf
noise "20 million addresses"

# Too many files
mkdir many
i=0
while [ $i -lt 260 ]; do
	echo "# nothing" >"many/$i.conf"
	i=$((i + 1))
done
printf 'include("many/*.conf")\n%s\n' "$valid" >crowd.conf
says crowd.conf 'crowd.conf:1: include: more than 256 files'

echo "$checks checks, $failures failures"
[ $failures = 0 ]
