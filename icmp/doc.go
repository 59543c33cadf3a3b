// Package icmp builds and parses ICMP messages of both IP versions: echo
// requests and replies (RFC 792, RFC 4443), every error message, the packet
// that an error quotes, and the extensions behind it (RFC 4884, RFC 4950). It
// handles bytes only and does no I/O: package socket sends and receives.
//
// To build, fill a [Request] and call [Request.Append]. To parse, call
// [Message.Parse] on a Message of your own, as often as you like: parsing
// allocates nothing, not even when it fails, and the Message's slices alias the
// parsed bytes. Malformed input gives an error that wraps [ErrMalformed] and
// states the reason.
//
// A [Type] knows its IP version, so that types of both versions can be compared
// and named without further context. Where the version does not matter, ask for
// the [Kind].
//
// # Where to look
//
//   - to send: [Request], [Request.Append]; [Message.Append] for any type
//   - what arrives: [Message], [Message.Parse]; [Reply] is one with its time and
//     source, [Reply.Err] turns it into an [Error]
//   - its meaning: [Type], with its codes in the registry's words, and [Kind], which
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
