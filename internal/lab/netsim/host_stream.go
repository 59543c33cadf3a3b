package netsim

import (
	"slices"

	"github.com/goicmp/icmplib/internal/wire"
)

// tcp answers a segment: a SYN to an open port with SYN-ACK, what else belongs
// to no connection with RST (RFC 9293 section 3.10.7.1).
func (w *walk) tcp(n *node, f *flight, ordinal int) {
	var in wire.TCP
	t := f.p.transport()
	if in.Parse(t) != nil || in.HeaderLen > len(t) {
		w.note(n, Dropped, "malformed TCP header", f.at)
		return
	}
	out := wire.TCP{SourcePort: in.DestinationPort, DestinationPort: in.SourcePort}
	const meaning = wire.TCPFlagSYN | wire.TCPFlagACK | wire.TCPFlagRST | wire.TCPFlagFIN
	cause := "TCP RST"
	switch {
	case in.Flags&wire.TCPFlagRST != 0:
		w.note(n, Taken, "TCP RST", f.at)
		return
	case in.Flags&meaning == wire.TCPFlagSYN && slices.Contains(n.Host.TCP, in.DestinationPort):
		out.Flags, out.Window = wire.TCPFlagSYN|wire.TCPFlagACK, 65535
		out.Sequence, out.Acknowledgment = n.random.Uint32(), in.Sequence+1
		cause = "TCP SYN-ACK"
	case in.Flags&wire.TCPFlagACK != 0:
		out.Flags, out.Sequence = wire.TCPFlagRST, in.Acknowledgment
	default:
		out.Flags, out.Acknowledgment = wire.TCPFlagRST|wire.TCPFlagACK, in.Sequence+uint32(len(t)-in.HeaderLen)
		for _, counted := range []uint8{wire.TCPFlagSYN, wire.TCPFlagFIN} {
			if in.Flags&counted != 0 {
				out.Acknowledgment++
			}
		}
	}
	p := w.reply(n, f, wire.TCPMinHeaderLen)
	out.Append(p.transport()[:0], p.source(), p.destination(), nil)
	w.respond(n, ordinal, p, f.at, cause)
}

// sctp answers an INIT to an open port with INIT ACK, anything else with ABORT
// (RFC 9260 sections 5.1 and 8.4).
func (w *walk) sctp(n *node, f *flight, ordinal int) {
	var in wire.SCTP
	var chunk wire.Chunk
	t := f.p.transport()
	if in.Parse(t) != nil {
		w.note(n, Dropped, "malformed SCTP header", f.at)
		return
	}
	if _, err := chunk.Parse(t[wire.SCTPHeaderLen:]); err != nil {
		w.note(n, Dropped, "malformed SCTP chunk", f.at)
		return
	}
	out := wire.SCTP{SourcePort: in.DestinationPort, DestinationPort: in.SourcePort}
	var init wire.Init
	var chunks []byte
	cause := "SCTP ABORT"
	switch {
	case chunk.Type == wire.ChunkAbort:
		w.note(n, Taken, "SCTP ABORT", f.at)
		return
	case chunk.Type != wire.ChunkInit || in.VerificationTag != 0 || init.Parse(chunk.Value) != nil:
		out.VerificationTag, chunks = in.VerificationTag, wire.AppendAbort(nil, true)
	case slices.Contains(n.Host.SCTP, in.DestinationPort):
		out.VerificationTag, chunks = init.InitiateTag, n.initAck(&init)
		cause = "SCTP INIT ACK"
	default:
		out.VerificationTag, chunks = init.InitiateTag, wire.AppendAbort(nil, false)
	}
	p := w.reply(n, f, wire.SCTPHeaderLen+len(chunks))
	out.Append(p.transport()[:0], chunks)
	w.respond(n, ordinal, p, f.at, cause)
}

// initAck is the chunk that answers an INIT, with a state cookie of 4 bytes.
func (n *node) initAck(in *wire.Init) []byte {
	tag := max(1, n.random.Uint32())
	return wire.AppendInitAck(nil, &wire.Init{
		InitiateTag: tag, ReceiverWindow: 1 << 16, InitialTSN: tag,
		OutboundStreams: in.InboundStreams, InboundStreams: in.OutboundStreams,
		Parameters: []byte{0, 7, 0, 8, byte(tag >> 24), byte(tag >> 16), byte(tag >> 8), byte(tag)},
	})
}
