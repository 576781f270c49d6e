package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/followspan/followspan/store"
	"github.com/followspan/followspan/store/storetest"
	"github.com/followspan/followspan/trace"
	"github.com/followspan/followspan/trace/sketch"
)

func TestOpenEdges(t *testing.T) {
	tests := []struct{ name, sketch, want string }{
		{"a parent that has not arrived", `
shop  order  0..50ms
  shop  lost  internal  5..45ms  at=10s
    shop  query  client  10..20ms`, "parent of query"},
		{"above the origin is outside", `
shop  order  0..50ms  parent=missing`, ""},
		{"a client of an instrumented peer", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=stock server.port=1
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  server.address=stock server.port=1`, "server span of call again"},
		{"a client of an instrumented peer, whose answer came after the call's span", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=stock server.port=1
    depot  reserve  2..9ms  at=40ms
  shop  call again  client  11..20ms  server.address=stock server.port=1`, "server span of call again"},
		{"a client that failed waits for nothing", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=stock
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  error server.address=stock`, ""},
		{"a client that gave up waiting", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=stock
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  error error.type=java.net.SocketTimeoutException server.address=stock`, "server span of call again"},
		{"a client whose status says that it gave up waiting", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=stock
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  error="read tcp: i/o timeout" server.address=stock`, "server span of call again"},
		{"a client that was never connected", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=stock
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  error error.type=ConnectTimeout server.address=stock`, ""},
		{"a call whose deadline was exceeded", `
shop  order  0..50ms
  shop  call  client  1..10ms  rpc.service=Stock
    stock  reserve  2..9ms  rpc.service=Stock
  shop  call again  client  11..20ms  error rpc.grpc.status_code=4 rpc.service=Stock`, "server span of call again"},
		{"a call that failed though its status is that of success", `
shop  order  0..50ms
  shop  call  client  1..10ms  rpc.service=Stock
    stock  reserve  2..9ms  rpc.service=Stock
  shop  call again  client  11..20ms  error rpc.grpc.status_code=0 rpc.service=Stock`, ""},
		{"a client that names the service of its peer", `
stock  poll   internal  0..5ms
shop   order  100..150ms
  shop  call  client  110..120ms  peer.service=stock`, "server span of call"},
		{"a message that came through a trace from outside", `
shop   order  0..50ms
  shop  send  producer  10..20ms  #send
relay  forward  consumer  30..40ms  link=#send parent=missing`, ""},
		{"an orphan of a linked trace that a correlation key joins, too", `
shop   order  0..100ms  order.id=1
  shop  send  producer  10..12ms  #send
mail  process  consumer  20..90ms  link=#send  #mail
bank  charge   server  40..60ms  parent=missing trace=#mail order.id=1`, "parent of charge"},
		{"one that came before the link", `
shop   order  0..100ms  order.id=1
  shop  send  producer  10..12ms  #send
mail  process  consumer  20..90ms  link=#send order.id=1  #mail
bank  charge   server  40..60ms  parent=missing trace=#mail order.id=1 at=15ms`, "parent of charge"},
		{"one beside a message from outside", `
shop   order  0..100ms  order.id=1
  shop  send  producer  10..12ms  #send
relay  forward  consumer  20..90ms  link=#send parent=missing  #mail
bank  charge   server  40..60ms  parent=missing trace=#mail order.id=1`, ""},
		{"an orphan of a trace that nothing but a correlation key joins", `
shop   order  0..100ms  order.id=1
  shop  send  producer  10..12ms  #send
bank  batch    internal  20..90ms  #bank
bank  charge   server  40..60ms  parent=missing trace=#bank order.id=1`, ""},
		{"a proxy that answered, whose span came after the call's", `
shop   order  0..50ms
  shop   call  client  1..10ms  server.address=mesh
    proxy  forward  client  2..9ms  server.address=10.0.0.7  at=12ms
  shop   call again  client  11..20ms  server.address=mesh`, "server span of call again"},
		{"an answer in a trace of its own that links back, and came after the call's span", `
shop   order  0..50ms
  shop   call  client  1..10ms  server.address=10.0.0.7  #call
  shop   call again  client  11..20ms  server.address=10.0.0.7
stock  reserve  server  2..9ms  link=#call  at=30ms`, "server span of call again"},
		{"a message that a peer without spans sent, consumed before the call's span came", `
shop   order  0..50ms
  shop   call  client  1..10ms  server.address=gate  at=40ms
    mail   process  consumer  12..15ms
  shop   call again  client  11..20ms  server.address=gate`, ""},
		{"an orphan of a trace at whose root a correlation key joined it", `
shop   order  0..100ms  order.id=1
  shop  send  producer  10..12ms  #send
bank  batch    internal  20..90ms  order.id=1  #bank
bank  charge   server  40..60ms  parent=missing trace=#bank order.id=1`, "parent of charge"},
		{"an orphan of a linked trace long after all that is known of it", `
shop   order  0..100ms  order.id=1
  shop  send  producer  10..12ms  #send
mail  process  consumer  20..90ms  link=#send  #mail
bank  charge   server  2000..2010ms  parent=missing trace=#mail`, "parent of charge"},
		{"one of a linked trace that has several roots", `
shop   order  0..100ms  order.id=1
  shop  send  producer  10..12ms  #send
mail  process  consumer  20..90ms  link=#send  #mail
mail  other    consumer  20..90ms  trace=#mail
bank  charge   server  2000..2010ms  parent=missing trace=#mail`, ""},
		{"a link to a message of a linked trace, by a clock that is far behind", `
resource bank host.id=h2
shop   order  0..100ms
  shop  send  producer  10..12ms  #send
mail   process  consumer  20..90ms  link=#send
  mail  send on  producer  30..32ms  #lost at=10s
bank   book  consumer  -3000..-2990ms  link=#lost`, "linked span of book"},
		{"a client that names its peer as it was called before", `
shop  order  0..50ms
  shop  call  client  1..10ms  net.peer.name=stock net.peer.port=1
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  net.peer.name=stock net.peer.port=1`, "server span of call again"},
		{"a client that names a URL only", `
shop  order  0..50ms
  shop  call  client  1..10ms  http.url=http://stock:1/a
    stock  reserve  2..9ms
  shop  call again  client  11..20ms  http.url=http://stock:1/b`, "server span of call again"},
		{"an un-instrumented peer", `
shop  order  0..50ms
  shop  call  client  1..10ms  server.address=gateway.example`, ""},
		{"an answer that began a trace of its own", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=stock
stock  reserve  12..19ms`, "server span of call, maybe reserve"},
		{"a request at another time", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=10.0.0.7
stock  reserve  22..29ms`, ""},
		{"a request on another machine, whose clock is near enough", `
resource stock host.id=h2
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=10.0.0.7
stock  reserve  22..29ms`, "server span of call, maybe reserve"},
		{"a request that took longer than the call", `
resource stock host.id=h2
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=10.0.0.7
stock  reserve  12..29ms`, ""},
		{"an answer that a correlation key joined, and no edge", `
shop   order    0..50ms  order.id=1
  shop  call  client  10..20ms  server.address=10.0.0.7
stock  reserve  server  12..19ms  order.id=1`, "server span of call, maybe reserve"},
		{"a call to a host that is named like a service", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  server.address=stock.shop.svc.cluster.local`, "server span of call"},
		{"a call to a host by the name of its namespace", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  server.address=stock.shop.svc`, "server span of call"},
		{"an answer at an address that tells the port as well", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=stock:80
stock  reserve  12..19ms  server.address=stock server.port=80`, "server span of call, maybe reserve"},
		{"a call to a host of the world whose name begins like a service's", `
api  order    server  0..50ms
  api  charge  client  10..20ms  server.address=api.bank.example`, ""},
		{"a call to a host of a network of one's own", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  server.address=stock.prod.internal`, "server span of call"},
		{"a call to a host that is named like one that serves nobody", `
stock  restock  internal  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  server.address=stock`, ""},
		{"an answer that founded another flow", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=stock
stock  reserve  server  12..19ms  other=true`, "server span of call"},
		{"an answer whose parent is of a proxy that sends no spans", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=10.0.0.7
stock  reserve  server  12..19ms  parent=missing`, "server span of call, maybe reserve"},
		{"an answer that began a trace of its own and links back", `
shop   order    0..50ms
  shop  call  client  1..9ms  server.address=stock server.port=1
    stock  reserve  2..8ms
  shop  call again  client  10..20ms  server.address=stock server.port=1  #again
stock  reserve  server  12..19ms  link=#again`, ""},
		{"a call that another service links to, which is no answer", `
shop   order    0..50ms
  shop  call  client  1..9ms  server.address=stock server.port=1
    stock  reserve  2..8ms
  shop  call again  client  10..20ms  server.address=stock server.port=1  #again
audit  note  internal  30..40ms  link=#again`, "server span of call again"},
		{"an origin that is a call itself, of a caller that sends no spans", `
stock  restock  server  0..5ms
shop   order    client  100..120ms  parent=missing server.address=stock`, "server span of order"},
		{"a proxy in between", `
shop   order    0..50ms
  shop  call  client  10..20ms  url.full=http://stock/a
    envoy  egress  client  11..19ms  url.full=http://stock/a
      stock  reserve  12..18ms`, ""},
		{"a proxy in between, and nobody behind it", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  url.full=http://stock/a
    envoy  egress  client  111..119ms  url.full=http://stock/a`, "server span of egress"},
		{"a call that a framework and its HTTP client tell of", `
shop   order    0..50ms
  shop  fetch stock  client  10..20ms  http.url=http://stock:1/a
    shop  GET  client  11..19ms  server.address=stock server.port=1 http.request.method=GET
      stock  reserve  12..18ms`, ""},
		{"such a call, and one more in it that nobody answered", `
shop   order    0..50ms
  shop  fetch stock  client  10..30ms  http.url=http://stock:1/a
    shop  GET  client  11..19ms  server.address=stock server.port=1 http.request.method=GET
      stock  reserve  12..18ms
    shop  GET again  client  20..29ms  server.address=stock server.port=1 http.request.method=GET`, "server span of GET again"},
		{"a call and one of another service in it", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  fetch  client  110..130ms  http.url=http://stock:1/a
    shop  token  client  111..119ms  server.address=auth http.request.method=POST
      auth  token  112..118ms`, "server span of fetch"},
		{"a call whose connection has spans, too", `
shop   order    0..50ms
  shop  GET  client  10..30ms  server.address=stock server.port=1 http.request.method=GET
    shop  http.getconn  client  11..15ms  server.address=stock:1
      shop  http.dns  client  12..13ms  server.address=stock
      shop  http.connect  client  13..14ms
    stock  reserve  16..25ms`, ""},
		{"such a call that nobody answered", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  GET  client  110..130ms  server.address=stock server.port=1 http.request.method=GET
    shop  http.getconn  client  111..115ms  server.address=stock:1
      shop  http.dns  client  112..113ms  server.address=stock`, "server span of GET"},
		{"another call within a call", `
stock  restock  server  0..5ms
bank   check    server  0..5ms
shop   order    100..150ms
  shop  GET  client  110..130ms  server.address=stock http.request.method=GET
    shop  ask  client  111..115ms  server.address=bank
    stock  reserve  116..125ms`, "server span of ask"},
		{"a part of a call that names nobody, beside somebody's request", `
shop   order    0..50ms
  shop  GET  client  10..30ms  server.address=stock http.request.method=GET
    shop  http.connect  client  11..15ms
    stock  reserve  16..25ms
bank   look  server  12..14ms`, ""},
		{"a call that names nobody, within one that was answered, beside somebody's request", `
shop   order    0..50ms
  shop  call  client  10..30ms  server.address=stock
    shop  exchange  client  11..29ms  http.request.method=GET
    stock  reserve  16..25ms
bank   look  server  12..14ms`, ""},
		{"a call that names nobody, around one that was answered, beside somebody's request", `
shop   order    0..50ms
  shop  call  client  10..30ms
    shop  exchange  client  11..29ms  server.address=stock
      stock  reserve  16..25ms
bank   look  server  12..14ms`, ""},
		{"a call around one that names nobody and was answered", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..130ms  server.address=stock
    shop  exchange  client  111..129ms
      stock  reserve  116..125ms`, ""},
		{"a call of an rpc around that of the same", `
stock  restock  server  0..5ms  rpc.service=Stock
shop   order    100..150ms
  shop  call  client  110..130ms  rpc.service=Stock
    shop  exchange  client  111..129ms  rpc.service=Stock
      stock  reserve  116..125ms`, ""},
		{"a call of an rpc around that of another", `
stock  restock  server  0..5ms  rpc.service=Stock
shop   order    100..150ms
  shop  call  client  110..130ms  rpc.service=Stock
    shop  exchange  client  111..129ms  rpc.service=Bank
      bank  charge  116..125ms`, "server span of call"},
		{"a call of a peer around one of the same", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..130ms  peer.service=stock
    shop  exchange  client  111..129ms  peer.service=stock server.address=10.0.0.7
      stock  reserve  116..125ms`, ""},
		{"a call of a peer around one of another", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..130ms  peer.service=stock
    shop  exchange  client  111..129ms  peer.service=bank
      bank  charge  116..125ms`, "server span of call"},
		{"a call around one to another port", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..130ms  server.address=stock server.port=80
    shop  exchange  client  111..129ms  server.address=stock server.port=81
      stock  reserve  116..125ms`, "server span of call"},
		{"a call that failed with an answer", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  error http.response.status_code=500 server.address=stock`, "server span of call"},
		{"a call that failed with an answer of a proxy", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  error http.response.status_code=503 server.address=stock`, ""},
		{"an rpc that failed with an answer", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  error rpc.grpc.status_code=5 server.address=stock`, "server span of call"},
		{"an rpc of no such method", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  error rpc.response.status_code=UNIMPLEMENTED server.address=stock`, ""},
		{"an rpc that reached nobody", `
stock  restock  server  0..5ms
shop   order    100..150ms
  shop  call  client  110..120ms  error rpc.grpc.status_code=14 server.address=stock`, ""},
		{"a request to another address", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=gateway.example
stock  reserve  12..19ms  server.address=stock`, ""},
		{"a request to another address, by its former names", `
shop   order    0..50ms
  shop  call  client  10..20ms  net.peer.name=gateway.example net.peer.port=80
stock  reserve  12..19ms  http.host=stock:80`, ""},
		{"a request to an address of which nobody knows the name", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=gateway.example
stock  reserve  12..19ms  server.address=10.0.0.7`, "server span of call, maybe reserve"},
		{"a request to the same address for something else, as a proxy may have made of it", `
shop   order    0..50ms
  shop  call  client  10..20ms  url.full=http://stock/rates
stock  reserve  12..19ms  server.address=stock url.path=/reserve`, "server span of call, maybe reserve"},
		{"several requests that may be the answer", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=stock
stock  reserve  13..19ms  server.address=stock
bank   reject   12..18ms
price  quote    14..19ms  http.request.method=GET
price  change   14..19ms  http.request.method=PUT
price  forget   14..19ms  http.request.method=DELETE
price  look     14..19ms  http.request.method=HEAD`, "server span of call, maybe reject"},
		{"a request of somebody whose host is not known, whose clock is near enough", `
resource shop host.id=""
resource stock host.id=""
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=10.0.0.7
stock  reserve  22..29ms`, "server span of call, maybe reserve"},
		{"such a request for something else", `
shop   order    0..50ms
  shop  call  client  10..20ms  url.full=http://gateway.example/rates
stock  probe  12..19ms  server.address=10.0.0.7 url.path=/healthz`, ""},
		{"such a request, behind a proxy that takes off a prefix", `
shop   order    0..50ms
  shop  call  client  10..20ms  url.full=http://gateway.example/stock/reserve
stock  reserve  12..19ms  server.address=10.0.0.7 url.path=/reserve`, "server span of call, maybe reserve"},
		{"a request of another method, by its former name", `
shop   order    0..50ms
  shop  call  client  10..20ms  http.method=POST
stock  reserve  12..19ms  http.method=GET`, ""},
		{"an rpc, and a server that tells of the request of HTTP", `
shop   order    0..50ms
  shop  call  client  10..20ms  rpc.system=grpc rpc.service=stock.Stock rpc.method=Reserve
stock  reserve  12..19ms  url.path=/stock.Stock/Reserve`, "server span of call, maybe reserve"},
		{"an rpc, and another request of HTTP", `
shop   order    0..50ms
  shop  call  client  10..20ms  rpc.system=grpc rpc.service=bank.Bank rpc.method=Charge
stock  reserve  12..19ms  url.path=/reserve`, ""},
		{"something stored in a cloud, and a request", `
shop   order    0..50ms
  shop  put  client  10..20ms  rpc.system=aws-api rpc.service=S3 rpc.method=PutObject
stock  reserve  12..19ms  http.request.method=GET`, ""},
		{"a function of a cloud", `
shop   order    0..50ms
  shop  invoke  client  10..20ms  rpc.system=aws-api rpc.service=Lambda rpc.method=Invoke
bill   bill  12..19ms  faas.trigger=other`, "server span of invoke, maybe bill"},
		{"something stored in a cloud, and a request that tells no method", `
shop   order    0..50ms
  shop  put  client  10..20ms  rpc.system=aws-api rpc.service=S3 rpc.method=PutObject
stock  reserve  12..19ms`, ""},
		{"a function of a cloud, and a request of HTTP", `
shop   order    0..50ms
  shop  invoke  client  10..20ms  rpc.system=aws-api rpc.service=Lambda rpc.method=Invoke
stock  reserve  12..19ms  http.request.method=GET`, ""},
		{"a request to another port", `
shop   order    0..50ms
  shop  call  client  10..20ms  server.address=10.0.0.7 server.port=80
stock  reserve  12..19ms  server.address=10.0.0.7 server.port=81`, ""},
		{"an rpc of another service", `
shop   order    0..50ms
  shop  call  client  10..20ms  rpc.service=Bank rpc.method=Charge
stock  reserve  12..19ms  rpc.service=Stock`, ""},
		{"an rpc of another method", `
shop   order    0..50ms
  shop  call  client  10..20ms  rpc.service=Stock rpc.method=Reserve
stock  look  12..19ms  rpc.service=Stock rpc.method=Look`, "server span of call"},
		{"an rpc that tells no path", `
shop   order    0..50ms
  shop  call  client  10..20ms  rpc.system=java_rmi rpc.service=bank.Bank rpc.method=Charge
stock  reserve  12..19ms  url.path=/reserve`, "server span of call, maybe reserve"},
		{"a request behind a proxy that puts a prefix before and a slash behind", `
shop   order    0..50ms
  shop  call  client  10..20ms  url.full=http://gateway.example/reserve
stock  reserve  12..19ms  server.address=10.0.0.7 url.path=/stock/reserve/`, "server span of call, maybe reserve"},
		{"a request that a link explains", `
shop   order    0..50ms  #order
  shop  call  client  10..20ms  server.address=gateway.example
stock  reserve  12..19ms  link=#order`, ""},
		{"a database", `
shop  order  0..50ms
  shop  SELECT  client  1..10ms  db.system.name=sqlite`, ""},
		{"a database that is asked over HTTP", `
es    restock  server  0..5ms
shop  order    100..150ms
  shop  search  client  110..130ms  db.system.name=elasticsearch server.address=es
    shop  POST  client  111..129ms  http.request.method=POST server.address=es`, ""},
		{"a message to a destination with known consumers", `
mail  process  consumer  1..2ms  messaging.system=nats messaging.destination.name=orders
shop  order  0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders`, "consumer of send, maybe process"},
		{"a message to a destination by its former name", `
mail  process  consumer  1..2ms  messaging.system=nats messaging.destination=orders
shop  order  0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination=orders`, "consumer of send, maybe process"},
		{"a message, and what its sender did meanwhile", `
mail  process  consumer  1..2ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=1
shop  order  10..50ms
  shop  send  producer  11..20ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=2
    shop  confirm  internal  12..19ms`, "consumer of send"},
		{"a message that one of two services consumed", `
shop   order    0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders #send
audit  process  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders link=#send
mail   process orders  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders`, "consumer of send, maybe process orders"},
		{"a message that a framework and its client tell of", `
shop   order    0..50ms
  shop  send  producer  1..20ms  messaging.system=rabbitmq messaging.destination.name=orders
    shop  publish  producer  2..10ms  messaging.system=rabbitmq messaging.destination.name=orders
      mail   deliver  consumer  20..30ms  messaging.system=rabbitmq messaging.destination.name=orders`, ""},
		{"such a message, read with the context of the framework", `
shop   order    0..50ms
  shop  send  producer  1..20ms  messaging.system=rabbitmq messaging.destination.name=orders  #send
    shop  publish  producer  2..10ms  messaging.system=rabbitmq messaging.destination.name=orders
mail   deliver  consumer  20..30ms  messaging.system=rabbitmq messaging.destination.name=orders link=#send`, ""},
		{"a message around one to another destination", `
mail   process  consumer  1..2ms  messaging.destination.name=orders messaging.message.id=1
shop   order    10..50ms
  shop  send  producer  11..20ms  messaging.destination.name=orders messaging.message.id=2
    shop  publish  producer  12..19ms  messaging.destination.name=log
      audit  note  consumer  20..30ms  messaging.destination.name=log`, "consumer of send"},
		{"a message that was consumed, and another one", `
shop   order    0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=1
audit  process  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=1
mail   process orders  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=2`, ""},
		{"a message that was consumed, and one more that the same service has", `
shop   order    0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders #send
mail   process orders  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders link=#send
mail   process other   consumer  25..35ms  messaging.system=nats messaging.destination.name=orders`, ""},
		{"a message that does not tell its id, and a delivery that does", `
shop   order    0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders
mail   process orders  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=2`, "consumer of send, maybe process orders"},
		{"a message that tells its id, and a delivery that does not", `
shop   order    0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=1
mail   process orders  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders`, "consumer of send, maybe process orders"},
		{"a message that several may have consumed", `
shop   order    0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders
mail   process orders  consumer  21..30ms  messaging.system=nats messaging.destination.name=orders
audit  note orders     consumer  20..30ms  messaging.system=nats messaging.destination.name=orders
stock  read orders     consumer  22..30ms  messaging.system=nats messaging.destination.name=orders
price  read orders     consumer  22..30ms  messaging.system=nats messaging.destination.name=orders
bank   read orders     consumer  22..30ms  messaging.system=nats messaging.destination.name=orders
log    read orders     consumer  22..30ms  messaging.system=nats messaging.destination.name=orders`, "consumer of send, maybe note orders"},
		{"a delivery that turned out to be of another message", `
mail   process orders  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders messaging.message.id=2
shop   order    0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders
bank   charge  0..90ms  other=true
  bank  send  producer  1..10ms  at=80ms messaging.system=nats messaging.destination.name=orders messaging.message.id=2`, "consumer of send"},
		{"a delivery that founded another flow", `
shop   order    0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders
mail   process orders  consumer  20..30ms  messaging.system=nats messaging.destination.name=orders other=true`, "consumer of send"},
		{"a message before a delivery", `
shop   order    0..50ms
  shop  send  producer  20..30ms  messaging.system=nats messaging.destination.name=orders
mail   process orders  consumer  1..10ms  messaging.system=nats messaging.destination.name=orders`, "consumer of send"},
		{"a poll of a broker, beside somebody's request", `
shop   order    0..50ms
  shop  poll  client  10..40ms  messaging.system=kafka server.address=broker
stock  reserve  server  12..19ms`, ""},
		{"a link to a span that has not arrived", `
shop  order  0..50ms
  shop  send  producer  1..10ms  at=10s #send
mail  process  consumer  20..30ms  link=#send`, "linked span of process"},
		{"a message to nobody known", `
shop  order  0..50ms
  shop  send  producer  1..10ms  messaging.system=nats messaging.destination.name=orders`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			other := func(s trace.Span) bool { _, ok := s.Attr("other"); return ok }
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Keys: by("order.id")}, {Flow: "other", Origin: other}}, store.Settings{})
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				if a.At.Sub(sketch.Base) < 5*time.Second {
					p.Arrive(a)
				}
			}
			var got []string
			for _, f := range p.Close(trace.ByEndOfRecording) {
				for _, e := range f.OpenEdges() {
					text := e.Kind.String() + " of " + f.Span(e.Node).Name()
					if parent := f.Span(e.Node).ParentID(); e.Kind == trace.WaitsForParent && e.Missing != parent {
						text += fmt.Sprintf(", by the id %v instead of %v", e.Missing, parent)
					}
					for _, n := range e.Strays {
						text += ", maybe " + f.Span(n).Name()
					}
					got = append(got, text)
				}
			}
			if g := strings.Join(got, ", "); g != tt.want {
				t.Errorf("open edges: got %q, want %q", g, tt.want)
			}
		})
	}
}

