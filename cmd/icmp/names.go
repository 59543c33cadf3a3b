package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// nameCache finds the names of addresses without keeping anybody waiting: what
// is not known yet is looked up meanwhile, and shows the next time.
type nameCache struct {
	mu    sync.Mutex
	names map[netip.Addr]string
}

// nameTimeout bounds a lookup, which nobody waits for.
const nameTimeout = 5 * time.Second

func newNameCache() *nameCache { return &nameCache{names: map[netip.Addr]string{}} }

// get returns the name of addr, or "" if there is none or it is not known yet.
func (c *nameCache) get(addr netip.Addr) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	name, asked := c.names[addr]
	if !asked {
		c.names[addr] = ""
		go c.lookUp(addr)
	}
	return name
}

func (c *nameCache) lookUp(addr netip.Addr) {
	ctx, cancel := context.WithTimeout(context.Background(), nameTimeout)
	defer cancel()
	names, err := net.DefaultResolver.LookupAddr(ctx, addr.WithZone("").String())
	if err != nil || len(names) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names[addr] = strings.TrimSuffix(names[0], ".")
}
