package icmplib_test

import (
	"go/ast"
	"go/doc"
	"slices"
	"strings"
	"testing"
)

func TestEverythingExportedIsDocumented(t *testing.T) {
	t.Parallel()
	for _, p := range sourcePackages(t) {
		if strings.TrimSpace(p.doc.Doc) == "" {
			t.Errorf("%s: the package has no documentation", p.path)
		}
		if p.internal() || p.doc.Name == "main" {
			continue
		}
		t.Run(p.path, func(t *testing.T) {
			missing := undocumented(p)
			for _, name := range missing {
				t.Errorf("%s has no documentation", name)
			}
		})
	}
}

// undocumented returns the exported names without a comment.
func undocumented(p sourcePackage) []string {
	var missing []string
	need := func(documentation, name string) {
		if strings.TrimSpace(documentation) == "" {
			missing = append(missing, name)
		}
	}
	values := func(all []*doc.Value) {
		for _, v := range all {
			missing = append(missing, undocumentedValues(v)...)
		}
	}
	values(p.doc.Consts)
	values(p.doc.Vars)
	for _, f := range p.doc.Funcs {
		need(f.Doc, f.Name)
	}
	for _, typ := range p.doc.Types {
		need(typ.Doc, typ.Name)
		values(typ.Consts)
		values(typ.Vars)
		for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
			need(f.Doc, typ.Name+"."+f.Name)
		}
		missing = append(missing, undocumentedMembers(p, typ)...)
	}
	return missing
}

// undocumentedValues returns the constants or variables of a declaration that
// neither it nor a comment of their own explains.
func undocumentedValues(v *doc.Value) []string {
	var missing []string
	for _, spec := range v.Decl.Specs {
		spec, ok := spec.(*ast.ValueSpec)
		if !ok || spec.Doc != nil || spec.Comment != nil || v.Doc != "" {
			continue
		}
		for _, name := range spec.Names {
			if name.IsExported() {
				missing = append(missing, name.Name)
			}
		}
	}
	return missing
}

// undocumentedMembers returns the exported fields of a struct and methods of an
// interface without a comment. One comment may stand above several that follow
// each other without a blank line, and embedded ones explain themselves.
func undocumentedMembers(p sourcePackage, typ *doc.Type) []string {
	var missing []string
	for _, spec := range typ.Decl.Specs {
		spec, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		var members *ast.FieldList
		switch body := spec.Type.(type) {
		case *ast.StructType:
			members = body.Fields
		case *ast.InterfaceType:
			members = body.Methods
		default:
			continue
		}
		above := -1 // the line to which a comment above reaches
		for _, member := range members.List {
			line := p.files.Position(member.Pos()).Line
			if member.Doc != nil || member.Comment != nil || above == line-1 {
				above = p.files.Position(member.End()).Line
				continue
			}
			for _, name := range member.Names {
				if name.IsExported() {
					missing = append(missing, typ.Name+"."+name.Name)
				}
			}
		}
	}
	return missing
}

// An entry point is what a program begins with: an exported function or method
// that takes a context, and one that makes or opens something, whose name
// begins with New or Listen. Each has an Example of its own, or an Example of
// its package calls something of its name.
func TestEveryEntryPointHasAnExample(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, p := range sourcePackages(t) {
		if p.internal() || p.doc.Name == "main" {
			continue
		}
		called := calledInExamples(p)
		for _, f := range entryPoints(p) {
			checked++
			if len(f.Examples) == 0 && !called[f.Name] {
				t.Errorf("%s: %s has no Example", p.path, strings.TrimPrefix(f.Recv+"."+f.Name, "."))
			}
		}
	}
	if checked == 0 {
		t.Error("no entry point was found: this test does not see them")
	}
}

// calledInExamples returns what the Examples of a package call.
func calledInExamples(p sourcePackage) map[string]bool {
	called := map[string]bool{}
	look := func(f *doc.Func) {
		for _, example := range f.Examples {
			noteCalls(example, called)
		}
	}
	for _, example := range p.doc.Examples {
		noteCalls(example, called)
	}
	for _, f := range p.doc.Funcs {
		look(f)
	}
	for _, typ := range p.doc.Types {
		for _, example := range typ.Examples {
			noteCalls(example, called)
		}
		for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
			look(f)
		}
	}
	return called
}

func noteCalls(example *doc.Example, called map[string]bool) {
	ast.Inspect(example.Code, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.SelectorExpr); ok {
			called[f.Sel.Name] = true
		}
		return true
	})
}

func entryPoints(p sourcePackage) []*doc.Func {
	all := slices.Clone(p.doc.Funcs)
	for _, typ := range p.doc.Types {
		all = slices.Concat(all, typ.Funcs, typ.Methods)
	}
	return slices.DeleteFunc(all, func(f *doc.Func) bool {
		return !strings.HasPrefix(f.Name, "New") && !strings.HasPrefix(f.Name, "Listen") && !takesContext(f.Decl)
	})
}

func takesContext(f *ast.FuncDecl) bool {
	if len(f.Type.Params.List) == 0 {
		return false
	}
	typ, ok := f.Type.Params.List[0].Type.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := typ.X.(*ast.Ident)
	return ok && pkg.Name == "context" && typ.Sel.Name == "Context"
}
