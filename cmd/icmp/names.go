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
	lookup func(ctx context.Context, addr string) ([]string, error)

	mu    sync.Mutex
	names map[netip.Addr]string
}

// nameTimeout bounds a lookup, which nobody waits for.
const nameTimeout = 5 * time.Second

func newNameCache() *nameCache {
	return &nameCache{lookup: net.DefaultResolver.LookupAddr, names: map[netip.Addr]string{}}
}

// get returns the name of addr, or "" if there is none or it is not known yet.
func (c *nameCache) get(addr netip.Addr) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	name, asked := c.names[addr]
	if !asked {
		c.names[addr] = ""
		go c.learn(addr)
	}
	return name
}

// learn looks a name up. What a router's owner wrote there reaches a terminal:
// package net lets through only what has the form of a name.
func (c *nameCache) learn(addr netip.Addr) {
	ctx, cancel := context.WithTimeout(context.Background(), nameTimeout)
	defer cancel()
	names, err := c.lookup(ctx, addr.WithZone("").String())
	if err != nil || len(names) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names[addr] = strings.TrimSuffix(names[0], ".")
}
