// Package examples has the programs and files that the documentation shows, and
// the tests that hold the two together.
package examples

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pages returns the documentation by its files' names.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no documentation: %v", err)
	}
	texts := map[string]string{}
	for _, file := range append(files, "../../README.md", "../../SECURITY.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(text)
	}
	return texts
}

var goBlock = regexp.MustCompile("(?ms)^```go\n(.*?)^```")

func TestTheGoCodeOfTheDocumentationIsGo(t *testing.T) {
	for file, text := range pages(t) {
		for _, block := range goBlock.FindAllStringSubmatch(text, -1) {
			if !isGo(block[1]) {
				t.Errorf("%s has what is not Go:\n%s", file, block[1])
			}
		}
	}
}

// isGo reports whether code is a file, declarations, statements, or the beginning of
// a loop, whose body is left to the reader.
func isGo(code string) bool {
	for _, whole := range []string{
		code, "package p\n" + code, "package p\nfunc f() {\n" + code + "\n}", "package p\nfunc f() {\n" + code + "\n}}",
	} {
		if _, err := parser.ParseFile(token.NewFileSet(), "", whole, parser.SkipObjectResolution); err == nil {
			return true
		}
	}
	return false
}

// shown is a link to an example, and the first code behind it.
var shown = regexp.MustCompile("(?ms)\\(examples/(\\w+)/main\\.go\\).*?^```go\n(.*?)^```")

func TestAProgramThatTheDocumentationShowsIsTheExample(t *testing.T) {
	count := 0
	for file, text := range pages(t) {
		for _, m := range shown.FindAllStringSubmatch(text, -1) {
			count++
			program, err := os.ReadFile(filepath.Join(m[1], "main.go"))
			if err != nil {
				t.Error(err)
				continue
			}
			// Indentation is that of the place.
			flat := func(s string) string { return regexp.MustCompile(`(?m)^\s+`).ReplaceAllString(s, "") }
			if !strings.Contains(flat(string(program)), flat(m[2])) {
				t.Errorf("%s shows code that is not in the example %s:\n%s", file, m[1], m[2])
			}
		}
	}
	if count == 0 {
		t.Error("no example is shown")
	}
}

// The page on sockets counts the lines of two programs.
func TestTheProgramsOfTwentyAndFortyLinesHaveThem(t *testing.T) {
	for program, want := range map[string]int{"myping": 20, "mytraceroute": 40} {
		text, err := os.ReadFile(filepath.Join(program, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		_, code, _ := strings.Cut(string(text), "\n)\n") // behind the imports
		got := 0
		for line := range strings.Lines(code) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
				got++
			}
		}
		if got != want {
			t.Errorf("%s has %d lines without those of its imports and comments, want %d", program, got, want)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)

func TestTheLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	for file, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s has a link to nothing: %v", file, err)
			}
		}
	}
}

// pageNamed is a page of the documentation, and what stands before its name.
var pageNamed = regexp.MustCompile(`(\S*?)docs/([\w-]+\.md)`)

// The package site shows comments without the files of the repository.
func TestTheCommentsOfPublicPackagesNamePagesByTheirAddress(t *testing.T) {
	const address = "https://github.com/goicmp/icmplib/blob/main/"
	count := 0
	for _, dir := range []string{"../..", "../../icmp", "../../icmptest", "../../socket"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no Go files: %v", dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, m := range pageNamed.FindAllStringSubmatch(string(text), -1) {
				count++
				if m[1] != address {
					t.Errorf("%s names docs/%s, which nobody can follow on the package site: write %sdocs/%s", file, m[2], address, m[2])
				}
				if _, err := os.Stat(filepath.Join("..", m[2])); err != nil {
					t.Errorf("%s names a page that there is not: %v", file, err)
				}
			}
		}
	}
	if count == 0 {
		t.Error("no page is named")
	}
}

// qualified is a name of one of the packages.
var qualified = regexp.MustCompile(`\b(icmplib|icmptest|socket|icmp)\.([A-Z]\w+)`)

func TestTheNamesInTheDocumentationAreThoseOfThePackages(t *testing.T) {
	names := map[string]map[string]bool{
		"icmplib": exported(t, "../.."), "socket": exported(t, "../../socket"), "icmp": exported(t, "../../icmp"),
		"icmptest": exported(t, "../../icmptest"),
	}
	for file, text := range pages(t) {
		for _, m := range qualified.FindAllStringSubmatch(text, -1) {
			if !names[m[1]][m[2]] {
				t.Errorf("%s names %s, which there is not", file, m[0])
			}
		}
	}
}

// exported returns the names that a package has on its outermost level.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s has no Go files: %v", dir, err)
	}
	names := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for name := range parsed.Scope.Objects {
			names[name] = true
		}
	}
	return names
}
