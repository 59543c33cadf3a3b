package wire

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// headerSigned has when a request to the hub was signed, and the signature. Permissions
// say who may publish to a subject, but not that a reply is not directed to it: what the hub
// is asked to change is signed, therefore.
const headerSigned = "Icmp-Signed"

// signedTTL is how far the clocks of asker and hub may differ.
const signedTTL = 10 * time.Minute

func signedText(subject string, at int64, body []byte) []byte {
	return append([]byte(subject+"\n"+strconv.FormatInt(at, 10)+"\n"), body...)
}

// Sign signs a request with the key of the token.
func (t *Token) Sign(m *nats.Msg, now time.Time) error {
	key, err := nkeys.FromSeed([]byte(t.Seed))
	if err != nil {
		return err
	}
	signature, err := key.Sign(signedText(m.Subject, now.Unix(), m.Data))
	if err != nil {
		return err
	}
	if m.Header == nil {
		m.Header = nats.Header{}
	}
	m.Header.Set(headerSigned, strconv.FormatInt(now.Unix(), 10)+" "+base64.StdEncoding.EncodeToString(signature))
	return nil
}

// Verify returns an error if a request is not signed by the holder of a public key.
func Verify(public, subject, signed string, body []byte, now time.Time) error {
	at, text, _ := strings.Cut(signed, " ")
	seconds, err := strconv.ParseInt(at, 10, 64)
	signature, bad := base64.StdEncoding.DecodeString(text)
	if err != nil || bad != nil {
		return fmt.Errorf("the request is not signed")
	}
	key, err := nkeys.FromPublicKey(public)
	if err != nil {
		return err
	}
	if err := key.Verify(signedText(subject, seconds, body), signature); err != nil {
		return fmt.Errorf("the signature of the request is wrong")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age.Abs() > signedTTL {
		return fmt.Errorf("the request was signed %v ago by the hub's clock: set this machine's clock", age.Round(time.Second))
	}
	return nil
}

// Signed is the header of a request that Verify looks at.
func Signed(header map[string][]string) string { return nats.Header(header).Get(headerSigned) }
