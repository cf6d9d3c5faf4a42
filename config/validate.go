package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/navehub/nave"
)

// Validate checks a configuration that a program has made. The error joins one
// [*Error] for each thing that is wrong. What Load returns is valid.
func (c *Config) Validate() error { return errors.Join(c.check(nil)...) }

// check is Validate, with sources.
func (c *Config) check(sources Sources) []error {
	var errs []error
	refuse := func(path, format string, args ...any) {
		errs = append(errs, &Error{sources.Of(path), path, fmt.Sprintf(format, args...)})
	}
	for f := range c.all() {
		if problem := f.outOfBounds(); problem != "" {
			refuse(f.path, "%s", problem)
		}
	}
	c.checkAddress(refuse)
	c.checkSizes(sources, refuse)
	c.Levels.check(refuse)
	c.checkOrigins(refuse)
	if c.Telemetry.Receipts > 1 {
		refuse("telemetry.receipts", "%g is more than all events: the most is 1", c.Telemetry.Receipts)
	}
	c.TLS.check(refuse)
	c.Proxies.check(refuse)
	c.Topics.check(refuse)
	c.Auth.check(refuse)
	return errs
}

// A refuser notes what is wrong with the setting at path.
type refuser func(path, format string, args ...any)

// outOfBounds checks f against its tags.
func (f field) outOfBounds() string {
	if !f.isSetting() || f.isTexts() {
		return ""
	}
	text := f.text()
	if in := f.choices(); in != nil && !slices.Contains(in, text) {
		return fmt.Sprintf("%q is unknown: use %s", text, or(in))
	}
	if least, ok := f.least(); ok && number(f.value) < number(least.value) {
		return fmt.Sprintf("%s is too little: the least is %s", text, least.text())
	}
	return ""
}

// choices are the only values that f may have; nil if there is no such list.
func (f field) choices() []string {
	if in := f.tag.Get("in"); in != "" {
		return strings.Split(in, "|")
	}
	return nil
}

// least is the least value that f may have, if it is a number.
func (f field) least() (field, bool) {
	if f.isTexts() || f.choices() != nil || f.value.Kind() == reflect.String {
		return field{}, false
	}
	least := f
	least.value = reflect.New(f.value.Type()).Elem()
	if text, ok := f.tag.Lookup("min"); ok {
		if err := least.set(text); err != nil {
			panic(fmt.Sprintf("config: min of %s: %v", f.path, err))
		}
	}
	return least, true
}

// number is exact for every bound that the tags have, and near enough for the rest.
func number(v reflect.Value) float64 {
	if v.CanInt() {
		return float64(v.Int())
	}
	return v.Float()
}

func (c *Config) checkAddress(refuse refuser) {
	_, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		refuse("listen", "%q is not an address: write it like 127.0.0.1:8080, or :8080 for every address", c.Listen)
	} else if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		refuse("listen", "%q has no port between 0 and 65535", c.Listen)
	}
	if c.Data == "" {
		refuse("data", "is empty: name a directory, such as ./nave-data")
	}
	if c.Telemetry.Service == "" {
		refuse("telemetry.service", "is empty: name the service, such as nave")
	}
}

func (c *Config) checkSizes(sources Sources, refuse refuser) {
	const event, body = "limits.event", "limits.body"
	if c.Limits.Event <= c.Limits.Body {
		return
	}
	path := event
	if sources.Of(event) == "" && sources.Of(body) != "" {
		path = body
	}
	refuse(path, "an event of %s (%s) does not fit into a body of %s (%s)", c.Limits.Event, event, c.Limits.Body, body)
}

// leastMemory is what a hub has in use while nothing happens, a few times over.
const leastMemory Bytes = 32 << 20

func (l Levels) check(refuse refuser) {
	if l.Memory > 0 && l.Memory < leastMemory {
		refuse("levels.memory", "%s is less than the hub itself needs: give it at least %s, or 0 for what the process may have", l.Memory, leastMemory)
	}
}

func (c *Config) checkOrigins(refuse refuser) {
	for i, origin := range c.CORS.Origins {
		if origin == "*" {
			continue
		}
		one := strings.TrimSuffix(origin, ":*")
		u, err := url.Parse(one)
		switch {
		case err != nil || u.Host == "" || u.Scheme+"://"+u.Host != one:
			refuse(item("cors.origins", i), "%q is not an origin: write it like https://example.com, without a path", origin)
		case strings.Contains(u.Host, "*"):
			refuse(item("cors.origins", i), "%q has a * in its host: it can stand for a port, as in http://localhost:*, or alone for every origin", origin)
		}
	}
}

// daily is the least rate that makes sense, in events a second.
const daily = 1.0 / (24 * 60 * 60)

func (ts Topics) check(refuse refuser) {
	first := make(map[nave.Filter]string)
	for i, rule := range ts {
		path := item("topics", i)
		if _, err := nave.ParseFilter(string(rule.Filter)); err != nil {
			refuse(join(path, "filter"), "%v", err)
			continue
		}
		if strings.HasPrefix(string(rule.Filter), "$") {
			refuse(join(path, "filter"), "%s: topics that start with $ are the hub's own, and no rule is for them", rule.Filter)
		}
		if earlier, ok := first[rule.Filter]; ok {
			refuse(join(path, "filter"), "%s is in %s already, and the first rule decides", rule.Filter, earlier)
		} else {
			first[rule.Filter] = path
		}
		if rule.Rate > 0 && rule.Rate < daily {
			refuse(join(path, "rate"), "%g is less than one event a day: give it at least %.2g, or 0 for no limit", rule.Rate, daily)
		}
		if rule.Burst > 0 && rule.Rate == 0 {
			refuse(join(path, "burst"), "%d has no effect without a rate", rule.Burst)
		}
	}
}

// or lists the words: a, b or c.
func or(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
