//go:build race

package actors

func init() { crowd = 20_000 } // the race detector makes an actor five times as dear
