package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkStart measures from starting the program on an empty data directory
// to having read the first page, and the memory that it then holds.
func BenchmarkStart(b *testing.B) {
	var resident float64
	for b.Loop() {
		b.StopTimer()
		cmd := exec.CommandContext(b.Context(), os.Args[0], "serve", "--addr", "127.0.0.1:0")
		cmd.Dir = b.TempDir()
		cmd.Env = append(os.Environ(), "DATA_DIR="+b.TempDir(), "AGNES_METRICS_ADDR=off")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			b.Fatal(err)
		}
		browser := http.Client{Jar: jar}
		b.StartTimer()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		resp, err := browser.Get(printedURL(b, stdout))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			b.Fatalf("first page: %s, %v", resp.Status, err)
		}
		b.StopTimer()
		resp.Body.Close()
		time.Sleep(2 * time.Second) // what start-up needed is given back by then
		resident = residentMB(b, cmd.Process.Pid)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			b.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	b.ReportMetric(resident, "MB-resident")
}

// printedURL is the address of the first-run page that the program prints.
func printedURL(b *testing.B, stdout io.Reader) string {
	b.Helper()
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); strings.Contains(line, "/first-run?token=") {
			return line
		}
	}
	b.Fatalf("no link was printed: %v", lines.Err())
	return ""
}

func residentMB(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Skip("memory is read from /proc")
	}
	found := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	kb, err := strconv.Atoi(string(found[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kb) / 1024
}
