package main

import "time"

func soak(time.Duration) error { return nil }
