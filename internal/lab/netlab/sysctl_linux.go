package netlab

import (
	"bytes"
	"fmt"
	"os"
)

// setting is a file below /proc/sys/net, and what is to be in it.
type setting struct{ file, value string }

// set writes the settings. One that cannot be written, as where the system's
// settings are read-only, is no error if it is as it should be.
func set(all ...setting) error {
	for _, s := range all {
		file := "/proc/sys/net/" + s.file
		err := os.WriteFile(file, []byte(s.value), 0)
		if err == nil {
			continue
		}
		if is, readErr := os.ReadFile(file); readErr != nil || string(bytes.TrimSpace(is)) != s.value {
			return fmt.Errorf("set %s to %s: %w", file, s.value, err)
		}
	}
	return nil
}
