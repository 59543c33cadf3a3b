package icmplib

// yieldEach makes a sequence of an operation: each hands its results to the
// function that it is given, until that returns false. The error is the last of
// the sequence, unless the loop was left.
func yieldEach[T any](yield func(T, error) bool, each func(func(T) bool) error) {
	left := false
	err := each(func(result T) bool {
		left = !yield(result, nil)
		return !left
	})
	if err != nil && !left {
		var none T
		yield(none, err)
	}
}
