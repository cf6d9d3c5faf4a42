package httpapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/dashboard"
)

const strict = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

func TestDashboardIsServed(t *testing.T) {
	// Its files are everybody's, even where nobody may do anything.
	s := start(t, hub.Config{Authority: auth.NewAuthority(auth.AuthorityConfig{})}, Config{})
	for _, f := range dashboard.Files() {
		path := "/dashboard/" + f.Name
		if f.Name == dashboard.Page {
			path = "/dashboard"
		}
		a := s.do("GET", path, "").ok()
		if a.body != string(f.Body) || a.Header.Get("Content-Type") != f.Type {
			t.Errorf("%s: %d bytes of %s", path, len(a.body), a.Header.Get("Content-Type"))
		}
		for name, want := range map[string]string{
			"Content-Security-Policy":      strict,
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "no-cache",
			"Etag":                         f.Tag,
		} {
			if got := a.Header.Values(name); len(got) != 1 || got[0] != want {
				t.Errorf("%s: %s = %q, want %q", path, name, got, want)
			}
		}
		head := s.do("HEAD", path, "").ok()
		if head.body != "" || head.Header.Get("Content-Length") != strconv.Itoa(len(f.Body)) || head.Header.Get("ETag") != f.Tag {
			t.Errorf("HEAD %s: %v", path, head.Header)
		}
		for _, tags := range []string{f.Tag, `"other", W/` + f.Tag, "*"} {
			if again := s.do("GET", path, "", "If-None-Match", tags); again.StatusCode != http.StatusNotModified || again.body != "" || again.Header.Get("ETag") != f.Tag {
				t.Errorf("%s again, with %s: %s, %d bytes", path, tags, again.Status, len(again.body))
			}
		}
		s.do("GET", path, "", "If-None-Match", `"other"`).ok()
		for _, method := range []string{"POST", "PUT", "DELETE"} {
			if a := s.do(method, path, "").refused(codeMethodNotAllowed, "GET, HEAD, OPTIONS are"); a.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("%s %s: %v", method, path, a.Header)
			}
		}
	}
	a := s.do("GET", "/dashboard/mian.js", "").refused(nave.CodeNotFound, "did you mean /dashboard/main.js?")
	checkProtected(t, "no file", a.Header, "same-origin")
}

// All that the page names is found from where the page is, wherever that is mounted.
func TestDashboardMountedUnderAPrefix(t *testing.T) {
	s := startFake(t, fake{})
	mux := http.NewServeMux()
	mux.Handle("/live/", http.StripPrefix("/live", s.Config.Handler))
	mux.Handle("/", s.Config.Handler)
	mounted := httptest.NewServer(mux)
	t.Cleanup(mounted.Close)
	get := func(at string) (body string, where *url.URL) {
		t.Helper()
		resp, err := mounted.Client().Get(at)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", at, resp.Status, err)
		}
		return string(text), resp.Request.URL
	}
	link := regexp.MustCompile(`(?:href|src)="([^"#]+)"|from '([^']+)'`)
	for _, at := range []string{"/dashboard", "/live/dashboard", "/dashboard/", "/live/dashboard/"} {
		page, where := get(mounted.URL + at)
		found := link.FindAllStringSubmatch(page, -1)
		if len(found) < 3 || where.Path != strings.TrimSuffix(at, "/") {
			t.Errorf("%s: %d links at %s", at, len(found), where)
		}
		for _, m := range found {
			module, at := get(below(t, where, where, m[1]))
			for _, m := range link.FindAllStringSubmatch(module, -1) {
				if m[2] != "" {
					get(below(t, where, at, m[2]))
				}
			}
		}
	}
}

// below is where a link leads that stands in a file: to another of the page's.
func below(t *testing.T, page, file *url.URL, link string) string {
	t.Helper()
	to, err := file.Parse(link)
	if err != nil || !strings.HasPrefix(to.Path, page.Path+"/") {
		t.Errorf("the link %s in %s leads to %v, which is not below %s: %v", link, file.Path, to, page.Path, err)
	}
	return to.String()
}
