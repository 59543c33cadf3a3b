#!/bin/sh
# After the installation: the commands may open raw sockets for whoever runs them,
# as ping and mtr-packet of most distributions may. Some file systems cannot keep a
# capability, and some containers may not set one; then the commands do with what
# net.ipv4.ping_group_range allows.
for program in /usr/bin/icmp /usr/libexec/icmp-tools/mtr-packet; do
	setcap cap_net_raw+ep "$program" 2>/dev/null ||
		echo "$program has no capability for raw sockets; 'icmp doctor' says what works without" >&2
done
exit 0
