#!/bin/sh
# Before the removal, and not before an upgrade: "remove" by dpkg, 0 by rpm.
case "${1:-}" in
remove | 0)
	[ ! -d /run/systemd/system ] || systemctl disable --now icmp-exporter.service || true
	;;
esac
exit 0
