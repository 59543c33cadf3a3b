package live

import (
	"context"
	"errors"
	"io"
	"iter"
	"sync"

	tea "charm.land/bubbletea/v2"

	"github.com/goicmp/icmplib"
)

// Watch watches the route to a target by one flow, as the method Monitor of a Prober does.
type Watch func(ctx context.Context, s Subject, opts *icmplib.MonitorOptions) iter.Seq2[*icmplib.Snapshot, error]

// Terminal is where a view is, and what is watched there.
type Terminal struct {
	In      io.Reader // nil: standard input, or the terminal where that is none
	Out     io.Writer
	Environ []string
	Watch   Watch
	Options func(Settings) *icmplib.MonitorOptions
}

// Run shows the Model until its user quits, ctx ends or all targets have failed.
// All watching has ended when it returns.
func Run(ctx context.Context, m *Model, t Terminal) error {
	p := &program{Model: m, terminal: t, ctx: ctx}
	options := []tea.ProgramOption{
		tea.WithContext(ctx), tea.WithOutput(t.Out), tea.WithEnvironment(t.Environ), tea.WithoutSignalHandler(),
	}
	if t.In != nil {
		options = append(options, tea.WithInput(t.In))
	}
	screen := tea.NewProgram(p, options...)
	p.send = func(u Update) { screen.Send(u) }
	_, err := screen.Run()
	p.stop()
	p.watching.Wait()
	if errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// program is the Model of a screen, with what goes on behind it.
type program struct {
	*Model
	terminal Terminal
	ctx      context.Context
	send     func(Update)
	cancel   context.CancelFunc // ends the watching; nil before it begins
	watching sync.WaitGroup
}

// Init begins the watching, and asks the terminal whether it is a dark one.
func (p *program) Init() tea.Cmd {
	p.start()
	if p.cfg.Colours {
		return tea.RequestBackgroundColor
	}
	return nil
}

// Update takes what has happened.
func (p *program) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case Update:
		p.Apply(msg)
		if p.Failed() {
			return p, tea.Quit
		}
	case tea.WindowSizeMsg:
		p.Resize(msg.Width, msg.Height)
	case tea.BackgroundColorMsg:
		p.SetBackground(msg.IsDark())
	case tea.KeyPressMsg:
		return p, p.press(msg.String())
	}
	return p, nil
}

func (p *program) press(key string) tea.Cmd {
	if key == "ctrl+z" {
		return tea.Suspend
	}
	switch p.Key(key) {
	case Quit:
		return tea.Quit
	case Restart:
		p.stop()
		p.start()
	}
	return nil
}

// View draws the screen in place of what was on it, which comes back at the end.
func (p *program) View() tea.View {
	v := tea.NewView(p.Model.View())
	v.AltScreen = true
	return v
}

// start begins to watch all targets.
func (p *program) start() {
	ctx, cancel := context.WithCancel(p.ctx)
	p.cancel = cancel
	opts := p.terminal.Options(p.Settings())
	for i, s := range p.cfg.Subjects() {
		news := Update{Target: i, Generation: p.generation}
		p.watching.Go(func() { p.watch(ctx, s, opts, news) })
	}
}

func (p *program) stop() {
	if p.cancel != nil {
		p.cancel()
	}
}

// watch sends on what is heard of a target.
func (p *program) watch(ctx context.Context, s Subject, opts *icmplib.MonitorOptions, u Update) {
	for snapshot, err := range p.terminal.Watch(ctx, s, opts) {
		if err != nil {
			u.Err = err
			break
		}
		next := u
		next.Snapshot = snapshot
		p.send(next)
	}
	if ctx.Err() == nil {
		p.send(u)
	}
}
