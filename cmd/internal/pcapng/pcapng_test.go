package pcapng

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"
)

// golden is a file with a packet each way, block by block.
const golden = `
0a0d0d0a 28000000 4d3c2b1a 01000000 ffffffffffffffff 04000400 69636d70 00000000 28000000
01000000 28000000 65000000 00000000 02000400 69636d70 09000100 09000000 00000000 28000000
06000000 30000000 00000000 1dd7c019 a1de3606 04000000 04000000 45000001 02000400 02000000 00000000 30000000
06000000 44000000 00000000 1dd7c019 a2de3606 05000000 05000000 4500000102 000000 02000400 01000000 01000a00 7265706c793a20616c6c 0000 00000000 44000000
`

func TestTheFormat(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, "icmp")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(0, 0x19c0d71d0636dea1)
	for _, p := range []Packet{
		{Time: at, Data: []byte{0x45, 0, 0, 1}, Outbound: true},
		{Time: at.Add(1), Data: []byte{0x45, 0, 0, 1, 2}, Comment: "reply: all"},
	} {
		if err := w.Write(&p); err != nil {
			t.Fatal(err)
		}
	}
	got, want := hex.EncodeToString(b.Bytes()), strings.Join(strings.Fields(golden), "")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Whatever is written, the lengths before and behind each block agree, and are whole
// words.
func TestBlocksAreWhole(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, "a program")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 9 {
		if err := w.Write(&Packet{Data: make([]byte, n), Comment: strings.Repeat("é", n)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(&Packet{Comment: strings.Repeat("x", 1<<17)}); err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for rest := b.Bytes(); len(rest) > 0; blocks++ {
		n := int(uint32(rest[4]) | uint32(rest[5])<<8 | uint32(rest[6])<<16)
		if n%4 != 0 || n > len(rest) || !bytes.Equal(rest[4:8], rest[n-4:n]) {
			t.Fatalf("block %d has %d bytes of %d", blocks, n, len(rest))
		}
		rest = rest[n:]
	}
	if blocks != 12 {
		t.Errorf("%d blocks", blocks)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }

func TestAWriteThatFails(t *testing.T) {
	if _, err := NewWriter(full{}, "icmp"); err == nil {
		t.Error("it does not say so")
	}
}
