package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// nameCache finds the names of addresses, each looked up once and all of them
// at the same time, without keeping anybody waiting for long.
type nameCache struct {
	lookup func(ctx context.Context, addr string) ([]string, error)

	mu    sync.Mutex
	names map[netip.Addr]*cachedName
}

// cachedName is a name that is being looked up, or is known.
type cachedName struct {
	asked time.Time
	known chan struct{} // closed once name is what it will be
	name  string        // "" if there is none
}

const (
	// nameTimeout bounds a lookup, which nobody waits for.
	nameTimeout = 5 * time.Second

	// namePatience is how long after the question a line waits for its name.
	namePatience = time.Second
)

func newNameCache() *nameCache {
	return &nameCache{lookup: net.DefaultResolver.LookupAddr, names: map[netip.Addr]*cachedName{}}
}

// get returns the name of addr, or "" if there is none or it is not known yet:
// what is not known is looked up meanwhile, and shows the next time.
func (c *nameCache) get(addr netip.Addr) string {
	n := c.ask(addr)
	select {
	case <-n.known:
		return n.name
	default:
		return ""
	}
}

// await returns the name of addr as get does, but gives the lookup the time
// until namePatience after it began. Who asks for many names first, and then
// awaits them, waits no longer than for one.
func (c *nameCache) await(addr netip.Addr) string {
	n := c.ask(addr)
	patience := time.NewTimer(time.Until(n.asked.Add(namePatience)))
	defer patience.Stop()
	select {
	case <-n.known:
	case <-patience.C:
	}
	return c.get(addr)
}

// ask has addr looked up, unless that was done before.
func (c *nameCache) ask(addr netip.Addr) *cachedName {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, asked := c.names[addr]
	if !asked {
		n = &cachedName{asked: time.Now(), known: make(chan struct{})}
		c.names[addr] = n
		go c.learn(addr, n)
	}
	return n
}

// learn looks a name up. What a router's owner wrote there reaches a terminal:
// package net lets through only what has the form of a name.
func (c *nameCache) learn(addr netip.Addr, n *cachedName) {
	defer close(n.known)
	ctx, cancel := context.WithTimeout(context.Background(), nameTimeout)
	defer cancel()
	names, err := c.lookup(ctx, addr.WithZone("").String())
	if err != nil || len(names) == 0 {
		return
	}
	n.name = strings.TrimSuffix(names[0], ".")
}
