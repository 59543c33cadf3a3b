package icmptest_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goicmp/icmplib/icmptest"
)

// Each network that the documentation begins with is one.
func TestTheNetworksOfTheDocumentationCanBeRead(t *testing.T) {
	page, err := os.ReadFile("../docs/testing-your-program.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| to test | network |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	words := regexp.MustCompile("`([^`]+)`")
	read := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(strings.ReplaceAll(row, `\|`, "\x00"), "|")
		for _, m := range words.FindAllStringSubmatch(strings.ReplaceAll(cells[2], "\x00", "|"), -1) {
			text := "client 192.0.2.1\nnode r1 203.0.113.1\nnode a 203.0.113.2\nnode b 203.0.113.3\n"
			switch kind, _, _ := strings.Cut(m[1], " "); kind {
			case "seed":
				text += m[1] + "\n"
			case "node":
				text += m[1] + "\npath 198.51.100.7/32 r1 t\n"
			case "path":
				text += "node t 198.51.100.7\n" + m[1] + "\n"
			default:
				text += "node t 198.51.100.7 " + m[1] + "\npath 198.51.100.7/32 r1 t\n"
			}
			icmptest.NewProber(t, text, nil)
			read++
		}
	}
	if read < 15 {
		t.Errorf("%d networks were found", read)
	}
}
