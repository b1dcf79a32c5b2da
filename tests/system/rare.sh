# SPDX-License-Identifier: GPL-2.0-only
#
# Steps of tests/system/run that only --all and --rare take, on a machine with a second disk, and others with a watchdog, EDK2, and kdump-tools; sourced there.

# The newest of Debian's kernels there, its initrd, and how to load them by hand.
kernel='k=$(ls /boot/vmlinuz-* | sort -V | tail -n 1); i=/boot/initrd.img-${k#/boot/vmlinuz-}'
load='kexec --fast-reloc=require -l $k --initrd=$i --reuse-cmdline'
# systemd_is_from VERSION: the machine's.
systemd_is_from() { m "test \$(systemctl --version | sed -n 's/^systemd \\([0-9]*\\).*/\\1/p') -ge $1"; }
one_segment='test "$(grep -c . /proc/sysvipc/shm)" -le 3 && test "$(cat /proc/sys/vm/nr_overcommit_hugepages)" = 0'

rare_start() {
	truncate -s 600M "$work/boot.img" && mke2fs -q -F -t ext4 "$work/boot.img" &&
		machine_start m "$suite $needs" -drive file="$work/boot.img",format=raw,if=virtio && wait_boot m
}
efi_start() { machine_start m "$suite $needs" -bios /usr/share/qemu-efi-aarch64/QEMU_EFI.fd -machine acpi=off && wait_boot m && m 'test -d /sys/firmware/efi'; }

# Loaded in a scope and in a unit that have ended, and by somebody whose session is over.
outlives() {
	for way in '--scope' '--wait --pipe'; do
		m "$kernel; systemd-run --quiet $way $load" && m 'kexec --verify-staged=all && kexec -u' || return
	done
	m "$kernel; $load" && { m 'loginctl terminate-user root' || :; } && sleep 15 && m 'kexec --verify-staged=all'
}

# A unit with an IPC namespace of its own can stage nothing that would last; one with little memory loads or is refused, or killed.
limited_units() {
	m "$kernel; $load" || return
	if systemd_is_from 248; then
		m "$kernel; systemd-run --quiet --wait --pipe -p PrivateIPC=yes $load > /tmp/said 2>&1; s=\$?; cat /tmp/said; test \$s != 0 && grep -i 'IPC namespace' /tmp/said" || return
	else
		echo "note: this systemd knows no PrivateIPC="
	fi
	m 'mount -o remount,memory_hugetlb_accounting /sys/fs/cgroup' || echo "note: this kernel accounts no huge pages as memory"
	for limit in 8M 24M 60M 100M; do
		m "$kernel; systemd-run --quiet --wait --pipe -p MemoryMax=$limit -p MemorySwapMax=0 kexec --fast-reloc -l \$k --initrd=\$i --reuse-cmdline; echo MemoryMax=$limit: \$?
			test \$(cat /sys/kernel/kexec_loaded) = 1 && kexec --heal-staged" || return
	done
	m "kexec --verify-staged=all; test \$? -le 1; $kernel; $load && kexec --verify-staged=all && cat /proc/sysvipc/shm && $one_segment"
}

reexec() { m 'systemctl daemon-reexec && systemctl daemon-reload && kexec --verify-staged=all'; }

soft_reboot() {
	systemd_is_from 254 || { echo "note: this systemd has no soft-reboot"; return; }
	before=$(m systemctl show -P UserspaceTimestampMonotonic)
	m systemctl soft-reboot || :
	for second in $(seq 120); do
		sleep 1
		now=$(on_seconds=20 m systemctl show -P UserspaceTimestampMonotonic) || continue
		[ "$now" = "$before" ] || break
	done
	[ -n "$now" ] && [ "$now" != "$before" ] && m 'kexec --verify-staged=all' && systemctl_kexec
}

# Asked for in other ways. reboot -f leaves what is loaded alone.
forced() { m "$kernel; $load" && reboots m kexec systemctl --force kexec && fast_and_verified; }
reboot_f() { m "$kernel; $load" && reboots m firmware reboot -f; }
shutdown_r() { m "$kernel; $load" && reboots m kexec shutdown -r now && fast_and_verified; }

