package drive

import (
	"net/netip"
	"time"

	"github.com/goicmp/icmplib/internal/engine"
	"github.com/goicmp/icmplib/internal/plan"
)

// Task is one target at work. Methods without a comment are as in [plan.Plan]; Heard
// replaces Observe.
type Task interface {
	Next(now time.Time) (p plan.Probe, ok bool, wake time.Time)
	Wants(k plan.Key) bool
	Recall(k plan.Key)
	Sent(k plan.Key, at time.Time)
	Refused(k plan.Key, err error, now time.Time)
	Alone() bool
	Done() bool

	// Line returns the line by which a probe leaves. An error ends the task.
	Line(p *plan.Probe) (*Line, error)

	// Heard takes an outcome of a probe. It runs no code of the caller.
	Heard(k plan.Key, o *engine.Outcome, now time.Time)

	// HasNews reports whether Hand has something for the caller. Hand hands it out, and
	// reports whether the caller wants more.
	HasNews() bool
	Hand() (goOn bool)

	// End hands out the rest to the caller. A nil err means that the task is done;
	// otherwise err is why it is cut short. End reports whether the caller wants more.
	End(err error) (goOn bool)
}

// Attention is how soon a Driver must look at the outcomes of a task.
type Attention uint8

const (
	AtOnce  Attention = iota
	Soon              // within gatherSoon, because waking up for each outcome costs more than handling it
	WhenDue           // when something is due anyway
)

// Attentive is a task that does not always want AtOnce.
type Attentive interface{ Attention() Attention }

// Errand is embedded by a task that sends nothing: its Next only does what is due, and
// returns when to look at the task again.
type Errand struct{ plan.Prompt }

// Sent is not called, and neither are the methods down to Hand.
func (Errand) Sent(plan.Key, time.Time)                   {}
func (Errand) Refused(plan.Key, error, time.Time)         {}
func (Errand) Line(*plan.Probe) (*Line, error)            { return nil, nil }
func (Errand) Heard(plan.Key, *engine.Outcome, time.Time) {}
func (Errand) Hand() (goOn bool)                          { return true }

// HasNews reports false.
func (Errand) HasNews() bool { return false }

// Done reports false: an errand ends when it is cut.
func (Errand) Done() bool { return false }

// End does nothing.
func (Errand) End(error) (goOn bool) { return true }

// Attention returns WhenDue.
func (Errand) Attention() Attention { return WhenDue }

// AtEnd is embedded by a task that hands out nothing before its end.
type AtEnd struct {
	Failed error // why it was cut short
}

// HasNews reports false, and Hand is not called.
func (*AtEnd) HasNews() bool     { return false }
func (*AtEnd) Hand() (goOn bool) { return true }

// End keeps the reason why the task was cut short.
func (a *AtEnd) End(err error) (goOn bool) {
	a.Failed = err
	return true
}

// Line is the line by which the probes of a flow to a target leave.
type Line struct {
	Pool *engine.Pool
	Op   *engine.Op // see Driver.NewOp
	Dst  netip.Addr
	TTL  int // of probes without their own
	Flow engine.Flow
}

// Rules are the settings that the tasks of an operation share.
type Rules struct {
	// Timeout is the timeout of the probes.
	Timeout time.Duration

	// Ends reports whether a refusal ends its task, instead of being a result of its probe;
	// nil: none does.
	Ends func(err error) bool

	// OnePort means that each probe is a connection from the same port: a probe that is
	// refused because the port is in use waits until it is free.
	OnePort bool
}
