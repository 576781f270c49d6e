// Package frontend is the shop's door: it takes orders over HTTP.
package frontend

import (
	"context"
	"encoding/json"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/followspan/followspan/examples/checkout/internal/pb"
	"github.com/followspan/followspan/examples/checkout/internal/process"
	"github.com/followspan/followspan/examples/checkout/internal/telemetry"
)

// Run serves until the context ends.
func Run(ctx context.Context) error {
	stop, err := telemetry.Start(ctx)
	if err != nil {
		return err
	}
	defer stop()
	conn, err := process.Dial("checkout")
	if err != nil {
		return err
	}
	defer conn.Close()
	f := &frontend{checkout: pb.NewCheckoutClient(conn)}
	mux := http.NewServeMux()
	// Below the mux the route is known when the span starts.
	mux.Handle("POST /checkout", otelhttp.NewHandler(http.HandlerFunc(f.place), "checkout"))
	return process.ServeHTTP(ctx, mux)
}

type frontend struct {
	checkout pb.CheckoutClient
}

type item struct {
	SKU      string `json:"sku"`
	Quantity int64  `json:"quantity"`
}

func (f *frontend) place(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Items []item `json:"items"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Items) == 0 {
		answer(w, http.StatusBadRequest, map[string]any{"error": `send {"items": [{"sku": "mug", "quantity": 1}]}`})
		return
	}
	request := &pb.PlaceRequest{}
	for _, i := range body.Items {
		request.Items = append(request.Items, &pb.Item{Sku: i.SKU, Quantity: i.Quantity})
	}
	placed, err := f.checkout.Place(r.Context(), request)
	if err != nil {
		answer(w, httpStatus(err), map[string]any{"error": status.Convert(err).Message()})
		return
	}
	answer(w, http.StatusCreated, map[string]any{"order_id": placed.OrderId, "amount": placed.Amount})
}

// httpStatus returns the HTTP status for a failed call: the customer's mistake,
// or ours.
func httpStatus(err error) int {
	switch status.Code(err) {
	case codes.InvalidArgument, codes.NotFound:
		return http.StatusBadRequest
	case codes.FailedPrecondition:
		return http.StatusConflict
	default:
		return http.StatusBadGateway
	}
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
