package run

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	firstPause = 20 * time.Millisecond // between two probes; it doubles
	longPause  = 500 * time.Millisecond
	probeTime  = 2 * time.Second // for one probe
)

// probe looks once whether something answers. A permanent error means that it
// never will.
type probe func(ctx context.Context) error

// permanent wraps an error that trying again cannot help.
type permanent struct{ error }

// retry probes until that succeeds or ctx ends. It returns what the last probe
// found that had its full time.
func retry(ctx context.Context, clock Clock, look probe) error {
	var last error
	for wait := firstPause; ; wait = min(2*wait, longPause) {
		attempt, cancel := withTimeout(ctx, clock, probeTime)
		err := look(attempt)
		cancel()
		if err == nil {
			return nil
		}
		if p, ok := err.(permanent); ok {
			return p.error
		}
		if ctx.Err() == nil || last == nil {
			last = err
		}
		if !pause(clock, wait, ctx.Done()) {
			return last
		}
	}
}

func tcpProbe(address string) probe {
	return func(ctx context.Context) error {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return permanent{fmt.Errorf("%q is no address such as 127.0.0.1:8080", address)}
		}
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("%s does not accept connections: %w", address, err)
		}
		return conn.Close()
	}
}

func httpProbe(address string) probe {
	client := newHTTPClient()
	return func(ctx context.Context) error {
		u, err := parseURL(address)
		if err != nil {
			return permanent{err}
		}
		return answers(ctx, client, u)
	}
}

func answers(ctx context.Context, client *http.Client, u *url.URL) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return permanent{err}
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("GET %s: %w", u.Redacted(), explainHTTP(ctx, u, probeTime, err))
	}
	_ = response.Body.Close()
	if response.StatusCode >= 500 {
		return fmt.Errorf("GET %s answers %s", u.Redacted(), response.Status)
	}
	return nil
}
