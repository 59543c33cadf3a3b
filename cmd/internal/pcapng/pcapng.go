// Package pcapng writes packets to a capture file that Wireshark and tshark open, in
// the format of draft-ietf-opsawg-pcapng: IP packets without a link layer, with the
// nanosecond in which each was seen, its direction, and a comment.
package pcapng

import (
	"encoding/binary"
	"io"
	"time"
)

// Block types, options and values of the format.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6 // enhanced packet block

	byteOrder = 0x1a2b3c4d
	linkRaw   = 101 // LINKTYPE_RAW: the packet begins with its IP header

	optEnd       = 0
	optComment   = 1
	optUserAppl  = 4 // of a section
	optName      = 2 // of an interface
	optTSResol   = 9 // of an interface
	optFlags     = 2 // of a packet
	nanoseconds  = 9 // tsresol: 10^-9 s
	flagInbound  = 1
	flagOutbound = 2
)

// Packet is what is written of one packet.
type Packet struct {
	Time     time.Time
	Data     []byte // from the IP header on
	Outbound bool   // sent by this host
	Comment  string // "": none
}

// Writer writes a capture file.
type Writer struct {
	w io.Writer
	b []byte
}

// NewWriter begins a file that names the program that writes it.
func NewWriter(w io.Writer, program string) (*Writer, error) {
	p := &Writer{w: w}
	p.begin(blockSection)
	p.b = binary.LittleEndian.AppendUint32(p.b, byteOrder)
	p.b = binary.LittleEndian.AppendUint16(p.b, 1) // version 1.0
	p.b = binary.LittleEndian.AppendUint16(p.b, 0)
	p.b = binary.LittleEndian.AppendUint64(p.b, 1<<64-1) // the length of the section is not given
	p.option(optUserAppl, []byte(program))
	if err := p.end(); err != nil {
		return nil, err
	}
	p.begin(blockInterface)
	p.b = binary.LittleEndian.AppendUint16(p.b, linkRaw)
	p.b = binary.LittleEndian.AppendUint16(p.b, 0)
	p.b = binary.LittleEndian.AppendUint32(p.b, 0) // packets are whole
	p.option(optName, []byte(program))
	p.option(optTSResol, []byte{nanoseconds})
	return p, p.end()
}

// Write writes a packet.
func (p *Writer) Write(packet *Packet) error {
	p.begin(blockPacket)
	ns := uint64(packet.Time.UnixNano())
	p.b = binary.LittleEndian.AppendUint32(p.b, 0) // the interface
	p.b = binary.LittleEndian.AppendUint32(p.b, uint32(ns>>32))
	p.b = binary.LittleEndian.AppendUint32(p.b, uint32(ns))
	p.b = binary.LittleEndian.AppendUint32(p.b, uint32(len(packet.Data))) // captured
	p.b = binary.LittleEndian.AppendUint32(p.b, uint32(len(packet.Data))) // of the packet
	p.padded(packet.Data)
	flags := uint32(flagInbound)
	if packet.Outbound {
		flags = flagOutbound
	}
	p.option(optFlags, binary.LittleEndian.AppendUint32(nil, flags))
	if packet.Comment != "" {
		p.option(optComment, []byte(packet.Comment))
	}
	return p.end()
}

// begin starts a block. Its length, which stands before and behind the body, is
// filled in by end.
func (p *Writer) begin(kind uint32) {
	p.b = binary.LittleEndian.AppendUint32(p.b[:0], kind)
	p.b = binary.LittleEndian.AppendUint32(p.b, 0)
}

// end ends the options and the block, and writes it.
func (p *Writer) end() error {
	p.b = binary.LittleEndian.AppendUint32(p.b, optEnd) // code and length
	length := uint32(len(p.b) + 4)
	binary.LittleEndian.PutUint32(p.b[4:], length)
	p.b = binary.LittleEndian.AppendUint32(p.b, length)
	_, err := p.w.Write(p.b)
	return err
}

func (p *Writer) option(code uint16, value []byte) {
	const longest = 1<<16 - 4
	value = value[:min(len(value), longest)]
	p.b = binary.LittleEndian.AppendUint16(p.b, code)
	p.b = binary.LittleEndian.AppendUint16(p.b, uint16(len(value)))
	p.padded(value)
}

// padded appends bytes and fills them up to 32 bits.
func (p *Writer) padded(b []byte) {
	p.b = append(p.b, b...)
	for range -len(b) & 3 {
		p.b = append(p.b, 0)
	}
}
