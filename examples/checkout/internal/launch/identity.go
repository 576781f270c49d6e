package launch

import (
	"os"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/followspan/followspan/examples/checkout/internal/fault"
)

// version is the service.version of all services.
const version = "1.4.0"

// identity returns the environment that tells a process what it is: its fault,
// its name, and what a deployment says about it. Resource attributes that are
// set already stay unless they are set here too.
func identity(name string, f fault.Fault) []string {
	environment := "test"
	if f == fault.WrongEnv && name == "inventory" {
		environment = "staging"
	}
	attributes := []string{
		"service.version=" + version,
		"deployment.environment.name=" + environment,
		"host.id=" + hostID(),
	}
	if inherited := os.Getenv("OTEL_RESOURCE_ATTRIBUTES"); inherited != "" {
		attributes = append([]string{inherited}, attributes...)
	}
	return []string{
		fault.Variable + "=" + string(f),
		"OTEL_SERVICE_NAME=" + name,
		"OTEL_RESOURCE_ATTRIBUTES=" + strings.Join(attributes, ","),
	}
}

// hostID returns what tells this host from others, so that timestamps of its
// processes can be compared: the machine id, or an id of this run where there
// is none, as in many containers.
var hostID = sync.OnceValue(func() string {
	id, err := os.ReadFile("/etc/machine-id")
	if text := strings.TrimSpace(string(id)); err == nil && text != "" {
		return text
	}
	return uuid.NewString()
})
