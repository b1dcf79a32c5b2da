# SPDX-License-Identifier: GPL-2.0-only
#
# Shell functions that make and start guests; sourced by tests/e2e/run and demo. $lab is tools/lab, $e2e is tests/e2e.

archive() { (cd "$1" && find . | cpio -o -H newc --quiet); }

# install_libraries DIR TREE PROGRAM...: what these need of shared libraries, from TREE.
install_libraries() {
	into=$1 tree=$2
	shift 2
	mkdir -p "$into"
	todo=$*
	while [ -n "$todo" ]; do
		more=
		for name in $(for object in $todo; do readelf -d "$object"; done | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort -u); do
			[ ! -e "$into/$name" ] || continue
			library=$(find "$tree" -name "$name" -path '*aarch64*' | head -n 1)
			cp -L "$library" "$into/"
			more="$more $library"
		done
		todo=$more
	done
}

# install_peer ROOT TREE PROGRAM: a program of Debian's with the libraries that it needs, in ROOT/stock.
install_peer() {
	root=$1/stock program=$(find "$2" -path "*bin/$3" | head -n 1)
	mkdir -p "$root"
	cp "$program" "$root/"
	install_libraries "$root/lib" "$2" "$program"
}

le32() {
	for shift in 0 8 16 24; do
		# shellcheck disable=SC2059
		printf "\\$(printf %o $(($1 >> shift & 255)))"
	done
}

# A UKI as the manual of systemd-stub has it made, of Debian's stub: kernel, initrd and command line.
make_uki() {
	image=$1 initrd=$2 out=$3
	objcopy=$(command -v aarch64-linux-gnu-objcopy || command -v objcopy)
	stub=$(find "$($lab peer trixie systemd-boot-efi)" -name linuxaa64.efi.stub)
	end=$("${objcopy%objcopy}objdump" -h "$stub" | awk '$2 ~ /^\./ { print $4 }' | sort | tail -n 1)
	echo "e2e=second $(sed -n 's/^append="\(.*\)"/\1/p' "$e2e/init")" > "$out.cmdline"
	"$objcopy" --add-section .cmdline="$out.cmdline" --change-section-vma .cmdline=$((0x$end + 0x10000)) \
		--add-section .linux="$image" --change-section-vma .linux=$((0x$end + 0x100000)) \
		--add-section .initrd="$initrd" --change-section-vma .initrd=$((0x$end + 0x8000000)) "$stub" "$out"
	rm "$out.cmdline"
}

# The file around a packed kernel that Linux' EFI zboot build makes, less the program in it
# (drivers/firmware/efi/libstub/zboot-header.S): the length that its compressors put behind is part of it.
make_zboot() {
	image=$1 packed=$2 method=$3 out=$4
	le32 "$(stat -c %s "$image")" >> "$packed"
	{
		printf 'MZ\0\0zimg'
		le32 64
		le32 "$(stat -c %s "$packed")"
		printf '\0\0\0\0\0\0\0\0%s' "$method"
		head -c $((32 - ${#method})) /dev/zero
		printf '\315\043\202\201'
		le32 64
		cat "$packed"
	} > "$out"
}

# kernel_file TEST KERNEL DIR: the same kernel in another file, for tests that load that.
kernel_file() {
	built=$(dirname "$($lab kernel "$2")") image=$3/Image first=$3/first
	case $1 in
	vmlinux) cp "$built/vmlinux" "$first/" ;;	# only of our own builds
	vmlinuz) cp "$built/vmlinuz.efi" "$first/" ;;
	vmlinuz-lzo)
		lzop -9 -c "$image" > "$image.lzo"
		make_zboot "$image" "$image.lzo" lzo "$first/vmlinuz.lzo"
		rm "$image.lzo"
		;;
	uimage)
		gzip -c "$image" > "$image.gz"
		mkimage -A arm64 -O linux -T kernel -C gzip -a 0x80000 -e 0x80000 -n linux -d "$image.gz" "$first/uImage" > /dev/null
		rm "$image.gz"
		;;
	uki) make_uki "$image" "$first/initrd" "$first/uki.efi" ;;
	formats)
		for kind in vmlinux vmlinuz vmlinuz-lzo uimage uki; do
			kernel_file $kind "$2" "$3"
		done
		for packer in gzip zstd xz bzip2 lz4 'lz4 -l' lzop 'xz --format=lzma'; do
			$packer -c "$image" > "$first/Image.$(echo "$packer" | tr -dc a-z0-9)"
		done
		# A second initrd, of an odd length.
		mkdir "$3/extra"
		echo extra > "$3/extra/extra"
		{ archive "$3/extra"; printf '\0'; } > "$first/initrd.extra"
		rm -r "$3/extra"
		;;
	esac
}

