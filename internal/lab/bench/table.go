package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// row is a line of the table.
type row struct {
	What   string  `json:"what"`
	Figure float64 `json:"figure"`
	Unit   string  `json:"unit"`
	Target float64 `json:"target,omitempty"` // the most it should be
	Bound  bool    `json:"bound"`            // there is a target
	Note   string  `json:"note,omitempty"`
}

// verdict says whether the target is reached.
func (r *row) verdict() string {
	switch {
	case !r.Bound:
		return ""
	case r.Figure <= r.Target:
		return "reached"
	}
	return "missed"
}

// table prints rows as they come.
type table struct {
	asJSON bool
	rows   []row
}

func newTable(asJSON bool) *table {
	t := &table{asJSON: asJSON}
	if !asJSON {
		fmt.Println("| measured | figure | target | | |\n|---|---|---|---|---|")
	}
	return t
}

// add adds a figure that has no target.
func (t *table) add(figure float64, unit, note, what string, args ...any) {
	t.row(row{What: fmt.Sprintf(what, args...), Figure: figure, Unit: unit, Note: note})
}

// bound adds a figure that should not be greater than its target.
func (t *table) bound(figure, target float64, unit, note, what string, args ...any) {
	t.row(row{What: fmt.Sprintf(what, args...), Figure: figure, Unit: unit, Target: target, Bound: true, Note: note})
}

// maybeBound adds a figure whose target 0 stands for none.
func (t *table) maybeBound(figure, target float64, what string, args ...any) {
	if target == 0 {
		t.add(figure, "", "", what, args...)
		return
	}
	t.bound(figure, target, "", "", what, args...)
}

func (t *table) row(r row) {
	t.rows = append(t.rows, r)
	if t.asJSON {
		return
	}
	target := ""
	if r.Bound {
		target = "<= " + number(r.Target)
	}
	fmt.Printf("| %s | %s %s | %s | %s | %s |\n", r.What, number(r.Figure), r.Unit, target, r.verdict(), r.Note)
}

func (t *table) end() error {
	if !t.asJSON {
		return nil
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(t.rows)
}

// number writes a figure with no more digits than it deserves.
func number(x float64) string {
	if x >= 100 || x == float64(int(x)) {
		return fmt.Sprintf("%.0f", x)
	}
	s := fmt.Sprintf("%.2f", x)
	return strings.TrimSuffix(s, "0")
}
