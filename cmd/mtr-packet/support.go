package main

import "github.com/goicmp/icmplib"

// version is what check-support answers for "version": that of the protocol's
// words which are spoken here.
const version = "0.96"

// checkSupport answers whether a feature is there.
func (s *server) checkSupport(c command) {
	feature, ok := c.get("feature")
	if !ok {
		s.answers.answer(c.token, "invalid-argument")
		return
	}
	s.answers.answer(c.token, "feature-support support "+s.support(feature))
}

func (s *server) support(feature string) string {
	switch feature {
	case "version":
		return version
	case "send-probe", "local-device":
		return "ok"
	}
	s.once.Do(func() { s.capabilities = s.prober.Capabilities() })
	able := false
	switch feature {
	case "ip-4":
		able = s.capabilities.Can(icmplib.ICMP, icmplib.IPv4) == nil
	case "ip-6":
		able = s.capabilities.Can(icmplib.ICMP, icmplib.IPv6) == nil
	case "mark":
		able = s.capabilities.Mark == nil
	default:
		p, err := icmplib.ParseProtocol(feature)
		able = err == nil && (s.capabilities.Can(p, icmplib.IPv4) == nil || s.capabilities.Can(p, icmplib.IPv6) == nil)
	}
	if able {
		return "ok"
	}
	return "no"
}
