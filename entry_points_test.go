package icmplib_test

import (
	"go/ast"
	"go/doc"
	"go/printer"
	"slices"
	"strings"
	"testing"
)

// An entry point is what a program begins with: an exported function or method
// that takes a context, and one that makes or opens something, whose name
// begins with New or Listen. Each is called in an Example that go test runs: one
// that says what its output is.
func TestEveryEntryPointHasAnExample(t *testing.T) {
	checked := 0
	for _, p := range sourcePackages(t) {
		if p.internal() || p.doc.Name == "main" || strings.HasPrefix(p.path, "fleet/") { // whose entry point is the program
			continue
		}
		called := map[string]bool{}
		for _, example := range examples(p) {
			if example.Output == "" && !example.EmptyOutput {
				t.Errorf("%s: Example%s says no output, so that it never runs", p.path, example.Name)
				continue
			}
			noteCalls(p, example, called)
		}
		for _, f := range entryPoints(p) {
			checked++
			if !called[entryName(f)] {
				t.Errorf("%s: %s has no Example", p.path, entryName(f))
			}
		}
	}
	if checked == 0 {
		t.Error("no entry point was found: this test does not see them")
	}
}

// entryName tells a method from the function of the same name.
func entryName(f *doc.Func) string {
	if f.Recv == "" {
		return f.Name
	}
	return methodName(f.Name)
}

func methodName(name string) string { return "method " + name }

// examples returns all Examples of a package.
func examples(p sourcePackage) []*doc.Example {
	all := slices.Clone(p.doc.Examples)
	for _, f := range p.doc.Funcs {
		all = slices.Concat(all, f.Examples)
	}
	for _, typ := range p.doc.Types {
		all = slices.Concat(all, typ.Examples)
		for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
			all = slices.Concat(all, f.Examples)
		}
	}
	return all
}

// noteCalls notes what an Example calls: functions of its package, and methods
// of anything.
func noteCalls(p sourcePackage, example *doc.Example, called map[string]bool) {
	ast.Inspect(example.Code, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		f, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if of, ok := f.X.(*ast.Ident); ok && of.Name == p.doc.Name {
			called[f.Sel.Name] = true
		} else {
			called[methodName(f.Sel.Name)] = true
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

// A program that starts small calls functions, and one that grows makes a Prober:
// nothing but the receiver changes.
func TestEveryOperationIsAFunctionAndAMethod(t *testing.T) {
	var library *doc.Package
	var p sourcePackage
	for _, p = range sourcePackages(t) {
		if p.path == "." {
			library = p.doc
			break
		}
	}
	functions, methods := map[string]string{}, map[string]string{}
	note := func(f *doc.Func) {
		if !takesContext(f.Decl) {
			return
		}
		switch f.Recv {
		case "":
			functions[f.Name] = signature(t, p, f)
		case "*Prober":
			methods[f.Name] = signature(t, p, f)
		}
	}
	for _, f := range library.Funcs {
		note(f)
	}
	for _, typ := range library.Types {
		for _, f := range slices.Concat(typ.Funcs, typ.Methods) {
			note(f)
		}
	}
	for name, want := range methods {
		if got := functions[name]; got != want {
			t.Errorf("the method %s of a Prober is %s, and the function %q", name, want, got)
		}
	}
	for name := range functions {
		if methods[name] == "" {
			t.Errorf("%s is a function, and no method of a Prober", name)
		}
		if !strings.Contains(library.Doc, "["+name+"]") {
			t.Errorf("the documentation of the package does not say what %s is for", name)
		}
	}
	if len(methods) == 0 {
		t.Error("no method was found: this test does not see them")
	}
}

// signature returns the parameters and results of a function.
func signature(t *testing.T, p sourcePackage, f *doc.Func) string {
	t.Helper()
	var b strings.Builder
	if err := printer.Fprint(&b, p.files, f.Decl.Type); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(b.String(), " "+f.Name, "", 1)
}
