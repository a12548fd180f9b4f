# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# What begat is built and tested with, by the names of each distribution, and how to get it.  Read by
# demo.sh and check.sh in this folder; "set -eu" is in force.

say() {
	printf '%s: %s\n' "${0##*/}" "$*"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# package_manager: the one of this system, "none" for one that we do not know.
package_manager() {
	for manager in apt-get dnf pacman apk; do
		if command -v $manager >/dev/null; then
			echo $manager
			return
		fi
	done
	echo none
}

# packages MANAGER build|test|programs: what is needed; programs are those of others that begat is tried
# with, and some of them come with daemons of their own.
packages() {
	case $1:$2 in
	apt-get:build)
		echo gcc libc6-dev make autoconf automake pkg-config libconfuse-dev libbsd-dev libmd-dev \
			libjansson-dev libseccomp-dev libcap-ng-dev ;;
	apt-get:test)
		echo check bats socat netcat-openbsd telnet strace mandoc iproute2 procps tzdata util-linux \
			shellcheck python3 haproxy ;;
	apt-get:programs)
		echo git rsync openssh-server openssh-client busybox curl stunnel4 openssl fingerd finger \
			inetutils-telnetd telnet fortune-mod fortunes-min procps tftpd-hpa tftp-hpa rdate \
			dnsmasq-base ;;
	dnf:build)
		echo gcc glibc-static make autoconf automake pkgconf-pkg-config libconfuse-devel \
			libbsd-devel jansson-devel libseccomp-devel libcap-ng-devel diffutils ;;
	dnf:test)
		echo check-devel bats socat netcat telnet strace mandoc iproute procps-ng util-linux \
			ShellCheck python3 haproxy libasan libubsan ;;
	dnf:programs)
		echo git-daemon rsync openssh-server openssh-clients busybox curl stunnel openssl finger-server \
			finger telnet-server telnet fortune-mod procps-ng tftp-server tftp dnsmasq ;;
	pacman:build)
		echo gcc make autoconf automake pkgconf confuse libbsd jansson libseccomp libcap-ng \
			diffutils ;;
	pacman:test) # mandoc would replace man-db there
		echo check bash-bats socat openbsd-netcat inetutils strace iproute2 procps-ng util-linux \
			shellcheck python haproxy ;;
	pacman:programs)
		echo git rsync openssh busybox curl stunnel openssl inetutils fortune-mod procps-ng tftp-hpa \
			dnsmasq ;;
	apk:build)
		echo gcc musl-dev linux-headers make autoconf automake pkgconf confuse-dev libbsd-dev \
			libbsd-static libmd-dev jansson-dev jansson-static libseccomp-dev libcap-ng-dev ;;
	apk:test)
		echo check-dev bats bash socat netcat-openbsd busybox-extras strace mandoc iproute2 procps \
			util-linux shellcheck python3 haproxy ;;
	apk:programs)
		echo git-daemon rsync openssh busybox-extras curl stunnel openssl fortune procps tftp-hpa \
			dnsmasq ;;
	esac
}

# missing_of MANAGER PACKAGE...: those that are not installed.
missing_of() {
	manager=$1
	shift
	for package in "$@"; do
		case $manager in
		apt-get) dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ;;
		dnf) rpm -q --quiet --whatprovides "$package" ;;
		pacman) pacman -T "$package" >/dev/null ;;
		apk) apk info -e "$package" >/dev/null ;;
		esac || printf '%s ' "$package"
	done
}

# without_daemons COMMAND...: packages of Debian start what they bring along, unless told otherwise.
without_daemons() {
	policy=/usr/sbin/policy-rc.d
	if [ -e "$policy" ] || [ ! -d /usr/sbin ]; then
		"$@"
		return
	fi
	printf '#!/bin/sh\nexit 101\n' | $become tee "$policy" >/dev/null
	$become chmod 755 "$policy"
	result=0
	"$@" || result=$?
	$become rm -f "$policy"
	return "$result"
}

install_with() {
	manager=$1
	shift
	case $manager in
	apt-get)
		# A fresh machine has no lists yet, an old one has outdated ones.
		$become env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" || {
			$become apt-get update &&
				$become env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
		} ;;
	dnf) $become dnf install -y "$@" ;;
	pacman) $become pacman -S --needed --noconfirm "$@" ;;
	apk) $become apk add "$@" ;;
	esac
}

# need build|test ...: installs what is missing, or says what to install and why it could not.
need() {
	manager=$(package_manager)
	if [ "$manager" = none ]; then
		say "no package manager that we know: gcc, make, autoconf, automake, pkg-config, libConfuse 3.3," \
			"libbsd 0.11, Jansson 2.13, libseccomp 2.5 and libcap-ng must be there (for the tests: check, bats, socat, nc, strace, mandoc)"
		return
	fi
	wanted=
	for purpose in "$@"; do
		wanted="$wanted $(packages "$manager" "$purpose")"
	done
	# shellcheck disable=SC2086 # a list of words
	missing=$(missing_of "$manager" $wanted)
	[ -n "$missing" ] || return 0

	become=
	if [ "$(id -u)" -ne 0 ]; then
		become=sudo
		command -v sudo >/dev/null ||
			die "these packages are missing, and neither are you root nor is there sudo: $missing"
	fi
	say "installing $missing"
	# shellcheck disable=SC2086
	without_daemons install_with "$manager" $missing >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		die "$manager could not install $missing(everything it said: $log); install them and try again"
	}
}

# make_directory DIRECTORY: where everything is built.
make_directory() {
	if ! mkdir -p "$1" 2>/dev/null || [ ! -w "$1" ]; then
		die "cannot write into $1: run this in a source tree of your own${2-}"
	fi
}

# step WHAT COMMAND...: runs it with its output in the log; says what failed and why.
step() {
	what=$1
	shift
	say "$what"
	"$@" >"$log" 2>&1 || {
		tail -n 20 "$log" >&2
		die "$what: failed (everything it said: $log)"
	}
}

# configured_build DIRECTORY ARGUMENT...: leaves a directory in which "make" can be run.  Goes into it.
configured_build() {
	build=$1
	shift
	[ ! -e "$top/config.status" ] ||
		die "the source tree itself is configured: run 'make distclean' there first, for this builds in $build"
	if [ ! -e "$top/configure" ] || [ ! -e "$top/Makefile.in" ] ||
		[ -n "$(find "$top/configure.ac" "$top/Makefile.am" "$top/m4" -newer "$top/configure")" ]; then
		log=$build/autoreconf.log
		step "making configure" autoreconf -fi "$top"
		touch "$top/configure"
	fi
	cd "$build"
	arguments="$* ${CC-} ${CFLAGS-}"
	if [ ! -e config.status ] || [ "$top/configure" -nt config.status ] ||
		[ "$(cat arguments 2>/dev/null)" != "$arguments" ]; then
		[ ! -e Makefile ] || make -s clean >/dev/null 2>&1 || :
		log=$build/configure.log
		step "configuring $build" "$top/configure" "$@"
		echo "$arguments" >arguments
	fi
}
