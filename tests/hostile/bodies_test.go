package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
)

// compressed bodies are not read, so it does not matter what would come of them.
func compressed() []attack {
	unsupported := refused(http.StatusUnsupportedMediaType, "unsupported-media-type", "send the body as it is")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte(" "), 10<<20))
	_ = w.Close()
	bomb := postHead + "Content-Encoding: gzip\r\nContent-Length: 10737418240\r\n\r\n"
	return []attack{
		{name: "gzip", send: post(packed.String(), "Content-Encoding: gzip"), want: unsupported},
		{name: "deflate", send: post(packed.String(), "Content-Encoding: deflate"), want: unsupported},
		{name: "br", send: post(event, "Content-Encoding: br"), want: unsupported},
		{name: "gzip twice", send: post(packed.String(), "Content-Encoding: gzip, gzip"), want: unsupported},
		{name: "gzip behind identity", send: post(event, "Content-Encoding: identity, gzip"), want: unsupported},
		{name: "gzip with lines", send: post(packed.String(), "Content-Encoding: gzip", "Content-Type: application/x-ndjson"), want: unsupported},
		{name: "gzip that does not say so", send: post(packed.String()), want: invalid("the body is not valid UTF-8")},
		{name: "identity", send: post(event, "Content-Encoding: identity"), want: ok(`"offset":`)},
		{name: "10 GB of gzip", send: bomb, flood: packed.String(), floods: 1 << 20, want: unsupported.andCloses()},
		{name: "gzip without end", send: postHead + "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", flood: chunk(packed.String()), floods: 1 << 20, want: unsupported.andCloses()},
		{name: "another charset", send: post(event, "Content-Type: application/json; charset=utf-16"), want: refused(http.StatusUnsupportedMediaType, "unsupported-media-type", "JSON is UTF-8")},
		{name: "a form", send: post("topic=a&type=b", "Content-Type: multipart/form-data; boundary=x"), want: refused(http.StatusUnsupportedMediaType, "unsupported-media-type", "send application/json")},
		{name: "a type that is none", send: post(event, "Content-Type: ;;;"), want: refused(http.StatusUnsupportedMediaType, "unsupported-media-type", "send application/json")},
		{name: "XML", send: post("<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>", "Content-Type: text/xml"),
			want: refused(http.StatusUnsupportedMediaType, "unsupported-media-type", `"text/xml" is not understood here`)},
	}
}

// with is an event with a member more.
func with(member string) string { return `{"topic":"hostile/1","type":"t",` + member + `}` }

