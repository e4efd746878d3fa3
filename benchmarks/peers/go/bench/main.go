// SPDX-License-Identifier: BSL-1.0
// Go (run with GOMAXPROCS=1 except M10) on workloads M1-M5, M9, M10: a goroutine is the task.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

func cpu() float64 {
	var t syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, 2, uintptr(unsafe.Pointer(&t)), 0)
	return float64(t.Sec) + 1e-9*float64(t.Nsec)
}
func rss() int64 {
	b, _ := os.ReadFile("/proc/self/statm")
	v, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return v * 4096
}
func pin(core int) {
	runtime.LockOSThread()
	m := [16]uint64{1 << uint(core)}
	syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, 128, uintptr(unsafe.Pointer(&m[0])))
}

var seed uint64 = 88172645463325252

func rng() uint64 {
	seed ^= seed >> 12
	seed ^= seed << 25
	seed ^= seed >> 27
	return seed * 2685821657736338717
}

type span struct {
	w0   time.Time
	c0   float64
	w, c float64
	x    string
}

func start() *span          { return &span{w0: time.Now(), c0: cpu()} }
func (s *span) stop() *span { s.w = time.Since(s.w0).Seconds(); s.c = cpu() - s.c0; return s }

func m1s(n int) *span {
	ch := make(chan int, 1)
	s := start()
	x := 0
	for i := 0; i < n; i++ {
		go func(i int) { ch <- i }(i)
		x += <-ch
	}
	return s.stop()
}
func m1b(n int) *span {
	s := start()
	var wg sync.WaitGroup
	r := make([]int, n)
	wg.Add(n)
	for i := 0; i < n; i++ {
		go func(i int) { r[i] = i; wg.Done() }(i)
	}
	wg.Wait()
	return s.stop()
}
func m1m(n int) *span {
	ev := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(n)
	r0, t0 := rss(), time.Now()
	for i := 0; i < n; i++ {
		go func() { <-ev; wg.Done() }()
	}
	runtime.Gosched()
	sp := time.Since(t0).Seconds()
	r1 := rss()
	s := start()
	close(ev)
	wg.Wait()
	s.stop()
	s.x = fmt.Sprintf(",\"bytes\":%.1f,\"spawn_wall\":%.9f", float64(r1-r0)/float64(n), sp)
	return s
}
func m2a(n int) *span { // no post(): a chain of goroutines
	done := make(chan struct{})
	var f func(k int)
	f = func(k int) {
		if k > 1 {
			go f(k - 1)
		} else {
			close(done)
		}
	}
	s := start()
	go f(n)
	<-done
	return s.stop()
}
func m3(n int) *span {
	a, b := make(chan int), make(chan int)
	go func() {
		for v := range a {
			b <- v + 1
		}
	}()
	s := start()
	v := 0
	for i := 0; i < n; i++ {
		a <- v
		v = <-b
	}
	s.stop()
	close(a)
	return s
}
func m4a(n int) *span {
	s := start()
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		d := time.Duration(rng()%100000) * time.Microsecond
		go func() { time.Sleep(d); wg.Done() }()
	}
	wg.Wait()
	return s.stop()
}
func m4b(n int) *span {
	s := start()
	for i := 0; i < n; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		ch := make(chan int, 1)
		ch <- i
		select {
		case <-ch:
		case <-ctx.Done():
			panic(1)
		}
		cancel()
	}
	return s.stop()
}
func m4y(n int) *span {
	s := start()
	for i := 0; i < n; i++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		ch := make(chan int, 1)
		go func(i int) { runtime.Gosched(); ch <- i }(i)
		select {
		case <-ch:
		case <-ctx.Done():
			panic(1)
		}
		cancel()
	}
	return s.stop()
}
func m4c(n int) *span {
	var bg []*time.Timer
	for i := 0; i < 10000; i++ {
		bg = append(bg, time.AfterFunc(30*time.Second+time.Duration(rng()%60000000)*time.Microsecond, func() {}))
	}
	s := start()
	for i := 0; i < n; i++ {
		time.AfterFunc(10*time.Second+time.Duration(rng()%60000000)*time.Microsecond, func() {}).Stop()
		if i&1023 == 1023 {
			runtime.Gosched()
		}
	}
	s.stop()
	for _, t := range bg {
		t.Stop()
	}
	return s
}
func m5(n int) *span {
	s := start()
	for r := 0; r < 10; r++ {
		var wg sync.WaitGroup
		wg.Add(n)
		for i := 0; i < n; i++ {
			go func() { runtime.Gosched(); wg.Done() }()
		}
		wg.Wait()
	}
	return s.stop()
}

//go:noinline
func leaf(c context.Context) error {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	select {
	case <-c.Done():
		return c.Err()
	case <-t.C:
		return nil
	}
}

//go:noinline
func mid(c context.Context) error { return leaf(c) }
func m9(n int) *span {
	var wg sync.WaitGroup
	wg.Add(n)
	cs := make([]context.CancelFunc, n)
	for i := range cs {
		c, f := context.WithCancel(context.Background())
		cs[i] = f
		go func() {
			if mid(c) == nil {
				panic(1)
			}
			wg.Done()
		}()
	}
	runtime.Gosched()
	s := start()
	for _, f := range cs {
		f()
	}
	wg.Wait()
	return s.stop()
}
func m10a(n int) *span {
	pin(0)
	q := make(chan func(), 1024)
	k := 0
	s := start()
	go func() {
		pin(1)
		for i := 0; i < n; i++ {
			q <- func() { k++ }
		}
		close(q)
	}()
	for f := range q {
		f()
	}
	return s.stop()
}
func m10b(n int) *span {
	pin(0)
	q := make(chan func(), 1024)
	lat := make([]float64, 0, n)
	s := start()
	go func() {
		pin(1)
		d := make(chan struct{}, 1)
		for i := 0; i < n; i++ {
			t := time.Now()
			q <- func() { d <- struct{}{} }
			<-d
			lat = append(lat, time.Since(t).Seconds())
		}
		close(q)
	}()
	for f := range q {
		f()
	}
	s.stop()
	sort.Float64s(lat)
	s.x = fmt.Sprintf(",\"p50\":%.9f,\"p99\":%.9f", lat[n/2], lat[n*99/100])
	return s
}
func main() {
	debug.SetGCPercent(400)
	w := os.Args[1]
	if !strings.HasPrefix(w, "M10") {
		runtime.GOMAXPROCS(1)
	} else {
		runtime.GOMAXPROCS(2)
	}
	n := 1000000
	switch w {
	case "M2a":
		n = 10000000
	case "M5", "M9", "M10b":
		n = 100000
	}
	if len(os.Args) > 2 {
		n, _ = strconv.Atoi(os.Args[2])
	}
	f := map[string]func(int) *span{"M1s": m1s, "M1b": m1b, "M1m": m1m, "M2a": m2a, "M3": m3, "M4a": m4a, "M4b": m4b, "M4y": m4y, "M4c": m4c, "M5": m5, "M9": m9, "M10a": m10a, "M10b": m10b}[w]
	if f == nil {
		os.Exit(2)
	}
	if w != "M1m" && w != "M4a" && w != "M9" {
		f(n / 10)
	}
	s := f(n)
	fmt.Printf("{\"w\":\"%s\",\"n\":%d,\"wall\":%.9f,\"cpu\":%.9f%s}\n", w, n, s.w, s.c, s.x)
}
