package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goicmp/icmplib"
	"github.com/goicmp/icmplib/socket"
)

func newDoctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Report what this user may do here, and how to allow the rest",
		Long: `Open and close a socket of each kind. Report what this user may do on this
machine, what prevents the rest, and the command that allows it. doctor sends
nothing.

Exit codes: 0 this user may ping, 4 this user may not.`,
		Example: "  icmp doctor\n  icmp doctor --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			prober, err := icmplib.NewProber(nil)
			if err != nil {
				return err
			}
			defer prober.Close()
			return diagnose(cmd.OutOrStdout(), prober.Capabilities(), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// diagnose reports capabilities, and returns an error if ping is impossible.
func diagnose(out io.Writer, c icmplib.Capabilities, asJSON bool) error {
	report := reportText
	if asJSON {
		report = reportJSON
	}
	if err := report(out, c); err != nil {
		return err
	}
	if err := c.Can(icmplib.ICMP, icmplib.AnyFamily); err != nil {
		return fmt.Errorf("this user cannot ping: %w", err)
	}
	return nil
}

// reportText writes a line for each kind of socket, and each reason once.
func reportText(out io.Writer, c icmplib.Capabilities) error {
	var reasons []string
	note := func(err error) string {
		if err == nil {
			return "yes"
		}
		text := strings.ReplaceAll(reasonOf(err), "\n", "; ")
		for i, known := range reasons {
			if known == text {
				return fmt.Sprintf("no (%d)", i+1)
			}
		}
		reasons = append(reasons, text)
		return fmt.Sprintf("no (%d)", len(reasons))
	}
	fmt.Fprintf(out, "%-8s  %-4s  %-22s  %s\n", "protocol", "IP", "without privileges", "raw socket")
	for i := 0; i+1 < len(c.Sockets); i += 2 {
		datagram, raw := c.Sockets[i], c.Sockets[i+1]
		fmt.Fprintf(out, "%-8s  %-4s  %-22s  %s\n", datagram.Protocol, datagram.Family, note(datagram.Err), note(raw.Err))
	}
	fmt.Fprintf(out, "routing mark: %s\n", note(c.Mark))
	for i, reason := range reasons {
		fmt.Fprintf(out, "\n(%d) %s\n", i+1, reason)
	}
	return nil
}

// reasonOf leaves out which socket it was, which the table says.
func reasonOf(err error) string {
	if op, ok := errors.AsType[*socket.OpError](err); ok {
		return op.Err.Error()
	}
	return err.Error()
}

// jsonCapability is a kind of socket in JSON.
type jsonCapability struct {
	Protocol string  `json:"protocol"`
	Family   string  `json:"family"`
	Mode     string  `json:"mode"`
	Allowed  bool    `json:"allowed"`
	Error    *string `json:"error"`
}

func reportJSON(out io.Writer, c icmplib.Capabilities) error {
	text := func(err error) *string {
		if err == nil {
			return nil
		}
		s := reasonOf(err)
		return &s
	}
	all := struct {
		Schema    int              `json:"schema"`
		Sockets   []jsonCapability `json:"sockets"`
		Mark      bool             `json:"mark"`
		MarkError *string          `json:"mark_error"`
	}{Schema: icmplib.JSONSchema, Mark: c.Mark == nil, MarkError: text(c.Mark)}
	for _, s := range c.Sockets {
		all.Sockets = append(all.Sockets, jsonCapability{s.Protocol.String(), s.Family.String(), s.Mode.String(), s.Err == nil, text(s.Err)})
	}
	return json.NewEncoder(out).Encode(all)
}
