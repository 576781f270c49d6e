package inventory

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"path/filepath"
	"strings"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

const schema = `
CREATE TABLE items (sku TEXT PRIMARY KEY, price INTEGER NOT NULL, on_hand INTEGER NOT NULL);
CREATE TABLE reservations (order_id TEXT NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL);
INSERT INTO items VALUES ('mug', 1400, 100000), ('tea', 900, 100000), ('spoon', 500, 100000);
`

// openDatabase makes a database with three items in the directory. Its
// statements get client spans; the ones that fill it belong to no request and
// get none.
func openDatabase(ctx context.Context, dir string) (*sql.DB, error) {
	source := "file:" + filepath.Join(dir, "inventory.db") +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(wal)&_txlock=immediate"
	db, err := otelsql.Open("sqlite", source,
		otelsql.WithAttributes(semconv.DBSystemNameSQLite, semconv.DBNamespace("inventory")),
		otelsql.WithAttributesGetter(summaryAttribute),
		otelsql.WithSpanNameFormatter(spanName),
		otelsql.WithSpanOptions(otelsql.SpanOptions{
			OmitConnResetSession: true,
			OmitConnPrepare:      true,
			OmitConnectorConnect: true,
			OmitRows:             true,
			SpanFilter:           insideRequest,
		}),
	)
	if err != nil {
		return nil, err
	}
	db.SetMaxIdleConns(8)
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

func insideRequest(ctx context.Context, _ otelsql.Method, _ string, _ []driver.NamedValue) bool {
	return trace.SpanContextFromContext(ctx).IsValid()
}

func summaryAttribute(_ context.Context, _ otelsql.Method, query string, _ []driver.NamedValue) []attribute.KeyValue {
	if query == "" {
		return nil
	}
	return []attribute.KeyValue{semconv.DBQuerySummary(summary(query))}
}

func spanName(_ context.Context, method otelsql.Method, query string) string {
	switch method {
	case otelsql.MethodConnBeginTx:
		return "BEGIN"
	case otelsql.MethodTxCommit:
		return "COMMIT"
	case otelsql.MethodTxRollback:
		return "ROLLBACK"
	default:
		return summary(query)
	}
}

// summary returns the operation and the table of a statement, which is what the
// semantic conventions call its summary: "SELECT items".
func summary(query string) string {
	words := strings.Fields(query)
	for i, word := range words[:max(0, len(words)-1)] {
		switch strings.ToUpper(word) {
		case "FROM", "INTO", "UPDATE":
			return words[0] + " " + words[i+1]
		}
	}
	return query
}
