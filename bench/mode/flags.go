//go:build linux

package mode

import (
	"fmt"
	"strconv"
	"strings"
)

// numbers is a flag with several values, such as 1,32.
type numbers []int

// String is the flag's value.
func (n *numbers) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(*n), " ", ","), "[]")
}

// Set parses the flag's value.
func (n *numbers) Set(text string) error {
	*n = nil
	for part := range strings.SplitSeq(text, ",") {
		i, err := strconv.Atoi(part)
		if err != nil || i <= 0 {
			return fmt.Errorf("%q is no positive number: write it like 1,32", part)
		}
		*n = append(*n, i)
	}
	return nil
}

// texts is a flag with several values, such as raw,hub.
type texts []string

// String is the flag's value.
func (t *texts) String() string { return strings.Join(*t, ",") }

// Set parses the flag's value.
func (t *texts) Set(text string) error {
	*t = strings.Split(text, ",")
	return nil
}