# A boot configuration as tools/bootconfig of the kernel's source puts it behind an initrd: text, padding, length, sum and a magic word.
add_bootconfig() {
	initrd=$1 text='e2e.key = "value"'
	padding=$(((4 - ($(stat -c %s "$initrd") + ${#text} + 1 + 20) % 4) % 4))
	sum=$(printf %s "$text" | od -An -v -tu1 | tr -s ' ' '\n' | awk '{ sum += $1 } END { print sum + 0 }')
	{
		printf '%s\0' "$text"
		head -c $padding /dev/zero
		le32 $((${#text} + 1 + padding))
		le32 "$sum"
		printf '#BOOTCONFIG\n'
	} >> "$initrd"
}

# make_tree DIR: files of every kind, for a root file system to be compared by; as root, since it has devices.
make_tree() {
	mkdir -p "$1/tree/dir/empty" "$1/tree/sticky"
	echo one > "$1/tree/one"
	ln "$1/tree/one" "$1/tree/dir/same-as-one"
	ln "$1/tree/one" "$1/tree/dir/and-this"
	ln -s ../one "$1/tree/dir/link"
	: > "$1/tree/nothing"
	head -c 1000003 /dev/urandom > "$1/tree/odd"
	cp "$1/tree/odd" "$1/tree/$(printf 'a%.0s' $(seq 120))"
	mknod "$1/tree/null" c 1 3
	mknod "$1/tree/block" b 7 200
	mkfifo "$1/tree/fifo"
	chown 12:34 "$1/tree/odd" "$1/tree/fifo"
	chmod 4751 "$1/tree/odd"
	chmod 1777 "$1/tree/sticky"
	touch -d @1000000000 "$1/tree/odd" "$1/tree/dir/empty"
}

# pack_initrds DIR: of DIR/initrd, what an initrd may be made of: an archive that is not compressed in front, as for ACPI tables, the main one
# by each method, a second one, and a boot configuration at the end.
pack_initrds() {
	mkdir -p "$1/early/kernel/firmware/acpi" "$1/more"
	echo early > "$1/early/kernel/firmware/acpi/none"
	make_tree "$1/more"
	archive "$1/early" > "$1/early.cpio"
	archive "$1/more" > "$1/more.cpio"
	for packer in 'gzip -9' 'zstd -5' 'xz --check=crc32' 'xz --format=lzma' bzip2 'lz4 -l' lzop; do
		method=$(echo "$packer" | sed 's/.*lzma/lzma/; s/ .*//')
		{
			cat "$1/early.cpio"
			$packer -c < "$1/initrd"
			printf '\0\0\0\0\0'
			gzip -c < "$1/more.cpio"
		} > "$1/initrd.$method"
		add_bootconfig "$1/initrd.$method"
	done
	rm -r "$1/early" "$1/early.cpio" "$1/more" "$1/initrd"
}

# make_guest DIR KERNEL TEST PAYLOAD_BYTES KEXEC TOOL: DIR/Image and DIR/initrd, a busybox userspace whose first kernel
# runs TEST. It holds the same Image and a second initrd with a random payload and its checksum.
make_guest() {
	# Names of its own: whoever sources this has others of the same.
	dir=$1 kernel=$2 test=$3 payload_bytes=$4 guest_kexec=$5 guest_tool=$6
	mkdir -p "$dir/second/bin" "$dir/second/sbin" "$dir/first/bin" "$dir/first/sbin"
	for side in first second; do
		install -m 755 "$($lab busybox)" "$dir/$side/bin/busybox"
		install -m 755 "$guest_kexec" "$dir/$side/sbin/kexec"
		install -m 755 "$e2e/init" "$dir/$side/init"
		install -m 755 "$guest_tool" "$dir/$side/bin/tool"
		dmesg=$(dirname "$guest_kexec")/vmcore-dmesg
		[ ! -e "$dmesg" ] || install -m 755 "$dmesg" "$dir/$side/sbin/vmcore-dmesg"
		# Of a kexec that is installed; those that we build for guests are static.
		install_libraries "$dir/$side/lib" /usr/lib/aarch64-linux-gnu "$guest_kexec"
	done
	head -c "$payload_bytes" /dev/urandom > "$dir/second/payload"
	(cd "$dir/second" && sha256sum payload > payload.sum)
	cp "$($lab kernel "$kernel")" "$dir/Image"
	# Other readers of dumps.
	if [ "$test" = crash ]; then
		install_peer "$dir/second" "$($lab peer trixie)" vmcore-dmesg
		install_peer "$dir/second" "$($lab peer trixie makedumpfile)" makedumpfile
		install_peer "$dir/second" "$($lab peer trixie binutils-aarch64-linux-gnu)" aarch64-linux-gnu-readelf
	fi
	archive "$dir/second" > "$dir/first/initrd"
	cp "$dir/Image" "$dir/first/Image"
	# An Image header as before 4.6 (booting.rst): no flags, so not for anywhere in memory, and a text_offset. Newer kernels
	# find out for themselves where they run.
	[ "$test" != old-header ] || printf '\0\0\10\0\0\0\0\0' |
		{ cat; dd if="$dir/Image" bs=1 skip=16 count=8 status=none; printf '\0\0\0\0\0\0\0\0'; } |
		dd of="$dir/first/Image" bs=1 seek=8 conv=notrunc status=none
	kernel_file "$test" "$kernel" "$dir"
	cp "$e2e/guest/$test" "$dir/first/test"
	case $test in
	unpack)
		pack_initrds "$dir/first"
		cp "$dir/first/more.cpio" "$dir/more.cpio"
		rm "$dir/first/more.cpio"
		;;
	stock* | bench | downtime | foreign | crash-stage | crash-runes) install_peer "$dir/first" "$($lab peer "${peer_suite:-trixie}")" kexec ;;
	esac
	archive "$dir/first" > "$dir/initrd"
	# The first kernel unpacks this one by itself.
	if [ "$test" = unpack ]; then
		gzip -1 -c < "$dir/more.cpio" >> "$dir/initrd"
		add_bootconfig "$dir/initrd"
	fi
	rm -r "$dir/first" "$dir/second"
}

# make_systemd_guest DIR KERNEL PAYLOAD_BYTES KEXEC: the same with a Debian root whose PID 1 is systemd. A unit loads and
# then asks for systemctl kexec; the second kernel runs the busybox userspace.
make_systemd_guest() {
	dir=$1 kernel=$2 payload_bytes=$3 kexec=$4
	make_guest "$dir" "$kernel" fast "$payload_bytes" "$kexec" "$kexec"
	mkdir "$dir/root" "$dir/busybox"
	(cd "$dir/busybox" && cpio -i --quiet < "$dir/initrd")
	cp -a "$($lab systemd)/." "$dir/root"
	rm -rf "$dir/root/usr/share/doc" "$dir/root/usr/share/locale" "$dir/root/usr/share/man" "$dir/root/usr/share/i18n"
	cp "$dir/busybox/Image" "$dir/busybox/initrd" "$dir/root/"
	install -m 755 "$kexec" "$dir/root/usr/sbin/kexec"
	cp "$dir/root/usr/share/base-passwd/passwd.master" "$dir/root/etc/passwd"
	cp "$dir/root/usr/share/base-passwd/group.master" "$dir/root/etc/group"
	: > "$dir/root/etc/machine-id"
	ln -sf usr/sbin/init "$dir/root/init"
	install -m 755 "$e2e/systemd-test" "$dir/root/usr/sbin/systemd-test"
	mkdir -p "$dir/root/etc/systemd/system/multi-user.target.wants"
	cp "$e2e/systemd-test.service" "$dir/root/etc/systemd/system/"
	ln -s ../systemd-test.service "$dir/root/etc/systemd/system/multi-user.target.wants/"
	ln -sf /usr/lib/systemd/system/multi-user.target "$dir/root/etc/systemd/system/default.target"
	archive "$dir/root" > "$dir/initrd"
	rm -rf "$dir/root" "$dir/busybox"
}

# run_guest DIR MIB LOG QEMU-OPTION...: start it and wait. -no-reboot: a reset ends QEMU as a power-off does. While it runs, DIR.guest has the
# number of its process group, which timeout(1) makes: no signal to whoever runs this reaches it.
run_guest() {
	guest_dir=$1 mib=$2 guest_log=$3
	shift 3
	# In the background, since a shell heeds no signal while it waits for what is in the foreground.
	# shellcheck disable=SC2016
	sh -c 'echo $$ > "$0" && exec "$@"' "$guest_dir.guest" timeout "${guest_seconds:-300}" qemu-system-aarch64 -smp 2 "$@" -m "$mib" \
		-nographic -nic none -no-reboot -kernel "$guest_dir/Image" -initrd "$guest_dir/initrd" \
		-append "console=ttyAMA0 panic=-1 loglevel=4 systemd.show_status=no ${guest_append:-}" < /dev/null > "$guest_log" 2>&1 &
	wait $! || echo "QEMU ended with $?" >> "$guest_log"
	rm -f "$guest_dir.guest"
}

# stop_guests WORK: those that run there, by WORK/*.guest.
stop_guests() {
	for guest in "$1"/*.guest; do
		[ -s "$guest" ] || continue
		# Its group; timeout itself, where that has not made it yet.
		kill -s KILL -- "-$(cat "$guest")" 2> /dev/null || kill -KILL "$(cat "$guest")" 2> /dev/null || :
		rm -f "$guest"
	done
}
