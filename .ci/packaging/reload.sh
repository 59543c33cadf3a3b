#!/bin/sh
# systemd reads its units again; where it runs. A service that runs takes the new
# program.
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
	systemctl try-restart icmp-exporter.service 2>/dev/null || true
fi
exit 0
