package series

import "github.com/goicmp/icmplib/internal/fields"

// Fields hands over what JSON says of s: its figures, and the RTTs or their
// histogram. What is read is restored; the next probe is the one with the ordinal next.
func (s *Series) Fields(o *fields.Object, next int) {
	f := s.Summary()
	known := len(f.RTTs)+len(f.Buckets) > 0
	median, p95, p99 := s.Percentile(0.5), s.Percentile(0.95), s.Percentile(0.99)
	o.MSKnown("min_rtt_ms", &f.Min, known)
	o.MSKnown("avg_rtt_ms", &f.Mean, known)
	o.MSKnown("max_rtt_ms", &f.Max, known)
	o.MSKnown("last_rtt_ms", &f.Last, known)
	o.MSKnown("median_rtt_ms", &median, known)
	o.MSKnown("p95_rtt_ms", &p95, known)
	o.MSKnown("p99_rtt_ms", &p99, known)
	o.MSKnown("stddev_rtt_ms", &f.StdDev, known)
	o.MSKnown("jitter_ms", &f.Jitter, known)
	o.MSKnown("interarrival_jitter_ms", &f.Interarrival, known)
	o.Durations("rtts_ms", &f.RTTs)
	fields.ListIf(o, "histogram", &f.Buckets, (*Bucket).fields)
	if o.Reading() {
		restored, err := Restore(f, next)
		o.Fail(err)
		*s = restored
	}
}

func (b *Bucket) fields(o *fields.Object) {
	o.MS("rtt_ms", &b.RTT)
	fields.Int(o, "count", &b.Count)
}
