package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// service is an exporter that runs, as a program would.
type service struct {
	file   string
	url    string
	reload chan os.Signal
	end    context.CancelFunc
	code   chan int
}

// startService runs the command with a configuration.
func startService(t *testing.T, config string, flags ...string) *service {
	t.Helper()
	s := &service{file: filepath.Join(t.TempDir(), "exporter.yaml"), reload: make(chan os.Signal), code: make(chan int, 1)}
	s.write(t, config)
	ctx, cancel := context.WithCancel(context.Background())
	s.end = cancel
	t.Cleanup(cancel)
	reader, writer := io.Pipe()
	go func() {
		s.code <- run(ctx, append([]string{"--config", s.file, "--listen", "127.0.0.1:0"}, flags...), s.reload, io.Discard, writer)
		writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	for lines.Scan() {
		if m := regexp.MustCompile(`msg=serving address=(\S+)`).FindStringSubmatch(lines.Text()); m != nil {
			s.url = "http://" + m[1]
			go func() { _, _ = io.Copy(io.Discard, reader) }()
			return s
		}
	}
	t.Fatalf("it ended with code %d before it served", <-s.code)
	return nil
}

func (s *service) write(t *testing.T, config string) {
	t.Helper()
	if err := os.WriteFile(s.file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
}

// get returns what is at a path.
func (s *service) get(t *testing.T, path string) string {
	t.Helper()
	response, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, response.Status, err)
	}
	return string(body)
}

// until asks for the metrics until each pattern is among them.
func (s *service) until(t *testing.T, patterns ...string) string {
	t.Helper()
	const most = 20_000 // requests, which take a millisecond or more
	var text, missing string
	for range most {
		text, missing = s.get(t, "/metrics"), ""
		for _, p := range patterns {
			if !regexp.MustCompile("(?m)^" + p).MatchString(text) {
				missing = p
			}
		}
		if missing == "" {
			return text
		}
	}
	t.Fatalf("%s does not come:\n%s", missing, text)
	return ""
}

// marshalKey returns the private key of a certificate in PEM.
func marshalKey(c tls.Certificate) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}
