package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"syscall"
)

// helperWindow is how many probes mtr-packet is given at a time: it has room for
// 1024.
const helperWindow = 1000

// driveHelper sends the probes of the traces with mtr-packet, two to each hop in
// random order, and returns its processor time per probe in microseconds.
func driveHelper(path string) (perProbe float64, err error) {
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
	err = converse(in, out, commands)
	_ = in.Close()
	if waitErr := cmd.Wait(); err == nil {
		err = waitErr
	}
	spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return float64(spent) / float64(len(commands)) / 1e3, err
}

// converse gives commands while there is room, and takes an answer to each.
func converse(in io.Writer, out io.Reader, commands []string) error {
	w, answers := bufio.NewWriter(in), bufio.NewScanner(out)
	given := 0
	for answered := 0; answered < len(commands); answered++ {
		for ; given < len(commands) && given-answered < helperWindow; given++ {
			if _, err := fmt.Fprintf(w, "%d %s", given+1, commands[given]); err != nil {
				return err
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if !answers.Scan() {
			return fmt.Errorf("mtr-packet ends after %d answers: %w", answered, io.ErrUnexpectedEOF)
		}
	}
	return nil
}
