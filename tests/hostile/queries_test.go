package hostile

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

const (
	page = "Accept: application/json"
	path = "/v1/events?"
)

func filters() []attack {
	many := strings.Repeat("topic=a&", 101)
	live := streams(`"status":"live"`)
	segments := "a" + strings.Repeat("/*", 10_000)
	var all []attack
	for _, q := range []struct {
		name, query string
		want        outcome
	}{
		{"none", "", invalid("no topic asked for: add ?topic=")},
		{"an empty one", "topic=", invalid("filter is missing")},
		{"100", many[:100*len("topic=a&")], live},
		{"101", many, refused(http.StatusUnprocessableEntity, "too-many", "101 filters asked for; at most 100")},
		{"100,000", strings.Repeat("topic=a&", 100_000), bare(http.StatusRequestHeaderFieldsTooLarge)},
		{"10,000 segments", "topic=" + segments, invalid("filter is 20001 bytes long; at most 255")},
		{"128 segments", "topic=" + segments[:255], live},
		{"everything of everything", "topic=**/**", invalid("** must be the last segment")},
		{"everything in the middle", "topic=a/**/b", invalid("** must be the last segment")},
		{"three stars", "topic=***", invalid("* must be a whole segment")},
		{"half a star", "topic=a*", invalid("* must be a whole segment")},
		{"the hub's own", "topic=$hub/**", live},
		{"a way up", "topic=..", live},
		{"a way up in the middle", "topic=a/../b", live},
		{"two slashes", "topic=a//b", invalid("has an empty segment: write it like cards/board-1")},
		{"a slash before", "topic=/a", invalid("has an empty segment")},
		{"a slash behind", "topic=a/", invalid("has an empty segment")},
		{"an escaped slash", "topic=a%2f%2fb", invalid("has an empty segment")},
		{"a NUL", "topic=%00", invalid("filter has a control character (U+0000) at byte 0")},
		{"CRLF", "topic=a%0d%0aid:+1", invalid("filter has a control character (U+000D) at byte 1")},
		{"not UTF-8", "topic=%ff", invalid("filter is not valid UTF-8")},
		{"an overlong slash", "topic=a%c0%afb", invalid("filter is not valid UTF-8")},
		{"a surrogate", "topic=%ed%a0%80", invalid("filter is not valid UTF-8")},
		{"half an escape", "topic=%", invalid("the query cannot be read")},
		{"a semicolon", "topic=a;topic=b", invalid("the query cannot be read")},
		{"in brackets", "topic[]=a", invalid(`unknown parameter "topic[]": did you mean topic?`)},
		{"in the plural", "topics=a", invalid(`unknown parameter "topics": did you mean topic?`)},
		{"one that is wrong of two", "topic=a&topic=b//c", invalid(`"b//c"`)},
	} {
		all = append(all, attack{name: q.name, send: get(path + q.query), want: q.want})
		if !q.want.stream && !q.want.closed {
			all = append(all, attack{name: q.name + ", of a page", send: get(path+q.query, page), want: q.want},
				attack{name: q.name + ", of the state", send: get("/v1/state?" + q.query), want: q.want})
		}
	}
	return all
}

