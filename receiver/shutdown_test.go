package receiver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/followspan/followspan/receiver"
	"github.com/followspan/followspan/trace"
)

// slow is a Sink that takes a batch only when it is told to.
type slow struct {
	memory
	entered, proceed chan struct{}
}

func newSlow() *slow { return &slow{entered: make(chan struct{}, 10), proceed: make(chan struct{})} }

func (s *slow) Consume(ctx context.Context, b trace.Batch) error {
	s.entered <- struct{}{}
	<-s.proceed
	return s.memory.Consume(ctx, b)
}

// Shutdown returns only when the spans that are on their way are delivered, and
// then their sender is told so.
func TestShutdownWaitsForTheLastSpan(t *testing.T) {
	sink := newSlow()
	s := start(t, receiver.Settings{}, sink)
	client := exporter(t, s)
	answers := make(chan error, 2)
	request := inProtobuf(t, batch(1, 1))
	go func() {
		_, err := client.Export(t.Context(), batch(0, 1))
		answers <- err
	}()
	go func() {
		res, err := send(t.Context(), s, http.MethodPost, "/v1/traces", request, "Content-Type", protobufType)
		if err == nil && res.StatusCode != 200 {
			err = errors.New(res.Status)
		}
		answers <- err
	}()
	<-sink.entered
	<-sink.entered
	done := make(chan error)
	go func() { done <- s.Shutdown(context.Background()) }()
	select {
	case <-done:
		t.Fatal("Shutdown returned while spans were being delivered")
	default:
	}
	close(sink.proceed)
	for _, c := range []chan error{answers, answers, done} {
		if err := <-c; err != nil {
			t.Error(err)
		}
	}
	wantSpans(t, &sink.memory, 2)
	if _, err := http.Get(s.HTTPEndpoint()); err == nil {
		t.Error("the port still answers")
	}
}

// A Sink that never returns does not hold up Shutdown beyond its context.
func TestShutdownGivesUp(t *testing.T) {
	sink := newSlow()
	s, err := receiver.Start(t.Context(), receiver.Settings{Grace: time.Millisecond}, sink)
	if err != nil {
		t.Fatal(err)
	}
	client := exporter(t, s)
	answer := make(chan error)
	go func() {
		_, err := client.Export(t.Context(), batch(0, 1))
		answer <- err
	}()
	<-sink.entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v, want context canceled", err)
	}
	if err := <-answer; status.Code(err) != codes.Unavailable {
		t.Errorf("the sender was told %v, want Unavailable", err)
	}
	close(sink.proceed)
}

// A page that is being followed does not hold up Shutdown.
func TestShutdownEndsOtherRequests(t *testing.T) {
	following := make(chan struct{})
	s := start(t, receiver.Settings{Grace: time.Hour, Routes: map[string]http.Handler{"/": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(following)
		<-r.Context().Done()
	})}}, &memory{})
	answered := make(chan error)
	go func() {
		_, err := send(t.Context(), s, http.MethodGet, "/events", "")
		answered <- err
	}()
	<-following
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

func TestPortInUse(t *testing.T) {
	first := start(t, receiver.Settings{}, &memory{})
	address := first.GRPCAddr().String()
	_, err := receiver.Start(t.Context(), receiver.Settings{HTTP: address}, &memory{})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("Start: %v, want address in use", err)
	}
	holder := fmt.Sprintf("(pid %d)", os.Getpid())
	for _, part := range []string{"listen on " + address, holder, "choose another port"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %q", err, part)
		}
	}
}
