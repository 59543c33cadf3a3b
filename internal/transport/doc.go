// Package transport sends UDP, TCP and SCTP probes.
package transport
