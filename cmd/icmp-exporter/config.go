package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// config is the file as it was written. What is not said is the zero value.
type config struct {
	ResolveInterval duration       `yaml:"resolve_interval"`
	FilesInterval   duration       `yaml:"files_interval"`
	ClassicBuckets  []float64      `yaml:"classic_buckets"`
	Prober          proberConfig   `yaml:"prober"`
	Defaults        defaultsConfig `yaml:"defaults"`
	Targets         []targetConfig `yaml:"targets"`

	Probe   probeConfig             `yaml:"probe"`
	Modules map[string]moduleConfig `yaml:"modules"`
}

// probeConfig is what /probe may do.
type probeConfig struct {
	Allow      []prefix `yaml:"allow"`
	Concurrent number   `yaml:"concurrent"`
}

// moduleConfig is how /probe probes a target.
type moduleConfig struct {
	Count   number  `yaml:"count"`
	Route   boolean `yaml:"route"`
	PathMTU boolean `yaml:"path_mtu"`
	Options options `yaml:",inline"`
}

// proberConfig is what all packets have in common.
type proberConfig struct {
	Mode      mode    `yaml:"mode"`
	Rate      number  `yaml:"rate"`
	Source4   address `yaml:"source4"`
	Source6   address `yaml:"source6"`
	Interface string  `yaml:"interface"`
	Mark      mark    `yaml:"mark"`
}

// defaultsConfig is what targets and modules do not say.
type defaultsConfig struct {
	Options  options  `yaml:",inline"`
	Watching watching `yaml:",inline"`
}

// watching is how to probe a target for ever.
type watching struct {
	Addresses  addresses `yaml:"addresses"`
	DownAfter  number    `yaml:"down_after"`
	NewIDAfter number    `yaml:"new_id_after"`

	TraceOnTrouble  boolean  `yaml:"trace_on_trouble"`
	TraceLoss       ratio    `yaml:"trace_loss"`
	RouteInterval   duration `yaml:"route_interval"`
	RouteHops       number   `yaml:"route_hops"`
	PathMTUInterval duration `yaml:"path_mtu_interval"`
}

// options is how to probe a target.
type options struct {
	Interval     duration `yaml:"interval"`
	Timeout      duration `yaml:"timeout"`
	Family       family   `yaml:"family"`
	Protocol     protocol `yaml:"protocol"`
	Port         number   `yaml:"port"`
	Size         number   `yaml:"size"`
	TTL          number   `yaml:"ttl"`
	TrafficClass number   `yaml:"traffic_class"`
}

// targetConfig is a group of hosts that are probed alike.
type targetConfig struct {
	Hosts  []host `yaml:"hosts"`
	Files  []host `yaml:"files"` // patterns
	Labels labels `yaml:"labels"`

	Options  options  `yaml:",inline"`
	Watching watching `yaml:",inline"`
}

// or returns o with what it does not say taken from the defaults.
func or[T options | watching](o, d T) T {
	to, from := reflect.ValueOf(&o).Elem(), reflect.ValueOf(d)
	for i := range to.NumField() {
		if to.Field(i).IsZero() {
			to.Field(i).Set(from.Field(i))
		}
	}
	return o
}

// load reads a file and says what to do, or what is wrong with it and where.
func load(file string, files *hostFiles) (*config, *settings, error) {
	text, err := readBounded(file)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	c, err := parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	s, err := c.settings(files)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, s, nil
}

// mostText bounds a configuration, which is held in memory several times.
const mostText = 16 << 20

func readBounded(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostText+1))
	if err == nil && len(text) > mostText {
		err = fmt.Errorf("%s: up to %d MiB are allowed: split the targets among several exporters", file, mostText>>20)
	}
	return text, err
}

// parse reads the text of a file.
func parse(text []byte) (*config, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	c := &config{}
	err := d.Decode(c)
	if errors.Is(err, io.EOF) {
		return c, nil // that there are no targets is said later
	}
	if err != nil {
		return nil, plainError(err)
	}
	return c, nil
}

// plainError says what is wrong with a text.
func plainError(err error) error {
	if broken, ok := errors.AsType[*yaml.TypeError](err); ok {
		return errors.New(strings.Join(plain(broken.Errors), "\n"))
	}
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

var unknownField = regexp.MustCompile(`^(line \d+): field (.+) not found in type main\.(\w+)$`)

// plain says in the words of the file what the decoder says in those of Go.
func plain(messages []string) []string {
	parts := map[string]any{
		"config": config{}, "proberConfig": proberConfig{}, "defaultsConfig": defaultsConfig{}, "targetConfig": targetConfig{},
		"probeConfig": probeConfig{}, "moduleConfig": moduleConfig{}, "hostGroup": hostGroup{},
	}
	for i, message := range messages {
		if m := unknownField.FindStringSubmatch(message); m != nil {
			names := fieldNames(reflect.TypeOf(parts[m[3]]))
			messages[i] = fmt.Sprintf("%s: there is no field %q here: allowed are %s", m[1], m[2], strings.Join(names, ", "))
		}
	}
	return messages
}

// fieldNames returns what may stand in a part of the file.
func fieldNames(part reflect.Type) (names []string) {
	for i := range part.NumField() {
		name, inline, _ := strings.Cut(part.Field(i).Tag.Get("yaml"), ",")
		if inline == "inline" {
			names = append(names, fieldNames(part.Field(i).Type)...)
			continue
		}
		names = append(names, name)
	}
	return names
}
