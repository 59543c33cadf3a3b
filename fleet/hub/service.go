package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/goicmp/icmplib/fleet/wire"
)

// maxRequests is how many requests the hub works on at a time.
const maxRequests = 64

// serve answers those who ask the hub itself.
func (h *Hub) serve() error {
	service, err := micro.AddService(h.nc, micro.Config{Name: "icmp-hub", Version: fmt.Sprintf("%d.0.0", wire.Version)})
	if err != nil {
		return err
	}
	places := make(chan struct{}, maxRequests)
	return service.AddEndpoint("hub", micro.HandlerFunc(func(r micro.Request) {
		places <- struct{}{}
		go func() {
			defer func() { <-places }()
			h.handle(r)
		}()
	}), micro.WithEndpointSubject(wire.HubAll))
}

// handle answers a request. Its error is the text of the reply's header.
func (h *Hub) handle(r micro.Request) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	words := strings.Split(r.Subject(), ".")
	verb, name := words[2], words[3]
	if verb == wire.VerbTime {
		r.RespondJSON(time.Now())
		return
	}
	e, ok := h.registry.byName(name)
	if !ok {
		r.Error("403", fmt.Sprintf("nobody is enrolled as %s", name), nil)
		return
	}
	if err := wire.Verify(e.Key, r.Subject(), wire.Signed(r.Headers()), r.Data(), time.Now()); err != nil {
		r.Error("403", err.Error(), nil)
		return
	}
	if err := allowedVerb(verb, e.Role); err != nil {
		r.Error("403", err.Error(), nil)
		return
	}
	if verb == wire.VerbMesh {
		h.streamMesh(ctx, r)
		return
	}
	reply, err := h.do(ctx, verb, e, r.Data())
	if err != nil {
		r.Error("400", err.Error(), nil)
		return
	}
	r.RespondJSON(reply)
}

func allowedVerb(verb, role string) error {
	admin := verb == wire.VerbEnroll || verb == wire.VerbRevoke
	if role == wire.RoleAdmin || role == wire.RoleAsker && !admin {
		return nil
	}
	return fmt.Errorf("%s is not for those who are enrolled as %s", verb, role)
}

// do does what the verbs are for that have one reply.
func (h *Hub) do(ctx context.Context, verb string, asker entry, body []byte) (any, error) {
	var name string
	switch verb {
	case wire.VerbFleet:
		return h.View(), nil
	case wire.VerbJobs:
		return h.jobs.list(), nil
	case wire.VerbBegin:
		var spec wire.Job
		if err := json.Unmarshal(body, &spec); err != nil {
			return nil, err
		}
		spec.Asker = asker.Name
		return h.jobs.begin(ctx, spec)
	case wire.VerbAdd:
		var shards wire.Shards
		if err := wire.UnpackJSON(body, &shards); err != nil {
			return nil, err
		}
		return true, h.jobs.add(ctx, asker.Name, shards)
	case wire.VerbEnroll:
		var e wire.Enrollment
		if err := json.Unmarshal(body, &e); err != nil {
			return nil, err
		}
		return h.Enroll(ctx, e)
	}
	if err := json.Unmarshal(body, &name); err != nil {
		return nil, err
	}
	switch verb {
	case wire.VerbJob:
		return h.jobs.get(name)
	case wire.VerbCommit:
		return h.jobs.commit(ctx, asker.Name, name)
	case wire.VerbCancel:
		return h.jobs.end(ctx, name, wire.JobCancelled)
	case wire.VerbRevoke:
		return true, h.Revoke(ctx, name)
	}
	return nil, fmt.Errorf("the hub knows no %q: upgrade it", verb)
}

// streamMesh answers with the rounds that somebody asks for, and then how many they were.
func (h *Hub) streamMesh(ctx context.Context, r micro.Request) {
	var query wire.MeshQuery
	if err := json.Unmarshal(r.Data(), &query); err != nil {
		r.Error("400", err.Error(), nil)
		return
	}
	count := 0
	send := func(kind string, body []byte) error {
		return r.Respond(body, micro.WithHeaders(micro.Headers{
			wire.HeaderKind: {kind}, wire.HeaderSeq: {strconv.Itoa(count)}}))
	}
	for body, err := range h.mesh.stored(ctx, query) {
		count++
		if err == nil {
			err = send(wire.KindRound, body)
		}
		if err != nil {
			if !errors.Is(err, nats.ErrConnectionClosed) {
				r.Error("500", err.Error(), nil)
			}
			return
		}
	}
	text, _ := json.Marshal(wire.End{Count: count}) // of a number
	send(wire.KindEnd, text)
}
