# SPDX-License-Identifier: GPL-2.0-only
#
# Shell functions that run an installed Debian under QEMU and talk to it over ssh; sourced by the scripts here. $lab is tools/lab, $work a
# directory of the caller's. Each machine has a name, and its files in $work/NAME: console (the log), pid, port, known.

# machine_start NAME "SUITE [PACKAGE...]" [QEMU-OPTION...]: what it writes to its disk lasts as long as QEMU runs, resets included. A reset goes through
# what stands for firmware here: QEMU loads kernel and initrd again.
machine_start() {
	# shellcheck disable=SC2086
	machine=$work/$1 image=$($lab root $2)
	shift 2
	mkdir -p "$machine"
	for attempt in 1 2 3 4 5; do
		port=$(shuf -i 20000-32000 -n 1)
		qemu-system-aarch64 -M virt,virtualization=on,gic-version=3 -cpu neoverse-n1 -smp 2 -m "${mib:-2048}" \
			-display none -monitor none -serial file:"$machine/console" -snapshot \
			-drive file="$image/root.ext4",format=raw,if=virtio -netdev user,id=net,hostfwd=tcp:127.0.0.1:"$port"-:22 -device virtio-net-device,netdev=net "$@" \
			-kernel "$image/Image" -initrd "$image/initrd" \
			-append "root=/dev/vda rw console=ttyAMA0 panic=-1 quiet systemd.show_status=no ${append:-}" < /dev/null > "$machine/qemu" 2>&1 &
		echo $! > "$machine/pid"
		sleep 1
		! machine_runs "$machine" || break
		grep -q 'host forwarding' "$machine/qemu" || { cat "$machine/qemu"; return 1; }
	done
	echo "$port" > "$machine/port"
	cp "$image/key" "$machine/key"
	chmod 600 "$machine/key"
}
machine_runs() { kill -0 "$(cat "$1/pid")" 2> /dev/null; }
machine_stop() { kill "$(cat "$work/$1/pid")" 2> /dev/null || :; }

# on NAME COMMAND...: run as root there, by its shell. 255: it does not answer.
on() {
	machine=$work/$1
	shift
	timeout "${on_seconds:-120}" ssh -q -i "$machine/key" -p "$(cat "$machine/port")" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o ConnectTimeout=5 -o ServerAliveInterval=5 -o ServerAliveCountMax=6 root@127.0.0.1 "$@" < "${on_input:-/dev/null}"
}

# wait_boot NAME [OLD-BOOT-ID]: until it answers, from another boot than that. Prints the boot ID.
wait_boot() {
	deadline=$(($(date +%s) + ${boot_seconds:-600}))
	while [ "$(date +%s)" -lt $deadline ]; do
		id=$(on_seconds=20 on "$1" cat /proc/sys/kernel/random/boot_id 2> /dev/null) || id=
		[ -z "$id" ] || [ "$id" = "${2:-}" ] || { echo "$id"; return; }
		machine_runs "$work/$1" || return
		sleep 1
	done
	return 1
}

# needs_of PACKAGE: the packages that a .deb depends on, which a machine has to have that reaches no mirror; of a tree, none.
needs_of() { [ -d "$1" ] || dpkg-deb -f "$1" Depends | sed 's/([^)]*)//g; s/,/ /g'; }

# install_on NAME TREE: what make install made, or a package.
install_on() {
	if [ -d "$2" ]; then
		tar -C "$2" -cz . > "$work/$1/tree.tar.gz"
		on_input=$work/$1/tree.tar.gz on "$1" 'tar -xz --no-same-owner -C / && systemctl daemon-reload'
	else
		on_input=$2 on "$1" 'cat > /var/tmp/kexec-fast.deb && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install /var/tmp/kexec-fast.deb' 2>&1
	fi
}

# reboots NAME HOW COMMAND...: run that there, and see it come back by kexec, or through the firmware. What it says is in $work/NAME/said.
reboots() {
	rebooted=$1 how=$2 before=$(on "$1" cat /proc/sys/kernel/random/boot_id)
	shift 2
	on "$rebooted" "$@" > "$work/$rebooted/said" 2>&1 || :
	after=$(wait_boot "$rebooted" "$before") || { echo "$rebooted did not come back"; cat "$work/$rebooted/said"; return 1; }
	if on "$rebooted" test -e '/proc/device-tree/chosen/kexec-fast,timeline'; then came=kexec; else came=firmware; fi
	[ $came = "$how" ] || { echo "$rebooted came back by $came"; cat "$work/$rebooted/said"; return 1; }
}