// An orphan of a shared trace holds up nobody: it is most likely of a flow beside, which
// has not ended. If its parent never comes it counts in the end, of whom it may be.
func TestAnOrphanBesideAFlow(t *testing.T) {
	for name, tt := range map[string]struct {
		at    time.Duration // when the parent comes
		noise int           // spans beside that are no orphans
		start string        // of the orphan, and its kind
		want  int           // open edges in the end
	}{
		"its parent comes":                      {900 * time.Millisecond, 0, "30..60ms  at=100ms", 0},
		"its parent never comes":                {time.Hour, 0, "30..60ms  at=100ms", 1},
		"its parent never comes, many spans":    {time.Hour, 2 * 40, "30..60ms  at=100ms", 1},
		"it began after the flow, many spans":   {time.Hour, 2 * 40, "52..60ms  at=100ms", 0},
		"its parent comes, and many spans":      {900 * time.Millisecond, 2 * 40, "30..60ms  at=100ms", 0},
		"it began after the flow had ended":     {time.Hour, 0, "52..60ms  at=100ms", 0},
		"it began before the flow, many spans":  {time.Hour, 2 * 40, "-2..60ms  at=100ms", 0},
		"it began before the flow, a few spans": {time.Hour, 2, "-2..60ms  at=100ms", 0},
		"a delivery after the flow":             {time.Hour, 0, "52..60ms  consumer", 1},
		"a delivery after the flow, many spans": {time.Hour, 2 * 40, "52..60ms  consumer", 1},
		"a delivery that came when it was over": {time.Hour, 0, "5000..5060ms  consumer", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := sketch.MustParse(fmt.Sprintf(`
resource shop host.id=h
suite  tests  internal  -10..900ms  #run
  shop  order  0..50ms
  suite  call  client  -5..800ms  at=%s
    shop  health  %s
%s`, tt.at, tt.start, strings.Repeat("  shop  ready  20..30ms\n", tt.noise)))
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order")}}, store.Settings{RunTrace: s.Labels["run"].TraceID(), RunSpan: s.Labels["run"].ID()})
			var f trace.Flow
			play := func(before time.Duration) {
				for len(s.Arrivals) > 0 && s.Arrivals[0].At.Sub(sketch.Base) < before {
					for _, f = range p.Arrive(s.Arrivals[0]) {
					}
					s.Arrivals = s.Arrivals[1:]
				}
			}
			play(500 * time.Millisecond)
			for _, f = range p.Wait(600 * time.Millisecond) {
			}
			if f.State() != trace.Complete || len(f.OpenEdges()) != 0 {
				t.Errorf("with an orphan: %s", describe(f))
			}
			p.Store.CloseFlow(f, trace.BySilence)
			play(time.Minute)
			for _, f = range p.Close(trace.ByEndOfRun) {
			}
			if len(f.OpenEdges()) != tt.want {
				t.Errorf("in the end: %s, want %d open edges", describe(f), tt.want)
			}
		})
	}
}

