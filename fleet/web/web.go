// Package web is the page of a fleet: the mesh, the history and the ways of each pair, agents
// and jobs, live; and metrics. It only shows: nothing can be changed by it. All of it is in
// the program, and the page loads nothing from elsewhere.
package web

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/goicmp/icmplib/fleet/hub"
	"github.com/goicmp/icmplib/fleet/wire"
)

// The page, and uPlot 1.6.32 by Leon Sorokin (MIT), which draws the plots.
//
//go:embed static
var static embed.FS

// maxWatchers is how many pages are told of news at a time.
const maxWatchers = 200

// server answers for one hub.
type server struct {
	hub      *hub.Hub
	watchers chan struct{}
}

// Handler returns the page of a hub. With a password whoever asks has to give it (RFC 7617);
// without one, only a name or an address that stands for this machine is answered for, so
// that no other page can read this one by a name of its own (DNS rebinding).
func Handler(h *hub.Hub, password string) (http.Handler, error) {
	files, err := fs.Sub(static, "static")
	if err != nil {
		return nil, err
	}
	s := &server{hub: h, watchers: make(chan struct{}, maxWatchers)}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /api/view", func(w http.ResponseWriter, r *http.Request) { reply(w, h.View()) })
	mux.HandleFunc("GET /api/jobs", func(w http.ResponseWriter, r *http.Request) { reply(w, h.Jobs()) })
	mux.HandleFunc("GET /api/mesh", func(w http.ResponseWriter, r *http.Request) { reply(w, h.Mesh().Rounds()) })
	mux.HandleFunc("GET /api/pair", s.pair)
	mux.HandleFunc("GET /api/events", s.events)
	mux.HandleFunc("GET /metrics", s.metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	return guard(mux, password), nil
}

func guard(next http.Handler, password string) http.Handler {
	want := sha256.Sum256([]byte(password))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		if password == "" && !wire.Loopback(r.Host) {
			http.Error(w, "this page is only for the hub's own machine", http.StatusForbidden)
			return
		}
		_, given, _ := r.BasicAuth()
		if got := sha256.Sum256([]byte(given)); password != "" && subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			header.Set("WWW-Authenticate", `Basic realm="icmp-fleet"`)
			http.Error(w, "a password is needed", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	json.NewEncoder(w).Encode(v) // who has gone needs no reply
}

// history is what a plot shows: columns, of which the first is the time in seconds.
type history struct {
	From   string           `json:"from"`
	To     string           `json:"to"`
	Time   []float64        `json:"time"`
	Median []*float64       `json:"median"` // null where nothing was answered
	Low    []*float64       `json:"low"`
	High   []*float64       `json:"high"` // the 95th percentile
	Loss   []float64        `json:"loss"` // in percent
	Ways   []wire.PairRoute `json:"ways"` // the last two that differed
	// Changed are the distances at which the last way is another one than that before.
	Changed []int `json:"changed"`
}

// pair answers with the history of a pair in both directions.
func (s *server) pair(w http.ResponseWriter, r *http.Request) {
	a, b := r.FormValue("a"), r.FormValue("b")
	since, err := time.ParseDuration(cmp.Or(r.FormValue("since"), "1h"))
	if err != nil || since <= 0 || wire.CheckName(a) != nil || wire.CheckName(b) != nil {
		http.Error(w, "a and b are agents, since is a time such as 1h", http.StatusBadRequest)
		return
	}
	var both [2]*history
	for i, pair := range [2][2]string{{a, b}, {b, a}} {
		if both[i], err = s.history(r, pair[0], pair[1], since); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	reply(w, both)
}

func (s *server) history(r *http.Request, from, to string, since time.Duration) (*history, error) {
	h := &history{From: from, To: to, Time: []float64{}, Ways: s.hub.Mesh().Ways(from, to)}
	if n := len(h.Ways); n > 1 {
		h.Ways = h.Ways[n-2:]
		before, _ := wire.ReadWay(h.Ways[0].Route) // the hub has read them before
		now, _ := wire.ReadWay(h.Ways[1].Route)
		h.Changed = before.Changed(now)
	}
	type point struct {
		at   time.Time
		pair wire.Pair
	}
	var points []point
	for round, err := range s.hub.Mesh().History(r.Context(), from, since) {
		if err != nil {
			return nil, err
		}
		for _, p := range round.Pairs {
			if p.Peer == to {
				points = append(points, point{round.Start, p})
			}
		}
	}
	slices.SortFunc(points, func(a, b point) int { return a.at.Compare(b.at) })
	known := func(p *wire.Pair, v float64) *float64 {
		if p.Received == 0 {
			return nil
		}
		return &v
	}
	for i := range points {
		p := &points[i].pair
		h.Time = append(h.Time, float64(points[i].at.UnixMilli())/1000)
		h.Median = append(h.Median, known(p, p.Median))
		h.Low = append(h.Low, known(p, p.Min))
		h.High = append(h.High, known(p, p.P95))
		h.Loss = append(h.Loss, 100*p.Loss)
	}
	return h, nil
}

// events tells a page that there is something new (server-sent events): the page then asks.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	flusher, ok := w.(http.Flusher)
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		ok = false
	}
	if !ok {
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ticker := time.NewTicker(2 * time.Second)
	defer ticker.Stop()
	for {
		changed, kind := s.hub.Mesh().Changed(), "state"
		select {
		case <-r.Context().Done():
			return
		case <-changed:
			kind = "mesh"
		case <-ticker.C:
		}
		if _, err := fmt.Fprintf(w, "event: %s\ndata: {}\n\n", kind); err != nil {
			return
		}
		flusher.Flush()
	}
}
