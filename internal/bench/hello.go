package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"time"
)

// helloServer is a bare server in a process of its own.
type helloServer struct {
	cmd *exec.Cmd
	url string
}

func (b *bench) hello(ctx context.Context) (*helloServer, error) {
	cmd := exec.CommandContext(ctx, b.self, "child-hello")
	cmd.Stderr = b.progress
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	h := &helloServer{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, h.stop())
	}
	h.url = "http://" + strings.TrimSpace(line)
	return h, nil
}

func (h *helloServer) stop() error {
	err := h.cmd.Process.Kill()
	_ = h.cmd.Wait() // it was killed, and says so
	return err
}

// helloChild answers every request with a few bytes of JSON.
func helloChild(ctx context.Context, _ []string, out io.Writer) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, l.Addr())
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"hello":"world"}`) // a client that went away does not want it
	})}
	return s.Serve(l)
}
