// SPDX-License-Identifier: BSL-1.0
package main

import (
	"net/http"
	"os"
	"runtime"
	"strings"
)

func main() {
	runtime.GOMAXPROCS(1)
	b := []byte("Hello, World!")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write(b)
	})
	json := []byte(`{"message":"` + strings.Repeat("x", 1010) + `"}`)
	http.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(json)
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
