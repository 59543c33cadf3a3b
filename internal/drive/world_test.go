package drive

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/icmp"
	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/lab/netsim"
	"github.com/goicmp/icmplib/internal/plan"
)

// Hosts that answer after 10, 10.5 and 12 ms, with routers after 2 and 4 ms, and some that do
// not. Which of two answers of one moment is told first is left to the scheduler, so
// that tests have none on which something depends.
const network = `
	client 192.0.2.1
	node r1   10.9.0.1 delay=1ms
	node r2   10.9.0.2 delay=1ms
	node host 10.0.0.1 delay=3ms
	node far  10.0.1.1 delay=4ms
	node odd  10.0.2.1 delay=3.25ms
	node none 10.0.9.9 deaf
	path 10.0.0.0/24 r1 r2 host
	path 10.0.1.0/24 r1 r2 far
	path 10.0.2.0/24 r1 r2 odd
	path 10.0.9.0/24 none
`

// world is a Driver in virtual time, on a simulated socket. Its tasks write down what
// happens to them.
type world struct {
	*Driver
	cfg    Config
	pool   *engine.Pool
	other  *engine.Pool // a second socket in the same network
	op     *engine.Op
	refuse func(dst netip.Addr) error // what the system says of a packet
	start  time.Time
	closed chan struct{} // of the Prober

	mu  sync.Mutex
	log []string
}

// wire is a socket of the world.
type wire struct {
	*netsim.Conn
	w *world
}

