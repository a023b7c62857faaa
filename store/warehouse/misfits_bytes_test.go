package warehouse

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"agnes/domain/files"
)

// TestRowsOfOtherBytesAreKept holds that rows put aside have the bytes of the file in
// the download, and show those that are no UTF-8.
func TestRowsOfOtherBytesAreKept(t *testing.T) {
	t.Parallel()
	odd := []string{"2,caf\xe9 \xff", "3,\"a\nb\xe9\"", "4,\"q\"\"\xe9\",z", "5,really?,x", "z\xe9,x"}
	shown := []string{`2,caf\xE9 \xFF`, "3,\"a\nb\\xE9\"", `4,"q""\xE9",z`, "5,really?,x", `z\xE9,x`}
	plain := manyRows("id,a", "1,xyzxyz", odd...)
	for name, content := range map[string]string{"a.csv": plain, "b.csv": byteOrderMark + plain, "c.csv.gz": mustGzip(t, plain), "d.csv": strings.ReplaceAll(plain, ",xyzxyz\n", ",xyzxyz\r\n")} {
		s := newTestStore(t)
		_, report, err := convertWith(t, s, name, content, files.Options{Misfits: files.SkipRows})
		if err != nil {
			t.Fatal(err)
		}
		kept, err := os.Open(mustPath(t, s, report.Misfits.Key))
		if err != nil {
			t.Fatal(err)
		}
		defer kept.Close()
		rows, err := csv.NewReader(kept).ReadAll()
		if err != nil || len(rows) != len(odd)+1 || strings.Join(rows[0], ",") != "line,column,reason,raw" {
			t.Fatalf("%s: kept %q, %v", name, rows, err)
		}
		for i := range odd {
			if got := rows[i+1][3]; got != odd[i] {
				t.Errorf("%s: kept %q, want %q", name, got, odd[i])
			}
			if got := report.Misfits.First[i].Raw; got != shown[i] {
				t.Errorf("%s: shows %q, want %q", name, got, shown[i])
			}
		}
		format, _ := files.FormatOf(name)
		p, err := s.PreviewWith(t.Context(), "files/"+name, format, files.Options{Misfits: files.SkipRows})
		if err != nil || p.Misfits.First[0].Raw != shown[0] {
			t.Errorf("%s: preview %+v, %v", name, p.Misfits, err)
		}
	}
}

func TestRowsOfOtherBytesOfAFolder(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	mustWrite(t, s, "files/d/a.csv", manyRows("id,a", "1,xyzxyz", "2,\xe9"))
	mustWrite(t, s, "files/d/b.csv", manyRows("id,a", "1,xyzxyz", "3,\xe9,x"))
	mustWrite(t, s, "files/d/c.csv", "id,a\n1,x\n2\n3,y\n")
	_, report, err := convertWith(t, s, "d/d.csv", "id,a\n1,x\n", files.Options{Misfits: files.SkipRows})
	if err != nil {
		t.Fatal(err)
	}
	if report.Misfits.Count > 0 {
		t.Errorf("report %+v", report)
	}
	out, err := s.ConvertWith(t.Context(), "files/d", files.CSV, files.Options{Misfits: files.SkipRows}, Target{"files", "t", "v2"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(mustPath(t, s, "versions/files/t/v2.rejects.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"file,line,column,reason,raw\n", "d/a.csv,30482,a,", "\"2,\xe9\"\n", "d/b.csv,30482,a,", "\"3,\xe9,x\"\n", "d/c.csv,3,a,"} {
		if !strings.Contains(string(kept), want) {
			t.Errorf("kept %q, which has no %q", kept, want)
		}
	}
	if out.Rows != 2*(sampleRows+10000)+3 {
		t.Errorf("%d rows", out.Rows)
	}
}

func TestVisible(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{"é": "é", "caf\xe9": `caf\xE9`, "\xff\xfe": `\xFF\xFE`, "�": "�", `\xE9`: `\xE9`, "": ""} {
		if got := visible(raw); got != want {
			t.Errorf("%q is shown as %q, want %q", raw, got, want)
		}
	}
}
