package wire

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Token is what somebody needs to join: the file that enroll prints. It is a secret.
type Token struct {
	URL  string `json:"url"`          // of NATS
	Name string `json:"name"`         // under which the holder is enrolled
	Seed string `json:"seed"`         // of its NKey
	CA   string `json:"ca,omitempty"` // the certificates, in PEM, that the server's is to be signed by; "": the system's
}

// ReadToken reads a file that enroll printed. One that others may read is refused.
func ReadToken(file string) (*Token, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("%w: icmp-fleet enroll prints such a file", err)
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o007 != 0 && runtime.GOOS != "windows" { // whose modes say nothing
		return nil, fmt.Errorf("%s is a secret that everybody here can read: chmod 600 %s", file, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t := &Token{}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("%s is no token: %w", file, err)
	}
	if t.URL == "" || t.Seed == "" || CheckName(t.Name) != nil {
		return nil, fmt.Errorf("%s is no token: url, name or seed is missing", file)
	}
	return t, nil
}

// Connect connects the holder of the token. The connection comes back by itself for ever, at
// times that are spread, so that a hub that starts again does not meet everybody at once.
// While there is no connection, what is published fails at once and is not kept.
func (t *Token) Connect(opts ...nats.Option) (*nats.Conn, error) {
	key, err := nkeys.FromSeed([]byte(t.Seed))
	if err != nil {
		return nil, fmt.Errorf("the seed of the token cannot be used: %w", err)
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	all := []nats.Option{
		nats.Name(t.Name),
		nats.Nkey(public, key.Sign),
		nats.CustomInboxPrefix(Inbox(t.Name)),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(),
		nats.CustomReconnectDelay(reconnectDelay),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(10 * time.Second),
	}
	if t.CA != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM([]byte(t.CA)) {
			return nil, errors.New("the token's ca is no certificate in PEM")
		}
		all = append(all, nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	} else if leaves(t.URL) {
		all = append(all, nats.Secure())
	}
	return nats.Connect(t.URL, append(all, opts...)...)
}

// reconnectDelay is how long to wait before the next attempt: up to a bound that doubles
// to 16 s.
func reconnectDelay(attempts int) time.Duration {
	bound := 500 * time.Millisecond << min(attempts, 5)
	return bound/4 + rand.N(bound*3/4)
}

// leaves reports whether one of the servers of a URL, or of several with commas between them, is
// reached over a network: by TLS only, then, whatever the server says that it wants.
func leaves(urls string) bool {
	for one := range strings.SplitSeq(urls, ",") {
		_, host, found := strings.Cut(strings.TrimSpace(one), "://")
		if !found {
			host = one
		}
		if !Loopback(host) {
			return true
		}
	}
	return false
}

// Loopback reports whether a host, with a port or without, is reached from this machine alone.
func Loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