// Each origin of a value may have a caller that sends no spans, and so may what enters its
// traces but for the first one's, whatever comes first.
func TestParentsThatAValueMisses(t *testing.T) {
	all := sketch.MustParse(`
queue  step  server  0..9ms    job=1 parent=missing  #first
queue  step  server  30..35ms  job=1 parent=missing trace=#first
queue  note  server  3..5ms    parent=missing trace=#first
queue  step  server  20..29ms  job=1 parent=missing  #second
queue  work  server  22..25ms  parent=missing trace=#second`).Arrivals
	per := func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.String(), ok }
	for order := range permutations(len(all)) {
		p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByKey, Origin: named("step"), Per: per, Scope: trace.ScopeTrace}}, store.Settings{})
		for _, i := range order {
			p.Arrive(sketch.Arrival{Span: all[i].Span, At: sketch.Base.Add(time.Second)})
		}
		p.Wait(10 * time.Second)
		f := p.Close(trace.ByEndOfRun)[0]
		if e := f.OpenEdges(); f.Len() != len(all) || len(e) != 1 || f.Span(e[0].Node).Name() != "note" {
			t.Fatalf("in the order %v: %s, want one open edge, the parent of note", order, describe(f))
		}
	}
}

// A flow of the spans that have a value, and of no others, misses none beside them.
func TestAValueAloneMissesNoOrphans(t *testing.T) {
	per := func(s trace.Span) (string, bool) { v, ok := s.Attr("job"); return v.String(), ok }
	p := storetest.New([]trace.Membership{{Flow: "f", Opens: trace.OpensByKey, Origin: named("step"), Per: per, Scope: trace.ScopeValue}}, store.Settings{})
	p.Arrive(sketch.MustParse(`
queue  step  server  0..9ms  job=1  #step
queue  note  internal  3..5ms  parent=missing trace=#step`).Arrivals...)
	p.Wait(10 * time.Second)
	if f := p.Close(trace.ByEndOfRun)[0]; f.Len() != 1 || len(f.OpenEdges()) != 0 {
		t.Errorf("%s, want 1 span and no open edge", describe(f))
	}
}

