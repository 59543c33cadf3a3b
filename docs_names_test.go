package icmplib_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// repository is what the pages can name: files, identifiers, and the string
// literals of the commands, which flags are among.
type repository struct {
	files    []string // paths from the root, with slashes
	names    map[string]bool
	literals map[string]bool
}

func readRepository(t *testing.T) *repository {
	t.Helper()
	r := &repository{names: map[string]bool{}, literals: map[string]bool{}}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path = filepath.ToSlash(path)
		if entry.IsDir() && entry.Name() == ".git" {
			return fs.SkipDir
		}
		r.files = append(r.files, path)
		if strings.HasSuffix(path, ".go") {
			return r.readSource(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *repository) readSource(path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	command := inModuleOfItsOwn(path)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			r.names[n.Name] = true
		case *ast.BasicLit:
			if n.Kind == token.STRING && command {
				if text, err := strconv.Unquote(n.Value); err == nil {
					r.literals[text] = true
				}
			}
		}
		return true
	})
	return nil
}

// holds reports whether a pattern names a file or folder: by its path, or by the
// end of it.
func (r *repository) holds(pattern string) bool {
	pattern = strings.TrimSuffix(pattern, "/")
	depth := strings.Count(pattern, "/")
	for _, file := range r.files {
		parts := strings.Split(file, "/")
		if len(parts) <= depth {
			continue
		}
		if ok, _ := filepath.Match(pattern, strings.Join(parts[len(parts)-depth-1:], "/")); ok {
			return true
		}
	}
	return false
}

var (
	fences     = regexp.MustCompile("(?ms)^```.*?^```|^<!-- theirs -->.*?^<!-- end -->") // options of other tools are checked in cmd/icmp
	quotedName = regexp.MustCompile("`([^`\n]+)`")
	fileName   = regexp.MustCompile(`^([\w.*-]+/)*[\w*-]+\.(go|md|net|svg)$|^(internal|cmd|fleet|docs|testdata|socket|icmp|\.ci)/[\w./*-]*$`)
	flagName   = regexp.MustCompile(`^--([a-z][a-z0-9-]+)`)
	identifier = regexp.MustCompile(`^([A-Z][a-z]\w*)((?:\.[A-Z]\w*)*)(?:\(\))?$`)
)

// foreign are what others have: Prometheus, Docker, git, Windows.
var foreign = map[string]bool{
	"enable-feature": true, "web": true, "network": true, "cap-add": true, "cmd/v0.1.0": true,
	"IcmpSendEcho2Ex": true, "Icmp6SendEcho2": true, "QueryPerformanceCounter": true,
}

// What a page names in backquotes is there: files, flags and identifiers. The page
// for those who come from other libraries names theirs.
func TestWhatTheDocumentationNamesIsThere(t *testing.T) {
	r := readRepository(t)
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, page := range append(pages, "README.md") {
		if page == "docs/migrating.md" || page == "docs/CHANGELOG.md" {
			continue
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quotedName.FindAllStringSubmatch(fences.ReplaceAllString(string(text), ""), -1) {
			name := m[1]
			if foreign[name] {
				continue
			}
			checked++
			switch {
			case fileName.MatchString(name):
				if !r.holds(name) {
					t.Errorf("%s names the file %s, which there is not", page, name)
				}
			case flagName.MatchString(name):
				if flag := flagName.FindStringSubmatch(name)[1]; !r.literals[flag] && !foreign[flag] {
					t.Errorf("%s names the flag --%s, which no command has", page, flag)
				}
			case identifier.MatchString(name):
				for part := range strings.SplitSeq(strings.TrimSuffix(name, "()"), ".") {
					if !r.names[part] {
						t.Errorf("%s names %s, which there is not", page, name)
					}
				}
			default:
				checked--
			}
		}
	}
	if checked < 100 {
		t.Errorf("%d names were checked: this test does not see them", checked)
	}
}
