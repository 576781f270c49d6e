package grpctrigger

import (
	"strings"
	"testing"
)

func TestMisfit(t *testing.T) {
	d := place(t)
	for _, test := range []struct{ reason, json, want string }{
		{"unknown field", `{"itmes":[]}`, `itmes: shop.Order has no field "itmes", did you mean items?`},
		{"unknown field deep down", `{"items":[{},{"price":1}]}`, `items[1].price: shop.Item has no field "price", only sku, unitPrice, color`},
		{"a number in words", `{"count":"two"}`, `count wants int32, not "two"`},
		{"a fraction", `{"count":1.5}`, `count wants int32, not 1.5`},
		{"too big", `{"count":3000000000}`, `count wants int32, not 3000000000`},
		{"a text in a list", `{"notes":["a",1]}`, `notes[1] wants string, not 1`},
		{"no list", `{"notes":"a"}`, `notes wants a list of string, not "a"`},
		{"null in a list", `{"notes":[null]}`, `notes[0] wants string, not null`},
		{"no object", `{"gift":"a"}`, `gift wants an object, the message shop.Item, not "a"`},
		{"a value of a map", `{"stock":{"a":-1}}`, `stock["a"] wants uint32, not -1`},
		{"no map", `{"stock":[1]}`, `stock wants an object of uint32, not [1]`},
		{"a slip in an enum", `{"gift":{"color":"GREN"}}`, `gift.color wants the enum shop.Color, not "GREN", did you mean GREEN?`},
		{"another enum", `{"gift":{"color":"blue"}}`, `gift.color wants the enum shop.Color, not "blue", but one of UNSET, RED, GREEN`},
		{"not a time", `{"at":"yesterday"}`, `at wants google.protobuf.Timestamp, not "yesterday"`},
		{"not base64", `{"photo":"***"}`, `photo wants bytes in base64, not "***"`},
		{"long values are cut", `{"gift":{"unitPrice":"` + strings.Repeat("é", 99) + `"}}`, `gift.unitPrice wants int64, not "` + strings.Repeat("é", 38) + "…"},
		{"the first by name", `{"z":1,"count":"x","a":2}`, `a: shop.Order has no field "a", only items, count, notes, stock, gift, at, photo, extra`},
		{"no message", `[1]`, `it wants an object, the message shop.Order, not [1]`},
		{"twice", `{"unit_price":1}`, `unit_price: shop.Order has no field "unit_price", only items, count, notes, stock, gift, at, photo, extra`},
		{"the same field by both names", `{"gift":{"unitPrice":1,"unit_price":2}}`, `duplicate field "unit_price"`},
		{"an extension that is not known", `{"[shop.vip]":true}`, `unknown field "[shop.vip]"`},
		{"no JSON", `{`, `unexpected EOF`},
	} {
		_, err := encode(d, []byte(test.json))
		if err == nil {
			t.Errorf("%s: %s fits", test.reason, test.json)
			continue
		}
		if got := strings.TrimPrefix(err.Error(), "the JSON does not fit the message shop.Order: "); got != test.want {
			t.Errorf("%s: %s\n got %s\nwant %s", test.reason, test.json, got, test.want)
		}
	}
}

func TestFits(t *testing.T) {
	d := place(t)
	for _, json := range []string{
		"", "{}", `{"count":"7"}`, `{"count":1e2}`, `{"gift":null,"notes":null}`, `{"gift":{"unit_price":5,"color":2}}`,
		`{"at":"2030-01-02T03:04:05Z"}`, `{"extra":{"@type":"type.googleapis.com/shop.Item","sku":"a"}}`,
	} {
		if _, err := encode(d, []byte(json)); err != nil {
			t.Errorf("%s: %v", json, err)
		}
	}
}

func FuzzMisfit(f *testing.F) {
	d := place(f)
	for _, seed := range []string{`{}`, `{"items":[{"color":"RED"}]}`, `{"stock":{"":1}}`, `{"":1}`, `{"at":{}}`, `{"extra":{"@type":"x"}}`, `null`, `{"gift":{"unitPrice":"\ud800"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, json string) {
		if _, err := encode(d, []byte(json)); err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("an error of several lines: %q", err.Error())
		}
	})
}
