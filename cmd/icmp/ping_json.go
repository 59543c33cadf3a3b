package main

import (
	"github.com/goicmp/icmplib"
)

// jsonReporter writes the object of each target, and if asked, that of each result
// before.
type jsonReporter struct {
	jsonWriter
	replies bool
}

func (j *jsonReporter) start(*icmplib.Host) {}

func (j *jsonReporter) result(host *icmplib.Host, r icmplib.Result) {
	if j.replies {
		j.write(&r, jsonField{"name", host.Name})
	}
}

func (j *jsonReporter) end(*icmplib.Host) {}

func (j *jsonReporter) summaries(hosts []*icmplib.Host) {
	for _, host := range hosts {
		j.write(host)
	}
}

// jsonHosts writes the objects that ping writes.
type jsonHosts struct{ *jsonWriter }

func (j jsonHosts) host(h *icmplib.Host, _ hostFate) { j.write(h) }
