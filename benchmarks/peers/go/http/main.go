// SPDX-License-Identifier: BSL-1.0
package main

import (
	"net/http"
	"os"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	b := []byte("Hello, World!")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Write(b)
	})
	http.ListenAndServe("127.0.0.1:"+os.Args[1], nil)
}
