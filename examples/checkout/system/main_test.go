package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
	"github.com/followspan/followspan/examples/checkout/internal/launch"
	"github.com/followspan/followspan/examples/checkout/internal/otlptest"
)

// asLauncher makes this test binary the launcher itself, for the tests in which
// the launcher is killed.
const asLauncher = "CHECKOUT_TEST_AS_LAUNCHER"

func TestMain(m *testing.M) {
	if os.Getenv(asLauncher) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// A shop is a running system and what it told about itself.
type shop struct {
	*launch.System
	spans *otlptest.Receiver
}

// start runs the shop with one fault until the test ends. Each span is exported
// at once.
func start(t *testing.T, f fault.Fault) shop {
	t.Helper()
	spans := otlptest.Start(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", spans.Endpoint())
	t.Setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
	running, err := launch.Start(t.Context(), build(t), f, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Stop)
	return shop{System: running, spans: spans}
}

// build returns the program, which is built once. Reading the directories of the
// source tells the go command that a test's result depends on them.
func build(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"../shop", "../internal"} {
		if err := filepath.WalkDir(dir, func(_ string, _ fs.DirEntry, err error) error { return err }); err != nil {
			t.Fatal(err)
		}
	}
	program, err := buildOnce()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var buildOnce = sync.OnceValues(func() (string, error) {
	return launch.Build(context.Background(), os.Stderr)
})

// basket costs 4200 cents with shipping.
const basket = `{"items": [{"sku": "mug", "quantity": 1}, {"sku": "tea", "quantity": 2}, {"sku": "spoon", "quantity": 1}]}`

type reply struct {
	OrderID string `json:"order_id"`
	Amount  int64  `json:"amount"`
}

// buy does one checkout, which must succeed.
func buy(t *testing.T, frontend string) reply {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Post(frontend+"/checkout", "application/json", bytes.NewBufferString(basket))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Fatalf("POST /checkout: got %s, want 201", response.Status)
	}
	var r reply
	if err := json.NewDecoder(response.Body).Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}