// A link of a member to a span that may yet come holds the flow up; that of somebody
// else, who may link to another flow's, counts in the end.
func TestLinksToSpansThatMayCome(t *testing.T) {
	const order = `
suite  tests  internal  -10..200ms  #run
  shop  order  0..50ms
    shop  send  producer  10..20ms  at=1h  #send
    %s  consumer  30..90ms  link=#send`
	for name, tt := range map[string]struct {
		sketch string
		live   int
	}{
		"a member":      {strings.ReplaceAll(order, "%s", "mail  process"), 1},
		"somebody else": {strings.ReplaceAll(order, "    %s", "mail  process"), 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Scope: trace.ScopeSubtree}}, store.Settings{})
			var f trace.Flow
			for _, a := range sketch.MustParse(tt.sketch).Arrivals {
				if a.At.Sub(sketch.Base) < time.Hour {
					for _, f = range p.Arrive(a) {
					}
				}
			}
			for _, f = range p.Wait(10 * time.Second) {
			}
			if got := len(f.OpenEdges()); got != tt.live || f.State() == trace.Complete != (tt.live == 0) {
				t.Errorf("after a silence: %v with %d open edges, want %d", f.State(), got, tt.live)
			}
			for _, f = range p.Close(trace.ByEndOfRun) {
			}
			if got := len(f.OpenEdges()); got != 1 {
				t.Errorf("in the end: %d open edges, want 1", got)
			}
		})
	}
}

