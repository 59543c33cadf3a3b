package waiting

import "context"

// Turn lets one goroutine at a time receive.
type Turn chan struct{}

// NewTurn returns a Turn that nobody has.
func NewTurn() Turn { return make(Turn, 1) }

// Take makes it the caller's turn, or fails with the cause for which ctx ended.
func (t Turn) Take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	default:
	}
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Leave ends the caller's turn.
func (t Turn) Leave() { <-t }
