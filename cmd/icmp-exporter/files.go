package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"
)

// hostGroup is an element of a file of hosts, in the form of Prometheus's file_sd.
type hostGroup struct {
	Targets []host `yaml:"targets"`
	Labels  labels `yaml:"labels"`
}

// hostFiles are the files with hosts that a configuration names. One that is wrong
// leaves the hosts of it as they were.
type hostFiles struct {
	dir    string       // where patterns begin
	log    *slog.Logger // nil: what is wrong is an error
	errors prometheus.Counter
	right  prometheus.Gauge

	mu    sync.Mutex
	seen  map[string]fileStamp   // of the files when they were looked at last
	good  map[string][]hostGroup // of those that could be used
	wrong map[string]fileStamp   // of those that could not
}

// fileStamp shows whether a file has changed.
type fileStamp struct {
	changed time.Time
	size    int64
}

// Bounds of files of hosts.
const (
	mostFiles           = 1000
	defaultFilesRefresh = 5 * time.Second
	leastFilesRefresh   = time.Second
)

func newHostFiles(config string, log *slog.Logger) *hostFiles {
	return &hostFiles{
		dir: filepath.Dir(config), log: log, seen: map[string]fileStamp{}, good: map[string][]hostGroup{}, wrong: map[string]fileStamp{},
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "icmp_file_errors_total", Help: "Reads of a file of hosts that could not be used.",
		}),
		right: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "icmp_files_successful", Help: "Whether the last read of all files of hosts succeeded: 1 or 0.",
		}),
	}
}

// paths returns the files that match patterns, each once.
func (f *hostFiles) paths(patterns []host) (all []string, err error) {
	for _, p := range patterns {
		pattern := p.name
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(f.dir, pattern)
		}
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("line %d: %q cannot be used: allowed is the path of a file, with * in its last part", p.line, p.name)
		}
		all = append(all, found...)
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > mostFiles {
		return nil, fmt.Errorf("line %d: there are %d files: up to %d are allowed", patterns[0].line, len(all), mostFiles)
	}
	return all, nil
}

// stampOf returns the stamp of a file, the zero value where it cannot be told.
func stampOf(path string) (s fileStamp) {
	if info, err := os.Stat(path); err == nil {
		s = fileStamp{info.ModTime(), info.Size()}
	}
	return s
}

// begin forgets which files there are.
func (f *hostFiles) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.seen)
}

// use has the groups of a file used, or those that it had before where they cannot be.
func (f *hostFiles) use(path string, use func([]hostGroup) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	stamp := stampOf(path)
	f.seen[path] = stamp
	groups, err := readGroups(path)
	if err == nil {
		err = use(groups)
	}
	if err == nil {
		f.good[path] = groups
		delete(f.wrong, path)
		return nil
	}
	err = fmt.Errorf("%s: %w", path, err)
	if f.log == nil {
		return err
	}
	if before, known := f.wrong[path]; !known || before != stamp {
		f.errors.Inc()
		f.log.Error("the file cannot be used: its hosts stay unchanged", "error", err)
	}
	f.wrong[path] = stamp
	if use(f.good[path]) != nil { // for the configuration is another now
		delete(f.good, path)
	}
	return nil
}

// end forgets what is known of files that are gone, and says whether all is right.
func (f *hostFiles) end() {
	f.mu.Lock()
	defer f.mu.Unlock()
	gone := func(path string) bool { _, is := f.seen[path]; return !is }
	maps.DeleteFunc(f.good, func(path string, _ []hostGroup) bool { return gone(path) })
	maps.DeleteFunc(f.wrong, func(path string, _ fileStamp) bool { return gone(path) })
	f.right.Set(oneIf(len(f.wrong) == 0))
}

// haveChanged reports whether files are not as they were when they were read.
func (f *hostFiles) haveChanged(c *config) bool {
	now := map[string]fileStamp{}
	for i := range c.Targets {
		paths, err := f.paths(c.Targets[i].Files)
		if err != nil {
			return true
		}
		for _, path := range paths {
			now[path] = stampOf(path)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return !maps.Equal(now, f.seen)
}

// readGroups reads a file in either form, JSON or YAML, of which the former is a part.
func readGroups(path string) (groups []hostGroup, err error) {
	text, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(filepath.Ext(path), ".json") {
		text = bytes.ReplaceAll(text, []byte("\t"), []byte(" ")) // which YAML has not between its words
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&groups); err != nil && !errors.Is(err, io.EOF) {
		return nil, plainError(err)
	}
	return groups, nil
}

// fileJobs returns the hosts of the files of a group. One that is there already is not there
// twice.
func (t *targetConfig) fileJobs(c *config, check *checker, lines map[string]int, files *hostFiles) (all []job, err error) {
	paths, err := files.paths(t.Files)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		err := files.use(path, func(groups []hostGroup) error {
			var jobs []job
			for i := range groups {
				one := *t
				one.Hosts, one.Files, one.Labels = groups[i].Targets, nil, groups[i].labels(t.Labels)
				more, err := one.jobs(c, check, lines, true)
				jobs = append(jobs, more...)
				if err == nil && len(all)+len(jobs) > mostTargets {
					err = fmt.Errorf("these hosts make more than %d: split them among several exporters", mostTargets)
				}
				if err != nil {
					for i := range jobs {
						delete(lines, jobs[i].id())
					}
					return err
				}
			}
			all = append(all, jobs...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// labels returns those of a group of hosts, and else those of the configuration. Prometheus
// drops what begins with two underscores when it has relabelled.
func (g *hostGroup) labels(others labels) labels {
	all := labels{}
	maps.Copy(all, others)
	maps.Copy(all, g.Labels)
	maps.DeleteFunc(all, func(name, _ string) bool { return strings.HasPrefix(name, "__") })
	return all
}
