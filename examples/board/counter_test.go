package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

// However many names there are, and however long, what is kept of them is bounded.
func TestCounterIsBounded(t *testing.T) {
	c := newCounter()
	click := func(button string) {
		c.count("button.clicked", json.RawMessage(`{"button":"`+button+`"}`))
	}
	click(strings.Repeat("x", maxButton+1))
	click(strings.Repeat("y", maxButton))
	for i := range 2 * maxNames {
		click(strconv.Itoa(i))
	}
	all := c.all()
	for name := range all {
		if strings.Contains(name, "xxx") {
			t.Errorf("counted is %s", name)
		}
	}
	if len(all) != maxNames+1 || all["button.clicked"] != 2*maxNames+2 || all[others] == 0 || all["button.clicked/"+strings.Repeat("y", maxButton)] != 1 {
		t.Errorf("%d names, %d clicks, %d others", len(all), all["button.clicked"], all[others])
	}
}
