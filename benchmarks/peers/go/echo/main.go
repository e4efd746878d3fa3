// SPDX-License-Identifier: BSL-1.0
package main

import (
	"net"
	"os"
	"runtime"
)

func main() {
	runtime.GOMAXPROCS(1)
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			b := make([]byte, 65536)
			for {
				n, err := c.Read(b)
				if err != nil {
					return
				}
				if _, err = c.Write(b[:n]); err != nil {
					return
				}
			}
		}()
	}
}