func (c wire) SendBatch(reqs []icmp.Request) (int, error) {
	for i := range reqs {
		if c.w.refuse != nil {
			if err := c.w.refuse(reqs[i].Destination); err != nil {
				return i, err
			}
		}
		if _, err := c.Conn.SendBatch(reqs[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(reqs), nil
}

// inWorld runs a test in a world. Probes have a timeout of 100 ms.
func inWorld(t *testing.T, cfg Config, f func(t *testing.T, w *world)) {
	t.Helper()
	inWorldWith(t, cfg, func(*testing.T, *Config) {}, f)
}

// inWorldWith is inWorld where the configuration is completed in virtual time.
func inWorldWith(t *testing.T, cfg Config, complete func(*testing.T, *Config), f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{cfg: cfg, start: time.Now(), closed: make(chan struct{})}
		w.cfg.Closed = w.closed
		n := netsim.MustParse(network)
		w.pool, w.other = w.newPool(t, n), w.newPool(t, n)
		if w.cfg.All == nil {
			w.cfg.All = engine.NewPacer(0)
		}
		if w.cfg.Locks == nil {
			w.cfg.Locks = &Locks{}
		}
		if w.cfg.Timeout == 0 {
			w.cfg.Timeout = 100 * time.Millisecond
		}
		complete(t, &w.cfg)
		w.Driver = New(w.cfg)
		w.op = w.NewOp(engine.OpConfig{Timeout: w.cfg.Timeout})
		defer w.Close()
		f(t, w)
	})
}

func (w *world) newPool(t *testing.T, n *netsim.Network) *engine.Pool {
	t.Helper()
	listen := func() (engine.Medium, error) {
		return engine.OverEcho(wire{n.Listen(icmp.V4, netsim.ConnOptions{}), w}), nil
	}
	p, err := engine.NewPool(listen, slog.New(slog.DiscardHandler), engine.NewBudget(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprint(time.Since(w.start), " ")+fmt.Sprintf(format, args...))
}

// happened compares what happened with what is wanted, a line each.
func (w *world) happened(t *testing.T, want string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(want) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if !slices.Equal(w.log, lines) {
		t.Errorf("it happened:\n%s\nwant:\n%s", strings.Join(w.log, "\n"), strings.Join(lines, "\n"))
	}
}

// at has the Driver call f at a moment since the start.
func (w *world) at(after time.Duration, f func()) {
	w.calls.open()
	time.AfterFunc(after, func() { w.Do(f) })
}

// run runs the Driver to its end, and writes that down, too.
func (w *world) run(ctx context.Context) {
	if err := w.Run(ctx); err != nil {
		w.note("over: %v", err)
		return
	}
	w.note("over")
}

// target is a task: probes that are due at times since the start, numbered from 1. What
// happens to it is written down with its name.
type target struct {
	w     *world
	name  string
	line  Line
	times []time.Duration
	ttl   int // of the first probe; each other has one more; 0: that of the line

	alone     func(t *target) bool // nil: never
	wants     func(k int) bool     // nil: always
	lineErr   error
	hands     bool // what becomes known is handed out
	leaves    bool // at its end, the caller wants no more
	ends      func()
	stops     int                       // at which probe that is handed out the caller wants no more
	attention func(t *target) Attention // nil: at once

	asked int
	again []int // were recalled
	open  map[int]bool
	news  []int
}

// to returns a target of the world.
func (w *world) to(name, addr string, times ...time.Duration) *target {
	line := Line{Pool: w.pool, Op: w.op, Dst: netip.MustParseAddr(addr), TTL: 64}
	return &target{w: w, name: name, line: line, times: times, open: map[int]bool{}}
}

// begin adds a target whose probes may have to leave one by one.
func (t *target) begin(alone func(t *target) bool) Ref {
	t.alone = alone
	return t.w.Add(t)
}

func (t *target) note(k int, what string) { t.w.note("%s%d %s", t.name, k, what) }

func (t *target) Next(now time.Time) (p plan.Probe, ok bool, wake time.Time) {
	k := t.asked + 1
	switch {
	case len(t.again) > 0:
		k, t.again = t.again[0], t.again[1:]
	case k > len(t.times):
		return p, false, wake
	default:
		if at := t.w.start.Add(t.times[k-1]); now.Before(at) {
			return p, false, at
		}
		t.asked++
	}
	t.open[k] = true
	p.Key = plan.MakeKey(0, k)
	if t.ttl > 0 {
		p.TTL = t.ttl + k - 1
	}
	return p, true, wake
}

func (t *target) Wants(k plan.Key) bool { return t.wants == nil || t.wants(k.Number()) }

func (t *target) Recall(k plan.Key) {
	t.note(k.Number(), "recalled")
	delete(t.open, k.Number())
	if t.Alone() {
		t.again = append(t.again, k.Number())
	}
}

func (t *target) Sent(k plan.Key, _ time.Time) { t.note(k.Number(), "sent") }

func (t *target) Refused(k plan.Key, err error, _ time.Time) {
	t.note(k.Number(), fmt.Sprintf("refused: %v", err))
	delete(t.open, k.Number())
}

func (t *target) Alone() bool { return t.alone != nil && t.alone(t) }

func (t *target) Done() bool {
	return t.asked == len(t.times) && len(t.open) == 0 && len(t.again) == 0 && len(t.news) == 0
}

func (t *target) Line(*plan.Probe) (*Line, error) {
	if t.lineErr != nil {
		return nil, t.lineErr
	}
	return &t.line, nil
}

var fates = map[engine.Fate]string{
	engine.Replied: "replied", engine.Failed: "failed", engine.Silent: "silent", engine.Unclear: "unclear",
	engine.Late: "late", engine.Duplicate: "duplicate",
}

func (t *target) Heard(k plan.Key, o *engine.Outcome, _ time.Time) {
	t.note(k.Number(), fates[o.Fate])
	if o.Fate.Settles() {
		delete(t.open, k.Number())
		if t.hands {
			t.news = append(t.news, k.Number())
		}
	}
}

func (t *target) HasNews() bool { return len(t.news) > 0 }

func (t *target) Hand() (goOn bool) {
	if len(t.news) == 0 {
		t.w.note("%s has nothing to hand out", t.name)
	}
	for _, k := range t.news {
		t.note(k, "handed out")
		if k == t.stops {
			return false
		}
	}
	t.news = nil
	return true
}

func (t *target) End(err error) (goOn bool) {
	if t.ends != nil {
		t.ends()
	}
	if err != nil {
		t.w.note("%s ended: %v", t.name, err)
	} else {
		t.w.note("%s done", t.name)
	}
	return !t.leaves
}

func (t *target) Attention() Attention {
	if t.attention == nil {
		return AtOnce
	}
	return t.attention(t)
}

func always(*target) bool { return true }

const ms = time.Millisecond
