package hub

import (
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/goicmp/icmplib/fleet/wire"
)

// Permissions are the subjects of somebody who is enrolled: no more than he needs. Nobody
// but the hub makes consumers, for a consumer can be told to deliver to any subject.
func Permissions(e wire.Enrollment) *server.Permissions {
	if e.Role == wire.RoleAgent {
		return agentPermissions(e)
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
		Response: &server.ResponsePermission{MaxMsgs: 1_000_000, Expires: time.Hour}, // answers to those who asked
	}
}
