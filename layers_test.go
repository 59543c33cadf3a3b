package icmplib_test

import (
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	layersPage = "docs/architecture.md"
	modulePath = "github.com/goicmp/icmplib"
)

// layer is a line of the table of layers: a package, and what it imports.
type layer struct {
	name    string
	imports []string
}

// drawnLayers reads the table of layers: what is fenced below its heading.
func drawnLayers(t *testing.T) []layer {
	t.Helper()
	page, err := os.ReadFile(layersPage)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## Layers\n")
	_, table, _ = strings.Cut(table, "\n```\n\nIn full:")
	_, table, _ = strings.Cut(table, "\n```\n")
	table, _, ended := strings.Cut(table, "\n```\n")
	if !ended {
		t.Fatalf("%s has no fenced table below \"## Layers\"", layersPage)
	}
	var layers []layer
	for line := range strings.Lines(table) {
		line, _, _ = strings.Cut(line, "#")
		name, imports, _ := strings.Cut(line, "->")
		if name = strings.TrimSpace(name); name != "" {
			layers = append(layers, layer{name: name})
		}
		if imports := strings.Fields(imports); len(imports) > 0 && len(layers) > 0 { // of the last package that was named
			last := &layers[len(layers)-1]
			last.imports = append(last.imports, imports...)
		}
	}
	return layers
}

// layersPicture returns the packages and the arrows of the diagram of layers.
func layersPicture(t *testing.T) (packages []string, arrows [][2]string) {
	t.Helper()
	page, err := os.ReadFile(layersPage)
	if err != nil {
		t.Fatal(err)
	}
	_, picture, _ := strings.Cut(string(page), "\n```mermaid\nflowchart TD\n")
	picture, _, ended := strings.Cut(picture, "\n```\n")
	if !ended {
		t.Fatalf("%s has no diagram of layers", layersPage)
	}
	names := map[string]string{} // of the packages, by what the diagram calls them
	node := func(word string) string {
		id, label, named := strings.Cut(word, `["`)
		if named {
			names[id] = strings.TrimSuffix(label, `"]`)
			packages = append(packages, names[id])
		}
		return id
	}
	for line := range strings.Lines(picture) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " --> ")
		if !ok {
			node(strings.TrimSpace(line)) // of a package that stands alone
			continue
		}
		arrows = append(arrows, [2]string{node(from), node(to)})
	}
	for i, arrow := range arrows {
		arrows[i] = [2]string{names[arrow[0]], names[arrow[1]]}
	}
	return packages, arrows
}

func TestTheLayersAreAsInThePicture(t *testing.T) {
	packages, arrows := layersPicture(t)
	drawn := map[string][]string{}
	for _, l := range drawnLayers(t) {
		drawn[l.name] = l.imports
		if !inModuleOfItsOwn(l.name) && !slices.Contains(packages, l.name) {
			t.Errorf("%s: %s is not in the diagram", layersPage, l.name)
		}
	}
	for _, name := range packages {
		if _, ok := drawn[name]; !ok {
			t.Errorf("%s: the diagram shows %s, which there is not", layersPage, name)
		}
	}
	for _, arrow := range arrows {
		if !slices.Contains(drawn[arrow[0]], arrow[1]) {
			t.Errorf("%s: %s does not import %s, as the diagram shows", layersPage, arrow[0], arrow[1])
		}
	}
}

// builtLayers returns what the packages import of each other, and the library
// of golang.org/x.
func builtLayers(t *testing.T) []layer {
	var layers []layer
	for _, p := range sourcePackages(t) {
		l := layer{name: p.path}
		if p.path == "." {
			l.name = path.Base(modulePath)
		}
		command := inModuleOfItsOwn(p.path)
		for _, imported := range p.imports {
			switch module, _, _ := strings.Cut(imported, "/"); {
			case imported == modulePath:
				l.imports = append(l.imports, path.Base(modulePath))
			case strings.HasPrefix(imported, modulePath+"/"):
				l.imports = append(l.imports, strings.TrimPrefix(imported, modulePath+"/"))
			case !command && strings.Contains(module, "."):
				l.imports = append(l.imports, shortModule(imported))
			}
		}
		slices.Sort(l.imports)
		l.imports = slices.Compact(l.imports)
		layers = append(layers, l)
	}
	return layers
}

// shortModule returns x/net of golang.org/x/net/bpf, and all of what the
// library may not import.
func shortModule(imported string) string {
	if rest, ok := strings.CutPrefix(imported, "golang.org/x/"); ok {
		name, _, _ := strings.Cut(rest, "/")
		return "x/" + name
	}
	return imported
}

func TestTheLayersAreAsDrawn(t *testing.T) {
	t.Parallel()
	drawn := map[string][]string{}
	for _, l := range drawnLayers(t) {
		drawn[l.name] = l.imports
	}
	for _, l := range builtLayers(t) {
		imports, ok := drawn[l.name]
		if !ok {
			t.Errorf("%s lacks the line\n%s -> %s", layersPage, l.name, strings.Join(l.imports, " "))
			continue
		}
		delete(drawn, l.name)
		for _, imported := range l.imports {
			if !slices.Contains(imports, imported) {
				t.Errorf("%s imports %s, which %s does not show", l.name, imported, layersPage)
			}
		}
		for _, imported := range imports {
			if !slices.Contains(l.imports, imported) {
				t.Errorf("%s does not import %s, as %s shows", l.name, imported, layersPage)
			}
		}
	}
	for name := range drawn {
		t.Errorf("%s shows %s, which there is not", layersPage, name)
	}
}

func TestEachLayerImportsOnlyThoseBelowIt(t *testing.T) {
	layers := drawnLayers(t)
	for i, l := range layers {
		for _, imported := range l.imports {
			below := func(other layer) bool { return other.name == imported }
			if !strings.HasPrefix(imported, "x/") && !slices.ContainsFunc(layers[i+1:], below) {
				t.Errorf("%s stands below %s, or not at all, in %s", l.name, imported, layersPage)
			}
		}
	}
}

func TestTheLibraryImportsNoOtherModules(t *testing.T) {
	t.Parallel()
	for _, l := range builtLayers(t) {
		for _, imported := range l.imports {
			switch {
			case imported == "x/sys" && l.name != "internal/sys":
				t.Errorf("%s makes system calls: internal/sys is for that", l.name)
			case strings.Contains(imported, ".") || strings.HasPrefix(imported, "x/") && imported != "x/net" && imported != "x/sys":
				t.Errorf("%s imports %s: the library imports golang.org/x/net and x/sys only", l.name, imported)
			}
		}
	}
}