// cursors are claimed by whoever comes: each gets a verdict, which a browser can
// read, and never another's events.
func cursors() []attack {
	verdict := func(reason string) string { return `"status":"reset","reason":"` + reason + `"` }
	var all []attack
	for _, c := range []struct{ name, cursor, reason string }{
		{"words", "not a cursor", "malformed"},
		{"a hyphen", "-", "malformed"},
		{"no offset", "k3v9x1-", "malformed"},
		{"no epoch", "-42", "malformed"},
		{"a foreign epoch", "k3v9x1-42", "foreign-epoch"},
		{"a foreign epoch at 0", "k3v9x1-0", "foreign-epoch"},
		{"2^64-1", "k3v9x1-18446744073709551615", "foreign-epoch"},
		{"2^64", "k3v9x1-18446744073709551616", "malformed"},
		{"10^400", "k3v9x1-1" + strings.Repeat("0", 400), "malformed"},
		{"negative", "k3v9x1--1", "malformed"},
		{"with a plus", "k3v9x1-+1", "malformed"},
		{"hexadecimal", "k3v9x1-0x1", "malformed"},
		{"with a zero before", "k3v9x1-042", "malformed"},
		{"half a number", "k3v9x1-1.5", "malformed"},
		{"capital letters", "K3V9X1-42", "malformed"},
		{"a space behind", "k3v9x1-42 x", "malformed"},
		{"Arabic digits", "k3v9x1-\u0664\u0662", "malformed"},
		{"full-width digits", "k3v9x1-\uff14\uff12", "malformed"},
		{"an epoch of 33 letters", strings.Repeat("e", 33) + "-1", "malformed"},
		{"10 KB", strings.Repeat("z", 10_000) + "-1", "malformed"},
		{"not UTF-8", "\x80\xff\xfe", "malformed"},
		{"SQL", "' OR 1=1 --", "malformed"},
		{"a frame", "data: x", "malformed"},
		{"line separators", "a\u2028\u2029b", "malformed"},
	} {
		want, whole := streams(verdict(c.reason)), ok(verdict(c.reason))
		all = append(all,
			attack{name: c.name + ", Last-Event-ID", send: get(path+"topic=hostile/*", "Last-Event-ID: "+c.cursor), want: want},
			attack{name: c.name + ", parameter", send: get(path + "topic=hostile/*&cursor=" + url.QueryEscape(c.cursor)), want: want},
			attack{name: c.name + ", of a page", send: get(path+"topic=hostile/*&wait=20s&cursor="+url.QueryEscape(c.cursor), page), want: whole})
	}
	for name, evil := range map[string]string{"CR": "a\rb", "NUL": "a\x00b"} {
		all = append(all, attack{name: name + ", Last-Event-ID", send: get(path+"topic=a", "Last-Event-ID: "+evil), want: bare(http.StatusBadRequest)})
	}
	const unfold = "a-1\r\ndata: x\r\n\r\n"
	return append(all,
		attack{name: "CRLF, parameter", send: get(path + "topic=a&cursor=" + url.QueryEscape(unfold)), want: streams(verdict("malformed"))},
		attack{name: "twice, parameter", send: get(path + "topic=a&cursor=a-1&cursor=a-2"), want: invalid("parameter cursor is given 2 times")},
		attack{name: "twice, Last-Event-ID", send: get(path+"topic=a", "Last-Event-ID: a-1", "Last-Event-ID: x"), want: streams(verdict("foreign-epoch"))},
		attack{name: "empty, Last-Event-ID", send: get(path+"topic=a", "Last-Event-ID:"), want: streams(`"status":"live"`)})
}

func parameters() []attack {
	// The first poll has no cursor, and answers at once.
	at := func(query string, want outcome) attack {
		return attack{name: query, send: get(path+"topic=hostile/*&"+query, page), want: want}
	}
	accept := func(kind string, want outcome) attack {
		return attack{name: "Accept: " + fmt.Sprintf("%.40q", kind), send: get(path+"topic=hostile/*", "Accept: "+kind), want: want}
	}
	wrongWait := func(text string) outcome { return invalid("wait is " + text + ": it is a time such as 25s") }
	first, none := ok(`"status":"live"`), refused(http.StatusNotAcceptable, "not-acceptable", "text/event-stream, application/x-ndjson and application/json")
	return []attack{
		at("wait=1000h", first), at("wait=0", first), at("wait=1ns", first),
		at("wait=-1", wrongWait(`"-1"`)), at("wait=-1s", wrongWait(`"-1s"`)), at("wait=NaN", wrongWait(`"NaN"`)), at("wait=Inf", wrongWait(`"Inf"`)),
		at("wait=1e9", wrongWait(`"1e9"`)), at("wait=25", wrongWait(`"25"`)), at("wait=99999999999999999999h", wrongWait(`"99999999999999999999h"`)),
		at("wait=2562047h47m16.854775808s", wrongWait(`"2562047h47m16.854775808s"`)), at("wait=%00", wrongWait(`"\x00"`)), at("wait=1s&wait=2s", invalid("parameter wait is given 2 times")),
		at("wait="+strings.Repeat("9", 10_000)+"s", invalid("it is a time such as 25s")),
		at("snapshot=yes", invalid(`snapshot is "yes": it can be true or false`)), at("snapshot=TRUE", invalid("it can be true or false")),
		at("snapshot=true&snapshot=false", invalid("parameter snapshot is given 2 times")), at("limit=1000000", invalid(`unknown parameter "limit": there is topic, cursor, snapshot, wait, presence and ticket`)),
		at("%00=1", invalid(`unknown parameter "\x00"`)), at("%0d%0a=1", invalid(`unknown parameter "\r\n"`)), at("=", invalid(`unknown parameter ""`)),
		at(strings.Repeat("x", 10_000)+"=1", invalid(`unknown parameter "xxxx`)), at("snapshot=true", ok(`"snapshot":"whole"`)),

		accept("", streams(`"status":"live"`)), accept("*/*", streams(`"status":"live"`)), accept("text/html", none), accept("text/event-stream;q=0", none),
		accept("application/json;q=NaN", none), accept("application/json;q=1e999", none), accept("application/json;q=-1", none), accept(";;;,,,", none),
		accept("application/json;q=\x7f", bare(http.StatusBadRequest)), accept("application/json;q=\"1", none), accept(strings.Repeat("a/b,", 7000)+"application/json", first),
		accept(strings.Repeat(`a/b;c="d,e;`, 2000), none), accept("TEXT/EVENT-STREAM", streams(`"status":"live"`)), accept("application/json;q=0.5, text/*;q=0.4", first),
	}
}