# systemd loads by itself, by an entry of the Boot Loader Specification: with our program up to 260, and where its own kexec_file_load(2) fails.
# What stands for the EFI system partition is a directory.
by_systemd() {
	m "$kernel; mkdir -p /boot/loader/entries && printf 'title x\nlinux %s\ninitrd %s\noptions %s x-by-systemd\n' \${k#/boot} \${i#/boot} \"\$(cat /proc/cmdline)\" \
		> /boot/loader/entries/x.conf && printf '[load]\nfast-reloc = yes\n' > /etc/kexec.conf" || return
	reboots m kexec SYSTEMD_ESP_PATH=/boot SYSTEMD_RELAX_ESP_CHECKS=1 systemctl kexec && m 'grep -q x-by-systemd /proc/cmdline' && fast_and_verified
	result=$?
	m 'rm -rf /etc/kexec.conf /boot/loader'
	return $result
}

# Swap is in use, and most of the memory is staged: an initrd with a gigabyte of zeros behind it, which the kernel skips.
swap() {
	on_seconds=600
	m "$kernel; dd if=/dev/zero of=/swap bs=1M count=900 status=none && chmod 600 /swap && mkswap -q /swap && swapon /swap &&
		cp \$i /var/large && truncate -s 800M /var/large && sync && echo 3 > /proc/sys/vm/drop_caches && kexec --fast-reloc=require -l \$k --initrd=/var/large --unpack-initrd=no --reuse-cmdline && rm /var/large &&
		mount -t tmpfs -o size=2G none /mnt && head -c 1100M /dev/zero > /mnt/large; free -m; kexec --staged;
		test \$(awk '/^SwapFree/ { f = \$2 } /^SwapTotal/ { t = \$2 } END { print int((t - f) / 1024) }' /proc/meminfo) -gt 30" || return
	mark_console
	reboots m kexec systemctl kexec && fast_and_verified && ! on_console 'Out of memory'
}

