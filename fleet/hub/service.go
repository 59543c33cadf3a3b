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
	reply, err := h.do(ctx, r)
	text, bad := json.Marshal(reply)
	header := nats.Header{}
	if err = errors.Join(err, bad); err != nil {
		code := "400"
		if errors.As(err, &unstored{}) {
			code = wire.CodeAgain
		}
		header = nats.Header{micro.ErrorHeader: {err.Error()}, micro.ErrorCodeHeader: {code}}
	} else if end, ok := reply.(wire.End); ok {
		header = nats.Header{wire.HeaderKind: {wire.KindEnd}, wire.HeaderSeq: {strconv.Itoa(end.Count)}}
	}
	if err := wire.Respond(h.nc, r, header, text); err != nil {
		h.log.Debug("a request is not answered", "subject", r.Subject(), "error", err)
	}
}

// allowed returns who asks, if he may.
func (h *Hub) allowed(verb, name string, r micro.Request) (entry, error) {
	e, ok := h.registry.byName(name)
	if !ok {
		return e, fmt.Errorf("no agent or user is enrolled as %s", name)
	}
	if e.Role != wire.RoleAdmin && (e.Role != wire.RoleAsker || verb == wire.VerbEnroll || verb == wire.VerbRevoke) {
		return e, fmt.Errorf("%s is not allowed for the role %s", verb, e.Role)
	}
	return e, wire.Verify(e.Key, r.Subject(), wire.Signed(r.Headers()), r.Data(), time.Now())
}

// do does what is asked for, and returns the last reply.
func (h *Hub) do(ctx context.Context, r micro.Request) (any, error) {
	words := strings.Split(r.Subject(), ".")
	verb, body, name := words[2], r.Data(), ""
	if verb == wire.VerbTime {
		return time.Now(), nil
	}
	asker, err := h.allowed(verb, words[3], r)
	if err != nil {
		return nil, err
	}
	switch verb {
	case wire.VerbMesh:
		return h.streamMesh(ctx, r)
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

// streamMesh answers with the rounds that somebody asks for, and returns how many they were.
func (h *Hub) streamMesh(ctx context.Context, r micro.Request) (end wire.End, err error) {
	var query wire.MeshQuery
	if err := json.Unmarshal(r.Data(), &query); err != nil {
		return end, err
	}
	for body, err := range h.mesh.stored(ctx, query) {
		end.Count++
		if err == nil {
			err = wire.Respond(h.nc, r, nats.Header{wire.HeaderKind: {wire.KindRound}, wire.HeaderSeq: {strconv.Itoa(end.Count)}}, body)
		}
		if err != nil {
			return end, err
		}
	}
	return end, nil
}
