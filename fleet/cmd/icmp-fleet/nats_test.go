package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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
	if _, err := hub.Start(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "at which agents reach the hub") {
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

// A hub on a server of NATS of the user's, whose configuration is what permissions prints: all
// works with it, nothing else does, and who is revoked is out.
func TestNATSOfTheUsers(t *testing.T) {
	dir, conf := filepath.Join(t.TempDir(), "data"), t.TempDir()
	printed := func(names ...string) string {
		var out, errs bytes.Buffer
		if code := run(t.Context(), append([]string{"permissions", "--data", dir}, names...), &out, &errs); code != 0 {
			t.Fatalf("%d %s", code, &errs)
		}
		return out.String()
	}
	write := func(file, text string) string {
		file = filepath.Join(conf, file)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("icmp-fleet.conf", printed()) // the key of the hub is made with it
	address, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	opts, err := server.ProcessConfigFile(write("nats.conf", fmt.Sprintf("listen: %q\njetstream { store_dir: %q }\ninclude icmp-fleet.conf\n", address, conf)))
	if err != nil {
		t.Fatal(err)
	}
	opts.NoSigs, opts.NoLog = true, true
	s, err := server.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS does not start")
	}
	h, err := hub.Start(context.Background(), hub.Config{Dir: dir, External: s.ClientURL(), Mesh: fastMesh, MeshBytes: 1 << 20, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	reload := func() {
		write("icmp-fleet.conf", printed())
		if err := s.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	reload() // with the administrator, who was enrolled at the start
	l := &lab{t: t, hub: h, admin: filepath.Join(dir, hub.AdminToken)}
	alice := writeFile(t, l.mustRun(0, "enroll", "alice", "--asker"))
	var tokens []*wire.Token
	for name, at := range map[string]string{"fra1": "10.9.0.1", "lossy": "10.8.0.1"} {
		token, err := wire.ReadToken(writeFile(t, l.mustRun(0, "enroll", name, "--site", "fra", "--address", at)))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	reload()
	for _, token := range tokens {
		l.start(token, nil)
	}
	if code, out, errs := runAs(t, alice, "ping", "10.9.0.1", "-c", "1"); code != 0 {
		t.Errorf("%d %s %s", code, out, errs)
	}
	code, id, errs := runAs(t, alice, "sweep", "10.9.0.0/23", "-i", "10ms")
	if code != 0 {
		t.Errorf("%d %s", code, errs)
	}
	_, out, _ := runAs(t, alice, "results", strings.TrimSpace(id), "--json")
	exactly(t, readLines(t, out), addresses("10.9.0.0", 512), 1)
	l.until("rounds of both", func() bool { return len(h.Mesh().Rounds()) == 2 })
	if code, out, errs := runAs(t, alice, "mesh", "explain", "fra1", "lossy"); !strings.Contains(out, "rounds") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	token, err := wire.ReadToken(alice)
	if err != nil {
		t.Fatal(err)
	}
	for _, subject := range []string{"icmp.ask.fra1.admin", "icmp.mesh.fra1", "icmp.hub.enroll.alice", "$KV.config.fleet", "$JS.API.CONSUMER.CREATE.RES"} {
		if !denied(t, token, subject) {
			t.Errorf("alice may publish to %s", subject)
		}
	}
	l.mustRun(0, "revoke", "alice")
	reload()
	if code, _, errs := runAs(t, alice, "agents"); code != 4 || !strings.Contains(errs, "does not know alice") {
		t.Errorf("who is revoked: %d %s", code, errs)
	}
	if one := printed("fra1"); strings.Count(one, "nkey:") != 1 || strings.Contains(one, "accounts") || !strings.Contains(one, "icmp.ask.fra1.*") {
		t.Errorf("one user: %s", one)
	}
	if code := run(t.Context(), []string{"permissions", "--data", dir, "nobody"}, io.Discard, io.Discard); code != 4 {
		t.Errorf("the permissions of nobody: %d", code)
	}
}

// denied reports whether NATS does not let the holder of a token publish to a subject.
func denied(t *testing.T, token *wire.Token, subject string) bool {
	t.Helper()
	violations := make(chan error, 1)
	nc, err := token.Connect(nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { violations <- err }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := errors.Join(nc.Publish(subject, nil), nc.Flush()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-violations:
		return errors.Is(err, nats.ErrPermissionViolation)
	case <-time.After(10 * time.Second):
		return false
	}
}
