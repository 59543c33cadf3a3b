package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/goicmp/icmplib"
)

// lookupFunc resolves a name as [icmplib.Resolve] does.
type lookupFunc func(ctx context.Context, name string, family icmplib.Family) ([]netip.Addr, error)

const (
	lookupTimeout = 10 * time.Second
	lookupsAtOnce = 16 // which a resolver can take from one client
)

// familyKeeper is a look-up that keeps the family of a name's first answer: a route that
// is lost later is an outage, and no reason to probe over the other one. Only where the
// name has no address of it any more, the family is decided anew.
type familyKeeper struct {
	lookup lookupFunc
	kept   icmplib.Family
}

func (k *familyKeeper) resolve(ctx context.Context, name string, family icmplib.Family) ([]netip.Addr, error) {
	if family == icmplib.AnyFamily && k.kept != icmplib.AnyFamily {
		if addrs, err := k.lookup(ctx, name, k.kept); !isGone(err) {
			return addrs, err
		}
		k.kept = icmplib.AnyFamily
	}
	addrs, err := k.lookup(ctx, name, family)
	if err == nil && family == icmplib.AnyFamily {
		k.kept = icmplib.IPv4
		if addrs[0].Is6() {
			k.kept = icmplib.IPv6
		}
	}
	return addrs, err
}

// limited has few look-ups run at a time: at the start, all names are asked for.
func limited(lookup lookupFunc) lookupFunc {
	places := make(chan struct{}, lookupsAtOnce)
	return func(ctx context.Context, name string, family icmplib.Family) ([]netip.Addr, error) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		return lookup(ctx, name, family)
	}
}

// isGone tells the answer that a name has no addresses from having no answer,
// which says nothing about those known.
func isGone(err error) bool {
	dns, ok := errors.AsType[*net.DNSError](err)
	return ok && dns.IsNotFound
}

// choose returns which of the addresses found are to be probed. Where one is
// enough, the one in use stays while it is among them: the order of an answer
// means nothing.
func choose(found []netip.Addr, firstOnly bool, inUse func(netip.Addr) bool) []netip.Addr {
	if !firstOnly || len(found) == 0 {
		return found
	}
	if i := slices.IndexFunc(found, inUse); i >= 0 {
		return found[i : i+1]
	}
	return found[:1]
}
