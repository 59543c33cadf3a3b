package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/goicmp/icmplib"
)

// pingColumns are the figures, in their order. The first to be left out where
// there is no room is that with the highest rank. What was not sent has a column
// once there is any.
var pingColumns = []struct {
	title string
	rank  int
	cell  func(s *icmplib.Stats) string
}{
	{"SENT", 1, func(s *icmplib.Stats) string { return strconv.Itoa(s.PacketsSent) }},
	{"RECV", 5, func(s *icmplib.Stats) string { return strconv.Itoa(s.PacketsReceived) }},
	{"LOSS", 0, func(s *icmplib.Stats) string { return lossCell(s) }},
	{unsentTitle, 0, func(s *icmplib.Stats) string { return strconv.Itoa(s.SendErrors) }},
	{"LAST", 2, rttCell((*icmplib.Stats).LastRTT)},
	{"AVG", 0, rttCell((*icmplib.Stats).AvgRTT)},
	{"BEST", 4, rttCell((*icmplib.Stats).MinRTT)},
	{"WORST", 3, rttCell((*icmplib.Stats).MaxRTT)},
}

const unsentTitle = "UNSENT"

// lossCell writes the loss, once anything is known to be received or lost.
func lossCell(s *icmplib.Stats) string {
	if s.PacketsSent-s.Unsettled+s.SendErrors == 0 {
		return "-"
	}
	return percent(roundLoss(s.PacketLoss()))
}

// roundLoss leaves three digits, but makes neither none nor all of a loss that
// is neither.
func roundLoss(loss float64) float64 {
	if loss < 0.0005 || loss > 0.9995 {
		return loss
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(loss, 'f', 3, 64), 64)
	return rounded
}

func rttCell(figure func(*icmplib.Stats) time.Duration) func(*icmplib.Stats) string {
	return func(s *icmplib.Stats) string {
		if s.PacketsReceived == 0 {
			return "-"
		}
		return strings.TrimSuffix(milliseconds(figure(s)), " ms")
	}
}

// shortFault is what there is room for; the whole is told at the end.
func shortFault(err error) string {
	if errors.Is(err, icmplib.ErrNameLookup) {
		return "name not found"
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}
