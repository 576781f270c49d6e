package receiver

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// portHolder names the process that listens on a TCP port, such as "otelcol (pid
// 4711)", or "" if that cannot be seen: processes of other users hide their sockets.
func portHolder(port string) string {
	n, err := net.LookupPort("tcp", port)
	if err != nil {
		return ""
	}
	inodes := append(listeningSockets("/proc/net/tcp", n), listeningSockets("/proc/net/tcp6", n)...)
	for _, inode := range inodes {
		if pid := socketOwner(inode); pid != "" {
			name, err := os.ReadFile("/proc/" + pid + "/comm")
			if err != nil {
				continue
			}
			return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), pid)
		}
	}
	return ""
}

// listeningSockets reads the inodes of sockets in state LISTEN on the port from a
// table as proc(5) describes it: local address in column 1, state in 3, inode in 9.
func listeningSockets(table string, port int) (inodes []string) {
	data, err := os.ReadFile(table)
	if err != nil {
		return nil
	}
	const listen = "0A"
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) > 9 && f[3] == listen && strings.HasSuffix(f[1], suffix) {
			inodes = append(inodes, f[9])
		}
	}
	return inodes
}

// socketOwner finds the process that has the socket open.
func socketOwner(inode string) (pid string) {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	want := "socket:[" + inode + "]"
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == want {
			pid = strings.Split(link, "/")[2]
			if _, err := strconv.Atoi(pid); err == nil {
				return pid
			}
		}
	}
	return ""
}
