package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
)

// jsonWriter writes the objects of the library, one a line. What the tool knows
// besides stands at the end of an object. docs/schema.json has all of it.
type jsonWriter struct {
	out io.Writer

	mu  sync.Mutex
	buf []byte
}

// jsonAppender is what the library marshals without reflection.
type jsonAppender interface {
	AppendJSON(b []byte) ([]byte, error)
}

// jsonField is a field that the tool adds to an object of the library.
type jsonField struct {
	name  string
	value any
}

// write writes an object. What fails here is standard output, which keeps its
// error.
func (j *jsonWriter) write(v jsonAppender, more ...jsonField) {
	j.mu.Lock()
	defer j.mu.Unlock()
	b, err := v.AppendJSON(j.buf[:0])
	if err != nil {
		b, more = []byte("{}"), []jsonField{{"error", err.Error()}} // a time that has no JSON
	}
	for _, field := range more {
		b = bytes.TrimSuffix(b, []byte("}"))
		if len(b) > 1 {
			b = append(b, ',')
		}
		value, _ := json.Marshal(field.value) // a text or nil
		b = append(strconv.AppendQuote(b, field.name), ':')
		b = append(append(b, value...), '}')
	}
	j.buf = append(b, '\n')
	_, _ = j.out.Write(j.buf)
}

// jsonError is the field that says what went wrong, null for nothing.
func jsonError(err error) jsonField {
	if err == nil {
		return jsonField{"error", nil}
	}
	return jsonField{"error", err.Error()}
}

// jsonReporter writes the object of each target, and if asked, that of each result
// before.
type jsonReporter struct {
	jsonWriter
	replies bool
}

func (j *jsonReporter) start(*icmplib.Host) {}

func (j *jsonReporter) result(host *icmplib.Host, r icmplib.Result) {
	if j.replies {
		j.write(&r, jsonField{"name", host.Name})
	}
}

func (j *jsonReporter) end(*icmplib.Host) {}

func (j *jsonReporter) summaries(hosts []*icmplib.Host) {
	for _, host := range hosts {
		j.write(host)
	}
}

// jsonHosts writes the objects that ping writes.
type jsonHosts struct{ *jsonWriter }

func (j jsonHosts) host(h *icmplib.Host, _ hostFate) { j.write(h) }

// jsonRoute writes a route when it is complete.
type jsonRoute struct {
	*jsonWriter
	numbers *nameCache // of autonomous systems; nil: none
}

func (j jsonRoute) start(*icmplib.Route)             {}
func (j jsonRoute) hop(*icmplib.Route, *icmplib.Hop) {}

func (j jsonRoute) end(r *icmplib.Route, err error) {
	route := *r
	route.Err = err
	j.write(&route, asnField(j.numbers, r)...)
}

func newSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the output of --json",
		Long: `Print the JSON Schema (json-schema.org) of the objects that the other commands
print with --json. The library uses the same schema: json.Unmarshal reads the
output into a Host, Result, Route, Snapshot and so on.`,
		Example: "  icmp schema > icmp-schema.json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := io.WriteString(cmd.OutOrStdout(), strings.TrimSpace(icmplib.SchemaText())+"\n")
			return err
		},
	}
}