// origins are pages in a browser that are not to write.
func origins() []attack {
	type headers []string
	forbidden := func(origin string) outcome {
		return refused(http.StatusForbidden, "forbidden", `pages of "`+origin+`" may change nothing here: the hub's configuration does not list that origin`)
	}
	var all []attack
	for _, o := range []struct {
		name    string
		headers headers
		want    outcome
	}{
		{"a listed origin", headers{"Origin: http://localhost:3000"}, ok(`"offset":`)},
		{"a foreign one", headers{"Origin: https://evil.example"}, forbidden("https://evil.example")},
		{"a file, or a sandbox", headers{"Origin: null"}, forbidden("null")},
		{"one that begins like a listed one", headers{"Origin: http://localhost.evil.example"}, forbidden("http://localhost.evil.example")},
		{"one that begins like its port", headers{"Origin: http://localhost:evil.example"}, forbidden("http://localhost:evil.example")},
		{"one with a user", headers{"Origin: http://localhost:80@evil.example"}, forbidden("http://localhost:80@evil.example")},
		{"one that ends like the host", headers{"Origin: http://evilhub"}, forbidden("http://evilhub")},
		{"the host itself", headers{"Origin: http://hub"}, ok(`"offset":`)},
		{"the host with a path", headers{"Origin: http://evil.example/hub"}, forbidden("http://evil.example/hub")},
		{"one in capitals", headers{"Origin: HTTP://LOCALHOST:3000"}, forbidden("HTTP://LOCALHOST:3000")},
		{"every one", headers{"Origin: *"}, forbidden("*")},
		{"two, of which one is listed", headers{"Origin: https://evil.example", "Origin: http://localhost:3000"}, forbidden("https://evil.example")},
		{"a list", headers{"Origin: http://localhost:3000, https://evil.example"}, forbidden("http://localhost:3000, https://evil.example")},
		{"one of 10 KB", headers{"Origin: https://" + strings.Repeat("x", 10_000)}, refused(http.StatusForbidden, "forbidden", "may change nothing here")},
		{"script", headers{"Origin: http://<script>alert(1)</script>"}, forbidden("http://<script>alert(1)</script>")},
		{"one that is not UTF-8", headers{"Origin: http://\xff"}, forbidden(`http://\xff`)},
		{"an empty one", headers{"Origin:"}, ok(`"offset":`)},
	} {
		// A form's type: browsers ask nobody before they send it.
		all = append(all, attack{name: o.name, send: post(event, append(o.headers, "Content-Type: text/plain")...), want: o.want})
		if o.want.code == "" {
			all[len(all)-1].send = post(event, append(o.headers, "Content-Type: application/x-www-form-urlencoded")...)
		}
	}
	return all
}
