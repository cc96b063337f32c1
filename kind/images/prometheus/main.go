// Command prometheus answers as Prometheus does, with a value that a test chooses: POST /set?value=0.97 for all queries that follow.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

func main() {
	var lock sync.Mutex
	value := "1"
	http.HandleFunc("POST /set", func(answer http.ResponseWriter, request *http.Request) {
		wanted := request.URL.Query().Get("value")
		if _, err := strconv.ParseFloat(wanted, 64); err != nil {
			http.Error(answer, "value is not a number", http.StatusBadRequest)
			return
		}
		lock.Lock()
		defer lock.Unlock()
		value = wanted
	})
	http.HandleFunc("/api/v1/query", func(answer http.ResponseWriter, request *http.Request) {
		lock.Lock()
		now := value
		lock.Unlock()
		sample := []any{float64(time.Now().UnixMilli()) / 1000, now}
		answer.Header().Set("Content-Type", "application/json")
		// A client that is gone has no use for an error.
		_ = json.NewEncoder(answer).Encode(map[string]any{
			"status": "success",
			"data":   map[string]any{"resultType": "vector", "result": []any{map[string]any{"metric": map[string]string{}, "value": sample}}},
		})
	})
	http.HandleFunc("/-/ready", func(answer http.ResponseWriter, request *http.Request) { fmt.Fprintln(answer, "ready") })
	if err := http.ListenAndServe(":9090", nil); err != nil {
		fmt.Fprintln(os.Stderr, "prometheus:", err)
		os.Exit(1)
	}
}
