package wire

import (
	"reflect"
	"testing"
)

func TestChunkParse(t *testing.T) {
	for _, tt := range []struct {
		name string
		wire string
		want Chunk
		rest []byte
	}{
		{"without a value", "06 01 0004", Chunk{ChunkAbort, 1, []byte{}}, []byte{}},
		{"with a value, and another chunk behind it", "01 00 0008 a1a2a3a4 06 00 0004", Chunk{ChunkInit, 0, unhex("a1a2a3a4")}, unhex("06000004")},
		{"with padding, which its length does not count", "07 00 0005 a1 000000 06000004", Chunk{7, 0, unhex("a1")}, unhex("06000004")},
		{"the last one, its padding left out", "07 00 0006 a1a2", Chunk{7, 0, unhex("a1a2")}, []byte{}},
		{"the last one, its padding cut", "07 00 0005 a1 00", Chunk{7, 0, unhex("a1")}, []byte{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got Chunk
			rest, err := got.Parse(unhex(tt.wire))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			checkBytes(t, rest, tt.rest)
		})
	}
}

func TestChunkParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		wire   string
		reason string
	}{
		{"nothing at all", "", "chunk is truncated"},
		{"a header short by one byte", "010000", "chunk is truncated"},
		{"a length of 0, which would never end", "01000000", "length is below 4"},
		{"a length that does not cover the header", "01000003", "length is below 4"},
		{"a value short by one byte", "01000008 a1a2a3", "chunk is truncated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c Chunk
			rest, err := c.Parse(unhex(tt.wire))
			checkRefused(t, err, tt.reason)
			if rest != nil {
				t.Errorf("%x is left to parse", rest)
			}
		})
	}
}

func TestInitSurvivesARoundTrip(t *testing.T) {
	want := Init{
		InitiateTag: 0xa1a2a3a4, ReceiverWindow: 65536, OutboundStreams: 10, InboundStreams: 2048,
		InitialTSN: 0x01020304, Parameters: unhex("80080005c1"),
	}
	for _, tt := range []struct {
		name      string
		append    func([]byte, *Init) []byte
		chunkType uint8
	}{
		{"as an INIT", AppendInit, ChunkInit},
		{"as an INIT ACK", AppendInitAck, ChunkInitAck},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.append(nil, &want)
			if len(b)%4 != 0 {
				t.Errorf("the chunk has %d bytes, which are not whole words", len(b))
			}
			var c Chunk
			rest, err := c.Parse(b)
			if err != nil || len(rest) != 0 || c.Type != tt.chunkType || c.Flags != 0 {
				t.Fatalf("got %+v, %x behind it, %v", c, rest, err)
			}
			var got Init
			if err := got.Parse(c.Value); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestInitParseRefusesATruncatedValue(t *testing.T) {
	var c Init
	checkRefused(t, c.Parse(make([]byte, 15)), "INIT chunk is truncated")
}

func TestAbortSaysWhetherItReflectsTheTag(t *testing.T) {
	for _, tt := range []struct {
		name      string
		reflected bool
		want      []byte
	}{
		{"an endpoint that knows the association has its own tag", false, unhex("06 00 0004")},
		{"one that does not sets the T bit", true, unhex("06 01 0004")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkBytes(t, AppendAbort(nil, tt.reflected), tt.want)
		})
	}
}
