package main

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	red := style{fore: 1, back: -1}
	for _, tt := range []struct {
		name   string
		screen string
		want   [][]cell
	}{
		{"plain text", "ab\n\nc\n", [][]cell{{{'a', plain}, {'b', plain}}, nil, {{'c', plain}}}},
		{"a colour, and its end", "\x1b[31m▁\x1b[0mb", [][]cell{{{'▁', red}, {'b', plain}}}},
		{"a colour that goes on", "\x1b[31ma\nb", [][]cell{{{'a', red}}, {{'b', red}}}},
		{"several at once", "\x1b[1;7;38;5;130ma\x1b[22;27;39mb", [][]cell{{
			{'a', style{fore: 130, back: -1, bold: true, reverse: true}}, {'b', plain}}}},
		{"bright, and behind", "\x1b[2;91;48;5;25ma\x1b[me", [][]cell{{{'a', style{fore: 9, back: 25, faint: true}}, {'e', plain}}}},
		{"what is no style", "\x1b[2Ka\x1b[5", [][]cell{{{'a', plain}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := parse(tt.screen)
			if !slices.EqualFunc(got, tt.want, slices.Equal[[]cell]) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestWhatIsDrawnIsXMLWithAllOfTheText(t *testing.T) {
	picture := draw(parse(" a<b \x1b[1;31m&x\x1b[m ▁█\n\x1b[7mround\x1b[m"))
	decoder := xml.NewDecoder(strings.NewReader(picture))
	var texts []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, picture)
		}
		if data, ok := token.(xml.CharData); ok && strings.TrimSpace(string(data)) != "" {
			texts = append(texts, string(data))
		}
	}
	if want := []string{"a<b", "&x", "round"}; !slices.Equal(texts, want) {
		t.Errorf("got %q, want %q", texts, want)
	}
	for _, want := range []string{
		`<path fill="#d5d8de" d="M`,                    // the bars
		`fill="#f0616d" font-weight="bold">&amp;x<`,    // bold red
		`<rect x="12.0" y="30.0" width="42.0" height=`, // what is behind the reversed word
	} {
		if !strings.Contains(picture, want) {
			t.Errorf("it has no %s:\n%s", want, picture)
		}
	}
}

func TestColours(t *testing.T) {
	for number, want := range map[int]string{-1: ink, 1: "#f0616d", 16: "#000000", 130: "#af5f00", 231: "#ffffff", 232: "#080808", 255: "#eeeeee"} {
		if got := colour(number, ink); got != want {
			t.Errorf("%d is %s, want %s", number, got, want)
		}
	}
}
