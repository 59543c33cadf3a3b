package socket

import (
	"math/rand/v2"
	"sync"

	"github.com/goicmp/icmplib/icmp"
)

// The kernel does not know the id of a raw socket, so this process keeps the ids of
// its raw sockets unique. (On Linux, the ids of datagram sockets are ports, which the
// kernel assigns.)
var ids struct {
	mu   sync.Mutex
	used map[idKey]bool
}

type idKey struct {
	version icmp.Version
	id      uint16
}

// reserveID reserves the wanted id, or a random one if that is 0. It is random
// because other processes draw ids, too, and because a firewall may still keep state
// for the id of an earlier run.
func reserveID(v icmp.Version, wanted uint16) (uint16, error) {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	if ids.used == nil {
		ids.used = map[idKey]bool{}
	}
	if wanted != 0 {
		if ids.used[idKey{v, wanted}] {
			return 0, &ConfigError{Field: "ID", Value: wanted, Allowed: "an id that no other socket of this process uses, or 0 to have one drawn"}
		}
		ids.used[idKey{v, wanted}] = true
		return wanted, nil
	}
	const tries = 1 << 17
	for range tries {
		id := uint16(1 + rand.N(0xffff))
		if !ids.used[idKey{v, id}] {
			ids.used[idKey{v, id}] = true
			return id, nil
		}
	}
	return 0, &ConfigError{Field: "ID", Value: 0, Allowed: "at most 65,535 raw sockets at once: close some"}
}

func releaseID(v icmp.Version, id uint16) {
	ids.mu.Lock()
	defer ids.mu.Unlock()
	delete(ids.used, idKey{v, id})
}
