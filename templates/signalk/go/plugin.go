// Shows the depth below the transducer as its status. Change it to what your plugin is for; how the host calls it stands
// in host.go.
package main

import "strings"

// What an operator may set, as JSON Schema; the settings come to start as JSON.
const schema = `{"type":"object","properties":{}}`

// Whether it has started.
func start(settings string) bool {
	setStatus("Waiting for a depth")
	return true
}

func stop() {}

// Gets every delta, as JSON; most are about something else.
func takeDelta(delta string) {
	_, behind, isThere := strings.Cut(delta, `"path":"environment.depth.belowTransducer"`)
	if !isThere {
		return
	}
	_, value, isThere := strings.Cut(behind, `"value":`)
	end := strings.IndexAny(value, ",}")
	// A depth that nobody knows is null.
	if !isThere || end < 1 || value[0] == 'n' {
		return
	}
	setStatus("Depth is " + value[:end] + " m")
}