// documents are JSON that is no event, or nearly one.
func documents() []attack {
	const object = "an event is an object, not "
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	var all []attack
	for _, d := range []struct {
		name, body string
		want       outcome
	}{
		{"nothing", " ", invalid(emptyBody)},
		{"null", "null", invalid(object + "null")},
		{"a number", "1e999", invalid(object + "a number")},
		{"a string", `"` + strings.Repeat("x", 1000) + `"`, invalid(object + "a string")},
		{"an empty batch", "[]", invalid("the batch is empty")},
		{"a batch in a batch", "[[]]", invalid("event 0: " + object + "an array")},
		{"null in a batch", "[null]", invalid("event 0: " + object + "null")},
		{"an event that is none in a batch", "[" + event + ",5]", invalid("event 1: " + object + "a number")},
		{"an empty object", "{}", invalid("topic is missing")},
		{"rubbish behind it", event + "x", invalid("after top-level value")},
		{"another behind it", event + event, invalid("after top-level value")},
		{"a NUL behind it", event + "\x00", invalid("after top-level value")},
		{"a comma behind it", "[" + event + ",]", invalid("not valid JSON")},
		{"a comment", "/* */" + event, invalid("not valid JSON")},
		{"a byte order mark", "\ufeff" + event, invalid("not valid JSON")},
		{"UTF-16", "{\x00\"\x00t\x00", invalid("not valid JSON")},
		{"not UTF-8", with("\"key\":\"\xff\""), invalid("not valid UTF-8")},
		{"an unknown member", with(`"payload":1`), invalid(`unknown member "payload": an event has topic, type, key`)},
		{"a mistyped member", with(`"ifversion":1`), invalid(`unknown member "ifversion": did you mean ifVersion?`)},
		{"a member of a prototype", with(`"__proto__":{"admin":true}`), invalid(`unknown member "__proto__"`)},
		{"an offset of one's own", with(`"offset":1`), invalid(`unknown member "offset"`)},
		{"a member of 100 KB", with(`"` + strings.Repeat("x", 100_000) + `":1`), invalid(`unknown member "xxx`)},
		{"a member with a line end", with("\"a\\r\\nb\":1"), invalid(`unknown member "a\r\nb"`)},
		{"data twice", with(`"data":1,"data":2`), invalid("member data is given twice")},
		{"topic twice, once escaped", with(`"\u0074opic":"other"`), invalid("member topic is given twice")},
		{"a topic that is an object", `{"topic":{"a":"b"},"type":"t"}`, invalid("topic must be a string, not an object")},
		{"100,000 levels around it", deep(100_000), invalid("exceeded max depth")},
		{"100,000 levels in data", with(`"data":` + deep(100_000)), invalid("exceeded max depth")},
		{"100,000 objects in data", with(`"data":` + strings.Repeat(`{"a":`, 100_000)), invalid("exceeded max depth")},
		{"9,000 levels in data", with(`"data":` + deep(9000)), invalid("data is nested more than")},
		{"9,000 levels in a member", with(`"key":` + deep(9000)), invalid("key must be a string, not an array")},
		{"100 levels in data", with(`"data":` + deep(100)), ok(`"offset":`)},
		{"members twice in data", with(`"data":{"a":1,"a":2}`), ok(`"offset":`)},
		{"a batch of which one is wrong", "[" + event + `,{"topic":"hostile/1"}]`, invalid("event 1: type is missing")},
	} {
		all = append(all, attack{name: d.name, send: post(d.body), want: d.want})
	}
	return all
}

// numbers are beyond what anybody can hold.
func numbers() []attack {
	digits := strings.Repeat("9", 400)
	version := func(n string) string { return with(`"key":"k","ifVersion":` + n) }
	wrong := func(n string) outcome {
		return invalid("ifVersion is " + n + ": it must be a whole number, 0 to 2^64-1")
	}
	conflict := refused(http.StatusConflict, "conflict", "has version 0, not ")
	date := invalid(`write it like "2006-01-02T15:04:05Z"`)
	var all []attack
	for _, d := range []struct {
		name, body string
		want       outcome
	}{
		{"1e999 as data", with(`"data":1e999`), ok(`"offset":`)},
		{"10^400 as data", with(`"data":1` + digits), ok(`"offset":`)},
		{"100,000 digits as data", with(`"data":` + strings.Repeat(digits, 250)), ok(`"offset":`)},
		{"-0 as data", with(`"data":-0`), ok(`"offset":`)},
		{"NaN as data", with(`"data":NaN`), invalid("not valid JSON")},
		{"01 as data", with(`"data":01`), invalid("not valid JSON")},
		{"0x1 as data", with(`"data":0x1`), invalid("not valid JSON")},
		{"version -1", version("-1"), wrong("-1")},
		{"version -0", version("-0"), wrong("-0")},
		{"version 1.5", version("1.5"), wrong("1.5")},
		{"version 1.0", version("1.0"), wrong("1.0")},
		{"version 1e0", version("1e0"), wrong("1e0")},
		{"version 1e999", version("1e999"), wrong("1e999")},
		{"version 2^64", version("18446744073709551616"), wrong("18446744073709551616")},
		{"version 10^400", version("1" + digits), wrong("1" + digits[:39])},
		{"version as a string", version(`"1"`), wrong("a string")},
		{"version null", version("null"), wrong("null")},
		{"version as an object", version("{\"\n\":1}"), invalid("not valid JSON")},
		{"version as a list", version("[\n1]"), wrong("an array")},
		{"version 2^64-1", version("18446744073709551615"), conflict},
		{"version 2^63", version("9223372036854775808"), conflict},
		{"version without key", with(`"ifVersion":1`), invalid("ifVersion needs a key")},
		{"a time as a number", with(`"time":1e999`), invalid("time must be a string, not a number")},
		{"a leap second", with(`"time":"2016-12-31T23:59:60Z"`), date},
		{"the year 10000", with(`"time":"10000-01-01T00:00:00Z"`), date},
		{"before the year 0", with(`"time":"0000-01-01T00:00:00+23:59"`), invalid("time is in the year -1")},
		{"after the year 9999", with(`"time":"9999-12-31T23:59:59-23:59"`), invalid("time is in the year 10000")},
		{"100,000 digits of a second", with(`"time":"2026-01-01T00:00:00.` + strings.Repeat("1", 100_000) + `Z"`), ok(`"offset":`)},
		{"the year 1", with(`"time":"0001-01-01T00:00:01Z"`), ok(`"offset":`)},
	} {
		all = append(all, attack{name: d.name, send: post(d.body), want: d.want})
	}
	return all
}

