package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/goicmp/icmplib"
)

const (
	// redraw is how often the table is drawn again.
	redraw = 100 * time.Millisecond

	// liveAfter is how long the pings may take before a table moves. What is
	// over by then is shown at once.
	liveAfter = 250 * time.Millisecond
)

// liveTable shows several targets in a table that is drawn in place while they
// are pinged, and at the end in full.
type liveTable struct {
	terminal terminal
	over     chan struct{} // closed when the pings are over
	ended    chan struct{} // closed when the program has left the terminal

	mu    sync.Mutex
	table pingTable
	index map[*icmplib.Host]int
}

// startLive begins to draw. interrupt is called when somebody asks to end.
func startLive(t terminal, hosts []*icmplib.Host, l looks, interrupt func()) *liveTable {
	live := &liveTable{
		terminal: t, over: make(chan struct{}), ended: make(chan struct{}),
		table: pingTable{looks: l}, index: map[*icmplib.Host]int{},
	}
	for i, h := range hosts {
		live.index[h] = i
		live.table.rows = append(live.table.rows, pingRow{name: h.Name})
	}
	go live.draw(t, interrupt)
	return live
}

// draw runs the program that draws.
func (l *liveTable) draw(t terminal, interrupt func()) {
	defer close(l.ended)
	patience := time.NewTimer(liveAfter)
	defer patience.Stop()
	select {
	case <-l.over:
		return
	case <-patience.C:
	}
	var in io.Reader // nil: no keys
	if isTerminal(t.in) {
		in = t.in
	}
	model := liveModel{draw: l.lines, over: l.over, interrupt: interrupt}
	program := tea.NewProgram(model, tea.WithInput(in), tea.WithOutput(t.out), tea.WithoutSignalHandler())
	// What fails here is the terminal; the pings go on, and are told at the end.
	last, _ := program.Run()
	if last, ok := last.(liveModel); ok {
		fmt.Fprint(t.out, last.erase())
	}
}

// lines draws the table as it is now.
func (l *liveTable) lines(width, height int) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.table.lines(width, height)
}

// change has a row changed by its target's goroutine.
func (l *liveTable) change(host *icmplib.Host, change func(r *pingRow)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.table.rows[l.index[host]])
}

func (l *liveTable) start(host *icmplib.Host) {
	l.change(host, func(r *pingRow) { r.name = nameOf(host) })
}

func (l *liveTable) result(host *icmplib.Host, result icmplib.Result) {
	l.change(host, func(r *pingRow) {
		r.stats.Add(result)
		r.trail.add(result)
	})
}

func (l *liveTable) end(host *icmplib.Host) {
	l.change(host, func(r *pingRow) { r.fault = host.Err })
}

// summaries takes the moving table away, and writes one that stays: all rows,
// and below it what has no column.
func (l *liveTable) summaries(hosts []*icmplib.Host) {
	close(l.over)
	<-l.ended
	var b strings.Builder
	for _, line := range l.lines(l.terminal.width(), 0) {
		fmt.Fprintln(&b, line)
	}
	for _, host := range hosts {
		if more := tally(&host.Stats); more != "" {
			fmt.Fprintf(&b, "%s: %s\n", host.Name, strings.TrimPrefix(more, ", "))
		}
	}
	keepTable(l.terminal, "ping", b.String())
}

// liveModel is the table for package bubbletea.
type liveModel struct {
	draw      func(width, height int) []string
	over      <-chan struct{}
	interrupt func()
	width     int
	height    int
}

type (
	redrawMsg struct{}
	overMsg   struct{}
)

func nextRedraw() tea.Cmd {
	return tea.Tick(redraw, func(time.Time) tea.Msg { return redrawMsg{} })
}

func (m liveModel) Init() tea.Cmd {
	return tea.Batch(nextRedraw(), func() tea.Msg {
		<-m.over
		return overMsg{}
	})
}

func (m liveModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case redrawMsg:
		return m, nextRedraw()
	case overMsg:
		return m, tea.Quit
	case tea.KeyPressMsg:
		switch msg.String() {
		case "ctrl+c", "q":
			m.interrupt() // what ends the pings ends the table
		case "ctrl+z":
			return m, tea.Suspend
		}
	}
	return m, nil
}

// View draws the table, below which a line stays free.
func (m liveModel) View() tea.View { return tea.NewView(strings.Join(m.lines(), "\n")) }

func (m liveModel) lines() []string {
	if m.width == 0 {
		return nil // the size is not known yet
	}
	return m.draw(m.width, max(m.height-1, 1))
}

// erase returns what takes the table away from the terminal again: the program
// leaves the cursor in its last line.
func (m liveModel) erase() string {
	up := ""
	if n := len(m.lines()); n > 1 {
		up = ansi.CursorUp(n - 1)
	}
	return "\r" + up + ansi.EraseScreenBelow
}
