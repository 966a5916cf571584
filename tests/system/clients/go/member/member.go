// Package member is what both Go programs share: options, events and commands (see ../../README.md).
package member

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"
)

// Options of a member, from the command line.
type Options struct {
	Bootstrap, Group, Topic string
	Protocol                string `json:"protocol"`
	Assignor                string `json:"assignor"`
	Instance                string `json:"instance"`
	SessionMs               int    `json:"session_ms,string"`
}

// Session is how long a static member may be silent.
func (o Options) Session() time.Duration { return time.Duration(o.SessionMs) * time.Millisecond }

// Parse reads the command line.
func Parse() Options {
	options := Options{Bootstrap: os.Args[1], Group: os.Args[2], Topic: os.Args[3]}
	if err := json.Unmarshal([]byte(os.Args[4]), &options); err != nil {
		panic(err)
	}
	return options
}

var output sync.Mutex

func tell(event map[string]any) {
	line, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

// Record was read.
func Record(partition int32, offset int64, value []byte) {
	tell(map[string]any{"record": []any{partition, offset, string(value)}})
}

// Committed everything that was read.
func Committed() { tell(map[string]any{"committed": true}) }

// Closed for good.
func Closed() { tell(map[string]any{"closed": true}) }

// Error that a user of the library would take for one.
func Error(err error) { tell(map[string]any{"error": err.Error()}) }

// Assigned partitions, all of them.
func Assigned(partitions map[int32]bool) {
	all := []int{}
	for partition := range partitions {
		all = append(all, int(partition))
	}
	sort.Ints(all)
	tell(map[string]any{"assigned": all})
}

// Commands that the driver sends.
func Commands() <-chan string {
	commands := make(chan string)
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() {
			commands <- lines.Text()
		}
	}()
	return commands
}
