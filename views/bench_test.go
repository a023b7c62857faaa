package views

import (
	"io"
	"testing"
)

// BenchmarkConsoleResult draws the largest result that the console shows.
func BenchmarkConsoleResult(b *testing.B) {
	c := ConsoleResult(ConsoleResultView{Grid: testGrid(10000), At: noon()})
	for b.Loop() {
		if err := c.Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCatalogPage draws a page of fifty tables.
func BenchmarkCatalogPage(b *testing.B) {
	v := testCatalog(true)
	for len(v.Tables) < 50 {
		v.Tables = append(v.Tables, testTables()...)
	}
	c := CatalogPage(testChrome(true), v)
	for b.Loop() {
		if err := c.Render(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}
