package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os/exec"
	"syscall"
	"time"
)

// helperWindow is how many probes mtr-packet is given at a time: it has room for
// 1024.
const helperWindow = 1000

// driveHelper sends the probes of the traces with mtr-packet, two to each hop in
// random order, and returns its processor time per probe in microseconds.
func driveHelper(path string, rate int) (perProbe float64, err error) {
	var commands []string
	for i := range helperTraces {
		for ttl := range len(tree.Levels) + 1 {
			for range 2 {
				commands = append(commands, fmt.Sprintf("send-probe ip-4 %v ttl %d timeout 2 size 84\n", tree.Target(i, false), ttl+1))
			}
		}
	}
	rand.Shuffle(len(commands), func(i, j int) { commands[i], commands[j] = commands[j], commands[i] })
	spent, err := serveCommands(path, commands, rate, helperWindow)
	return float64(spent) / float64(len(commands)) / 1e3, err
}

const (
	helperProbes     = 20_000 // of loopback addresses
	helperGoal       = 0.6    // of what mtr's own takes
	helperFewInHands = 64
)

// helper compares our mtr-packet with mtr's own.
func (b *bench) helper() error {
	path, err := exec.LookPath("mtr-packet")
	if err != nil {
		return nil
	}
	ours, err := b.programs.ours()
	if err != nil {
		return err
	}
	var commands []string
	for i := range helperProbes {
		addr := netip.AddrFrom4([4]byte{127, 1, byte(i >> 8), byte(i)})
		commands = append(commands, fmt.Sprintf("send-probe ip-4 %v ttl 64 timeout 2 size 84\n", addr))
	}
	for _, window := range []int{helperFewInHands, helperWindow} {
		var spent [2][]float64
		for round := range b.rounds + 1 {
			for i, program := range []string{ours.mtrPacket, path} {
				took, err := serveCommands(program, commands, 0, window)
				if err != nil {
					return err
				}
				if round > 0 { // the first warms everything up
					spent[i] = append(spent[i], float64(took)/helperProbes/1e3)
				}
			}
		}
		b.table.add(median(spent[0]), "us", "", "mtr-packet, %d in flight: processor time per probe", window)
		b.table.add(median(spent[1]), "us", "", "that of mtr")
		b.table.bound(ratio(spent[0], spent[1]), helperGoal, "", "", "mtr-packet, %d in flight, against that of mtr", window)
	}
	return nil
}

// serveCommands gives a program commands, as many at a time as there is room for, and
// returns its processor time.
func serveCommands(path string, commands []string, rate, window int) (spent time.Duration, err error) {
	cmd := exec.Command(path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err = converse(in, out, commands, rate, window)
	_ = in.Close()
	if waitErr := cmd.Wait(); err == nil {
		err = waitErr
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
}

// converse gives commands at a rate, 0 being none, while there is room, and takes
// an answer to each.
func converse(in io.Writer, out io.Reader, commands []string, rate, window int) error {
	room := make(chan struct{}, window)
	failed := make(chan error, 1)
	go func() { failed <- give(in, commands, rate, room) }()
	answers := bufio.NewScanner(out)
	for answered := range commands {
		if !answers.Scan() {
			return fmt.Errorf("mtr-packet ends after %d answers: %w", answered, io.ErrUnexpectedEOF)
		}
		<-room
	}
	return <-failed
}

// give writes commands, as many together as the rate makes due in a millisecond.
func give(in io.Writer, commands []string, rate int, room chan<- struct{}) error {
	w, start := bufio.NewWriter(in), time.Now()
	for i, command := range commands {
		if due := start.Add(time.Duration(i) * time.Second / time.Duration(max(rate, 1))); rate > 0 && time.Now().Before(due) {
			if err := w.Flush(); err != nil {
				return err
			}
			time.Sleep(time.Until(due) + time.Millisecond)
		}
		select {
		case room <- struct{}{}:
		default:
			if err := w.Flush(); err != nil {
				return err
			}
			room <- struct{}{}
		}
		if _, err := fmt.Fprintf(w, "%d %s", i+1, command); err != nil {
			return err
		}
	}
	return w.Flush()
}
