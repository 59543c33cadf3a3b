package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/goicmp/icmplib/fleet/wire"
)

// roleHub is that of the hub in NATS of the user's.
const roleHub = "hub"

// answersTo permits answers to those who asked.
func answersTo() *server.ResponsePermission {
	return &server.ResponsePermission{MaxMsgs: 1_000_000, Expires: time.Hour}
}

// permissions are the subjects of somebody: no more than he needs. Nobody but the hub makes
// consumers, because a consumer can be told to deliver to any subject.
func permissions(e wire.Enrollment) *server.Permissions {
	switch e.Role {
	case wire.RoleAgent:
		return agentPermissions(e)
	case roleHub:
		return &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: []string{"icmp.>", "$KV.>", "$JS.API.>", "$JS.ACK.>", "$JS.FC.>"}},
			Subscribe: &server.SubjectPermission{Allow: []string{wire.HubAll, "$SRV.>", wire.Inbox(e.Name) + ".>"}},
			Response:  answersTo(),
		}
	}
	publish := []string{
		wire.AskSubject("*", e.Name), wire.CancelAsk("*"),
		"$JS.API.STREAM.INFO." + wire.StreamRes, "$JS.API.DIRECT.GET." + wire.StreamRes + ".>",
	}
	for _, verb := range []string{wire.VerbTime, wire.VerbFleet, wire.VerbJobs, wire.VerbJob, wire.VerbMesh,
		wire.VerbBegin, wire.VerbAdd, wire.VerbCommit, wire.VerbCancel} {
		publish = append(publish, wire.HubSubject(verb, e.Name))
	}
	if e.Role == wire.RoleAdmin {
		publish = append(publish, wire.HubSubject(wire.VerbEnroll, e.Name), wire.HubSubject(wire.VerbRevoke, e.Name))
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{wire.Inbox(e.Name) + ".>"}},
	}
}

func agentPermissions(e wire.Enrollment) *server.Permissions {
	publish := []string{
		wire.HubSubject(wire.VerbTime, e.Name),
		"icmp.res.*.*", "icmp.res.*.*." + e.Name, wire.MeshSubject(e.Name),
		"$KV." + wire.BucketAgents + "." + e.Name,
		"$JS.API.STREAM.INFO.KV_" + wire.BucketAgents, "$JS.API.STREAM.INFO.KV_" + wire.BucketConfig,
		"$JS.API.STREAM.INFO." + wire.StreamMesh,
		"$JS.API.DIRECT.GET.KV_" + wire.BucketConfig + ".>",
		"$JS.API.DIRECT.GET." + wire.StreamMesh + "." + wire.MeshSubject(e.Name),
	}
	member := wire.Member{Name: e.Name, Site: e.Site, Tags: e.Tags}
	for _, queue := range member.Queues() {
		publish = append(publish,
			"$JS.API.CONSUMER.INFO."+wire.StreamWork+"."+queue,
			"$JS.API.CONSUMER.MSG.NEXT."+wire.StreamWork+"."+queue,
			"$JS.ACK."+wire.StreamWork+"."+queue+".>")
	}
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{wire.Inbox(e.Name) + ".>", wire.AskSubject(e.Name, "*"),
			wire.CancelAskAll, wire.CancelJobAll, wire.ConfigNews, "$SRV.>"}},
		Response: answersTo(),
	}
}

// hubSeed returns the seed of the key with which the hub joins NATS of the user's. It is made
// the first time.
func hubSeed(dir string) (string, error) {
	file := filepath.Join(dir, "hub.seed")
	text, err := os.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return strings.TrimSpace(string(text)), err
	}
	_, seed, err := newKey()
	if err != nil {
		return "", err
	}
	return seed, errors.Join(os.MkdirAll(dir, 0o700), writeFile(file, []byte(seed+"\n")))
}

// Configuration returns what a server of NATS of the user's has to have in its configuration: an
// account with the keys and permissions of the hub whose data are in a folder and of everybody
// who is enrolled there. With names it is the users of that account alone that have them; "hub" is
// the hub's.
func Configuration(dir string, names ...string) (string, error) {
	seed, err := hubSeed(dir)
	if err != nil {
		return "", err
	}
	pair, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		return "", err
	}
	public, err := pair.PublicKey()
	if err != nil {
		return "", err
	}
	r, err := openRegistry(filepath.Join(dir, registryFile))
	if err != nil {
		return "", err
	}
	all := append([]entry{{Enrollment: wire.Enrollment{Name: "hub", Role: roleHub}, Key: public}}, r.entries...)
	var b strings.Builder
	for _, e := range all {
		if len(names) == 0 || slices.Contains(names, e.Name) {
			writeUser(&b, e)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(e entry) bool { return e.Name == name }) {
			return "", fmt.Errorf("no agent or user is enrolled as %s in %s", name, dir)
		}
	}
	if len(names) > 0 {
		return b.String(), nil
	}
	return "accounts {\n  ICMP {\n    jetstream: enabled\n    users: [\n" + b.String() + "    ]\n  }\n}\n", nil
}

// writeUser writes a user of an account.
func writeUser(b *strings.Builder, e entry) {
	p := permissions(e.Enrollment)
	allow := func(what string, subjects []string) {
		fmt.Fprintf(b, "          %s: { allow: [\n", what)
		for _, s := range subjects {
			fmt.Fprintf(b, "            %s\n", strconv.Quote(s))
		}
		b.WriteString("          ] }\n")
	}
	fmt.Fprintf(b, "      { # %s, enrolled as %s\n        nkey: %s\n        permissions: {\n", e.Name, e.Role, e.Key)
	allow("publish", p.Publish.Allow)
	allow("subscribe", p.Subscribe.Allow)
	if p.Response != nil {
		fmt.Fprintf(b, "          allow_responses: { max: %d, expires: %q }\n", p.Response.MaxMsgs, p.Response.Expires)
	}
	b.WriteString("        }\n      }\n")
}
