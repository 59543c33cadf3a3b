package hub

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nkeys"

	"github.com/goicmp/icmplib/fleet/wire"
)

// entry is somebody who is enrolled. The hub keeps the public key, and not the seed.
type entry struct {
	wire.Enrollment
	Key     string    `json:"key"`
	Created time.Time `json:"created"`
}

// registryFile is that of the registry, in Config.Dir.
const registryFile = "enrolled.json"

// registry is who is enrolled, in a file that is replaced as a whole.
type registry struct {
	file string

	mu      sync.Mutex
	entries []entry
}

func openRegistry(file string) (*registry, error) {
	r := &registry{file: file}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &r.entries); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", file, err)
	}
	return r, nil
}

// save writes entries, and makes them those that hold when they are on the disk.
func (r *registry) save(entries []entry) error {
	text, err := json.MarshalIndent(entries, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(r.file, append(text, '\n')); err != nil {
		return err
	}
	r.entries = entries
	return nil
}

// writeFile replaces a file that only its owner may read: it has the old or the new content,
// whenever the machine stops.
func writeFile(file string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil || runtime.GOOS == "windows" { // where folders cannot be synced
		return err
	}
	dir, err := os.Open(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// newKey makes a key of NATS.
func newKey() (public, seed string, err error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return "", "", err
	}
	if public, err = pair.PublicKey(); err != nil {
		return "", "", err
	}
	secret, err := pair.Seed()
	return public, string(secret), err
}

// enroll adds somebody and returns the seed of a new key.
func (r *registry) enroll(e wire.Enrollment) (seed string, err error) {
	if err := checkEnrollment(e); err != nil {
		return "", err
	}
	public, secret, err := newKey()
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.ContainsFunc(r.entries, func(x entry) bool { return x.Name == e.Name }) {
		return "", fmt.Errorf("%s is enrolled: revoke it first, or choose another name", e.Name)
	}
	for _, x := range r.entries {
		if slices.Contains(append(x.Tags, x.Site), e.Name) || slices.Contains(append(e.Tags, e.Site), x.Name) {
			return "", fmt.Errorf("%s and %s: a name cannot be the site or a tag of another", e.Name, x.Name)
		}
	}
	all := append(slices.Clone(r.entries), entry{Enrollment: e, Key: public, Created: time.Now().UTC().Truncate(time.Second)})
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.Name, b.Name) })
	return string(secret), r.save(all)
}

func checkEnrollment(e wire.Enrollment) error {
	words := append([]string{e.Name}, e.Tags...)
	if e.Role == wire.RoleAgent {
		words = append(words, e.Site)
	}
	for _, word := range words {
		if err := wire.CheckName(word); err != nil {
			return err
		}
	}
	switch {
	case e.Role != wire.RoleAgent && e.Role != wire.RoleAsker && e.Role != wire.RoleAdmin:
		return fmt.Errorf("there is no role %q: agent, asker and admin are allowed", e.Role)
	case e.Role != wire.RoleAgent && (e.Site != "" || len(e.Tags) > 0 || e.Address.IsValid()):
		return errors.New("sites, tags and addresses are for agents")
	}
	return nil
}

// revoke takes somebody out and returns his key.
func (r *registry) revoke(name string) (key string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := slices.IndexFunc(r.entries, func(e entry) bool { return e.Name == name })
	if at < 0 {
		return "", fmt.Errorf("no agent or user is enrolled as %s", name)
	}
	key = r.entries[at].Key
	return key, r.save(slices.Delete(slices.Clone(r.entries), at, at+1))
}

// byKey and byName return an entry; ok is false if there is none.
func (r *registry) byKey(key string) (e entry, ok bool) {
	return r.find(func(e entry) bool { return e.Key == key })
}

func (r *registry) byName(name string) (e entry, ok bool) {
	return r.find(func(e entry) bool { return e.Name == name })
}

func (r *registry) find(f func(entry) bool) (entry, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at := slices.IndexFunc(r.entries, f); at >= 0 {
		return r.entries[at], true
	}
	return entry{}, false
}

// members returns the agents.
func (r *registry) members() []wire.Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []wire.Member
	for _, e := range r.entries {
		if e.Role == wire.RoleAgent {
			all = append(all, wire.Member{Name: e.Name, Site: e.Site, Tags: e.Tags, Address: e.Address})
		}
	}
	return all
}