# /boot is a file system of its own, which is unmounted when the jump comes, and mounted by kexec-load.service when it is asked to load.
separate_boot() {
	on_seconds=300
	m 'disk=$(lsblk -dno NAME,MOUNTPOINTS 2> /dev/null | awk "/^vd/ && !/\// { print \$1 }"); test -n "$disk" && mount /dev/$disk /mnt &&
		cp -a /boot/. /mnt/ && umount /mnt && echo "UUID=$(blkid -s UUID -o value /dev/$disk) /boot ext4 defaults 0 2" >> /etc/fstab && rm -rf /boot/* && systemctl daemon-reload &&
		mount /boot && update-grub && kexec --list-boot-entries && systemctl enable kexec-load && systemctl restart kexec-load && kexec --verify-staged=all' || return
	reboots m kexec systemctl reboot && fast_and_verified && m 'mountpoint /boot && systemctl start kexec-load && kexec --verify-staged=all' || return
	reboots m kexec systemctl kexec && fast_and_verified && m 'systemctl disable --now kexec-load'
}

# The package is installed again while a kernel is staged.
upgrade() {
	[ ! -d "$package" ] || { echo "note: only of a package"; return; }
	m "$kernel; $load" && m 'systemctl enable --now kexec-load && kexec --verify-staged=all && dpkg -i /var/tmp/kexec-fast.deb && kexec --verify-staged=all && systemctl is-active kexec-load' &&
		reboots m kexec reboot && fast_and_verified && m 'systemctl disable --now kexec-load'
}

# The next kernel is an Image that does nothing for ever: "b ." behind a header (booting.rst), flags: anywhere, little-endian, 4K pages.
hanging_image='{ printf "\0\0\0\024\0\0\0\0\0\0\0\0\0\0\0\0\0\020\0\0\0\0\0\0\012\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0ARMd\0\0\0\0"; head -c 4032 /dev/zero; } > /hangs'
# Debian's cloud kernels have no driver for it, so the ordinary one is booted first, by kexec.
watchdog_start() {
	append='watchdog.stop_on_reboot=0' machine_start m "$suite linux-image-arm64 $needs" -device i6300esb && wait_boot m && install
}
ordinary='k=$(ls /boot/vmlinuz-*arm64 | grep -v cloud | sort -V | tail -n 1); i=/boot/initrd.img-${k#/boot/vmlinuz-}'
ordinary_kernel() { m "$ordinary; $load" && reboots m kexec systemctl kexec && fast_and_verified && m 'uname -r; uname -r | grep -v cloud && modprobe i6300esb'; }
watchdog() {
	m 'mkdir -p /etc/systemd/system.conf.d && printf "[Manager]\nKExecWatchdogSec=60\nRuntimeWatchdogSec=60\n" > /etc/systemd/system.conf.d/kexec.conf &&
		echo i6300esb > /etc/modules-load.d/watchdog.conf && systemctl daemon-reexec && kexec --doctor | grep -A1 "^[a-z]* *watchdog" && kexec --doctor | grep "^ok *watchdog"' || return
	# A next kernel that does not hang is up before it bites.
	m "$ordinary; $load" && reboots m kexec systemctl kexec && fast_and_verified && sleep 90 && m "uname -r | grep -v cloud && $hanging_image; kexec --fast-reloc=require -l /hangs" &&
		reboots m firmware systemctl kexec
}

# dracut's shutdown initramfs: systemd-shutdown goes there once its hooks have run, and dracut's script jumps by the kexec that dracut has put
# beside it, ours with its libraries.
exitrd() {
	on_seconds=300
	on_input=$($lab initrd trixie dracut) m 'mkdir -p /run/initramfs && cd /run/initramfs && cat > /var/dracut && { zstd -qdc /var/dracut || cat /var/dracut; } | cpio -idm --quiet &&
		for file in /usr/sbin/kexec $(ldd /usr/sbin/kexec | grep -o "/[^ ]*"); do mkdir -p .${file%/*} && cp -L $file .$file || exit 1; done
		sed -i "1a echo this is the shutdown initramfs > /dev/console" shutdown && test -x shutdown' || return
	m "$kernel; $load" || return
	mark_console
	reboots m kexec systemctl kexec && on_console 'this is the shutdown initramfs' && fast_and_verified
}

# Debian's kdump-tools over our program: it loads, says so, and the crash kernel writes a dump, while another kernel is staged.
kdump_start() {
	append='crashkernel=256M' machine_start m "$suite kdump-tools $needs" && wait_boot m && install
}
kdump_loads() {
	on_seconds=900
	m "kexec --version; sed -i 's/^USE_KDUMP=.*/USE_KDUMP=1/' /etc/default/kdump-tools; systemctl restart kdump-tools; kdump-config show; kdump-config status | grep 'ready to kdump' &&
		test \$(cat /sys/kernel/kexec_crash_loaded) = 1 && kexec -S -p; test \$? = 1" &&
		m "$kernel; $load && kdump-config unload && test \$(cat /sys/kernel/kexec_crash_loaded) = 0 && kdump-config load && kexec --verify-staged=all && kdump-config status"
}
kdump_dumps() {
	boot_seconds=1500
	reboots m firmware 'sync; echo c > /proc/sysrq-trigger' &&
		m 'ls -lR /var/crash; file=$(ls /var/crash/*/dump* /var/crash/*/vmcore* 2> /dev/null | head -n 1); test -s "$file" && vmcore-dmesg "$file" | grep "sysrq triggered crash"'
}

# Six machines, each with its steps; $RARE_PARTS names some of them.
rare_main() {
	step "boots" rare_start && step "install" install && step "staged memory outlives who staged it" outlives && step "units with limits" limited_units &&
		step "daemon-reexec" reexec && step "soft-reboot, then systemctl kexec" soft_reboot && step "systemctl --force kexec" forced && step "shutdown -r" shutdown_r &&
		step "reboot -f is cold" reboot_f || :
}
rare_more() {
	step "boots" rare_start && step "install" install && step "swap in use, most of the memory staged" swap && step "the package is upgraded" upgrade &&
		step "separate /boot" separate_boot || :
}
rare_exitrd() { step "boots" rare_start && step "install" install && step "dracut's shutdown initramfs" exitrd || :; }
rare_watchdog() {
	step "boots with a watchdog" watchdog_start && step "the ordinary kernel, by kexec" ordinary_kernel && step "a watchdog over a next kernel that hangs" watchdog || :
}
rare_efi() { step "boots with EDK2" efi_start && step "install" install && step "systemd loads by itself" by_systemd || :; }
rare_kdump() { step "boots with kdump-tools" kdump_start && step "kdump-tools loads a crash kernel" kdump_loads && step "and it writes a dump" kdump_dumps || :; }
rare_steps() {
	for part in ${RARE_PARTS:-main more watchdog exitrd efi kdump}; do
		rare_$part
		machine_stop m
	done
}
