//go:build unix

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// browser is a headless Chromium that is driven by a pair of pipes.
type browser struct {
	t       *testing.T
	in      *os.File
	out     *bufio.Reader
	id      int
	session string
}

// picturesVariable names a folder for pictures of the page.
const picturesVariable = "ICMP_FLEET_PICTURES"

func newBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	theirs, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirs2, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
		"--disable-background-networking", "--disable-component-update", "--no-first-run", "--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{theirs, theirs2}
	if err := cmd.Start(); err != nil {
		t.Skip("chromium does not start:", err)
	}
	theirs.Close()
	theirs2.Close()
	t.Cleanup(func() { // it ends with its pipe, and its processes before it: none writes to its folder later
		in.Close()
		bound := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		bound.Stop()
		out.Close()
	})
	out.SetReadDeadline(time.Now().Add(2 * time.Minute))
	b := &browser{t: t, in: in, out: bufio.NewReaderSize(out, 1<<20)}
	var target struct{ TargetId, SessionId string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetId, "flatten": true}, &target)
	b.session = target.SessionId
	b.call("Runtime.enable", nil, nil)
	return b
}

// call calls a method of the DevTools protocol.
func (b *browser) call(method string, params any, result any) {
	b.t.Helper()
	b.id++
	request := map[string]any{"id": b.id, "method": method}
	if params != nil {
		request["params"] = params
	}
	if b.session != "" {
		request["sessionId"] = b.session
	}
	text, err := json.Marshal(request)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.t.Fatal(err)
	}
	for {
		line, err := b.out.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var reply struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
			Method string
			Params json.RawMessage
		}
		if err := json.Unmarshal(line[:len(line)-1], &reply); err != nil {
			b.t.Fatal(err)
		}
		if reply.Method == "Runtime.exceptionThrown" {
			b.t.Errorf("the page throws: %s", reply.Params)
		}
		if reply.ID != b.id {
			continue
		}
		if reply.Error != nil {
			b.t.Fatalf("%s: %s", method, reply.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(reply.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// eval returns the value of an expression as text.
func (b *browser) eval(expression string) string {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Errorf("%s: %s", expression, r.ExceptionDetails)
	}
	return fmt.Sprint(r.Result.Value)
}

// shows waits until the page has a text.
func (b *browser) shows(text string) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); !strings.Contains(b.eval("document.body ? document.body.innerText : ''"), text); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatalf("the page does not show %q:\n%s", text, b.eval("document.body.innerText"))
		}
	}
}

func (b *browser) key(name string) {
	b.t.Helper()
	codes := map[string]int{"ArrowRight": 39, "ArrowDown": 40, "Enter": 13, "Escape": 27, "Tab": 9}
	event := map[string]any{"type": "keyDown", "key": name, "code": name, "windowsVirtualKeyCode": codes[name]}
	if name == "Enter" {
		event["text"] = "\r"
	}
	b.call("Input.dispatchKeyEvent", event, nil)
	event["type"] = "keyUp"
	b.call("Input.dispatchKeyEvent", event, nil)
}

// size makes the window as large as a screen or a telephone, dark or light.
func (b *browser) size(width, height int, dark bool) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

func (b *browser) picture(name string) {
	b.t.Helper()
	dir := os.Getenv(picturesVariable)
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func TestThePageInABrowser(t *testing.T) {
	b := newBrowser(t)
	p := &page{address: "127.0.0.1:0"}
	servedLab(t, p)
	b.size(1200, 900, false)
	b.call("Page.navigate", map[string]any{"url": p.url}, nil)
	b.shows("pairs lose packets")
	b.shows("live")
	b.shows("nyc1")
	b.picture("mesh")
	if first := b.eval("document.querySelector('tbody a').textContent"); !strings.HasSuffix(first, "→ sin1") {
		t.Errorf("the worst pair is %q, and the host of sin1 is dead", first)
	}
	// By the keyboard to a pair, and back.
	b.eval("document.querySelector('.matrix button').focus()")
	b.key("ArrowRight")
	b.key("ArrowDown")
	if label := b.eval("document.activeElement.getAttribute('aria-label')"); !strings.HasPrefix(label, "fra1 to nyc1: loss") {
		t.Errorf("the arrows lead to %q", label)
	}
	b.key("Enter")
	b.shows("fra1 → nyc1")
	b.shows("10.0.0.1")
	b.shows("now: ")
	if n := b.eval("document.querySelectorAll('.uplot canvas').length"); n != "2" {
		t.Errorf("%s plots", n)
	}
	b.picture("pair")
	b.eval("main.firstElementChild.className = 'old'")
	b.size(1200, 900, true)
	until(t, time.Minute, "the plots are drawn in other colours", func() bool { return b.eval("main.firstElementChild.className") != "old" })
	b.picture("pair-dark")
	b.key("Escape")
	b.shows("From row to column")
	b.picture("mesh-dark")
	for _, view := range []string{"agents", "jobs", "mesh", "pair/ams1/nyc1"} {
		b.size(390, 844, view == "jobs")
		b.eval("location.hash = '#/" + view + "'")
		b.shows(map[string]string{"agents": "4 of 4 agents", "jobs": "100 %", "mesh": "From row", "pair/ams1/nyc1": "Route"}[view])
		if wide := b.eval("document.documentElement.scrollWidth > innerWidth"); wide != "false" {
			t.Errorf("%s is wider than a telephone: %s", view, b.eval("document.documentElement.scrollWidth"))
		}
		if view == "pair/ams1/nyc1" && b.eval("[...document.querySelectorAll('.pair .scroll')].every(e => e.scrollWidth <= e.clientWidth)") != "true" {
			t.Error("a route is wider than a telephone")
		}
		b.picture("telephone-" + strings.ReplaceAll(view, "/", "-"))
	}
	// Nothing is loaded from elsewhere.
	if foreign := b.eval("performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin)).length"); foreign != "0" {
		t.Errorf("%s files are loaded from elsewhere", foreign)
	}
}
