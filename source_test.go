package icmplib_test

import (
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sourcePackage is a package of this repository, as this system builds it.
type sourcePackage struct {
	path    string // from the root of the repository: ".", "icmp", "cmd/icmp"
	imports []string
	files   *token.FileSet
	doc     *doc.Package
}

// internal reports whether nobody outside can import it.
func (p sourcePackage) internal() bool {
	return slices.Contains(strings.Split(p.path, "/"), "internal")
}

// inModuleOfItsOwn reports whether a package belongs to the programs: what it imports never
// reaches who imports the library.
func inModuleOfItsOwn(path string) bool {
	return strings.HasPrefix(path, "cmd/") || strings.HasPrefix(path, "fleet/")
}

// sourcePackages reads all packages, those of the modules of the programs, too. The
// programs that the documentation shows stand outside, as those of users do.
func sourcePackages(t *testing.T) []sourcePackage {
	t.Helper()
	var all []sourcePackage
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		name := entry.Name()
		if path != "." && (path == "docs" || name == "testdata" || name[0] == '.' || name[0] == '_') {
			return fs.SkipDir
		}
		built, err := build.ImportDir(path, 0)
		if _, none := err.(*build.NoGoError); none {
			return nil
		}
		if err != nil {
			return err
		}
		all = append(all, readPackage(t, filepath.ToSlash(path), built))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// importsOnAnySystem returns what the files of a folder import, whichever system they
// are for.
func importsOnAnySystem(path string) (imports []string) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		system := build.Default
		system.GOOS, system.CgoEnabled = goos, false
		if built, err := system.ImportDir(path, 0); err == nil { // one may have no files
			imports = append(imports, built.Imports...)
		}
	}
	return imports
}

func readPackage(t *testing.T, path string, built *build.Package) sourcePackage {
	t.Helper()
	p := sourcePackage{path: path, imports: importsOnAnySystem(path), files: token.NewFileSet()}
	var files []*ast.File
	for _, name := range slices.Concat(built.GoFiles, built.TestGoFiles, built.XTestGoFiles) {
		file, err := parser.ParseFile(p.files, filepath.Join(path, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	var err error
	if p.doc, err = doc.NewFromFiles(p.files, files, path); err != nil {
		t.Fatal(err)
	}
	return p
}
