// SPDX-License-Identifier: BSL-1.0
// M8: client URL N C, GOMAXPROCS=1
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

func cpu() float64 {
	var t syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 2, uintptr(unsafe.Pointer(&t)), 0)
	return float64(t.Sec) + 1e-9*float64(t.Nsec)
}
func main() {
	runtime.GOMAXPROCS(1)
	url := os.Args[1]
	n, _ := strconv.Atoi(os.Args[2])
	c, _ := strconv.Atoi(os.Args[3])
	cl := &http.Client{Transport: &http.Transport{MaxIdleConns: c, MaxIdleConnsPerHost: c, MaxConnsPerHost: c, DisableCompression: true}}
	run := func(n int) int64 {
		left, total := int64(n), int64(0)
		var wg sync.WaitGroup
		for i := 0; i < c; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for atomic.AddInt64(&left, -1) >= 0 {
					r, err := cl.Get(url)
					if err != nil {
						panic(err)
					}
					k, _ := io.Copy(io.Discard, r.Body)
					r.Body.Close()
					atomic.AddInt64(&total, k)
				}
			}()
		}
		wg.Wait()
		return total
	}
	run(n / 10)
	w, p := time.Now(), cpu()
	if run(n) != int64(n)*1024 {
		panic("bytes")
	}
	fmt.Printf("{\"w\":\"M8\",\"n\":%d,\"wall\":%.9f,\"cpu\":%.9f}\n", n, time.Since(w).Seconds(), cpu()-p)
}
