package trace

import "strings"

// Semantic conventions renamed many attributes while services kept running, so
// both names of one thing resolve together: whichever a flow file uses finds
// whichever a service sends. Each line is one thing, the current name first.
var conventions = [][]string{
	{"http.request.method", "http.method"},
	{"http.response.status_code", "http.status_code"},
	{"http.request.body.size", "http.request_content_length"},
	{"http.response.body.size", "http.response_content_length"},
	{"http.request.resend_count", "http.resend_count"},
	{"url.full", "http.url"},
	{"url.scheme", "http.scheme"},
	{"url.path", "http.target"},
	{"user_agent.original", "http.user_agent"},
	{"client.address", "http.client_ip"},
	{"server.address", "net.peer.name", "net.host.name", "http.host"},
	{"server.port", "net.peer.port", "net.host.port"},
	{"network.protocol.name", "net.protocol.name"},
	{"network.protocol.version", "net.protocol.version", "http.flavor"},
	{"network.transport", "net.transport"},
	{"network.peer.address", "net.sock.peer.addr"},
	{"db.system.name", "db.system"},
	{"db.namespace", "db.name"},
	{"db.query.text", "db.statement"},
	{"db.operation.name", "db.operation"},
	{"db.collection.name", "db.sql.table", "db.mongodb.collection", "db.cassandra.table"},
	{"db.response.status_code", "db.cosmosdb.status_code"},
	{"messaging.operation.type", "messaging.operation"},
	{"messaging.destination.name", "messaging.destination"},
	{"messaging.message.id", "messaging.message_id"},
	{"messaging.message.body.size", "messaging.message.payload_size_bytes"},
	{"messaging.client.id", "messaging.client_id"},
	{"messaging.consumer.group.name", "messaging.kafka.consumer.group", "messaging.kafka.consumer_group"},
	{"messaging.destination.partition.id", "messaging.kafka.destination.partition", "messaging.kafka.partition"},
	{"deployment.environment.name", "deployment.environment"},
	{"code.function.name", "code.function"},
	{"code.file.path", "code.filepath"},
	{"code.line.number", "code.lineno"},
	{"peer.service", "service.peer.name"},
	{"rpc.response.status_code", "rpc.grpc.status_code"},
	{"enduser.id", "user.id"},
	{"feature_flag.result.variant", "feature_flag.variant"},
	{"gen_ai.provider.name", "gen_ai.system"},
}

// aliases is the other names of each name, itself first.
var aliases = func() map[string][]string {
	m := map[string][]string{}
	for _, names := range conventions {
		for _, n := range names {
			all := []string{n}
			for _, other := range names {
				if other != n {
					all = append(all, other)
				}
			}
			m[n] = all
		}
	}
	return m
}()

// Aliases returns the names under which the attribute may be found, key first.
func Aliases(key string) []string {
	if a, ok := aliases[key]; ok {
		return a
	}
	return []string{key}
}

// TellsApart reports whether spans of the kind tell of two things under two names of which
// one is an alias of the other: where a server tells net.peer.name it is the client's, and
// where a client tells net.host.name it is its own.
func (k Kind) TellsApart(name, alias string) bool {
	other := ""
	switch k {
	case Server, Consumer:
		other = "net.peer."
	case Client, Producer:
		other = "net.host."
	default:
		return false
	}
	return strings.HasPrefix(name, other) != strings.HasPrefix(alias, other)
}