// The span that stands for the command under test is followspan's, and never comes.
func TestTheRunsOwnSpanIsNotMissing(t *testing.T) {
	s := sketch.MustParse(`
suite  tests  internal  0..200ms  at=1h  #run
  shop  order  0..50ms  order.id=1
  mail  send  internal  60..70ms  order.id=1`)
	p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Keys: by("order.id")}},
		store.Settings{RunTrace: s.Labels["run"].TraceID(), RunSpan: s.Labels["run"].ID()})
	p.Arrive(s.Arrivals[:2]...)
	p.Wait(10 * time.Second)
	if f := p.Close(trace.ByEndOfRun)[0]; f.Len() != 2 || len(f.OpenEdges()) != 0 {
		t.Errorf("%s, want 2 spans and no open edge", describe(f))
	}
}

// Peers that the flow's author calls silent owe nothing.
func TestSilentPeers(t *testing.T) {
	const order = `
shop  order  0..100ms
  shop  a  client  1..9ms  server.address=gateway server.port=80
    price  quote  server  2..8ms
  shop  b  client  11..19ms  server.address=gateway server.port=80
  shop  c  client  21..29ms  peer.service=price
  shop  d  producer  31..39ms  messaging.destination.name=orders
  mail  sent  consumer  41..49ms  messaging.destination.name=orders`
	for _, tt := range []struct {
		silent []string
		want   string
	}{
		{nil, "b c d"},
		{[]string{"gateway"}, "c d"},
		{[]string{"gateway:80"}, "c d"},
		{[]string{"gateway:81", "way", ""}, "b c d"},
		{[]string{"price", "orders"}, "b"},
		{[]string{"gateway", "price", "orders"}, ""},
	} {
		p := storetest.New([]trace.Membership{{Flow: "f", Origin: named("order"), Silent: tt.silent}}, store.Settings{})
		p.Arrive(sketch.MustParse(order).Arrivals...)
		var got []string
		for _, f := range p.Close(trace.ByEndOfRecording) {
			for _, e := range f.OpenEdges() {
				got = append(got, f.Span(e.Node).Name())
			}
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("silent %q: open edges of %q, want %q", tt.silent, g, tt.want)
		}
	}
}