// sizes are exactly what is allowed, and a byte or an event more.
func sizes() []attack {
	const body, data = 1 << 20, 256 << 10
	sized := func(n int) string { return with(`"data":"` + strings.Repeat("x", n-2) + `"`) }
	padded := func(n int) string { return event + strings.Repeat(" ", n-len(event)) }
	batch := func(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(event+",", n), ",") + "]" }
	tooLarge := func(says string) outcome { return refused(http.StatusRequestEntityTooLarge, "too-large", says) }
	name := func(n int) string { return strings.Repeat("n", n) }
	all := []attack{
		{name: "a body of 1 MiB", send: post(padded(body)), want: ok(`"offset":`)},
		{name: "a byte more", send: post(padded(body + 1)), want: tooLarge("the body is too large: at most 1048576 bytes").andCloses()},
		{name: "a byte more in chunks", send: postHead + "Transfer-Encoding: chunked\r\n\r\n" + chunk(padded(body+1)) + "0\r\n\r\n",
			want: tooLarge("the body is too large: at most 1048576 bytes").andCloses()},
		{name: "data of 256 KiB", send: post(sized(data)), want: ok(`"offset":`)},
		{name: "a byte more of data", send: post(sized(data + 1)), want: tooLarge("data is 262145 bytes long; at most 262144")},
		{name: "1,000 events", send: post(batch(1000)), want: ok(`"offset":`)},
		{name: "1,001 events", send: post(batch(1001)), want: refused(http.StatusUnprocessableEntity, "too-many", "more than 1000 events")},
		{name: "300,000 events that are none", send: post("[" + strings.Repeat("0,", 300_000) + "0]"), want: invalid("event 0: an event is an object")},
		{name: "a batch that is larger in memory", send: post("[" + strings.Repeat(sized(data)+",", 3) + sized(data-4000) + "]"), want: ok(`"offset":`)},
	}
	for _, field := range []string{"topic", "type", "key", "id", "source"} {
		member := func(n int) string {
			e := map[string]string{"topic": "hostile/1", "type": "t", field: name(n)}
			return post(fmt.Sprintf(`{"topic":%q,"type":%q,%q:%q}`, e["topic"], e["type"], "key", e["key"]))
		}
		if field == "id" || field == "source" {
			member = func(n int) string { return post(with(fmt.Sprintf("%q:%q", field, name(n)))) }
		}
		all = append(all,
			attack{name: "255 bytes of " + field, send: member(255), want: ok(`"offset":`)},
			attack{name: "256 bytes of " + field, send: member(256), want: invalid(field + " is 256 bytes long; at most 255 are allowed")},
			attack{name: "100,000 bytes of " + field, send: member(100_000), want: invalid(field + " is 100000 bytes long")})
	}
	return all
}
