package main

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/goicmp/icmplib"
)

// jsonReporter writes one object per target and line, and if asked, one per
// result before.
type jsonReporter struct {
	mu      sync.Mutex
	out     io.Writer
	replies bool
}

// jsonHost is the object of a target. Round-trip times are null where there was
// no reply.
type jsonHost struct {
	Address         string    `json:"address"`
	Name            string    `json:"name"`
	MinRTT          *float64  `json:"min_rtt_ms"`
	AvgRTT          *float64  `json:"avg_rtt_ms"`
	MaxRTT          *float64  `json:"max_rtt_ms"`
	StdDev          *float64  `json:"stddev_rtt_ms"`
	Jitter          *float64  `json:"jitter_ms"`
	RTTs            []float64 `json:"rtts_ms"`
	PacketsSent     int       `json:"packets_sent"`
	PacketsReceived int       `json:"packets_received"`
	PacketLoss      float64   `json:"packet_loss"`
	Duplicates      int       `json:"duplicates"`
	Late            int       `json:"late"`
	SendErrors      int       `json:"send_errors"`
	Suspect         int       `json:"suspect"`
	IsAlive         bool      `json:"is_alive"`
	Error           *string   `json:"error"`
}

// jsonResult is the object of one result.
type jsonResult struct {
	Name      string   `json:"name"`
	Address   string   `json:"address"`
	Seq       int      `json:"seq"`
	Status    string   `json:"status"`
	Responder string   `json:"responder,omitempty"`
	RTT       *float64 `json:"rtt_ms"`
	TTL       int      `json:"reply_ttl,omitempty"`
	Size      int      `json:"size,omitempty"`
	MTU       int      `json:"mtu,omitempty"`
	Late      bool     `json:"late,omitempty"`
	Duplicate bool     `json:"duplicate,omitempty"`
	Advises   bool     `json:"advises,omitempty"`
	Corrects  bool     `json:"corrects,omitempty"`
	Altered   bool     `json:"altered,omitempty"`
	Unproven  bool     `json:"unproven,omitempty"`
	Suspect   bool     `json:"suspect,omitempty"`
	Error     *string  `json:"error"`
}

func (j *jsonReporter) start(*icmplib.Host) {}

func (j *jsonReporter) result(host *icmplib.Host, r icmplib.Result) {
	if !j.replies {
		return
	}
	o := jsonResult{
		Name:      host.Name,
		Address:   r.Dst.String(),
		Seq:       r.Seq,
		Status:    r.Status.String(),
		TTL:       r.ReplyTTL,
		Size:      r.Size,
		MTU:       r.MTU,
		Late:      r.Late,
		Duplicate: r.Duplicate,
		Advises:   r.Advises,
		Corrects:  r.Corrects,
		Altered:   r.Altered,
		Unproven:  r.Unproven,
		Suspect:   r.Suspect,
		Error:     errorText(r.Cause),
	}
	if r.Responder.IsValid() {
		o.Responder = r.Responder.String()
		o.RTT = inMilliseconds(r.RTT)
	}
	j.write(o)
}

func (j *jsonReporter) end(*icmplib.Host) {}

func (j *jsonReporter) summaries(hosts []*icmplib.Host) {
	for _, host := range hosts {
		j.summary(host)
	}
}

func (j *jsonReporter) summary(h *icmplib.Host) { j.write(newJSONHost(h)) }

func newJSONHost(h *icmplib.Host) jsonHost {
	o := jsonHost{
		Name:            h.Name,
		RTTs:            []float64{},
		PacketsSent:     h.PacketsSent,
		PacketsReceived: h.PacketsReceived,
		PacketLoss:      h.PacketLoss(),
		Duplicates:      h.Duplicates,
		Late:            h.Late,
		SendErrors:      h.SendErrors,
		Suspect:         h.Suspect,
		IsAlive:         h.IsAlive(),
		Error:           errorText(h.Err),
	}
	if h.Address.IsValid() {
		o.Address = h.Address.String()
	}
	if h.PacketsReceived > 0 {
		o.MinRTT, o.AvgRTT, o.MaxRTT = inMilliseconds(h.MinRTT()), inMilliseconds(h.AvgRTT()), inMilliseconds(h.MaxRTT())
		o.StdDev, o.Jitter = inMilliseconds(h.StdDev()), inMilliseconds(h.Jitter())
	}
	for _, rtt := range h.RTTs() {
		o.RTTs = append(o.RTTs, *inMilliseconds(rtt))
	}
	return o
}

// write writes one line. What fails here is standard output, and there is
// nobody left to tell.
func (j *jsonReporter) write(v any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	encoder := json.NewEncoder(j.out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v)
}

func inMilliseconds(d time.Duration) *float64 {
	ms := float64(d) / float64(time.Millisecond)
	return &ms
}

func errorText(err error) *string {
	if err == nil {
		return nil
	}
	s := err.Error()
	return &s
}
