package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/wire"
)

// On an address that is not loopback there is nothing but TLS, by a certificate that tokens
// carry, and that nobody else's token fits.
func TestTLS(t *testing.T) {
	address, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	port := address[strings.LastIndexByte(address, ':'):]
	dir := t.TempDir()
	cfg := hub.Config{Dir: dir, Listen: "0.0.0.0" + port, Mesh: wire.Mesh{Off: true}, Log: testLog(t)}
	if _, err := hub.Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "by which address") {
		t.Fatalf("without a URL: %v", err)
	}
	cfg.URL = "tls://127.0.0.1" + port
	h, err := hub.Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	l := &lab{t: t, dir: dir, hub: h, admin: filepath.Join(dir, hub.AdminToken)}
	l.agent("fra1", nil)
	l.mustRun(0, "ping", "10.9.0.1", "-c", "1")
	for name, change := range map[string]func(*wire.Token){
		"without TLS":         func(t *wire.Token) { t.URL, t.CA = "nats://127.0.0.1"+port, "" },
		"with the system's":   func(t *wire.Token) { t.CA = "" },
		"with another's seed": func(t *wire.Token) { pair, _ := nkeys.CreateUser(); seed, _ := pair.Seed(); t.Seed = string(seed) },
	} {
		token, err := wire.ReadToken(l.admin)
		if err != nil {
			t.Fatal(err)
		}
		change(token)
		if nc, err := token.Connect(); err == nil {
			nc.Close()
			t.Errorf("%s one connects", name)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "hub-127.0.0.1.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
}

// A hub on NATS of the user's, who enters the keys with the permissions that the hub names.
func TestNATSOfTheUsers(t *testing.T) {
	key, err := nkeys.CreateUser()
	if err != nil {
		t.Fatal(err)
	}
	public, _ := key.PublicKey()
	opts := func(users ...*server.NkeyUser) *server.Options {
		return &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Nkeys: append(users, &server.NkeyUser{Nkey: public})}
	}
	first := opts()
	s, err := server.NewServer(first)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS does not start")
	}
	url := s.ClientURL()
	h, err := hub.Start(context.Background(), hub.Config{Dir: t.TempDir(), URL: url, Mesh: wire.Mesh{Off: true}, MeshBytes: 1 << 20,
		Log: testLog(t), External: []nats.Option{nats.Nkey(public, key.Sign)}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var users []*server.NkeyUser
	enter := func(e wire.Enrollment) *wire.Token {
		token, err := h.Enroll(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		pair, _ := nkeys.FromSeed([]byte(token.Seed))
		its, _ := pair.PublicKey()
		users = append(users, &server.NkeyUser{Nkey: its, Permissions: hub.Permissions(e)})
		next := opts(users...)
		next.Port, next.StoreDir = first.Port, first.StoreDir
		if err := s.ReloadOptions(next); err != nil {
			t.Fatal(err)
		}
		return token
	}
	asker := enter(wire.Enrollment{Name: "alice", Role: wire.RoleAsker})
	token := enter(wire.Enrollment{Name: "fra1", Role: wire.RoleAgent, Site: "fra"})
	l := &lab{t: t, hub: h}
	l.start(token, nil)
	text, err := json.Marshal(asker)
	if err != nil {
		t.Fatal(err)
	}
	alice := writeFile(t, string(text))
	if code, out, errs := runAs(t, alice, "ping", "10.9.0.1", "-c", "1"); code != 0 {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if code, out, errs := runAs(t, alice, "sweep", "10.9.0.0/24", "-i", "10ms"); code != 0 {
		t.Errorf("%d %s %s", code, out, errs)
	}
}
