package drive

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
)

// counting is a task that hands numbers over, the next one when the body of the loop has
// ended, and one more when it is cut short.
type counting struct {
	Errand
	hand  Handover[int]
	d     *Driver
	ref   Ref
	n     int
	makes int // of 3
	lent  bool
	why   error
}

func (c *counting) Next(time.Time) (p plan.Probe, ok bool, wake time.Time) { return }
func (c *counting) Done() bool                                             { return c.n == 3 }
func (c *counting) HasNews() bool                                          { return !c.lent && c.n < c.makes }

func (c *counting) Hand() (goOn bool) {
	c.n++
	c.lent = true
	c.hand.Put(c.n)
	return true
}

func (c *counting) End(err error) (goOn bool) {
	c.why = err
	if err != nil {
		c.hand.Put(-1)
	}
	c.hand.End(err)
	return true
}

func (c *counting) begin(d *Driver) Ref {
	c.d, c.ref = d, d.Add(c)
	return c.ref
}

func (c *counting) goOn() {
	c.lent = false
	c.d.Look(c.ref)
}

func newShared(closed chan struct{}) *Shared {
	return &Shared{Config: func() Config { return Config{Closed: closed, All: engine.NewPacer(0), Locks: &Locks{}} }}
}

func newCounting(makes int) *counting { return &counting{hand: NewHandover[int](), makes: makes} }

func TestAHandoverGivesTheLoopWhatTheTaskMakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped")
		closed := make(chan struct{})
		s := newShared(closed)
		s.Enter() // another operation keeps the driver
		for _, tt := range []struct {
			name  string
			makes int // how many numbers there are of 3
			leave int // at which number the loop is left
			end   func(stop context.CancelCauseFunc)
			want  []int
			err   error // of Run
			why   error // that the task is told
		}{
			{name: "to its end", makes: 3, want: []int{1, 2, 3}},
			{name: "left", makes: 3, leave: 2, want: []int{1, 2}, why: ErrLeft},
			{name: "stopped", makes: 2, end: func(stop context.CancelCauseFunc) { stop(stopped) }, want: []int{1, 2, -1}, err: stopped, why: stopped},
			{name: "closed", makes: 2, end: func(context.CancelCauseFunc) { close(closed) }, want: []int{1, 2, -1}, err: net.ErrClosed, why: net.ErrClosed},
		} {
			ctx, cancel := context.WithCancelCause(t.Context())
			if tt.end != nil {
				time.AfterFunc(time.Second, func() { tt.end(cancel) })
			}
			c := newCounting(tt.makes)
			var got []int
			err := c.hand.Run(ctx, s, c.begin, c.goOn, func(n int) bool {
				got = append(got, n)
				return n != tt.leave
			})
			if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) || !errors.Is(c.why, tt.why) {
				t.Errorf("%s: %v, %v; the task was told %v", tt.name, got, err, c.why)
			}
			cancel(nil)
		}
		s.Leave()
	})
}

func TestAPanicOfTheLoopEndsTheTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounting(3)
		defer func() {
			if recover() == nil || c.why != ErrLeft {
				t.Errorf("the task was told %v", c.why)
			}
		}()
		_ = c.hand.Run(t.Context(), newShared(nil), c.begin, c.goOn, func(int) bool { panic("a bug of the caller") })
	})
}

// Tasks whose probes have all in common share an operation, until the last of them has
// given it back.
func TestAnOperationIsSharedByWhatItsProbesHaveInCommon(t *testing.T) {
	d := New(Config{All: engine.NewPacer(0), Locks: &Locks{}})
	defer d.Close()
	first := d.Borrow(engine.OpConfig{Timeout: time.Second, Size: 8})
	if again := d.Borrow(engine.OpConfig{Timeout: time.Second, Size: 8}); again != first {
		t.Error("two for probes that have all in common")
	}
	for _, other := range []engine.OpConfig{
		{Timeout: time.Minute, Size: 8},
		{Timeout: time.Second, Size: 8, Patient: true},
		{Timeout: time.Second, Size: 8, Unclear: true},
		{Timeout: time.Second, Size: 8, Custom: true},
		{Timeout: time.Second, Size: 8, Custom: true, Payload: "x"},
	} {
		if op := d.Borrow(other); op == first || op.Config().Inbox != d.inbox {
			t.Errorf("%+v is the first, or has an inbox of its own", other)
		}
	}
	d.GiveBack(first)
	if d.Borrow(first.Config()) != first {
		t.Error("closed while it was used")
	}
	d.GiveBack(first)
	d.GiveBack(first)
	if d.Borrow(first.Config()) == first {
		t.Error("used after its end")
	}
}

// lingering is a task whose end takes a second of virtual time.
type lingering struct{ Errand }

func (lingering) Next(time.Time) (p plan.Probe, ok bool, wake time.Time) { return }
func (lingering) Done() bool                                             { return false }
func (lingering) End(error) (goOn bool)                                  { time.Sleep(time.Second); return true }

// Wait waits for a Driver that is being left, too, also when another one runs or has ended
// since.
func TestWaitWaitsForWhatIsBeingLeft(t *testing.T) {
	for name, after := range map[string]func(s *Shared, closed chan struct{}){
		"nobody follows":      func(*Shared, chan struct{}) {},
		"another one runs":    func(s *Shared, closed chan struct{}) { s.Enter(); close(closed) },
		"another one is left": func(s *Shared, _ chan struct{}) { s.Enter(); go s.Leave() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				closed := make(chan struct{})
				s, begun := newShared(closed), time.Now()
				s.Wait() // for nothing
				d := s.Enter()
				d.Do(func() { d.Add(lingering{}) })
				synctest.Wait()
				go s.Leave()
				synctest.Wait()
				after(s, closed)
				synctest.Wait()
				s.Wait()
				select {
				case <-d.Ended():
				default:
					t.Error("it runs still")
				}
				if waited := time.Since(begun); waited != time.Second {
					t.Errorf("it waits for %v", waited)
				}
			})
		})
	}
}
