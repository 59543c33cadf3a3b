package icmp_test

import (
	"testing"

	"github.com/goicmp/icmplib/icmp"
)

func TestNamesAreThoseOfIANA(t *testing.T) {
	tests := []struct {
		typ  icmp.Type
		code uint8
		want string
	}{
		{icmp.V4EchoReply, 0, "Echo Reply"},
		{icmp.V4DestinationUnreachable, icmp.V4CodePortUnreachable, "Destination Unreachable: Port Unreachable"},
		{icmp.V4DestinationUnreachable, icmp.V4CodeAdministrativelyProhibited, "Destination Unreachable: Communication Administratively Prohibited"},
		{icmp.V4DestinationUnreachable, icmp.V4CodePrecedenceCutoffInEffect, "Destination Unreachable: Precedence cutoff in effect"},
		{icmp.V4DestinationUnreachable, 99, "Destination Unreachable: code 99"},
		{icmp.V4TimeExceeded, icmp.V4CodeTTLExceeded, "Time Exceeded: Time to Live exceeded in Transit"},
		{icmp.V4Redirect, icmp.V4CodeRedirectHost, "Redirect: Redirect Datagram for the Host"},
		{icmp.V4ParameterProblem, icmp.V4CodeBadLength, "Parameter Problem: Bad Length"},
		{icmp.V6DestinationUnreachable, icmp.V6CodeRejectRoute, "Destination Unreachable: reject route to destination"},
		{icmp.V6TimeExceeded, icmp.V6CodeReassemblyExceeded, "Time Exceeded: fragment reassembly time exceeded"},
		{icmp.V6ParameterProblem, icmp.V6CodeUnrecognizedOption, "Parameter Problem: unrecognized IPv6 option encountered"},
		{icmp.MakeType(icmp.V4, 200), 0, "ICMPv4 type 200"},
		{icmp.MakeType(icmp.V6, 99), 3, "ICMPv6 type 99: code 3"},
		{icmp.Type(0), 0, "no type"},
	}
	for _, tt := range tests {
		got := tt.typ.String()
		if code := tt.typ.CodeString(tt.code); code != "" {
			got += ": " + code
		}
		if got != tt.want {
			t.Errorf("type %#04x code %d is %q, want %q", uint16(tt.typ), tt.code, got, tt.want)
		}
	}
}

func TestOtherNames(t *testing.T) {
	for got, want := range map[string]string{
		icmp.V4.String():               "IPv4",
		icmp.Version(9).String():       "IP version 9",
		icmp.SCTP.String():             "SCTP",
		icmp.Protocol(200).String():    "protocol 200",
		icmp.KindPacketTooBig.String(): "packet too big",
		icmp.Kind(200).String():        "other",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
