package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
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
	err = converse(in, out, commands, rate)
	_ = in.Close()
	if waitErr := cmd.Wait(); err == nil {
		err = waitErr
	}
	spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return float64(spent) / float64(len(commands)) / 1e3, err
}

// converse gives commands at a rate, 0 being none, while there is room, and takes
// an answer to each.
func converse(in io.Writer, out io.Reader, commands []string, rate int) error {
	room := make(chan struct{}, helperWindow)
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
