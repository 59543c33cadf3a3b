package wire

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/goicmp/icmplib"
)

// AlreadyThere reports whether JetStream did not store a message because its subject has
// one: the result of a shard was there. The code is another one where streams are replicated.
func AlreadyThere(err error) bool {
	var api *jetstream.APIError
	const replicated jetstream.ErrorCode = 10164
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == replicated)
}

// Pack compresses lines of JSON, one result each.
func Pack(lines []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(lines)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

// maxUnpacked bounds what a message may grow to.
const maxUnpacked = 256 << 20

// Unpack is the inverse of Pack.
func Unpack(data []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, maxUnpacked))
}

// PackJSON is Pack for one value.
func PackJSON(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return Pack(text)
}

// UnpackJSON is the inverse of PackJSON.
func UnpackJSON(data []byte, v any) error {
	text, err := Unpack(data)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// Unprobed appends the result of a target that was not probed, for a job of a kind.
func Unprobed(lines []byte, kind, target string, why error) ([]byte, error) {
	var err error
	if kind == "traceroute" {
		lines, err = (&icmplib.Route{Name: target, Err: why}).AppendJSON(lines)
	} else {
		lines, err = (&icmplib.Host{Name: target, Err: why}).AppendJSON(lines)
	}
	return append(lines, '\n'), err
}

// Lines yields the lines of a text that are not empty.
func Lines(text []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		s := bufio.NewScanner(bytes.NewReader(text))
		s.Buffer(nil, maxUnpacked)
		for s.Scan() {
			if len(s.Bytes()) > 0 && !yield(s.Bytes()) {
				return
			}
		}
	}
}

// Tagged returns a JSON object with the agent and the kind as its first fields: the same
// object otherwise, which the library reads.
func Tagged(object []byte, agent, kind string) []byte {
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(object), []byte("{"))
	if !ok {
		return object
	}
	out := []byte(`{"agent":"` + agent + `","kind":"` + kind + `"`)
	if !bytes.HasPrefix(rest, []byte("}")) {
		out = append(out, ',')
	}
	return append(out, rest...)
}
