package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"strconv"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/quic"
)

// Servers that others wrote have to understand what is asked.
func TestServersOfOthersAnswer(t *testing.T) {
	for name, serve := range map[string]func(t *testing.T) (port int){"quic": serveQUIC, "dns": serveDNS} {
		t.Run(name, func(t *testing.T) {
			got := runLine(t.Context(), "probe", "-n", "--service", name, "-p", strconv.Itoa(serve(t)), "-W", "10", "127.0.0.1")
			got.checkOutput(t, exitAlive, `^reply from 127\.0\.0\.1 .*time=[0-9.]+ ms\n$`)
		})
	}
}

// serveQUIC is the server of golang.org/x/net/quic.
func serveQUIC(t *testing.T) int {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	e, err := quic.Listen("udp", "127.0.0.1:0", &quic.Config{TLSConfig: &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{certificate}, PrivateKey: key}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	return int(e.LocalAddr().Port())
}

// serveDNS reads and writes messages by golang.org/x/net/dns/dnsmessage.
func serveDNS(t *testing.T) int {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || m.Response || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.RCode = true, dnsmessage.RCodeRefused
			if answer, err := m.Pack(); err == nil {
				_, _ = conn.WriteToUDPAddrPort(answer, from)
			}
		}
	}()
	return conn.LocalAddr().(*net.UDPAddr).Port
}
