package hub

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// natsServer is the embedded server of NATS, which lets in who is enrolled.
type natsServer struct {
	*server.Server
	registry *registry
	log      *slog.Logger
	hub      nkeys.KeyPair // of the hub's own connection, new each time
	hubKey   string

	unwritten atomic.Bool // a write has failed; NATS then writes to the stream no more

	mu      sync.Mutex
	clients map[string][]uint64 // the connections of each key, also some that are closed
}

// startServer starts the server. TLS is needed on an address that is not loopback.
func startServer(cfg *Config, r *registry, certificate *tls.Config, log *slog.Logger) (*natsServer, error) {
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("listen: the port %q is no number", port)
	}
	if number == 0 {
		number = server.RANDOM_PORT
	}
	s := &natsServer{registry: r, log: log, clients: map[string][]uint64{}}
	if s.hub, err = nkeys.CreateUser(); err != nil {
		return nil, err
	}
	if s.hubKey, err = s.hub.PublicKey(); err != nil {
		return nil, err
	}
	opts := &server.Options{
		ServerName: "icmp-fleet", Host: host, Port: number, NoSigs: true,
		JetStream: true, StoreDir: cfg.Dir, SyncAlways: true, // what was acknowledged is on the disk
		MaxPayload: 8 << 20, MaxPending: 64 << 20,
		CustomClientAuthentication: s, AlwaysEnableNonce: true,
		AuthTimeout: 10, TLSTimeout: 10, TLSConfig: certificate,
		PingInterval: 10 * time.Second, MaxPingsOut: 2,
	}
	if s.Server, err = server.NewServer(opts); err != nil {
		return nil, err
	}
	s.SetLoggerV2(&natsLog{log, &s.unwritten}, false, false, false)
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		s.Shutdown()
		return nil, errors.New("the NATS server did not start within 30 s: is its port in use?")
	}
	return s, nil
}

// Check lets a client in: it has to have signed the nonce with a key that is enrolled.
func (s *natsServer) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if c.Kind() != server.CLIENT || opts.Nkey == "" {
		return false
	}
	key, err := nkeys.FromPublicKey(opts.Nkey)
	if err != nil {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(opts.Sig)
	if err != nil {
		if signature, err = base64.StdEncoding.DecodeString(opts.Sig); err != nil {
			return false
		}
	}
	if key.Verify(c.GetNonce(), signature) != nil {
		return false
	}
	if opts.Nkey == s.hubKey {
		c.RegisterUser(&server.User{Username: "hub"})
		return true
	}
	// Who is revoked at this moment is found below, or turned out behind it.
	s.mu.Lock()
	ids := append(s.clients[opts.Nkey], c.GetID())
	if len(ids) > 64 {
		ids = slices.DeleteFunc(ids, func(id uint64) bool { return s.GetClient(id) == nil })
	}
	s.clients[opts.Nkey] = ids
	s.mu.Unlock()
	e, ok := s.registry.byKey(opts.Nkey)
	if !ok {
		s.log.Warn("a client that is not enrolled was rejected", "key", opts.Nkey, "from", c.RemoteAddress())
		return false
	}
	c.RegisterUser(&server.User{Username: e.Name, Permissions: permissions(e.Enrollment)})
	return true
}

// turnOut closes the connections of a key.
func (s *natsServer) turnOut(key string) {
	s.mu.Lock()
	ids := s.clients[key]
	delete(s.clients, key)
	s.mu.Unlock()
	for _, id := range ids {
		s.DisconnectClientByID(id) // most of them have gone
	}
}

// connect connects the hub itself, without a network.
func (s *natsServer) connect(opts ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append(opts, nats.InProcessServer(s.Server), nats.Name("hub"), nats.Nkey(s.hubKey, s.hub.Sign))...)
}

// natsLog hands on what the server says of what is wrong.
type natsLog struct {
	log       *slog.Logger
	unwritten *atomic.Bool
}

func (l *natsLog) Noticef(string, ...any) {}
func (l *natsLog) Debugf(string, ...any)  {}
func (l *natsLog) Tracef(string, ...any)  {}
func (l *natsLog) Warnf(format string, v ...any) {
	l.log.Warn(fmt.Sprintf(format, v...), "from", "nats")
}
func (l *natsLog) Errorf(format string, v ...any) {
	text := fmt.Sprintf(format, v...)
	if strings.Contains(strings.ToLower(text), "critical write error") {
		l.unwritten.Store(true) // there is no other sign of it
	}
	l.log.Error(text, "from", "nats")
}
func (l *natsLog) Fatalf(format string, v ...any) {
	l.log.Error(fmt.Sprintf(format, v...), "from", "nats")
}
