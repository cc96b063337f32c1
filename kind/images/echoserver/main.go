// Command echoserver stands for the image cilium/echoserver where no image registry can be reached: it says which pod answered and what was asked,
// in the same lines of text. After SIGTERM it goes on answering for a while, since gateways learn late that a pod is leaving.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"
	"time"
)

// How long requests are still answered after SIGTERM: longer than a gateway takes to follow its endpoints.
const drain = 8 * time.Second

func main() {
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	name, err := os.Hostname()
	if err != nil {
		fail(err)
	}
	var leaving atomic.Bool
	server := &http.Server{Addr: ":" + port, Handler: echo(name, &leaving, slices.Contains(os.Args[1:], "faulty")), ReadHeaderTimeout: 10 * time.Second}
	ending, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ending.Done()
		// Connections that idle stay open: a gateway may be sending on one at this moment. Each is closed with its next answer.
		leaving.Store(true)
		time.Sleep(drain)
		last, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		if err := server.Shutdown(last); err != nil {
			fail(err)
		}
	}()
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fail(err)
	}
	<-ended
}

// With faulty, every answer is an error of the server, and says the same.
func echo(name string, leaving *atomic.Bool, faulty bool) http.HandlerFunc {
	return func(answer http.ResponseWriter, request *http.Request) {
		if leaving.Load() {
			answer.Header().Set("Connection", "close")
		}
		answer.Header().Set("Content-Type", "text/plain")
		if faulty {
			answer.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprintf(answer, "\n\nHostname: %s\n\nRequest Information:\n", name)
		fmt.Fprintf(answer, "\tclient_address=%s\n\tmethod=%s\n\treal path=%s\n", request.RemoteAddr, request.Method, request.URL.RequestURI())
		fmt.Fprintf(answer, "\trequest_version=%s\n\trequest_uri=http://%s%s\n", request.Proto, request.Host, request.URL.RequestURI())
		fmt.Fprint(answer, "\nRequest Headers:\n")
		var names []string
		for name := range request.Header {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			for _, value := range request.Header[name] {
				fmt.Fprintf(answer, "\t%s=%s\n", name, value)
			}
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "echoserver:", err)
	os.Exit(1)
}
