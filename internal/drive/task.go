package drive

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
)

// Task is one target at work. All of it but what is commented here is as in
// [plan.Plan]; in place of Observe it has Heard.
type Task interface {
	Next(now time.Time) (p plan.Probe, ok bool, wake time.Time)
	Wants(k plan.Key) bool
	Recall(k plan.Key)
	Sent(k plan.Key, at time.Time)
	Refused(k plan.Key, err error, now time.Time)
	Alone() bool
	Done() bool

	// Line returns what a probe leaves by. An error ends the task.
	Line(p *plan.Probe) (*Line, error)

	// Heard takes an outcome of a probe. It runs no code of the caller.
	Heard(k plan.Key, o *engine.Outcome, now time.Time)

	// HasNews reports whether Hand has something for the caller, which it then hands
	// out. Hand reports whether the caller wants more.
	HasNews() bool
	Hand() (goOn bool)

	// End hands out what is left for the caller: nil says that the task is done, an
	// error why it is cut short. It reports whether the caller wants more.
	End(err error) (goOn bool)
}

// Attention is how soon a Driver has to look at what becomes known of a task.
type Attention uint8

const (
	AtOnce  Attention = iota
	Soon              // within gatherSoon: a wake-up for each thing costs more than it does
	WhenDue           // when something is to be done anyway
)

// Attentive is a task that does not always want AtOnce.
type Attentive interface{ Attention() Attention }

// Errand is embedded by a task that sends nothing: its Next only says when it is to be
// looked at again, and does what is due then.
type Errand struct{ plan.Prompt }

// Sent is not called, and so are those up to Hand.
func (Errand) Sent(plan.Key, time.Time)                   {}
func (Errand) Refused(plan.Key, error, time.Time)         {}
func (Errand) Line(*plan.Probe) (*Line, error)            { return nil, nil }
func (Errand) Heard(plan.Key, *engine.Outcome, time.Time) {}
func (Errand) Hand() (goOn bool)                          { return true }

// HasNews reports false.
func (Errand) HasNews() bool { return false }

// Done reports false: an errand is cut.
func (Errand) Done() bool { return false }

// End does nothing.
func (Errand) End(error) (goOn bool) { return true }

// Attention returns WhenDue.
func (Errand) Attention() Attention { return WhenDue }

// AtEnd is embedded by a task that hands out nothing before all of it is over.
type AtEnd struct {
	Failed error // why it was cut short
}

// HasNews reports false, and Hand is not called.
func (*AtEnd) HasNews() bool     { return false }
func (*AtEnd) Hand() (goOn bool) { return true }

// End keeps why the task was cut short.
func (a *AtEnd) End(err error) (goOn bool) {
	a.Failed = err
	return true
}

// Line is what the probes of a flow to a target leave by.
type Line struct {
	Pool *engine.Pool
	Op   *engine.Op // see Driver.NewOp
	Dst  netip.Addr
	TTL  int // of probes that have none of their own
	Flow engine.Flow
}

// Rules is what the tasks of an operation have in common.
type Rules struct {
	// Timeout is that of the probes.
	Timeout time.Duration

	// Ends reports whether a refusal ends its task, and is no result of its probe;
	// nil: none does.
	Ends func(err error) bool

	// OnePort says that each probe is a connection from one and the same port: one
	// that is refused because the port is in use waits until it is not.
	OnePort bool
}
