// Go's net/http with its default client: connections are kept and shared.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

// stream hides the length of a text, so that it is sent in chunks.
type stream struct{ io.Reader }

func main() {
	server := os.Args[1]
	text, err := os.ReadFile(os.Args[2])
	must(err)
	rows := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, row := range rows {
		fmt.Println("text", post(server, strings.NewReader(row)))
	}
	for _, row := range rows {
		fmt.Println("chunked", post(server, stream{strings.NewReader(row)}))
	}
	together := make([]string, len(rows))
	var wait sync.WaitGroup
	for i, row := range rows {
		wait.Add(1)
		go func(i int, row string) {
			defer wait.Done()
			together[i] = post(server, strings.NewReader(row))
		}(i, row)
	}
	wait.Wait()
	for _, line := range together {
		fmt.Println("together", line)
	}
	answer, err := http.Get(server + "/ping")
	must(err)
	fmt.Println("ping", said(answer))
}

func post(server string, body io.Reader) string {
	answer, err := http.Post(server+"/invocations", "text/csv", body)
	must(err)
	return said(answer)
}

func said(answer *http.Response) string {
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(err)
	return fmt.Sprint(answer.StatusCode, " ", strings.TrimSpace(string(body)))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
