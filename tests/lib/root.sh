# SPDX-License-Identifier: GPL-2.0-only
#
# Fresh Debian systems to do things in, each made by mmdebstrap: from the machine that runs this they have the name of the package
# mirror, the apt proxy and resolv.conf, and nothing else. And TAP, for the tests among those who source this.
#
# First "root_enter "$@"", with top the source tree; then "root_begin NAME", which makes the directory $work. Both want root.

# Everything is in a mount and PID namespace of its own; what is mounted and started there ends with it.
root_enter() {
	[ "$(id -u)" = 0 ] || exec sudo --preserve-env=TMPDIR,KEXEC_FAST_CACHE "$0" "$@"
	[ -n "${CLEAN_NAMESPACE:-}" ] || CLEAN_NAMESPACE=yes exec unshare --mount --propagation private --pid --fork --mount-proc "$0" "$@"
}

root_begin() {
	work=$(mktemp -d "${TMPDIR:-/var/tmp}/kexec-$1.XXXXXX")
	forget= keep=${keep:-no} count=0 failed=0
	[ "$keep" = no ] || echo "# roots and logs stay in $work"
	trap root_end EXIT
	trap 'exit 1' INT TERM HUP
	mirror=$(apt-get indextargets --format '$(LABEL)|$(REPO_URI)' 'Created-By: Packages' | sed -n 's/^Debian|//p' | head -n 1)
	proxy=$(apt-config shell proxy Acquire::http::Proxy | sed "s/^proxy='\(.*\)'$/\1/")
}

root_end() {
	[ -z "$forget" ] || echo -1 > "$forget"
	[ "$keep" = no ] || return 0
	for root in "$work"/*/root; do
		drop_root "$root"
	done
	rm -rf --one-file-system "$work"
}

drop_root() {
	for mounted in proc sys dev tmp; do
		umount -l "$1/$mounted" 2> /dev/null || :
	done
	rm -rf --one-file-system "$1"
}

# make_root SUITE DIR ARCHITECTURE[,FOREIGN]. Check-Valid-Until: a mirror of sid may be older than its signature says, which is not what
# is tested here.
make_root() {
	mmdebstrap --variant=minbase --architectures="$3" --skip=check/qemu --aptopt='Acquire::Check-Valid-Until "false"' --dpkgopt=force-unsafe-io \
		${proxy:+--aptopt="Acquire::http::Proxy \"$proxy\""} "$1" "$2" "$mirror" &&
		mount_root "$2"
}

mount_root() {
	mount -t proc proc "$1/proc" &&
		mount -t sysfs -o ro sysfs "$1/sys" &&
		{ mount -t devtmpfs devtmpfs "$1/dev" 2> /dev/null || mount --rbind /dev "$1/dev"; } &&
		mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
}

# in_root_at DIRECTORY ROOT COMMAND...
in_root_at() {
	at=$1 root=$2
	shift 2
	chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
		DEBIAN_FRONTEND=noninteractive sh -euc "cd $at && $*"
}
in_root() { in_root_at /root/kexec-fast "$@"; }

# A checkout of what git knows, or of what came in a tarball.
give_checkout() {
	mkdir -p "$1/root/kexec-fast" &&
		(cd "$top" && { git ls-files -z 2> /dev/null || tr '\n' '\0' < MANIFEST; } | xargs -0 tar -c) | tar -x -C "$1/root/kexec-fast"
}

# Programs of another architecture: the kernel is told to run them by an emulator, which it opens now (F), before the root is
# changed. Machines may know already; if not, it is forgotten again at the end, by a name that no other run has.
emulate_arm64() {
	[ "$(dpkg --print-architecture)" != arm64 ] || return 0
	[ -z "$forget" ] || return 0
	binfmt=/proc/sys/fs/binfmt_misc entry=${work##*/}
	[ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt
	! grep -qs '^enabled' $binfmt/qemu-aarch64 || return 0
	emulator=$("$top/tools/lab" qemu-user) && [ -x "$emulator" ] || return
	printf ':%s:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:%s:%s:F' \
		"$entry" '\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff' "$emulator" > $binfmt/register || return
	forget=$binfmt/$entry
}

# step NAME COMMAND...: one line of TAP; the end of its output, which stays in $work/log, if it fails. Inside a condition the shell does
# not stop at what fails (set -e): the functions that this runs chain their commands.
step() {
	name=$1 start=$(date +%s)
	shift
	count=$((count + 1))
	if "$@" > "$work/log" 2>&1; then
		echo "ok $count - $name ($(($(date +%s) - start)) s)"
		return 0
	fi
	echo "not ok $count - $name ($(($(date +%s) - start)) s)"
	tail -n 40 "$work/log" | sed 's/^/# /'
	failed=$((failed + 1))
	return 1
}

# The plan, and whether all went well.
steps_done() {
	echo "1..$count"
	[ $failed = 0 ] && [ $count -gt 0 ]
}
