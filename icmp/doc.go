// Package icmp builds and parses ICMP messages of both IP versions: echo requests and
// replies (RFC 792, RFC 4443), every error message, the packet that an error quotes, and the
// extensions after it (RFC 4884, RFC 4950). It does no I/O: package socket sends and receives
// the messages.
//
// To build, fill a [Request] and call [Request.Append]. To parse, call [Message.Parse] on a
// Message of your own, as often as you like: parsing allocates nothing, not even if it fails,
// and the Message's slices alias the parsed bytes. For malformed input, Parse returns an
// error that wraps [ErrMalformed] and states the reason.
//
// A [Type] includes its IP version, so that programs can compare and name types of both
// versions without further context. Where the version does not matter, use the [Kind].
//
// # Where to look
//
//   - to send: [Request], [Request.Append]; [Message.Append] for any type
//   - to receive: [Message], [Message.Parse]; a [Reply] is a Message with its time and
//     source, and [Reply.Err] turns it into an [Error]
//   - the meaning: [Type], with its codes in the registry's words, and [Kind], which
//     does not depend on the version
//   - the packet that an error is about: [Quote]
//   - requests other than echo: [ExtendedEcho] asks about an interface (RFC 8335),
//     [Timestamp] for the time of day (RFC 792)
//   - what follows a quote: [Extensions], [Object], [MPLSLabel],
//     [InterfaceInfo]
//
// From icmplib for Python: ICMPRequest is [Request], ICMPReply is [Reply], and
// raise_for_status is [Reply.Err].
package icmp
