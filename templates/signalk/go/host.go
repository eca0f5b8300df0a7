// What the host calls, and what it offers. Whatever passes between the two is UTF-8 in this plugin's memory.
package main

import "unsafe"

//go:wasmimport env sk_set_status
func skSetStatus(text unsafe.Pointer, length int32)

func setStatus(text string) {
	skSetStatus(unsafe.Pointer(unsafe.StringData(text)), int32(len(text)))
}

// What the host has asked for is kept from the garbage collector until the host gives it back.
var blocks = map[unsafe.Pointer][]byte{}

//go:wasmexport allocate
func allocate(length int32) unsafe.Pointer {
	block := make([]byte, max(length, 1))
	at := unsafe.Pointer(unsafe.SliceData(block))
	blocks[at] = block
	return at
}

//go:wasmexport deallocate
func deallocate(at unsafe.Pointer, length int32) {
	delete(blocks, at)
}

// As much of a text as there is room for.
func put(out unsafe.Pointer, lengthMax int32, text string) int32 {
	return int32(copy(unsafe.Slice((*byte)(out), lengthMax), text))
}

func textAt(at unsafe.Pointer, length int32) string {
	return string(unsafe.Slice((*byte)(at), length))
}

//go:wasmexport plugin_id
func pluginID(out unsafe.Pointer, lengthMax int32) int32 { return put(out, lengthMax, "my-plugin") }

//go:wasmexport plugin_name
func pluginName(out unsafe.Pointer, lengthMax int32) int32 { return put(out, lengthMax, "my-plugin") }

//go:wasmexport plugin_schema
func pluginSchema(out unsafe.Pointer, lengthMax int32) int32 { return put(out, lengthMax, schema) }

//go:wasmexport plugin_start
func pluginStart(settings unsafe.Pointer, length int32) int32 {
	if start(textAt(settings, length)) {
		return 0
	}
	return 1
}

//go:wasmexport plugin_stop
func pluginStop() int32 {
	stop()
	return 0
}

//go:wasmexport delta_handler
func deltaHandler(delta unsafe.Pointer, length int32) { takeDelta(textAt(delta, length)) }

func main() {}
